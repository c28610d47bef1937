"""A program as files tell it: what lies where in its image, in a picture and in logits."""

from dataclasses import asdict, dataclass
from typing import Any

from amaranth.lib import data

from mnv2.hw.config import IMAGE_CHANNELS, LOGIT_BITS, PAGE_BYTES, RECORD_BYTES, AcceleratorConfig
from mnv2.hw.identity import configuration_hash
from mnv2.hw.program import Header
from mnv2.hw.register_map import BASE_ALIGNMENT
from mnv2.sim.mapping.network_program import NetworkProgram
from mnv2.sim.mapping.program import CONSTANT_STREAMS
from mnv2.sim.pictures.class_names import ClassNames, known_class_names

__all__ = [
    "Region",
    "image_bytes",
    "logit_names",
    "program_layout",
    "program_regions",
    "slot_bytes",
]


@dataclass(frozen=True)
class Region:
    """A part of a program's memory.

    Attributes
    ----------
    name : str
    offset, bytes : int
        From the program's base on.
    contents : str
        What it holds, in words.
    written : bool
        Whether the accelerator writes it: it need not be loaded.
    """

    name: str
    offset: int
    bytes: int
    contents: str
    written: bool = False


#: What the streams of constants hold.
_CONTENTS = {
    "weights": "weights of 1x1 convolutions and of the stem, in the order of use",
    "taps": "3x3 kernels, in the order of use",
    "parameters": "biases, multipliers and shifts, in the order of use",
}


def slot_bytes(size: int) -> int:
    """Bytes from a slot of a ring to the next, for pictures or logits of that size."""
    return -(-size // BASE_ALIGNMENT) * BASE_ALIGNMENT


def program_regions(program: NetworkProgram, config: AcceleratorConfig) -> tuple[Region, ...]:
    """Parts of a program's memory, in order; what lies between them is not used.

    The streams are where the program's header says.

    Parameters
    ----------
    program : mnv2.sim.mapping.network_program.NetworkProgram
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    tuple of Region
    """
    header = _header(program)
    regions = [
        Region(
            "records",
            0,
            program.records * RECORD_BYTES,
            f"a header and {program.records - 1} descriptors of {RECORD_BYTES} bytes each",
        )
    ]
    for name in CONSTANT_STREAMS:
        beats = header[f"{name}_beats"]
        size = (sum(beats) if isinstance(beats, list) else beats) * config.data_bytes
        regions.append(Region(name, header[f"{name}_offset"], size, _CONTENTS[name]))
    for block, (offset, size) in program.spilled_maps.items():
        regions.append(Region(f"{block} map", offset, size, f"output of {block}", written=True))
    return tuple(sorted(regions, key=lambda region: region.offset))


def image_bytes(program: NetworkProgram, config: AcceleratorConfig) -> int:
    """Bytes of a program's image that are loaded: without the maps at its end that are written."""
    return max(
        region.offset + region.bytes
        for region in program_regions(program, config)
        if not region.written
    )


def program_layout(model, program: NetworkProgram, config: AcceleratorConfig) -> dict[str, Any]:
    """All that a host needs to know of a program, as JSON has it.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    program : mnv2.sim.mapping.network_program.NetworkProgram
        Of the model.
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    dict
        As ``layout.json`` has it.
    """
    network, integer = model.network, model.integer
    rows, columns, _ = network.input_shape
    names = logit_names(model)
    return {
        "model": model.name,
        "configuration_hash": f"0x{configuration_hash(config):08x}",
        "configuration": asdict(config),
        "alignment": BASE_ALIGNMENT,
        "records": program.records,
        "record_bytes": RECORD_BYTES,
        "image_bytes": image_bytes(program, config),
        "memory_bytes": program.memory_bytes,
        "regions": [
            {**asdict(region), "alignment": PAGE_BYTES}
            for region in program_regions(program, config)
        ],
        "descriptors": [name for _, name in program.works(1)],
        "picture": {
            "bytes": program.picture_bytes,
            "slot_bytes": slot_bytes(program.picture_bytes),
            "frames": config.frames,
            "shape": [rows, columns, IMAGE_CHANNELS],
            "element_bits": config.activation_bits,
            "order": "[row][group of pixels][pixel][frame][channel], elements from the lowest bit "
            "on, two's complement; a group that a row does not fill has zeros at its end",
            "word_pixels": config.pixels,
            "words": _words(config, "image"),
            "scale": float(integer.input_scale),
            "zero_point": int(integer.input_zero_point),
        },
        "logits": {
            "bytes": program.logits_bytes,
            "slot_bytes": slot_bytes(program.logits_bytes),
            "frames": config.frames,
            "classes": program.classes,
            "order": "words of [frame][class] accumulators of 32 bits, then [frame][class] logits "
            "of 8 bits, from the lowest bit on, two's complement",
            "word_classes": config.inputs,
            "words": _words(config, "logits"),
            "scale": float(integer.classifier.output_scale),
            "zero_point": int(integer.classifier.output_zero_point),
        },
        "class_names": [names.name(index) for index in range(program.classes)],
    }


def logit_names(model) -> ClassNames:
    """Names of what the accelerator's logits stand for.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel

    Returns
    -------
    mnv2.sim.pictures.class_names.ClassNames
        The model's, unless its classes come of dense layers that the host runs after it.
    """
    classes = model.network.classes
    return model.class_names if model.classes == classes else known_class_names(classes)


def _header(program: NetworkProgram) -> dict[str, Any]:
    """Fields of the header of a program by name, read back from its image."""
    shape = data.Layout.cast(Header)
    value = int.from_bytes(program.image[:RECORD_BYTES].tobytes(), "little")
    record = shape.from_bits(value & (1 << shape.size) - 1)
    fields: dict[str, Any] = {}
    for name, field in shape:
        part = getattr(record, name)
        if isinstance(field.shape, data.ArrayLayout):
            fields[name] = [int(part[index]) for index in range(field.shape.length)]
        else:
            fields[name] = int(part)
    return fields


def _words(config, stream):
    """Layout of the words of a stream, see `mnv2.hw.stream_layout.StreamLayout`."""
    layout = config.streams[stream]
    used = {
        "image": config.frames * IMAGE_CHANNELS * config.pixels * config.activation_bits,
        "logits": config.word_channels * LOGIT_BITS,
    }[stream]
    return {
        "word_bits": used,
        "taken_bits": layout.taken_bits,
        "beat_bits": layout.beat_bits,
        "data_bits": layout.data_bits,
    }
