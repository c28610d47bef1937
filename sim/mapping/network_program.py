"""Program of a whole network, from an image in external memory to logits in external memory.

Maps stay on chip where the map memory has room for them. A map that does not fit leaves for
external memory and comes back a few rows at a time.
"""

from dataclasses import dataclass

import numpy as np

from hw.core import logits_word
from sim.mapping.block_program import add_block_streams
from sim.mapping.descriptors import (
    block_descriptor,
    classifier_descriptor,
    head_descriptor,
    map_bytes,
)
from sim.mapping.packing import pack_image, pack_parameters, pack_weights
from sim.mapping.program import Program, ProgramBuilder
from sim.mapping.tiling import BlockTiling, DoesNotFit, map_words, require, tile_block

__all__ = ["NetworkProgram", "Placement", "build_network_program", "place_network",
           "unpack_logits"]


@dataclass(frozen=True)
class Placement:
    """Where the maps of a network are.

    Attributes
    ----------
    tilings : tuple of BlockTiling
        Of each block.
    spilled : tuple of bool
        For each block, whether its output goes through external memory.
    head_base, pool_base : int
        Addresses of the head's input and of the pool's output in the map memory.
    """

    tilings:   tuple[BlockTiling, ...]
    spilled:   tuple[bool, ...]
    head_base: int
    pool_base: int


@dataclass(frozen=True, eq=False)
class NetworkProgram(Program):
    """Program of a network, with the placement of its maps and the number of its classes."""

    placement: Placement
    classes:   int


def place_network(network, config):
    """Tile every block and decide which maps stay on chip.

    Maps lie at the lower and the upper end of the map memory in turn. A map is spilled if its
    producer or its consumer would not fit with it.

    Parameters
    ----------
    network : golden.network.Network
    config : hw.config.AcceleratorConfig

    Returns
    -------
    Placement

    Raises
    ------
    sim.mapping.tiling.DoesNotFit
        Naming the buffer, its size and the size needed.
    """
    head = network.head
    tilings, spilled = [], []
    load, on_top = False, False
    for number, block in enumerate(network.blocks):
        stem = network.stem if number == 0 else None
        following = network.blocks[number + 1] if number + 1 < len(network.blocks) else None
        place = {"load": load, "stem": stem, "input_on_top": on_top}
        try:
            tiling = tile_block(block, config, store=False, **place)
            if following:
                # The block behind must be able to work on it, at worst with its output spilled.
                tile_block(following, config, load=False, store=True)
            spill = False
        except DoesNotFit:
            tiling, spill = tile_block(block, config, store=True, **place), True
        tilings.append(tiling)
        spilled.append(spill)
        load, on_top = spill, not on_top
    rows, groups, words = map_words(head.input_shape, config)
    pooled = map_words(network.pool.output_shape, config)[2]
    require("words of maps", rows * groups * words + pooled, config.map_words, head, "map_words")
    for layer in (head, network.classifier):
        input_words, output_words = (map_words(shape, config)[2]
                                     for shape in (layer.input_shape, layer.output_shape))
        require("words of weights", input_words, config.weight_words, layer, "weight_words")
        require("words of parameters", output_words, config.parameter_words, layer,
                "parameter_words")
    used = rows * groups * words
    return Placement(
        tilings=tuple(tilings), spilled=tuple(spilled),
        head_base=config.map_words - used if on_top else 0,
        pool_base=0 if on_top else config.map_words - pooled)


def build_network_program(model, image, config):
    """Program and memory image of a network.

    Parameters
    ----------
    model : golden.model.QuantizedModel
    image : int8 [H, W, 3]
        Quantised input.
    config : hw.config.AcceleratorConfig

    Returns
    -------
    NetworkProgram

    Raises
    ------
    sim.mapping.tiling.DoesNotFit
        If a buffer is too small.
    """
    network   = model.network
    placement = place_network(network, config)
    builder   = ProgramBuilder(config)
    builder.add_map("image", pack_image(image, config))
    _add_layer(builder, model.stem, config)

    source = "image"
    for number, block in enumerate(network.blocks):
        tiling, target = placement.tilings[number], None
        if placement.spilled[number]:
            target = f"{block.name}.output"
            builder.add_map(target, size=map_bytes(
                tiling.output_shape[0] * tiling.output_row_words, config))
        add_block_streams(builder, model.blocks[number], config)
        builder.add_descriptor(lambda places, number=number, block=block, tiling=tiling,
                               source=source, target=target: block_descriptor(
            block, model.blocks[number], tiling, config, load_address=places.get(source),
            store_address=places.get(target), stem=network.stem if number == 0 else None,
            quantized_stem=model.stem))
        source = target

    _add_layer(builder, model.head, config)
    builder.add_descriptor(lambda places: head_descriptor(
        network.head, model.head, model.pool, config, input_base=placement.head_base,
        output_base=placement.pool_base, load_address=places.get(source)))

    _add_layer(builder, model.classifier, config)
    words  = map_words(network.classifier.output_shape, config)[2]
    size   = words * logits_word(config.inputs).size // 8
    builder.add_map("logits", size=size)
    builder.add_descriptor(lambda places: classifier_descriptor(
        network.classifier, model.classifier, config, input_base=placement.pool_base,
        store_address=places["logits"], store_bytes=size))
    program = builder.build("logits")
    return NetworkProgram(placement=placement, classes=network.classifier.output_channels,
                          **vars(program))


def _add_layer(builder, layer, config):
    """Append the weights and parameters of stem, head or classifier."""
    weights = layer.weights.reshape(-1, layer.output_channels)
    builder.add_stream("weights", pack_weights(weights, config))
    builder.add_stream("parameters", pack_parameters(layer, config))


def unpack_logits(data, classes, config):
    """Logits from the bytes that the classifier stored.

    Parameters
    ----------
    data : bytes
    classes : int
    config : hw.config.AcceleratorConfig

    Returns
    -------
    accumulators : int32 [classes]
    logits : int8 [classes]
    """
    record = np.dtype([("accumulators", "<i4", (config.inputs,)),
                       ("logits", "i1", (config.inputs,))])
    words = np.frombuffer(data, record)
    return (words["accumulators"].reshape(-1)[:classes].copy(),
            words["logits"].reshape(-1)[:classes].copy())
