"""What a format costs in memory, traffic and multipliers; computed from the architecture alone."""

import dataclasses
from math import prod

from sim.report.limits import parameter_bytes

__all__ = ["FormatCost", "format_cost"]


@dataclasses.dataclass(frozen=True)
class FormatCost:
    """Figures of a network in a format.

    Attributes
    ----------
    weight_bytes : int
        Memory of all weights, each layer's densely packed.
    dram_bytes : int
        Bytes that a frame moves at least: every weight and parameter once, image and logits.
    map_bytes : int
        The largest input and output of a block together: what stays on chip between blocks.
    multiplier_bits : int
        Weight bits times activation bits of the widest multiplier: what its area grows with.
    """

    weight_bytes: int
    dram_bytes: int
    map_bytes: int
    multiplier_bits: int


def format_cost(network, weight_bits, activation_bits, overrides=None):
    """Cost of a format.

    Parameters
    ----------
    network : golden.network.Network
    weight_bits, activation_bits : int
    overrides : dict of str to (int, int), optional
        (weight bits, activation bits) of layers that have others, by name.

    Returns
    -------
    FormatCost
    """
    overrides = overrides or {}
    bits = {layer.name: overrides.get(layer.name, (weight_bits, activation_bits))
            for layer in network.layers if layer.kind != "pool"}
    weights = sum(layer.weight_bytes(bits[layer.name][0]) for layer in network.layers
                  if layer.kind != "pool")

    def packed(elements, width):
        return -(-elements * width // 8)

    ends = packed(prod(network.input_shape), activation_bits) \
        + packed(network.classes, bits[network.classifier.name][1])
    maps = max(packed(prod(block.input_shape) + prod(block.output_shape), activation_bits)
               for block in network.blocks)
    return FormatCost(weights, weights + parameter_bytes(network) + ends, maps,
                      max(weight * activation for weight, activation in bits.values()))
