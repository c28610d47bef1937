"""One bottleneck in integers, which runs alone."""

from dataclasses import dataclass

from mnv2.golden.quantized_layer import QuantizedAdd, QuantizedLayer
from mnv2.golden.summary import short_repr


@dataclass(frozen=True, eq=False)
class QuantizedBlock:
    """One bottleneck in integers; it runs alone (`run_block`)."""

    name: str
    expand: QuantizedLayer | None
    depthwise: QuantizedLayer
    project: QuantizedLayer
    add: QuantizedAdd | None

    __repr__ = short_repr

    @property
    def layers(self):
        return tuple(x for x in (self.expand, self.depthwise, self.project) if x is not None)

    @property
    def output(self):
        """The record whose output leaves the block: the addition if there is one, or project."""
        return self.add or self.project

    @property
    def output_name(self):
        """Name of the tensor that leaves the block."""
        return self.output.name


def run_block(block, activation, exact_loops=False):
    """Run one bottleneck on int8 [H, W, C].

    Returns
    -------
    dict of str to int8 [H, W, C]
        `blockN.expand` (if any), `blockN.depthwise`, `blockN.project`, `blockN.add` (if any), in
        order; the last is the block's output.
    """
    tensors, x = {}, activation
    for layer in block.layers:
        x = tensors[layer.name] = layer.run(x, exact_loops)
    if block.add is not None:
        tensors[block.add.name] = block.add.run(activation, x)
    return tensors
