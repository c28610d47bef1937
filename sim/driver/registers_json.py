"""The registers and the errors of the driver as JSON, for the driver in Python."""

import json
import re

from mnv2.hw.config import COUNTER_ROWS, COUNTERS
from mnv2.hw.register_map import (
    ADDRESSES,
    BASE_ALIGNMENT,
    COUNTER_OFFSET,
    COUNTER_ROW_BYTES,
    IDENTIFIER,
    MAP_VERSION,
    REGISTERS,
    SLOTS_BITS,
    Status,
)

__all__ = ["driver_errors", "registers_json"]


def driver_errors(header: str) -> dict[str, str]:
    """Sentence of each error by its name, from the text of ``mnv2.h``, which lists them.

    Raises
    ------
    ValueError
        If there is no list.
    """
    found = re.search(r"#define MNV2_ERROR_LIST\(X\)((?:.*\\\n)+.*\n)", header)
    if not found:
        raise ValueError("mnv2.h must have MNV2_ERROR_LIST")
    return dict(re.findall(r'X\((\w+), "([^"]*)"\)', found[1]))


def registers_json(header: str) -> str:
    """Text of ``mnv2_registers.json``.

    Parameters
    ----------
    header : str
        Text of ``mnv2.h``.

    Returns
    -------
    str
    """
    table = {
        "identifier": IDENTIFIER,
        "version": list(MAP_VERSION),
        "alignment": BASE_ALIGNMENT,
        "most_slots": 2**SLOTS_BITS - 1,
        "registers": ADDRESSES,
        "fields": {
            f"{register.name}_{field.name}": [field.low, (1 << field.width) - 1]
            for register in REGISTERS.values()
            for field in register.fields
        },
        "status": {status.name: status.value for status in Status},
        "counters": {
            "offset": COUNTER_OFFSET,
            "row_bytes": COUNTER_ROW_BYTES,
            "rows": COUNTER_ROWS,
            "names": list(COUNTERS),
        },
        "errors": driver_errors(header),
    }
    return json.dumps(table, indent=1) + "\n"
