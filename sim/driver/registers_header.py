"""The registers as a C header, made of the table that the hardware is made of."""

from mnv2.hw.config import COUNTER_ROWS, COUNTERS
from mnv2.hw.register_map import (
    BASE_ALIGNMENT,
    COUNTER_OFFSET,
    COUNTER_ROW_BYTES,
    IDENTIFIER,
    MAP_VERSION,
    REGISTER_ADDRESS_BITS,
    REGISTERS,
    SLOTS_BITS,
    Status,
)

__all__ = ["registers_header"]


def registers_header() -> str:
    """Text of ``mnv2_registers.h``.

    Returns
    -------
    str
        For each register ``MNV2_REG_<register>``, its byte address; for each field its lowest bit
        and the mask of its value, which ``MNV2_FIELD`` and ``MNV2_BITS`` use; the values of
        ``STATUS``; and where each counter is.
    """
    lines = [
        "/* Registers of the MobileNetV2 accelerator. Made from hw/register_map.py. */",
        "#ifndef MNV2_REGISTERS_H",
        "#define MNV2_REGISTERS_H",
        "",
        "/* The value of a field in that of its register, and all bits of a field. */",
        "#define MNV2_FIELD(value, name) ((value) >> MNV2_##name##_LOW & MNV2_##name##_MASK)",
        "#define MNV2_BITS(name) (MNV2_##name##_MASK << MNV2_##name##_LOW)",
        "",
        _define("IDENTIFIER", f"0x{IDENTIFIER:08x}u", "value of ID"),
        _define("MAP_MAJOR", f"{MAP_VERSION[0]}u", "VERSION of this map"),
        _define("MAP_MINOR", f"{MAP_VERSION[1]}u"),
        _define("REGISTER_ADDRESS_BITS", f"{REGISTER_ADDRESS_BITS}u"),
        _define("BASE_ALIGNMENT", f"{BASE_ALIGNMENT}u", "of image, rings and strides, in bytes"),
        _define("MOST_SLOTS", f"{2**SLOTS_BITS - 1}u", "of a ring"),
        "",
        "/* Byte addresses, and the fields of those that have more than one. */",
    ]
    for register in REGISTERS.values():
        lines.append(_define(f"REG_{register.name}", f"0x{register.address:03x}u", register.access))
        for field in register.fields:
            if field.width < 32:
                name = f"{register.name}_{field.name}"
                lines.append(_define(f"{name}_LOW", f"{field.low}u"))
                lines.append(_define(f"{name}_MASK", f"0x{(1 << field.width) - 1:x}u"))
    lines += ["", "/* Values of STATUS. */"]
    lines += [_define(f"STATUS_{status.name}", f"{status.value}u") for status in Status]
    lines += [
        "",
        "/* Counters: rows of descriptors, the block's first, the stem's from half of a row on. */",
        _define("COUNTER_OFFSET", f"0x{COUNTER_OFFSET:x}u"),
        _define("COUNTER_ROW_BYTES", f"{COUNTER_ROW_BYTES}u"),
        _define("COUNTER_ROWS", f"{COUNTER_ROWS}u"),
        _define("COUNTERS", f"{len(COUNTERS)}u", "of a half"),
    ]
    lines += [
        _define(f"COUNTER_{name.upper()}", f"{column}u") for column, name in enumerate(COUNTERS)
    ]
    return "\n".join([*lines, "", "#endif", ""])


def _define(name, value, comment=""):
    text = f"#define MNV2_{name:<42} {value}"
    return f"{text:<70} /* {comment} */" if comment else text
