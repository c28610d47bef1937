"""Placement of the maps of a network: on chip where there is room, else in external memory."""

import dataclasses
from dataclasses import dataclass
from functools import partial
from typing import Any

from mnv2.golden.network import Network
from mnv2.golden.summary import short_repr
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.mapping.pool_input import pool_feed
from mnv2.sim.mapping.tiling import BlockTiling, DoesNotFit, map_words, require, tile_block

__all__ = ["Placement", "place_network"]


@dataclass(frozen=True)
class Placement:
    """Places of the maps of a network.

    Attributes
    ----------
    tilings : tuple of BlockTiling
        Of each block.
    spilled : tuple of bool
        For each block, whether its output goes through external memory.
    head_base, pool_base : int
        Addresses of the head's input and of the pool's output in the map memory.
    """

    __repr__ = short_repr

    tilings: tuple[BlockTiling, ...]
    spilled: tuple[bool, ...]
    head_base: int
    pool_base: int


def place_network(network: Network, config: AcceleratorConfig) -> Placement:
    """Tile every block and decide which maps stay on chip.

    Maps lie at the lower and the upper end of the map memory in turn. A map is spilled if its
    producer or its consumer would not fit with it.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    Placement
        The pool's output has its own place, so that it outlives the blocks of the next image.

    Raises
    ------
    mnv2.sim.mapping.tiling.DoesNotFit
        Naming the buffer, its size and the size needed.
    """
    try:
        return _place(network, config)
    except DoesNotFit as error:
        error.sizes = partial(fitting_sizes, network, config, error)
        raise


def fitting_sizes(
    network: Network, config: AcceleratorConfig, error: DoesNotFit
) -> dict[str, int] | None:
    """Every size of a configuration that is too small for a network, with the least that does.

    Each is raised to what the network needs until it fits; the others stay as they are.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig
    error : mnv2.sim.mapping.tiling.DoesNotFit
        Why it does not fit.

    Returns
    -------
    dict of str to int, or None
        None where something else than a size is wrong, or no size is large enough.
    """
    # Any, since mypy takes the names for those of fields of every type.
    sizes: dict[str, Any] = {}
    while True:
        if not error.option or sizes.get(error.option, 0) >= error.needed:
            return None
        sizes[error.option] = error.needed
        try:
            _place(network, dataclasses.replace(config, **sizes))
        except DoesNotFit as another:
            error = another
        except ValueError:
            # Larger than the fields of descriptors can say.
            return None
        else:
            return sizes


def _place(network: Network, config: AcceleratorConfig) -> Placement:
    """See `place_network`."""
    head = pool_feed(network)
    pooled = map_words(network.pool.output_shape, config)[2]
    require("words of maps", pooled + 1, config.map_words, head, "map_words")
    pool_base = config.map_words - pooled
    tilings, spilled = [], []
    load, on_top = False, False
    for number, block in enumerate(network.blocks):
        stem = network.stem if number == 0 else None
        following = network.blocks[number + 1] if number + 1 < len(network.blocks) else None
        tile = partial(
            tile_block, block, config, load=load, stem=stem, input_on_top=on_top, kept=pooled
        )
        try:
            tiling = tile(store=False)
            if following:
                # The next block must be able to work on it, at worst with its output spilled.
                tile_block(following, config, load=False, store=True, kept=pooled)
            spill = False
        except DoesNotFit:
            tiling, spill = tile(store=True), True
        tilings.append(tiling)
        spilled.append(spill)
        load, on_top = spill, not on_top
    rows, groups, words = map_words(head.input_shape, config)
    used = rows * groups * words
    require("words of maps", used + pooled, config.map_words, head, "map_words")
    for layer in (head, network.classifier):
        input_words, output_words = (
            map_words(shape, config)[2] for shape in (layer.input_shape, layer.output_shape)
        )
        require("words of weights", input_words, config.weight_words, layer, "weight_words")
        require(
            "words of parameters", output_words, config.parameter_words, layer, "parameter_words"
        )
    return Placement(
        tilings=tuple(tilings),
        spilled=tuple(spilled),
        head_base=pool_base - used if on_top else 0,
        pool_base=pool_base,
    )
