"""Cycles that work takes on the array if nothing ever waits: counted from the tiling alone.

A tile of ``outputs`` channels and a group of ``pixels`` takes a step for each word of input
channels; a window of a channel word and a group of pixels takes one. Lanes that a shape leaves
empty count as work.
"""

from sim.mapping.tiling import map_words, stem_steps

__all__ = ["ideal_block_cycles", "ideal_pointwise_cycles", "ideal_stem_cycles"]


def _tiles(words, config):
    return -(-words // config.tile_words)


def ideal_pointwise_cycles(layer, config):
    """Steps of a 1x1 convolution (`golden.network.Layer`)."""
    rows, groups, words = map_words(layer.input_shape, config)
    return rows * groups * words * _tiles(map_words(layer.output_shape, config)[2], config)


def ideal_stem_cycles(layer, config):
    """Steps of a stem, whose products fill the input lanes."""
    rows, groups, words = map_words(layer.output_shape, config)
    return rows * groups * stem_steps(layer, config) * _tiles(words, config)


def ideal_block_cycles(block, config):
    """Steps of the pointwise layers plus windows of the depthwise layer, one a cycle.

    Parameters
    ----------
    block : golden.network.Block
    config : hw.config.AcceleratorConfig

    Returns
    -------
    int
    """
    rows, groups, words = map_words(block.depthwise.output_shape, config)
    cycles = rows * groups * words + ideal_pointwise_cycles(block.project, config)
    if block.expand is not None:
        cycles += ideal_pointwise_cycles(block.expand, config)
    return cycles
