"""Program of a whole network, from a picture in external memory to logits in external memory.

Maps stay on chip where the map memory has room for them. A map that does not fit leaves for
external memory and comes back a few rows at a time. One image of the program serves any number of
turns, see `mnv2.sim.mapping.turn_order`: constants are in it once, and pictures and logits are not
in it. Where two pictures are computed abreast, a pair is a turn.
"""

from dataclasses import dataclass, replace

import numpy as np

from mnv2.golden.summary import short_repr
from mnv2.hw.program import Turns
from mnv2.sim.mapping.block_program import add_block_streams
from mnv2.sim.mapping.bounds import check_network
from mnv2.sim.mapping.descriptors import (
    block_descriptor,
    classifier_descriptor,
    head_descriptor,
    map_bytes,
)
from mnv2.sim.mapping.packing import pack_parameters, pack_weights, pad_stem, take_words
from mnv2.sim.mapping.placement import Placement, place_network
from mnv2.sim.mapping.pool_input import pool_feed
from mnv2.sim.mapping.pool_input_integers import quantized_pool_feed
from mnv2.sim.mapping.program import Program, ProgramBuilder
from mnv2.sim.mapping.tiling import cut_classes, map_words
from mnv2.sim.mapping.turn_order import TurnEntry, executed, turn_order

__all__ = [
    "NetworkProgram",
    "Placement",
    "build_network_program",
    "picture_words",
    "place_network",
    "unpack_logits",
]


@dataclass(frozen=True, eq=False)
class NetworkProgram(Program):
    """Program of a network.

    Attributes
    ----------
    placement : Placement
    classes, logits_words : int
        Of a frame, and words of a turn's logits.
    order : tuple of mnv2.sim.mapping.turn_order.TurnEntry
        Purpose of each descriptor.
    blocks : tuple of str
        Names of the blocks.
    spilled_maps : dict of str to (int, int)
        For each block whose output goes through external memory: its offset in the program's image,
        and its bytes. Each turn writes it again.
    """

    __repr__ = short_repr

    placement: Placement
    classes: int
    logits_words: int
    order: tuple[TurnEntry, ...]
    blocks: tuple[str, ...]
    pool_row: str
    spilled_maps: dict[str, tuple[int, int]]

    def works(self, turns: int) -> list[tuple[int, str]]:
        """Purpose of each descriptor that is executed in some turns, in order.

        Returns
        -------
        list of (int, str)
            Turn, and name of a block, `pool_row` or ``"classifier"``.
        """
        return [
            (turn, self._name(self.order[place])) for turn, place in executed(self.order, turns)
        ]

    def _name(self, entry: TurnEntry) -> str:
        if entry.kind == "block":
            return self.blocks[entry.number]
        return self.pool_row if entry.kind == "head" else "classifier"


def picture_words(network, config):
    """Words of a turn's picture in external memory."""
    rows, groups, _ = map_words(network.stem.input_shape, config)
    return rows * groups


def build_network_program(model, config):
    """Image of the program of a network.

    Parameters
    ----------
    model : mnv2.golden.model.QuantizedModel
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    NetworkProgram

    Raises
    ------
    mnv2.sim.mapping.tiling.DoesNotFit
        If a buffer is too small, or a sum may not fit the accumulators.
    """
    network = model.network
    placement = place_network(network, config)
    check_network(model, config)
    builder = ProgramBuilder(config)
    parts = _cut_classifier(model, config)
    order = turn_order(len(network.blocks), len(parts))
    source, logits_words = None, 0
    for entry in order:
        if entry.kind == "block":
            if not entry.number:
                stem = replace(model.stem, weights=pad_stem(model.stem.weights))
                _add_layer(builder, stem, config, entry.segment)
            source = _add_block(builder, model, placement, entry, source, config)
        elif entry.kind == "part":
            layer, quantized = parts[entry.number]
            _add_layer(builder, quantized, config, entry.segment)
            _add_classifier(
                builder,
                layer,
                quantized,
                placement,
                config,
                logits_words,
                turns=Turns.LATER,
                ends_turn=entry.number == len(parts) - 1,
            )
            logits_words += map_words(layer.output_shape, config)[2]
        elif entry.kind == "head":
            _add_layer(builder, quantized_pool_feed(model), config, entry.segment)
            _add_head(builder, model, placement, source, config)
        else:  # its constants are those of the parts
            _add_classifier(
                builder,
                network.classifier,
                model.classifier,
                placement,
                config,
                0,
                turns=Turns.LAST,
                ends_turn=True,
            )
    streams = config.streams
    program, places = builder.build(
        picture_bytes=streams["image"].memory_bytes(picture_words(network, config)),
        logits_bytes=streams["logits"].memory_bytes(logits_words),
    )
    spilled = {
        block.name: (places[block.name], _spilled_bytes(tiling, config))
        for block, tiling, gone in zip(
            network.blocks, placement.tilings, placement.spilled, strict=True
        )
        if gone
    }
    return NetworkProgram(
        **vars(program),
        placement=placement,
        classes=network.classifier.output_channels,
        logits_words=logits_words,
        order=order,
        blocks=tuple(block.name for block in network.blocks),
        pool_row=pool_feed(network).name,
        spilled_maps=spilled,
    )


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


def _add_block(builder, model, placement, entry, source, config):
    """Append a block; the name of its output map in external memory, if it goes there."""
    position = entry.number
    block, tiling = model.network.blocks[position], placement.tilings[position]
    target = None
    if placement.spilled[position]:
        target = block.name
        builder.reserve_map(target, _spilled_bytes(tiling, config))
    add_block_streams(builder, model.blocks[position], config, entry.segment)
    builder.add_descriptor(
        lambda places: block_descriptor(
            block,
            model.blocks[position],
            tiling,
            config,
            load_offset=places.get(source),
            store_offset=places.get(target),
            stem=None if position else model.network.stem,
            quantized_stem=model.stem,
        )
    )
    return target


def _add_head(builder, model, placement, source, config):
    """Append the head's descriptor."""
    builder.add_descriptor(
        lambda places: head_descriptor(
            pool_feed(model.network),
            quantized_pool_feed(model),
            model.pool,
            config,
            input_base=placement.head_base,
            output_base=placement.pool_base,
            load_offset=places.get(source),
        )
    )


def _add_classifier(builder, layer, quantized, placement, config, first_word, *, turns, ends_turn):
    """Append the descriptor of a classifier, or of a part of it whose logits begin at a word."""
    logits = config.streams["logits"]
    words = map_words(layer.output_shape, config)[2]
    builder.add_descriptor(
        lambda places: classifier_descriptor(
            layer,
            quantized,
            config,
            input_base=placement.pool_base,
            store_offset=logits.memory_bytes(first_word),
            store_bytes=logits.memory_bytes(words),
            turns=turns,
            ends_turn=ends_turn,
        )
    )


def _add_layer(builder, layer, config, segment):
    """Append the weights and parameters of stem, head or classifier."""
    weights = layer.weights.reshape(-1, layer.output_channels)
    builder.add_stream("weights", pack_weights(weights, config), segment)
    builder.add_stream("parameters", pack_parameters(layer, config), segment)


def unpack_logits(data, program, config, frame=0):
    """Logits of a frame from those of its turn.

    Parameters
    ----------
    data : bytes
        The turn's slot of the ring of logits.
    program : NetworkProgram
    config : mnv2.hw.config.AcceleratorConfig
    frame : int
        Number of the frame among those abreast.

    Returns
    -------
    accumulators : int32 [classes]
    logits : int8 [classes]
    """
    channels = config.word_channels
    record = np.dtype([("accumulators", "<i4", (channels,)), ("logits", "i1", (channels,))])
    words = take_words(
        data[: program.logits_bytes], program.logits_words, config.streams["logits"]
    ).view(record)
    lanes = slice(frame * config.inputs, (frame + 1) * config.inputs)
    return (
        words["accumulators"][:, lanes].reshape(-1)[: program.classes].copy(),
        words["logits"][:, lanes].reshape(-1)[: program.classes].copy(),
    )
