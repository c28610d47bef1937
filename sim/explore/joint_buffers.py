"""Sizes of the strip, map and weight memories that together take the least RAM.

They depend on each other. A strip memory that holds a late block in one strip lets the weight
memory hold the weights of one tile in place of the block's; a map memory with too little room
forces low strips, and so a large weight memory again. The least of one alone is therefore seldom
the least of all three.
"""

import dataclasses
from collections.abc import Collection, Iterator

from mnv2.golden.network import Network
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.mapping.placement import Placement, place_network
from mnv2.sim.mapping.pool_input import pool_feed
from mnv2.sim.mapping.tiling import DoesNotFit

__all__ = ["RAM_DEPTH", "smallest_buffers", "weights_needed"]

#: Words of a RAM at its full width, of every family that has it, and bits of that width.
RAM_DEPTH = {"block": 512, "ultra": 4096}
_RAM_WIDTH = {"block": 36, "ultra": 72}


def smallest_buffers(
    network: Network,
    ample: AcceleratorConfig,
    free: Collection[str] = ("strip_words", "map_words", "weight_words"),
) -> AcceleratorConfig:
    """The configuration with the strip, map and weight memory that take the least RAM.

    Every size of the strip memory that lets a block have higher strips is tried with every size of
    the map memory, in whole RAMs; the weight memory follows from both. Of equal ones the smallest
    strip memory is taken, then the smallest map memory.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    ample : mnv2.hw.config.AcceleratorConfig
        Its three memories are the most that may be taken.
    free : collection of str
        Those of them that are looked for; the others stay.

    Returns
    -------
    mnv2.hw.config.AcceleratorConfig

    Raises
    ------
    mnv2.sim.mapping.tiling.DoesNotFit
        If the network does not fit ``ample``.
    """
    place_network(network, ample)
    map_depth = RAM_DEPTH[ample.map_ram]
    least_weights = _bits(1, ample.weight_word_bits, ample.weight_ram)
    best, fewest = ample, None
    strips = _strip_sizes(network, ample) if "strip_words" in free else [ample.strip_words]
    maps = range(map_depth, ample.map_words + map_depth, map_depth)
    for strip_words in strips:
        strip_bits = _bits(strip_words, ample.word_bits, "block")
        for map_words in maps if "map_words" in free else [ample.map_words]:
            map_words = min(map_words, ample.map_words)
            bits = strip_bits + _bits(map_words, ample.word_bits, ample.map_ram)
            if fewest is not None and bits + least_weights >= fewest:
                break
            made = dataclasses.replace(ample, strip_words=strip_words, map_words=map_words)
            try:
                words = weights_needed(network, made, place_network(network, made))
            except DoesNotFit:
                continue
            bits += _bits(words, ample.weight_word_bits, ample.weight_ram)
            if fewest is None or bits < fewest:
                best, fewest = made, bits
                if "weight_words" in free:
                    depth = RAM_DEPTH[ample.weight_ram]
                    words = min(-(-words // depth) * depth, ample.weight_words)
                    best = dataclasses.replace(made, weight_words=words)
    return best


def weights_needed(network: Network, config: AcceleratorConfig, placement: Placement) -> int:
    """Words of weights with which a placement stays as it is.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig
    placement : mnv2.sim.mapping.placement.Placement
    """
    layers = pool_feed(network), network.classifier
    return max(
        *(tiling.weight_words for tiling in placement.tilings),
        *(-(-layer.input_channels // config.inputs) for layer in layers),
    )


def _strip_sizes(network: Network, config: AcceleratorConfig) -> Iterator[int]:
    """Sizes of the strip memory, in whole block RAMs, at which a block gets higher strips."""
    depth = RAM_DEPTH["block"]
    sizes = {config.strip_words}
    for block in network.blocks:
        rows, columns, channels = block.depthwise.output_shape
        row_words = -(-columns // config.pixels) * -(-channels // config.inputs)
        sizes.update(depth * -(-height * row_words // depth) for height in range(1, rows + 1))
    yield from sorted(size for size in sizes if size <= config.strip_words)


def _bits(words: int, word_bits: int, ram: str) -> int:
    """Bits of the RAMs that hold a number of words."""
    depth, width = RAM_DEPTH[ram], _RAM_WIDTH[ram]
    return -(-words // depth) * -(-word_bits // width) * depth * width
