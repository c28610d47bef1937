"""A program as C headers: its numbers, and its names."""

from mnv2.hw.config import IMAGE_CHANNELS

__all__ = ["names_header", "program_header"]


def program_header(layout) -> str:
    """Text of ``mnv2_program.h``: what ``layout.json`` says, as constants.

    Parameters
    ----------
    layout : dict
        See `mnv2.sim.driver.program_layout.program_layout`.

    Returns
    -------
    str
        With ``MNV2_PROGRAM``, the initializer of a ``struct mnv2_program``.

    Raises
    ------
    ValueError
        If the picture has other than 3 channels.
    """
    picture, logits = layout["picture"], layout["logits"]
    rows, columns, channels = picture["shape"]
    if channels != IMAGE_CHANNELS:
        raise ValueError(f"A picture must have {IMAGE_CHANNELS} channels, not {channels}")
    numbers = {
        "CONFIGURATION": layout["configuration_hash"],
        "RECORDS": layout["records"],
        "RECORD_BYTES": layout["record_bytes"],
        "IMAGE_BYTES": layout["image_bytes"],
        "MEMORY_BYTES": layout["memory_bytes"],
        "ALIGNMENT": layout["alignment"],
        "DESCRIPTORS": len(layout["descriptors"]),
        "FRAMES": picture["frames"],
        "PICTURE_BYTES": picture["bytes"],
        "PICTURE_SLOT_BYTES": picture["slot_bytes"],
        "PICTURE_ROWS": rows,
        "PICTURE_COLUMNS": columns,
        "PICTURE_PIXELS": picture["word_pixels"],
        "PICTURE_BITS": picture["element_bits"],
        **{f"PICTURE_{name.upper()}": picture["words"][name] for name in _LAYOUT},
        "LOGITS_BYTES": logits["bytes"],
        "LOGITS_SLOT_BYTES": logits["slot_bytes"],
        "CLASSES": logits["classes"],
        "LOGITS_INPUTS": logits["word_classes"],
        **{f"LOGITS_{name.upper()}": logits["words"][name] for name in _LAYOUT},
    }
    real = {
        "PICTURE_SCALE": f"{picture['scale']!r}f",
        "PICTURE_ZERO_POINT": f"({picture['zero_point']})",
        "LOGITS_SCALE": f"{logits['scale']!r}f",
        "LOGITS_ZERO_POINT": f"({logits['zero_point']})",
    }
    lines = [
        "/* A program of the MobileNetV2 accelerator, made by mnv2 program: see layout.json. */",
        "#ifndef MNV2_PROGRAM_H",
        "#define MNV2_PROGRAM_H",
        "",
        *(f"#define MNV2_PROGRAM_{name:<20} {value}u" for name, value in numbers.items()),
        "",
        "/* A real value is scale * (integer - zero point). */",
        *(f"#define MNV2_PROGRAM_{name:<20} {value}" for name, value in real.items()),
        "",
        "/* Initializer of a struct mnv2_program, in the order of its members. */",
        "#define MNV2_PROGRAM { \\",
        *(f"    {member}, \\" for member in _members()),
        "}",
        "",
        "#endif",
        "",
    ]
    return "\n".join(lines)


#: Members of a ``struct mnv2_layout``, in order.
_LAYOUT = ("taken_bits", "beat_bits", "data_bits")


def _members():
    """Members of a ``struct mnv2_program``, in order, as constants of the header."""
    names = """CONFIGURATION RECORDS IMAGE_BYTES MEMORY_BYTES PICTURE_BYTES LOGITS_BYTES FRAMES
        PICTURE_ROWS PICTURE_COLUMNS PICTURE_PIXELS PICTURE_BITS PICTURE_LAYOUT CLASSES
        LOGITS_INPUTS LOGITS_LAYOUT""".split()
    for name in names:
        stream, _, last = name.partition("_")
        if last == "LAYOUT":
            parts = ", ".join(f"MNV2_PROGRAM_{stream}_{part.upper()}" for part in _LAYOUT)
            yield f"{{{parts}}}"
        else:
            yield f"MNV2_PROGRAM_{name}"


def names_header(layout, pixels=None) -> str:
    """Text of ``mnv2_names.h``: names of classes and of descriptors, and values of pixels.

    Parameters
    ----------
    layout : dict
        See `mnv2.sim.driver.program_layout.program_layout`.
    pixels : int8 [256, 3], optional
        The model's input for each value of a pixel's channels.

    Returns
    -------
    str
    """
    lines = [
        "/* Names of a program of the MobileNetV2 accelerator, made by mnv2 program. */",
        "#ifndef MNV2_NAMES_H",
        "#define MNV2_NAMES_H",
        "",
        "#include <stdint.h>",
        "",
        "/* Class by class of the logits. */",
        *_array("const char *const mnv2_class_names", map(_quoted, layout["class_names"])),
        "",
        "/* The descriptors of a turn, in the order in which mnv2_counters numbers them. */",
        *_array("const char *const mnv2_descriptor_names", map(_quoted, layout["descriptors"])),
    ]
    if pixels is not None:
        rows = (f"{{{red}, {green}, {blue}}}" for red, green, blue in pixels.tolist())
        lines += [
            "",
            "/* What mnv2_put_picture takes for each value of a pixel: red, green, blue. */",
            *_array("const int8_t mnv2_pixel_values", rows, "[256][3]"),
        ]
    return "\n".join([*lines, "", "#endif", ""])


def _array(name, values, size="[]"):
    return [f"static {name}{size} = {{", *(f"    {value}," for value in values), "};"]


def _quoted(text):
    """A string of C; other than printable ASCII as its bytes in UTF-8."""
    made = ""
    for byte in text.encode():
        character = chr(byte)
        if character in '"\\':
            made += "\\" + character
        elif 32 <= byte < 127:
            made += character
        else:
            made += f"\\{byte:03o}"
    return f'"{made}"'
