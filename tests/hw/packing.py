"""Arrays to payloads and back, for any Amaranth layout."""

import numpy as np
from amaranth.hdl import Shape
from amaranth.lib import data

__all__ = ["pack_items", "unpack_items"]


def pack_items(layout, values):
    """Pack arrays into payloads.

    Parameters
    ----------
    layout : ShapeLike
        Shape of the payload, such as ``unit.i.payload.shape()``.
    values : array or dict
        Integers of shape [N, ...]: N items, then the axes of an ``ArrayLayout``. A structure takes
        a dict of such by member; an array of structures takes a dict whose arrays carry its axis.

    Returns
    -------
    list of int
        N payloads, not negative.

    Raises
    ------
    ValueError
        If a value does not fit its field, a member is missing or unknown, or an axis has a wrong
        size.
    """
    bits = _to_bits(layout, values, "payload")
    padded = np.packbits(bits, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in padded]


def unpack_items(layout, items):
    """Unpack payloads into arrays: the inverse of `pack_items`.

    Parameters
    ----------
    layout : ShapeLike
        Shape of the payload.
    items : list of int
        N payloads, not negative.

    Returns
    -------
    int64 array [N, ...], or dict of such
    """
    width = Shape.cast(layout).width
    size = max(-(-width // 8), 1)
    raw = b"".join(int(item).to_bytes(size, "little") for item in items)
    octets = np.frombuffer(raw, np.uint8).reshape(len(items), size)
    return _from_bits(layout, np.unpackbits(octets, axis=1, bitorder="little")[:, :width])


def _layout(shape):
    """The layout of a shape, or None for a plain number."""
    if isinstance(shape, type) and issubclass(shape, data.View):
        return data.Layout.cast(shape)
    return shape if isinstance(shape, data.Layout) else None


def _to_bits(shape, values, name):
    """Bits of N values of a shape: uint8 [N, width], the least significant first."""
    layout = _layout(shape)
    if isinstance(layout, data.ArrayLayout):
        elements = [
            _to_bits(layout.elem_shape, element, f"{name}[{index}]")
            for index, element in enumerate(_split(values, layout.length, name))
        ]
        return np.concatenate(elements, axis=1)
    if layout is not None:
        fields = dict(layout)
        if set(fields) != set(values):
            raise ValueError(f"Members of {name} must be {sorted(fields)}, not {sorted(values)}")
        parts = {
            key: _to_bits(field.shape, values[key], f"{name}.{key}")
            for key, field in fields.items()
        }
        count = len(next(iter(parts.values())))
        bits = np.zeros((count, layout.size), np.uint8)
        for key, field in fields.items():
            bits[:, field.offset : field.offset + field.width] = parts[key]
        return bits
    shape = Shape.cast(shape)
    values = np.asarray(values)
    if values.ndim != 1 or values.dtype.kind not in "iub":
        raise ValueError(
            f"Values of {name} must be integers [N], not {values.dtype} {values.shape}"
        )
    values = values.astype(np.int64)
    low, high = (
        (-(1 << shape.width - 1), (1 << shape.width - 1) - 1)
        if shape.signed
        else (0, (1 << shape.width) - 1)
    )
    if values.size and (values.min() < low or values.max() > high):
        raise ValueError(
            f"Values of {name} must lie in {low} to {high}, not {values.min()} to {values.max()}"
        )
    return (values[:, None] >> np.arange(shape.width) & 1).astype(np.uint8)


def _split(values, length, name):
    """Elements of an array field, one after the other."""
    if isinstance(values, dict):
        parts = {key: _split(value, length, f"{name}.{key}") for key, value in values.items()}
        return [{key: part[index] for key, part in parts.items()} for index in range(length)]
    values = np.asarray(values)
    if values.ndim < 2 or values.shape[1] != length:
        raise ValueError(
            f"Values of {name} must have the shape [N, {length}, ...], not {values.shape}"
        )
    return [values[:, index] for index in range(length)]


def _from_bits(shape, bits):
    """Values of a shape from bits: uint8 [N, width]."""
    layout = _layout(shape)
    if isinstance(layout, data.ArrayLayout):
        return _stack(
            [
                _from_bits(field.shape, bits[:, field.offset : field.offset + field.width])
                for _, field in layout
            ]
        )
    if layout is not None:
        return {
            key: _from_bits(field.shape, bits[:, field.offset : field.offset + field.width])
            for key, field in layout
        }
    shape = Shape.cast(shape)
    weights = np.int64(1) << np.arange(shape.width, dtype=np.int64)
    if shape.signed:
        weights[-1:] *= -1
    return bits.astype(np.int64) @ weights


def _stack(elements):
    """Join the elements of an array field along axis 1, dict by dict."""
    if isinstance(elements[0], dict):
        return {key: _stack([element[key] for element in elements]) for key in elements[0]}
    return np.stack(elements, axis=1)
