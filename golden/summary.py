"""Records in one line, for people who look at them: the sizes of what a record holds.

A dataclass prints every element of every field, which for a network is hundreds of kilobytes.
Such a record says ``__repr__ = short_repr`` in its body, or prints what it is in its own words. The
line does not tell two records apart: hashes are made of `mnv2.golden.network.Network.all_fields`
and of arrays.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["LINE_CHARACTERS", "short_repr", "shape_text"]

#: A line is cut there.
LINE_CHARACTERS = 200
#: Values whose own text is longer are shown by their kind and size.
_VALUE_CHARACTERS = 40


def short_repr(record: Any) -> str:
    """Class of a dataclass record and its fields, each array and collection by its size.

    Parameters
    ----------
    record : dataclass instance

    Returns
    -------
    str
        One line of at most `LINE_CHARACTERS`.
    """
    fields = ", ".join(
        f"{field.name}={_value(getattr(record, field.name))}"
        for field in dataclasses.fields(record)
        if field.repr
    )
    name = type(record).__name__
    room = LINE_CHARACTERS - len(name) - 2
    if len(fields) > room:
        fields = f"{fields[: room - 3]}..."
    return f"{name}({fields})"


def shape_text(shape: Sequence[int]) -> str:
    """A shape as people write it: ``224x224x3``."""
    return "x".join(map(str, shape))


def _value(value: Any) -> str:
    """A field's value, or its kind and size where it is long."""
    if hasattr(value, "dtype") and hasattr(value, "shape"):  # an array; predictions load no numpy
        return f"{value.dtype}[{', '.join(map(str, value.shape))}]"
    if dataclasses.is_dataclass(value):
        text = repr(value)
        return text if len(text) <= _VALUE_CHARACTERS else f"{type(value).__name__}(...)"
    if isinstance(value, (Mapping, list, tuple, set, frozenset)) and not _is_short(value):
        return f"<{len(value)} {'item' if len(value) == 1 else 'items'}>"
    text = repr(value)
    return text if len(text) <= _VALUE_CHARACTERS else f"{text[: _VALUE_CHARACTERS - 3]}..."


def _is_short(values: Any) -> bool:
    """Whether a collection is of a few numbers, names or shapes, and so prints in a few words."""
    if len(values) > 6:
        return False
    items = [*values, *values.values()] if isinstance(values, Mapping) else list(values)
    plain = all(
        isinstance(item, (int, float, str, type(None)))
        or isinstance(item, tuple)
        and all(isinstance(part, (int, float)) for part in item)
        for item in items
    )
    return plain and len(repr(values)) <= _VALUE_CHARACTERS
