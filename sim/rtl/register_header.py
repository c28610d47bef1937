"""The registers as a C header, from the table that the hardware is made of."""

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

__all__ = ["register_header"]


def register_header() -> str:
    """Text of a header with addresses, fields, and values, the same for every accelerator.

    A register ``STATUS`` has its byte address as ``MNV2_REG_STATUS``; its field ``STATUS`` has
    ``MNV2_STATUS_STATUS_SHIFT`` and ``MNV2_STATUS_STATUS_MASK``, the mask in place, of which
    ``MNV2_FIELD`` makes the field's value. Counters are numbered.

    Returns
    -------
    str
        C99.
    """
    lines = [
        "/* Registers of the MobileNetV2 accelerator. Made from hw/register_map.py. */",
        "",
        "#ifndef MNV2_REGISTERS_H",
        "#define MNV2_REGISTERS_H",
        "",
        _define("ID_VALUE", f"0x{IDENTIFIER:08X}u"),
        _define("VERSION_MAJOR_VALUE", f"{MAP_VERSION[0]}u"),
        _define("VERSION_MINOR_VALUE", f"{MAP_VERSION[1]}u"),
        _define("BASE_ALIGNMENT", f"{BASE_ALIGNMENT}u"),
        _define("REGISTER_ADDRESS_BITS", f"{REGISTER_ADDRESS_BITS}u"),
        _define("MOST_SLOTS", f"{2**SLOTS_BITS - 1}u"),
        "",
        "/* The value of a field, such as VERSION_MAJOR, in that of its register. */",
        "#define MNV2_FIELD(value, name) (((value) & MNV2_##name##_MASK) >> MNV2_##name##_SHIFT)",
        "",
    ]
    for register in REGISTERS.values():
        lines.append(f"/* {register.access}: {register.meaning} */")
        lines.append(_define(f"REG_{register.name}", f"0x{register.address:04X}u"))
        for field in register.fields:
            mask = (1 << field.width) - 1 << field.low
            lines.append(_define(f"{register.name}_{field.name}_SHIFT", f"{field.low}u"))
            lines.append(_define(f"{register.name}_{field.name}_MASK", f"0x{mask:08X}u"))
        lines.append("")
    lines.append("/* Values of STATUS. */")
    lines += [_define(f"STATUS_{status.name}", f"{status.value}u") for status in Status]
    lines += [
        "",
        "/* Counters: rows, one a descriptor, the stem's from COUNTER_STEM on; their number, and",
        " * which is which, 4 bytes each. */",
        _define("COUNTER_OFFSET", f"0x{COUNTER_OFFSET:04X}u"),
        _define("COUNTER_ROWS", f"{COUNTER_ROWS}u"),
        _define("COUNTER_ROW_BYTES", f"0x{COUNTER_ROW_BYTES:X}u"),
        _define("COUNTER_STEM", f"0x{COUNTER_ROW_BYTES // 2:X}u"),
        _define("COUNTERS", f"{len(COUNTERS)}u"),
        *(_define(f"COUNTER_{name.upper()}", f"{column}u") for column, name in enumerate(COUNTERS)),
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"


def _define(name: str, value: str) -> str:
    return f"#define MNV2_{name} {value}"
