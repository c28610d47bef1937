"""Tensors of a safetensors file, which is data alone.

Ref: safetensors README, "Format": 8 bytes of header size, a JSON header, the tensors.
"""

import numpy as np

MAXIMUM_HEADER_BYTES = 2**22
_BFLOAT16 = "BF16"
#: bfloat16 is the upper half of a float32 and is read as such.
_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    _BFLOAT16: "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "u1",
}


def is_safetensors(data):
    """Whether bytes begin as such a file: a header size, and JSON."""
    return len(data) > 8 and data[8:9] == b"{"


def parse_safetensors(data):
    """dict of str to array of a file's bytes; float32 whatever floats it holds.

    Names are sorted: the format keeps no order.

    Raises
    ------
    ValueError
        If the header is damaged or larger than `MAXIMUM_HEADER_BYTES`, offsets overlap or lie
        outside the file, or a type is not known.
    """
    try:
        import safetensors
    except ImportError:
        raise ValueError(
            "Reading safetensors needs the package safetensors: pip install 'mnv2[models]'"
        ) from None
    size = int.from_bytes(data[:8], "little")
    if size > MAXIMUM_HEADER_BYTES:
        raise ValueError(f"The header must have at most {MAXIMUM_HEADER_BYTES} bytes, not {size}")
    try:
        entries = safetensors.deserialize(bytes(data))
    except (safetensors.SafetensorError, ValueError, OverflowError) as error:
        raise ValueError(
            f"The safetensors file is damaged or truncated ({str(error)[:120]})"
        ) from None
    tensors = {}
    for name, entry in sorted(entries, key=lambda x: x[0]):
        dtype = _DTYPES.get(entry["dtype"])
        if dtype is None:
            raise ValueError(
                f"The tensor {name[:80]} must hold floats or integers, not {entry['dtype']}"
            )
        value = np.frombuffer(entry["data"], dtype)
        if entry["dtype"] == _BFLOAT16:
            value = (value.astype(np.uint32) << 16).view(np.float32)
        elif value.dtype.kind == "f":
            with np.errstate(over="ignore"):  # infinities are refused by name, later
                value = value.astype(np.float32)
        tensors[name] = value.reshape(entry["shape"])
    return tensors
