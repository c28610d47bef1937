"""Names as people read and write them: of layers and causes in figures, of things in options."""

import difflib
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from mnv2.sim.errors import UserError

__all__ = [
    "find_by_name",
    "if_several",
    "name_frames",
    "plain_name",
    "short_name",
    "turn_name",
    "words",
]

T = TypeVar("T")

_COUNTS = {2: "two"}
_SHORT_NAMES = {"stem": "stem", "head": "head", "classifier": "class."}


class _Named(Protocol):
    @property
    def name(self) -> str: ...


def short_name(layer: _Named) -> str:
    """Shorten a layer's name: ``B3`` for ``block3``; ``stem``, ``head`` and ``class.`` stay."""
    return _SHORT_NAMES.get(layer.name, layer.name.replace("block", "B"))


def words(cause: str) -> str:
    """``line buffer`` for ``line_buffer``."""
    return cause.replace("_", " ")


def name_frames(abreast: int, one: str = "one frame", several: str = "frames") -> str:
    """``one``, or ``two frames abreast``."""
    return one if abreast == 1 else f"{_COUNTS.get(abreast, abreast)} {several} abreast"


def if_several(abreast: int, pattern: str) -> str:
    """``pattern`` with ``two frames abreast`` for its ``{}``; nothing for a single frame."""
    return "" if abreast == 1 else pattern.format(name_frames(abreast))


def turn_name(number: int, abreast: int) -> str:
    """Name frames that are computed abreast: ``frame 3``, or ``frames 5 and 6`` of the third pair.

    Parameters
    ----------
    number : int
        Of the turn, from 1.
    abreast : int
        Frames of a turn.
    """
    last = number * abreast
    return f"frame {last}" if abreast == 1 else f"frames {last - abreast + 1} and {last}"


def find_by_name(
    what: str, name: str, choices: Mapping[str, T], label: Callable[[T], str] = str
) -> T:
    """Find what a name means, in any case, with or without hyphens.

    Parameters
    ----------
    what : str
        Kind of the things, such as ``"device"``.
    name : str
        As the user wrote it.
    choices : mapping of str to thing
        By name; a thing may have several.
    label : function of thing
        The name to show of a thing.

    Raises
    ------
    UserError
        If there is none, with the names nearest to it, or all of them.
    """
    plain = {plain_name(known): thing for known, thing in choices.items()}
    if plain_name(name) in plain:
        return plain[plain_name(name)]
    near = difflib.get_close_matches(plain_name(name), plain, n=3, cutoff=0.6)
    if near:
        shown = dict.fromkeys(label(plain[one]) for one in near)
        raise UserError(f"There is no {what} {name!r}; did you mean {' or '.join(shown)}?")
    shown = dict.fromkeys(map(label, choices.values()))
    raise UserError(f"There is no {what} {name!r}; the {what}s are {', '.join(shown)}")


def plain_name(name: str) -> str:
    """A name without case, hyphens and the like: two that are equal then mean the same."""
    return "".join(filter(str.isalnum, name.lower()))
