"""Sizes and places of a network's program on the accelerator, without weights."""

from dataclasses import dataclass, replace
from typing import Any

from mnv2.golden.network import Network
from mnv2.golden.summary import short_repr
from mnv2.hw.config import ADDRESS_BITS, RECORD_BYTES, AcceleratorConfig
from mnv2.sim.mapping.addresses import assign_addresses
from mnv2.sim.mapping.placement import place_network
from mnv2.sim.mapping.tiling import cut_classes, map_words, stem_steps

__all__ = ["Plan", "PlannedDescriptor", "plan_network"]


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
    pad_start: bool = False
    stem: bool = False
    image_rows: int = 0
    image_groups: int = 0
    image_steps: int = 0
    image_pad_start: bool = False
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
class Plan:
    """A program.

    Attributes
    ----------
    descriptors : tuple of PlannedDescriptor
        One for each descriptor.
    owners : tuple of (int, str)
        The row that each is for: number of the frame, or of the pair of frames that are computed
        abreast, and name of a block, ``"head"`` or ``"classifier"``.
    program_beats, weights_beats, taps_beats, parameters_beats : int
        Beats of the streams that are read from start to end.
    addresses : dict of str to int
        Where weights, taps and parameters begin in external memory; the program is at 0.
    """

    __repr__ = short_repr

    descriptors: tuple[PlannedDescriptor, ...]
    owners: tuple[tuple[int, str], ...]
    program_beats: int
    weights_beats: int
    taps_beats: int
    parameters_beats: int
    addresses: dict[str, int]


def _tiles(words, config):
    return -(-words // config.tile_words)


def plan_network(network: Network, config: AcceleratorConfig, frames: int = 1) -> Plan:
    """Plan of a network's program.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig
    frames : int
        Images that are processed back-to-back, ordered as
        `mnv2.sim.mapping.network_program.build_network_program` does.

    Returns
    -------
    Plan

    Raises
    ------
    mnv2.sim.mapping.tiling.DoesNotFit
        If a buffer is too small.
    """
    placement = place_network(network, config)
    blocks = [
        _block_descriptor(network, placement, number, config)
        for number in range(len(network.blocks))
    ]
    head = _pointwise_descriptor("head", network.head, config, load=placement.spilled[-1])
    whole = _pointwise_descriptor("classifier", network.classifier, config, load=False)
    parts = [
        _pointwise_descriptor(
            "classifier",
            replace(network.classifier, output_shape=(1, 1, end - begin)),
            config,
            load=False,
        )
        for begin, end in cut_classes(network.classifier.output_channels, config)
    ]
    descriptors: list[PlannedDescriptor] = []
    owners: list[tuple[int, str]] = []
    waiting: list[PlannedDescriptor] = []  # parts of the classifier of the frame before
    turns = -(-frames // config.frames)
    for turn in range(turns):
        for block, descriptor in zip(network.blocks, blocks, strict=True):
            descriptors.append(descriptor)
            owners.append((turn, block.name))
            if waiting:
                descriptors.append(waiting.pop(0))
                owners.append((turn - 1, "classifier"))
        descriptors += waiting
        owners += len(waiting) * [(turn - 1, "classifier")]
        descriptors.append(head)
        owners.append((turn, "head"))
        waiting = list(parts)
    descriptors.append(whole)
    owners.append((turns - 1, "classifier"))
    words = {
        "weights": sum(_weight_words(descriptor, config) for descriptor in descriptors),
        "taps": sum(one.hidden_words for one in descriptors),
        "parameters": sum(one.parameter_words for one in descriptors),
    }
    streams = config.streams
    sizes = {name: streams[name].memory_bytes(count) for name, count in words.items()}
    placed, addresses = _place(network, descriptors, owners, sizes, config)
    return Plan(
        descriptors=placed,
        owners=tuple(owners),
        program_beats=(1 + len(descriptors)) * (RECORD_BYTES // config.data_bytes),
        weights_beats=streams["weights"].beats(words["weights"]),
        taps_beats=streams["taps"].beats(words["taps"]),
        parameters_beats=streams["parameters"].beats(words["parameters"]),
        addresses=addresses,
    )


def _place(network, descriptors, owners, streams, config):
    """Descriptors with the places of their maps, and the places of the constant streams.

    Streams, images and maps lie in the order of `mnv2.sim.mapping.network_program`.
    """
    rows, groups, _ = map_words(network.stem.input_shape, config)
    image = config.streams["image"].memory_bytes(rows * groups)
    sizes = dict(streams)
    logits = {}
    loads: dict[int, str] = {}
    stores: dict[int, str] = {}
    for turn in range(owners[-1][0] + 1):
        source = f"image {turn}"
        sizes[source] = image
        for number, (owner, descriptor) in enumerate(zip(owners, descriptors, strict=True)):
            if owner[0] != turn:
                continue
            if descriptor.load or descriptor.stem:
                loads[number] = source
            if descriptor.kind == "classifier":
                stores[number] = f"logits {number}"
                logits[stores[number]] = descriptor.store_bytes
            elif descriptor.store:
                source = stores[number] = f"{owner[1]} {turn}"
                sizes[source] = descriptor.store_bytes
    places, _ = assign_addresses(1 + len(descriptors), {**sizes, **logits})
    placed = tuple(
        replace(
            descriptor,
            load_address=places[loads[number]] if number in loads else 0,
            store_address=places[stores[number]] if number in stores else 0,
        )
        if number in loads or number in stores
        else descriptor
        for number, descriptor in enumerate(descriptors)
    )
    return placed, {name: places[name] for name in streams}


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


def _block_descriptor(network, placement, number, config):
    block, tiling = network.blocks[number], placement.tilings[number]
    rows, groups, words = tiling.input_shape
    output_rows, output_groups, output_words = tiling.output_shape
    hidden_words = tiling.hidden_shape[2]
    top = bool(block.depthwise.padding[0][0])
    stride_2 = block.depthwise.stride == 2
    fields: dict[str, Any] = {}
    if number == 0:
        stem = network.stem
        image_rows, image_groups, _ = map_words(stem.input_shape, config)
        image_top = bool(stem.padding[0][0])
        fields |= {
            "stem": True,
            "image_rows": image_rows,
            "image_groups": image_groups,
            "image_steps": 2 * groups + 1 - image_top,
            "image_pad_start": image_top,
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
        steps=2 * output_groups + 1 - top if stride_2 else output_groups + 1,
        copy=block.expand is None,
        residual=block.residual,
        stride_2=stride_2,
        pad_start=top,
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
