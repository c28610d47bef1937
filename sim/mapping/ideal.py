"""Cycles that work takes on the array if nothing ever waits: counted from the tiling alone.

A tile of ``outputs`` channels and a group of ``pixels`` takes a step for each word of input
channels; a window of a channel word and a group of pixels takes one. Lanes that a shape leaves
empty count as work.
"""

from dataclasses import dataclass

from mnv2.golden.network import Block, Layer, Network
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.mapping.pool_input import pool_feed
from mnv2.sim.mapping.tiling import map_words, stem_steps

__all__ = [
    "ProgramStep",
    "ideal_block_cycles",
    "ideal_pointwise_cycles",
    "ideal_stem_cycles",
    "program_steps",
]


def _tiles(words, config):
    return -(-words // config.tile_words)


def ideal_pointwise_cycles(layer: Layer, config: AcceleratorConfig) -> int:
    """Steps of a 1x1 convolution (`mnv2.golden.network.Layer`)."""
    rows, groups, words = map_words(layer.input_shape, config)
    return rows * groups * words * _tiles(map_words(layer.output_shape, config)[2], config)


def ideal_stem_cycles(layer: Layer, config: AcceleratorConfig) -> int:
    """Steps of a stem, whose products fill the input lanes."""
    rows, groups, words = map_words(layer.output_shape, config)
    return rows * groups * stem_steps(layer, config) * _tiles(words, config)


def ideal_block_cycles(block: Block, config: AcceleratorConfig) -> int:
    """Steps of the pointwise layers plus windows of the depthwise layer, one a cycle.

    Parameters
    ----------
    block : mnv2.golden.network.Block
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    int
    """
    rows, groups, words = map_words(block.depthwise.output_shape, config)
    cycles = rows * groups * words + ideal_pointwise_cycles(block.project, config)
    if block.expand is not None:
        cycles += ideal_pointwise_cycles(block.expand, config)
    return cycles


@dataclass(frozen=True)
class ProgramStep:
    """A part of a network's program, as progress shows it.

    Attributes
    ----------
    name : str
        The layers that the accelerator works on.
    ideal_cycles : int
        See `mnv2.sim.mapping.ideal`.
    """

    name: str
    ideal_cycles: int


def program_steps(network: Network, config: AcceleratorConfig) -> list[ProgramStep]:
    """Steps of a network's program, in order; the stem comes with the first block.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    list of ProgramStep
    """
    first, *others = network.blocks
    feed = pool_feed(network)
    stem = ideal_stem_cycles(network.stem, config) + ideal_block_cycles(first, config)
    return [
        ProgramStep("stem and block1", stem),
        *(ProgramStep(block.name, ideal_block_cycles(block, config)) for block in others),
        ProgramStep(feed.name, ideal_pointwise_cycles(feed, config)),
        ProgramStep("classifier", ideal_pointwise_cycles(network.classifier, config)),
    ]
