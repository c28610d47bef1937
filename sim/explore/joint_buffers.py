"""Sizes of the strip, map and weight memories that together take the fewest block RAMs.

They depend on each other. A strip memory that holds a late block in one strip lets the weight
memory hold the weights of one tile in place of the block's; a map memory with too little room
forces low strips, and so a large weight memory again. The least of one alone is therefore seldom
the least of all three.
"""

import dataclasses
from collections.abc import Iterator

from mnv2.golden.network import Network
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.mapping.placement import Placement, place_network
from mnv2.sim.mapping.tiling import DoesNotFit

__all__ = ["BLOCK_RAM_DEPTH", "fewest_block_rams", "weights_needed"]

#: Words of a block RAM at its full width, and bits of that width, of every family here.
BLOCK_RAM_DEPTH, BLOCK_RAM_WIDTH = 512, 36


def fewest_block_rams(network: Network, ample: AcceleratorConfig) -> AcceleratorConfig:
    """The configuration with the strip, map and weight memory that take the fewest block RAMs.

    Every size of the strip memory that lets a block have higher strips is tried with every size of
    the map memory, in whole block RAMs; the weight memory follows from both. Of equal ones the
    smallest strip memory is taken, then the smallest map memory.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    ample : mnv2.hw.config.AcceleratorConfig
        Its three memories are the most that may be taken.

    Returns
    -------
    mnv2.hw.config.AcceleratorConfig

    Raises
    ------
    mnv2.sim.mapping.tiling.DoesNotFit
        If the network does not fit ``ample``.
    """
    place_network(network, ample)
    map_width, weight_width = _width(ample.word_bits), _width(ample.weight_word_bits)
    best, fewest = ample, None
    for strip_words in _strip_sizes(network, ample):
        for map_words in range(BLOCK_RAM_DEPTH, ample.map_words + BLOCK_RAM_DEPTH, BLOCK_RAM_DEPTH):
            map_words = min(map_words, ample.map_words)
            rams = map_width * (_rams(strip_words) + _rams(map_words))
            if fewest is not None and rams + weight_width >= fewest:
                break
            made = dataclasses.replace(ample, strip_words=strip_words, map_words=map_words)
            try:
                weights = weights_needed(network, made, place_network(network, made))
            except DoesNotFit:
                continue
            rams += weight_width * _rams(weights)
            if fewest is None or rams < fewest:
                weight_words = min(_rams(weights) * BLOCK_RAM_DEPTH, ample.weight_words)
                best, fewest = dataclasses.replace(made, weight_words=weight_words), rams
    return best


def weights_needed(network: Network, config: AcceleratorConfig, placement: Placement) -> int:
    """Words of weights with which a placement stays as it is.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig
    placement : mnv2.sim.mapping.placement.Placement
    """
    layers = network.head, network.classifier
    return max(
        *(tiling.weight_words for tiling in placement.tilings),
        *(-(-layer.input_channels // config.inputs) for layer in layers),
    )


def _strip_sizes(network: Network, config: AcceleratorConfig) -> Iterator[int]:
    """Sizes of the strip memory, in whole block RAMs, at which a block gets higher strips."""
    sizes = {config.strip_words}
    for block in network.blocks:
        rows, columns, channels = block.depthwise.output_shape
        row_words = -(-columns // config.pixels) * -(-channels // config.inputs)
        sizes.update(BLOCK_RAM_DEPTH * _rams(height * row_words) for height in range(1, rows + 1))
    yield from sorted(size for size in sizes if size <= config.strip_words)


def _rams(words: int) -> int:
    """Block RAMs in a row that hold so many words."""
    return -(-words // BLOCK_RAM_DEPTH)


def _width(bits: int) -> int:
    """Block RAMs side by side that hold a word of so many bits."""
    return -(-bits // BLOCK_RAM_WIDTH)
