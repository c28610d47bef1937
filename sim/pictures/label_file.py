"""Files of labels: the names of a network's classes, as people and tools write them down."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mnv2.sim.errors import UserError
from mnv2.sim.pictures.class_names import ClassNames

__all__ = ["names_from_values", "parse_class_names", "read_class_names"]

#: Of a file that is read at most.
MAXIMUM_BYTES = 2**22
_INDEX_FIRST = re.compile(r"(\d{1,6})[ \t:,;=]+(\S.*)")
_INDEX_LAST = re.compile(r"(.*\S)[ \t]*[\t:,;=][ \t]*(\d{1,6})")
#: A blank may as well be part of a name, as in Cessna 172.
_INDEX_AFTER_BLANK = re.compile(r"(.*\S) +(\d{1,6})")


def read_class_names(path: str | Path, classes: int) -> ClassNames:
    """Names of the classes of a network, from a file.

    Parameters
    ----------
    path : path
        Text with a line for each class, in the network's order: its name. Or lines of an index,
        from 0, and a name, in either order; then classes may be missing. Or JSON: a list of names,
        or an object of names by index or of indices by name.
    classes : int
        Of the network.

    Returns
    -------
    ClassNames

    Raises
    ------
    UserError
        If the file cannot be read, is of no such form, or names classes that the network has not.
    """
    path = Path(path).expanduser()
    try:
        with path.open("rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise UserError(f"The labels {path} cannot be read: {error.strerror}") from None
    if len(content) > MAXIMUM_BYTES:
        raise UserError(f"The labels {path} must have at most {MAXIMUM_BYTES:,} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"The labels {path} must be text, a class on each line") from None
    try:
        return parse_class_names(text, classes, path.name)
    except ValueError as error:
        raise UserError(f"The labels {path} cannot be used: {error}") from None


def parse_class_names(text: str, classes: int, origin: str) -> ClassNames:
    """Names of the classes in a text; see `read_class_names`.

    Raises
    ------
    ValueError
        If it is of no such form, or names classes that the network has not.
    """
    if text.lstrip()[:1] in ("{", "["):
        try:
            return names_from_values(json.loads(text), classes, origin)
        except (json.JSONDecodeError, RecursionError):
            raise ValueError("it must be valid JSON") from None
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise ValueError("it names no class")
    first = [_INDEX_FIRST.fullmatch(line) for line in lines]
    if all(first):
        return _indexed([(int(m[1]), m[2].strip()) for m in first if m], classes, origin)
    last = [_INDEX_LAST.fullmatch(line) for line in lines]
    if all(last):
        return _indexed([(int(m[2]), m[1]) for m in last if m], classes, origin)
    blank = [_INDEX_AFTER_BLANK.fullmatch(line) for line in lines]
    if all(blank):
        pairs = [(int(m[2]), m[1]) for m in blank if m]
        distinct = all(len(set(values)) == len(pairs) for values in zip(*pairs, strict=True))
        if distinct and max(pairs)[0] < classes:
            return _indexed(pairs, classes, origin)
    return _ordered(lines, classes, origin)


def names_from_values(values: Any, classes: int, origin: str) -> ClassNames:
    """Names of the classes of plain values: a list, or names by index, or indices by name.

    Raises
    ------
    ValueError
        If the values are something else, or name classes that the network has not.
    """
    if isinstance(values, list | tuple) and all(isinstance(name, str) for name in values):
        return _ordered([name.strip() for name in values], classes, origin)
    if isinstance(values, dict) and values:
        if all(_is_index(key) and isinstance(name, str) for key, name in values.items()):
            pairs = [(int(key), name.strip()) for key, name in values.items()]
            return _indexed(pairs, classes, origin)
        if all(isinstance(key, str) and _is_index(index) for key, index in values.items()):
            return _indexed([(int(index), key) for key, index in values.items()], classes, origin)
    raise ValueError("it must be a list of names, names by index, or indices by name")


def _is_index(value: Any) -> bool:
    if isinstance(value, str):
        return value.isdecimal() and len(value) <= 6
    return type(value) is int and value >= 0


def _ordered(names: list[str], classes: int, origin: str) -> ClassNames:
    if len(names) != classes:
        raise ValueError(
            f"it names {len(names):,} classes, and the network has {classes:,}; lines of an index "
            "and a name may leave some out"
        )
    return ClassNames(tuple(names), origin, given=True)


def _indexed(pairs: Iterable[tuple[int, str]], classes: int, origin: str) -> ClassNames:
    names: list[str | None] = [None] * classes
    for index, name in pairs:
        if index >= classes:
            raise ValueError(
                f"{name!r} must be a class of the network, 0 to {classes - 1}, not {index}"
            )
        if names[index] is not None:
            raise ValueError(f"class {index} must have one name, not {names[index]!r} and {name!r}")
        names[index] = name
    return ClassNames(tuple(names), origin, given=True)
