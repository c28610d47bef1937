"""A whole integer model on a device, stage after stage, one batch at a time."""

import torch

from mnv2.golden.fixed_point import signed_range
from mnv2.golden.gpu.eager import EagerAdd, EagerLayer, EagerPool

FORMS = ("eager", "kernels")


class Stages:
    """A QuantizedModel's stages, with their parameters on a device.

    Parameters
    ----------
    model : mnv2.golden.model.QuantizedModel
    device : torch.device
    form : str
        One of `FORMS`: plain torch, or the kernels in Triton.
    """

    def __init__(self, model, device, form):
        self.model, self.device, self.form = model, device, form
        self._ends, self._place = signed_range(model.input_bits), 0
        self.stem = self._layer(model.stem)
        self.blocks = [self._block(block) for block in model.blocks]
        self.head = [self._layer(head) for head in model.head_layers]
        self.pool = EagerPool(model.pool, device)
        self._ends = model.pool.minimum, model.pool.maximum
        self.classifier = self._layer(model.classifier)
        #: Names of the layers, in the order of their counts.
        self.names = [layer.name for layer in model.layers]

    def _layer(self, layer, add=None):
        """A layer for inputs between the ends that are known; its own clamp is known after it."""
        if self.form == "eager":
            made = EagerLayer(layer, *self._ends, self.device)
        else:
            from mnv2.golden.gpu.compiled import kernel_layer

            made = kernel_layer(layer, *self._ends, self.device, add=add, place=self._place)
        self._ends, self._place = (layer.minimum, layer.maximum), self._place + 1
        return made

    def _block(self, block):
        """(layers, addition or None) of a bottleneck."""
        layers = [
            self._layer(layer, block.add if layer is block.project else None)
            for layer in block.layers
        ]
        if block.add is None:
            return layers, None
        self._ends = block.add.minimum, block.add.maximum
        return layers, EagerAdd(block.add, self.device)

    @torch.no_grad()
    def run(self, x, keep):
        """Run a batch.

        Parameters
        ----------
        x : torch.Tensor
            int8 or int16 [N, H, W, 3] on the device.
        keep : collection of str
            Names of the tensors wanted.

        Returns
        -------
        dict of str to torch.Tensor, and torch.Tensor int64 [layers]
            The tensors, on the device, and how many accumulators of each layer left their range.
        """
        kept = {"input": x} if "input" in keep else {}
        counts = torch.zeros(len(self.names), dtype=torch.int64, device=self.device)

        def hold(record, value):
            if record.name in keep:
                kept[record.name] = value
            return value

        x = hold(self.model.stem, self._run(self.stem, x, counts))
        for block, (layers, add) in zip(self.model.blocks, self.blocks, strict=True):
            shortcut = x
            for layer in layers[:-1]:
                x = hold(layer.layer, self._run(layer, x, counts))
            if self._fuses(layers[-1], add) and block.project.name not in keep:
                x = layers[-1].launch(x, counts, shortcut)
            else:
                x = hold(block.project, self._run(layers[-1], x, counts))
                x = x if add is None else add(shortcut, x)
            if add is not None:
                hold(block.add, x)
        for head in self.head:
            x = hold(self.model.head, self._run(head, x, counts))
        x = hold(self.model.pool, self.pool(x))
        accumulators = self._accumulate(self.classifier, x, counts)
        if self.model.classifier.name in keep:
            kept[self.model.classifier.name] = self.classifier.requantize(
                accumulators.to(torch.int64)
            )
        if "logits_accumulator" in keep:
            kept["logits_accumulator"] = accumulators
        return kept, counts

    def _fuses(self, layer, add):
        """Whether a layer's kernel also does the addition."""
        return (
            add is not None
            and hasattr(layer, "launch")
            and not layer.saturates
            # The kernel rounds both alike.
            and layer.layer.arithmetic.rounding == add.add.arithmetic.rounding
        )

    def _run(self, layer, x, counts):
        """The output of a layer."""
        if hasattr(layer, "launch"):
            return layer.launch(x, counts)
        return layer.requantize(self._accumulate(layer, x, counts).to(torch.int64))

    def _accumulate(self, layer, x, counts):
        """The accumulators int32 of a layer."""
        if hasattr(layer, "launch"):
            return layer.launch(x, counts, raw=True)
        found: dict[str, torch.Tensor] = {}
        accumulators = layer.accumulate(x, found)
        counts[self.names.index(layer.layer.name)] += found[layer.layer.name]
        return accumulators.to(torch.int32)
