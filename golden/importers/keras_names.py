"""Names of the layers of keras.applications' MobileNetV2 and MobileNet, by their place.

Ref: Keras 3.15 `applications/mobilenet_v2.py`, `applications/mobilenet.py`; Keras 2.3 the same.
"""

import re
from dataclasses import dataclass

__all__ = ["KerasNames", "find_names"]

_BLOCK = re.compile(r"block_(\d{1,3})_(expand|depthwise|project)")
_PAIR = re.compile(r"conv_(?:dw|pw)_(\d{1,3})")


@dataclass(frozen=True)
class KerasNames:
    """Names of a network's layers.

    Attributes
    ----------
    network : str
        What keras.applications calls it.
    stem : tuple of str
        Convolution, normalisation, padding and ReLU6.
    blocks : tuple of dict of str to str
        Of each block, by "expand", "depthwise", "project", and those with "_BN" after them;
        "pad", "expand_relu", "depthwise_relu", "project_relu" and "add".
    head : tuple of str or None
        Convolution, normalisation and ReLU6.
    """

    network: str
    stem: tuple[str, str, str, str]
    blocks: tuple[dict[str, str], ...]
    head: tuple[str, str, str] | None

    @property
    def strided(self):
        """(convolution, layer that pads it) of the stem and of each block."""
        pairs = [(block["depthwise"], block["pad"]) for block in self.blocks]
        return [(self.stem[0], self.stem[2]), *pairs]

    def relus(self, expanded):
        """Names of the ReLU6 layers, given whether each block has an expansion."""
        names = {self.stem[3], *(block["depthwise_relu"] for block in self.blocks)}
        if self.head is None:
            return names | {block["project_relu"] for block in self.blocks}
        wide = zip(self.blocks, expanded, strict=True)
        return names | {self.head[2], *(block["expand_relu"] for block, has in wide if has)}

    def adds(self, residual):
        """Names of the Add layers, given whether each block ends in a sum."""
        return {block["add"] for block, has in zip(self.blocks, residual, strict=True) if has}


def find_names(layers):
    """The KerasNames of a network with such layers.

    Parameters
    ----------
    layers : iterable of str
        Names of layers that hold variables; other names change nothing.
    """
    layers = list(layers)
    if any(_PAIR.fullmatch(name) for name in layers):
        count = max(int(match[1]) for name in layers if (match := _PAIR.fullmatch(name)))
        stem = ("conv1", "conv1_bn", "conv1_pad", "conv1_relu")
        return KerasNames("MobileNet", stem, tuple(_pair(i + 1) for i in range(count)), None)
    numbers = [int(match[1]) for name in layers if (match := _BLOCK.fullmatch(name))]
    names = ["expanded_conv", *(f"block_{i}" for i in range(1, 1 + max(numbers, default=0)))]
    stem = ("Conv1", "bn_Conv1", "Conv1_pad", "Conv1_relu")
    head = ("Conv_1", "Conv_1_bn", "out_relu")
    return KerasNames("MobileNetV2", stem, tuple(map(_bottleneck, names)), head)


def _bottleneck(name):
    parts = ("expand", "depthwise", "project")
    whole = (*parts, *(f"{part}_BN" for part in parts), "pad", "add")
    relus = ("expand_relu", "depthwise_relu", "project_relu")
    return {part: f"{name}_{part}" for part in (*whole, *relus)}


def _pair(number):
    names = {"expand": "", "pad": f"conv_pad_{number}", "add": ""}
    for part, short in (("depthwise", "dw"), ("project", "pw")):
        name = f"conv_{short}_{number}"
        names |= {part: name, f"{part}_BN": f"{name}_bn", f"{part}_relu": f"{name}_relu"}
    return names
