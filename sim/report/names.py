"""Names of layers and of causes of waiting, as figures and tables show them."""

from typing import Protocol

__all__ = ["short_name", "words"]

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
