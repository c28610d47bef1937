"""Sizes and places of a network's program on the accelerator, without weights."""

from dataclasses import dataclass, replace
from typing import Any

from mnv2.golden.network import Network
from mnv2.golden.summary import short_repr
from mnv2.hw.config import ADDRESS_BITS, RECORD_BYTES, SEGMENTS, AcceleratorConfig
from mnv2.sim.mapping.addresses import assign_offsets
from mnv2.sim.mapping.placement import place_network
from mnv2.sim.mapping.pool_input import pool_feed
from mnv2.sim.mapping.run_places import PICTURE_SLOTS, place_run
from mnv2.sim.mapping.tiling import cut_classes, map_words, stem_steps
from mnv2.sim.mapping.turn_order import TurnEntry, executed, turn_order

__all__ = ["Plan", "PlannedDescriptor", "PlannedStream", "plan_network"]


@dataclass(frozen=True, kw_only=True)
class PlannedDescriptor:
    """One descriptor, as `mnv2.hw.program.Descriptor`; sizes in words, rows and groups of pixels.

    Attributes
    ----------
    kind : str
        ``"block"``, ``"head"`` or ``"classifier"``.
    input_ring, output_ring : int
        Words of the map memory for the input and for the output.
    load_words, load_beats : int
        Map, or with a stem the beats of the image, that comes from external memory.
    store_words, store_bytes : int
        Map, or words of logits, that goes to external memory.
    load_address, store_address : int
        Where they lie in external memory.
    """

    kind: str
    input_rows: int
    input_groups: int
    input_words: int
    output_words: int
    parameter_words: int
    hidden_words: int = 0
    output_rows: int = 0
    output_groups: int = 0
    strip_rows: int = 1
    steps: int = 0
    copy: bool = False
    residual: bool = False
    stride_2: bool = False
    pad_top: bool = False
    pad_left: bool = False
    stem: bool = False
    image_rows: int = 0
    image_groups: int = 0
    image_steps: int = 0
    image_pad_top: bool = False
    image_pad_left: bool = False
    stem_steps: int = 0
    input_ring: int = 0
    output_ring: int = 0
    load: bool = False
    load_words: int = 0
    load_beats: int = 0
    store: bool = False
    store_words: int = 0
    store_bytes: int = 0
    load_address: int = 0
    store_address: int = 0


@dataclass(frozen=True)
class PlannedStream:
    """A stream of constants.

    Attributes
    ----------
    address : int
        Where it begins in external memory.
    beats : tuple of int
        Of each segment, see `mnv2.hw.program.Header`.
    beat_bytes : int
    """

    address: int
    beats: tuple[int, ...]
    beat_bytes: int


@dataclass(frozen=True)
class Plan:
    """A program that is executed for some turns.

    Attributes
    ----------
    turns : int
        Frames, or pairs abreast.
    order : tuple of mnv2.sim.mapping.turn_order.TurnEntry
        Purpose of each descriptor of the program.
    descriptors : tuple of PlannedDescriptor
        Those that are executed, one after another, with their addresses in external memory.
    owners : tuple of (int, str)
        The row that each is for: number of the turn, and name of a block, ``"head"``, or
        ``"pool"`` without one, or ``"classifier"``.
    base, record_beats : int
        Address of the program, and beats of a record.
    streams : dict of str to PlannedStream
        Weights, taps and parameters.
    """

    __repr__ = short_repr

    turns: int
    order: tuple[TurnEntry, ...]
    descriptors: tuple[PlannedDescriptor, ...]
    owners: tuple[tuple[int, str], ...]
    base: int
    record_beats: int
    streams: dict[str, PlannedStream]


def _tiles(words, config):
    return -(-words // config.tile_words)


def plan_network(network: Network, config: AcceleratorConfig, frames: int = 1) -> Plan:
    """Plan of a network's program, in the places in memory of `mnv2.sim.rtl.run_network`.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig
    frames : int
        Images that are processed back-to-back.

    Returns
    -------
    Plan

    Raises
    ------
    mnv2.sim.mapping.tiling.DoesNotFit
        If a buffer is too small.
    """
    placement = place_network(network, config)
    turns = -(-frames // config.frames)
    cuts = cut_classes(network.classifier.output_channels, config)
    order = turn_order(len(network.blocks), len(cuts))
    planned, logits_words = [], 0
    for entry in order:
        if entry.kind == "block":
            planned.append(_block_descriptor(network, placement, entry.number, config))
        elif entry.kind == "head":
            feed = pool_feed(network)
            head = _pointwise_descriptor("head", feed, config, load=placement.spilled[-1])
            planned.append(head)
        elif entry.kind == "part":
            begin, end = cuts[entry.number]
            layer = replace(network.classifier, output_shape=(1, 1, end - begin))
            part = _pointwise_descriptor("classifier", layer, config, load=False)
            offset = config.streams["logits"].memory_bytes(logits_words)
            planned.append(replace(part, store_address=offset))
            logits_words += part.store_words
        else:
            planned.append(
                _pointwise_descriptor("classifier", network.classifier, config, load=False)
            )
    beats = _segments(order, planned, config)
    offsets, end = assign_offsets(
        1 + len(order),
        {
            **{name: sum(one) * config.data_bytes for name, one in beats.items()},
            **{
                network.blocks[number].name: planned[place].store_bytes
                for place, number in _stored(order, planned)
            },
        },
    )
    rows, groups, _ = map_words(network.stem.input_shape, config)
    places = place_run(
        end,
        config.streams["image"].memory_bytes(rows * groups),
        config.streams["logits"].memory_bytes(logits_words),
        picture_slots=min(turns, PICTURE_SLOTS),
        logits_slots=turns,
    )
    planned = _with_maps(network, order, planned, offsets)
    descriptors, owners = [], []
    for turn, place in executed(order, turns):
        descriptor, entry = planned[place], order[place]
        if descriptor.stem:
            descriptor = replace(descriptor, load_address=places.picture_address(turn))
        if descriptor.kind == "classifier":
            address = places.logits_address(turn) + descriptor.store_address
            descriptor = replace(descriptor, store_address=address)
        descriptors.append(descriptor)
        owners.append((turn, _row(network, entry)))
    return Plan(
        turns=turns,
        order=order,
        descriptors=tuple(descriptors),
        owners=tuple(owners),
        base=places.base,
        record_beats=RECORD_BYTES // config.data_bytes,
        streams={
            name: PlannedStream(offsets[name], one, config.data_bytes)
            for name, one in beats.items()
        },
    )


def _segments(order, planned, config):
    """Beats of each segment of each stream, by name."""
    words = {
        "weights": [_weight_words(one, config) for one in planned],
        "taps": [one.hidden_words for one in planned],
        "parameters": [one.parameter_words for one in planned],
    }
    totals = {name: [0] * (1 if name == "taps" else SEGMENTS) for name in words}
    for place, entry in enumerate(order):
        if entry.kind != "classifier":  # its constants are those of the parts
            for name, counts in words.items():
                totals[name][0 if name == "taps" else entry.segment] += counts[place]
    return {
        name: tuple(config.streams[name].beats(count) for count in counts)
        for name, counts in totals.items()
    }


def _stored(order, planned):
    """Places of the blocks whose output goes to external memory, and their numbers."""
    return [
        (place, entry.number)
        for place, entry in enumerate(order)
        if entry.kind == "block" and planned[place].store
    ]


def _with_maps(network, order, planned, offsets):
    """Descriptors with the places of the maps that they store and load."""
    planned, source = list(planned), 0
    for place, entry in enumerate(order):
        if entry.kind not in ("block", "head"):
            continue
        if planned[place].load:
            planned[place] = replace(planned[place], load_address=source)
        if planned[place].store:
            source = offsets[network.blocks[entry.number].name]
            planned[place] = replace(planned[place], store_address=source)
    return planned


def _weight_words(descriptor, config):
    """Words of weights that a descriptor takes."""
    if descriptor.kind != "block":
        return descriptor.input_words * _tiles(descriptor.output_words, config)
    words = descriptor.hidden_words * _tiles(descriptor.output_words, config)
    if not descriptor.copy:
        words += descriptor.input_words * _tiles(descriptor.hidden_words, config)
    if descriptor.stem:
        words += descriptor.stem_steps * _tiles(descriptor.input_words, config)
    return words


def _row(network, entry):
    """Name of the row of reports that a descriptor is for."""
    if entry.kind == "block":
        return network.blocks[entry.number].name
    return pool_feed(network).name if entry.kind == "head" else "classifier"


def _pads(layer):
    """Whether a row of padding lies above a layer's input, and a column to its left."""
    (top, _), (left, _) = layer.padding
    return bool(top), bool(left)


def _block_descriptor(network, placement, number, config):
    block, tiling = network.blocks[number], placement.tilings[number]
    rows, groups, words = tiling.input_shape
    output_rows, output_groups, output_words = tiling.output_shape
    hidden_words = tiling.hidden_shape[2]
    top, left = _pads(block.depthwise)
    stride_2 = block.depthwise.stride == 2
    fields: dict[str, Any] = {}
    if number == 0:
        stem = network.stem
        image_rows, image_groups, _ = map_words(stem.input_shape, config)
        image_top, image_left = _pads(stem)
        fields |= {
            "stem": True,
            "image_rows": image_rows,
            "image_groups": image_groups,
            "image_steps": 2 * groups + 1 - image_left,
            "image_pad_top": image_top,
            "image_pad_left": image_left,
            "stem_steps": stem_steps(stem, config),
            "load_beats": config.streams["image"].beats(image_rows * image_groups),
        }
    elif placement.spilled[number - 1]:
        fields |= _load(rows * groups * words, config)
    if placement.spilled[number]:
        stored = output_rows * output_groups * output_words
        fields |= {
            "store": True,
            "store_words": stored,
            "store_bytes": config.streams["activations"].memory_bytes(stored),
        }
    return PlannedDescriptor(
        kind="block",
        input_rows=rows,
        input_groups=groups,
        input_words=words,
        output_words=output_words,
        hidden_words=hidden_words,
        output_rows=output_rows,
        output_groups=output_groups,
        strip_rows=tiling.strip_rows,
        parameter_words=(
            hidden_words * (1 + bool(block.expand)) + output_words + (words if number == 0 else 0)
        ),
        steps=2 * output_groups + 1 - left if stride_2 else output_groups + 1,
        copy=block.expand is None,
        residual=block.residual,
        stride_2=stride_2,
        pad_top=top,
        pad_left=left,
        input_ring=tiling.input_end - tiling.input_base,
        output_ring=tiling.output_end - tiling.output_base,
        **fields,
    )


def _load(words, config):
    return {
        "load": True,
        "load_words": words,
        "load_beats": config.streams["activations"].beats(words),
    }


def _pointwise_descriptor(kind, layer, config, *, load):
    rows, groups, words = map_words(layer.input_shape, config)
    output_words = map_words(layer.output_shape, config)[2]
    fields = _load(rows * groups * words, config) if load else {}
    if kind == "classifier":
        fields = {
            "store": True,
            "store_words": output_words,
            "store_bytes": config.streams["logits"].memory_bytes(output_words),
        }
    return PlannedDescriptor(
        kind=kind,
        input_rows=rows,
        input_groups=groups,
        input_words=words,
        output_words=output_words,
        parameter_words=output_words,
        input_ring=rows * groups * words,
        output_ring=2**ADDRESS_BITS,
        **fields,
    )
