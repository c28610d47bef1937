"""Names as people read and write them: of layers and causes in figures, of things in options."""

import difflib
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from mnv2.sim.errors import UserError

__all__ = ["find_by_name", "short_name", "words"]

T = TypeVar("T")

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
    plain = {_plain(known): thing for known, thing in choices.items()}
    if _plain(name) in plain:
        return plain[_plain(name)]
    near = difflib.get_close_matches(_plain(name), plain, n=3, cutoff=0.6)
    if near:
        shown = dict.fromkeys(label(plain[one]) for one in near)
        raise UserError(f"There is no {what} {name!r}; did you mean {' or '.join(shown)}?")
    shown = dict.fromkeys(map(label, choices.values()))
    raise UserError(f"There is no {what} {name!r}; the {what}s are {', '.join(shown)}")


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))
