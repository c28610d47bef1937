"""Costs of a format in memory, traffic and multipliers, computed from the architecture alone."""

import dataclasses
from collections.abc import Sequence
from math import prod

from mnv2.golden.network import Network
from mnv2.golden.quantize import QuantizationOptions
from mnv2.sim.report.limits import parameter_bytes

__all__ = ["FormatCost", "format_cost"]


@dataclasses.dataclass(frozen=True)
class FormatCost:
    """Figures of a network in a format.

    Attributes
    ----------
    weight_bytes : int
        Memory of all weights, each layer's densely packed.
    dram_bytes : int
        Least bytes that a frame moves: every weight and parameter once, image and logits.
    map_bytes : int
        The largest input and output of a block together, which stay on chip between blocks.
    window_bytes : int
        The most that the window of a depthwise layer needs of its input: as many rows as the kernel
        has, which a line buffer holds.
    product_bits : int
        Weight bits times activation bits of the widest multiplier, which its area grows with.
    """

    weight_bytes: int
    dram_bytes: int
    map_bytes: int
    window_bytes: int
    product_bits: int


def format_cost(network: Network, options: QuantizationOptions) -> FormatCost:
    """Cost of a format.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    options : mnv2.golden.quantize.QuantizationOptions

    Returns
    -------
    FormatCost
    """

    def packed(shape: Sequence[int], tensor: str) -> int:
        return -(-prod(shape) * options.activation_bits_of(tensor) // 8)

    weights, maps, windows, source, widest = 0, 0, 0, "input", 0
    for layer in network.layers:
        if layer.kind != "pool":
            bits = options.weight_bits_of(layer.name)
            weights += layer.weight_bytes(bits)
            if layer.kind == "depthwise":
                _, columns, channels = layer.input_shape
                shape = (layer.kernel_size[0], columns, channels)
                windows = max(windows, packed(shape, source))
            widest = max(widest, bits * options.activation_bits_of(source))
        source = layer.name
    source = "stem"
    for block in network.blocks:
        maps = max(
            maps, packed(block.input_shape, source) + packed(block.output_shape, block.output_name)
        )
        source = block.output_name
    ends = packed(network.input_shape, "input") + packed((network.classes,), "classifier")
    return FormatCost(weights, weights + parameter_bytes(network) + ends, maps, windows, widest)
