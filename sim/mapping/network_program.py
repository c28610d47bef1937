"""Program of a whole network, from an image in external memory to logits in external memory.

Maps stay on chip where the map memory has room for them. A map that does not fit leaves for
external memory and comes back a few rows at a time. Where several images follow one another, the
classifier of an image is computed in parts between the first blocks of the next image, which need
few weights: its own, each used once, arrive meanwhile. Each image has its own copy of the
weights in memory, in order of use. Where two images are computed abreast, a pair takes the place of
an image, and an odd last image is paired with itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from mnv2.golden.summary import short_repr
from mnv2.sim.mapping.block_program import add_block_streams
from mnv2.sim.mapping.bounds import check_network
from mnv2.sim.mapping.descriptors import (
    block_descriptor,
    classifier_descriptor,
    head_descriptor,
    map_bytes,
)
from mnv2.sim.mapping.packing import (
    pack_image,
    pack_parameters,
    pack_weights,
    pad_stem,
    take_words,
)
from mnv2.sim.mapping.placement import Placement, place_network
from mnv2.sim.mapping.program import Describe, Program, ProgramBuilder
from mnv2.sim.mapping.tiling import cut_classes, map_words

__all__ = ["NetworkProgram", "Placement", "build_network_program", "place_network", "unpack_logits"]


@dataclass(frozen=True, eq=False)
class NetworkProgram(Program):
    """Program of a network.

    Attributes
    ----------
    placement : Placement
    classes : int
    works : tuple of (int, str)
        Purpose of each descriptor: number of the image or pair, name of a block, ``"head"`` or
        ``"classifier"``.
    logits : tuple of tuple of (int, int, int)
        For each image or pair, the parts of its logits: where in the output they begin, bytes, and
        words.
    spilled_maps : dict of str to (int, int)
        For each block whose output goes through external memory: the address of that of the first
        image or pair, and its bytes. Nothing overwrites it.
    """

    __repr__ = short_repr

    placement: Placement
    classes: int
    works: tuple[tuple[int, str], ...]
    logits: tuple[tuple[tuple[int, int, int], ...], ...]
    spilled_maps: dict[str, tuple[int, int]]


def build_network_program(model, images, config):
    """Program and memory image of a network.

    Parameters
    ----------
    model : mnv2.golden.model.QuantizedModel
    images : sequence of int8 [H, W, 3]
        Quantised inputs, processed one after another.
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    NetworkProgram

    Raises
    ------
    mnv2.sim.mapping.tiling.DoesNotFit
        If a buffer is too small, or a sum may not fit the accumulators.
    """
    placement = place_network(model.network, config)
    check_network(model, config)
    builder = ProgramBuilder(config)
    works: list[tuple[int, str]] = []
    logits: list[list[tuple[str, int, int]]] = []
    parts = _cut_classifier(model, config)
    waiting: list[Callable[[], Describe]] = []
    turns = _pair_images(images, config)
    for number, image in enumerate(turns):
        builder.add_map(f"image {number}", pack_image(image, config))
        _add_layer(builder, replace(model.stem, weights=pad_stem(model.stem.weights)), config)
        source = f"image {number}"
        for position, block in enumerate(model.network.blocks):
            source = _add_block(builder, model, placement, position, source, number, config)
            works.append((number, block.name))
            if waiting:
                builder.add_descriptor(waiting.pop(0)())
                works.append((number - 1, "classifier"))
        while waiting:
            builder.add_descriptor(waiting.pop(0)())
            works.append((number - 1, "classifier"))
        _add_layer(builder, model.head, config)
        builder.add_descriptor(partial(_describe_head, model, placement, source, config))
        works.append((number, "head"))
        ends = number == len(turns) - 1
        pieces = [(model.network.classifier, model.classifier)] if ends else parts
        sizes = []
        for part, (layer, quantized) in enumerate(pieces):
            words = map_words(layer.output_shape, config)[2]
            size = config.streams["logits"].memory_bytes(words)
            name = f"logits {number} {part}"
            sizes.append((name, size, words))
            waiting.append(
                partial(_add_classifier, builder, layer, quantized, placement, name, size, config)
            )
        logits.append(sizes)
    builder.add_descriptor(waiting.pop(0)())
    works.append((len(turns) - 1, "classifier"))
    for sizes in logits:
        for name, size, _ in sizes:
            builder.reserve_map(name, size)
    first, last = logits[0][0][0], logits[-1][-1][0]
    program, places = builder.build(first, last)
    spilled = {
        block.name: (places[f"{block.name} 0"], _spilled_bytes(tiling, config))
        for block, tiling, gone in zip(
            model.network.blocks, placement.tilings, placement.spilled, strict=True
        )
        if gone
    }
    return NetworkProgram(
        placement=placement,
        classes=model.network.classifier.output_channels,
        works=tuple(works),
        logits=tuple(
            tuple((places[name] - places[first], size, words) for name, size, words in sizes)
            for sizes in logits
        ),
        spilled_maps=spilled,
        **vars(program),
    )


def _pair_images(images, config):
    """Images, or pairs of images, in the order in which they are computed."""
    if config.frames == 1:
        return list(images)
    return [(images[k], images[min(k + 1, len(images) - 1)]) for k in range(0, len(images), 2)]


def _cut_classifier(model, config):
    """The classifier as several layers of fewer classes, whole tiles each."""
    layer, quantized = model.network.classifier, model.classifier
    parts = []
    for begin, end in cut_classes(layer.output_channels, config):
        cut = {
            name: getattr(quantized, name)[..., begin:end]
            for name in ("weights", "bias", "multiplier", "shift", "weight_scales")
        }
        parts.append((replace(layer, output_shape=(1, 1, end - begin)), replace(quantized, **cut)))
    return parts


def _spilled_bytes(tiling, config):
    """Bytes of a block's output in external memory."""
    return map_bytes(tiling.output_shape[0] * tiling.output_row_words, config)


def _add_block(builder, model, placement, position, source, number, config):
    """Append a block; the name of its output map in external memory, if it goes there."""
    block, tiling = model.network.blocks[position], placement.tilings[position]
    target = None
    if placement.spilled[position]:
        target = f"{block.name} {number}"
        builder.reserve_map(target, _spilled_bytes(tiling, config))
    add_block_streams(builder, model.blocks[position], config)
    builder.add_descriptor(
        lambda places: block_descriptor(
            block,
            model.blocks[position],
            tiling,
            config,
            load_address=places.get(source),
            store_address=places.get(target),
            stem=None if position else model.network.stem,
            quantized_stem=model.stem,
        )
    )
    return target


def _describe_head(model, placement, source, config, places):
    """Bytes of the head's descriptor, from the addresses of the maps by name."""
    return head_descriptor(
        model.network.head,
        model.head,
        model.pool,
        config,
        input_base=placement.head_base,
        output_base=placement.pool_base,
        load_address=places.get(source),
    )


def _add_classifier(builder, layer, quantized, placement, name, size, config):
    """Append the streams of a classifier, or of a part of it, and return its descriptor."""
    _add_layer(builder, quantized, config)
    return lambda places: classifier_descriptor(
        layer,
        quantized,
        config,
        input_base=placement.pool_base,
        store_address=places[name],
        store_bytes=size,
    )


def _add_layer(builder, layer, config):
    """Append the weights and parameters of stem, head or classifier."""
    weights = layer.weights.reshape(-1, layer.output_channels)
    builder.add_stream("weights", pack_weights(weights, config))
    builder.add_stream("parameters", pack_parameters(layer, config))


def unpack_logits(output, program, config, number=0):
    """Logits of an image from the bytes that the program wrote.

    Parameters
    ----------
    output : bytes
    program : NetworkProgram
    config : mnv2.hw.config.AcceleratorConfig
    number : int
        Number of the image.

    Returns
    -------
    accumulators : int32 [classes]
    logits : int8 [classes]
    """
    turn, frame = divmod(number, config.frames)
    channels = config.word_channels
    record = np.dtype([("accumulators", "<i4", (channels,)), ("logits", "i1", (channels,))])
    words = np.concatenate(
        [
            take_words(output[begin : begin + size], count, config.streams["logits"]).view(record)
            for begin, size, count in program.logits[turn]
        ]
    )
    lanes = slice(frame * config.inputs, (frame + 1) * config.inputs)
    # A part has whole tiles, so only the last word of all may have empty lanes.
    return (
        words["accumulators"][:, lanes].reshape(-1)[: program.classes].copy(),
        words["logits"][:, lanes].reshape(-1)[: program.classes].copy(),
    )
