"""Bits that are always 0, found in the text of a module of Verilog that Amaranth wrote."""

import re
from collections.abc import Sequence
from functools import cached_property

__all__ = ["LiveBits", "declared_bits"]

_NAME = r"\\\S+|[A-Za-z_]\w*"
_CONSTANT = r"(\d+)'s?([hbd])([0-9a-fxz_]+)"
_TOKEN = re.compile(rf"{_CONSTANT}|\$\w+|{_NAME}|\d+|[^\s\w]")
_DECLARATION = re.compile(
    r"^  (?:input|output|wire|reg) (?:reg |wire )?(?:signed )?"
    rf"(?:\[(\d+):0\] )?({_NAME}) ?(?: = ([^;]*))?;$",
    re.M,
)
_ASSIGNMENT = re.compile(
    rf"^ +(?:assign )?((?:{_NAME})(?: ?\[[\d:]+\])?|\{{[^=]*\}}) +<?= ([^;]*);$", re.M
)
#: To a part whose place is a signal.
_MOVING = re.compile(rf"^ +(?:assign )?({_NAME}) ?\[[^\]]*[^\d:\]][^\]]*\] +<?= ", re.M)
#: Of an instance: any of its ports may drive any signal in it.
_CONNECTION = re.compile(r"^    \.\S+ ?\((.*)\),?$", re.M)
_INPUT = re.compile(rf"^  input (?:wire )?(?:signed )?(?:\[\d+:0\] )?({_NAME}) ?;$", re.M)
_BASES = {"h": 16, "b": 2, "d": 10}


def declared_bits(body: str) -> dict[str, int]:
    """Width of every signal of a module, by name.

    Parameters
    ----------
    body : str
        Text between the ports and ``endmodule``.
    """
    return {name: int(high or 0) + 1 for high, name, _ in _DECLARATION.findall(body)}


class _Unknown(Exception):
    """An expression of a kind that is not followed: any of its bits may be 1."""


class LiveBits:
    """The bits of a module's signals that may be 1; the others are 0 at all times.

    Followed are parts of signals, constants, concatenations and choices, through registers too;
    every other expression may be anything.

    Parameters
    ----------
    body : str
        Text of the module, between its ports and ``endmodule``.
    """

    def __init__(self, body: str):
        self._body = body
        self._bits = declared_bits(body)
        self._masks: dict[str, int] = {}

    @cached_property
    def _free(self) -> set[str]:
        """Signals that come from elsewhere, or are assigned in a way that is not followed."""
        connected = re.findall(_NAME, " ".join(_CONNECTION.findall(self._body)))
        return {*_INPUT.findall(self._body), *_MOVING.findall(self._body), *connected}

    @cached_property
    def _drivers(self) -> dict[str, list[tuple[int, int, int, str]]]:
        """Assignments to each signal: its lowest bit, width, bits to the right of it, and value."""
        found: dict[str, list[tuple[int, int, int, str]]] = {}
        for _, name, first in _DECLARATION.findall(self._body):
            if first:
                found.setdefault(name, []).append((0, self._bits[name], 0, first))
        for left, right in _ASSIGNMENT.findall(self._body):
            for name, *place in self._parts(_tokens(left)):
                found.setdefault(name, []).append((*place, right))
        return found

    def mask(self, expression: str) -> int | None:
        """Mask of the bits of an expression that may be 1; None if it is not followed."""
        tokens = _tokens(expression)
        for name in tokens:
            if name in self._bits and name not in self._masks:
                self._follow(name)
        try:
            return self._value(tokens, self._masks)[0]
        except _Unknown:
            return None

    def _follow(self, name):
        """Add the masks of a signal and of all that it is made of."""
        # From "none is ever 1", until all that follows from it is in.
        cone = self._cone(name)
        masks = dict.fromkeys(cone, 0)
        masks.update((one, _ones(self._bits[one])) for one in cone if self._is_source(one))
        changed = True
        while changed:
            changed = False
            for one in cone:
                now = masks[one]
                for low, width, skipped, right in self._drivers.get(one, ()):
                    now |= (self._assigned(right, masks) >> skipped & _ones(width)) << low
                changed |= now != masks[one]
                masks[one] = now
        self._masks.update(masks)

    def _is_source(self, name):
        return name in self._free or name not in self._drivers

    def _cone(self, name):
        """All signals that a signal is made of."""
        cone: dict[str, None] = {}
        waiting = [name]
        while waiting:
            one = waiting.pop()
            if one in cone:
                continue
            cone[one] = None
            if not self._is_source(one):
                for *_, right in self._drivers[one]:
                    waiting += [token for token in _tokens(right) if token in self._bits]
        return cone

    def _assigned(self, right, masks):
        """Mask of an expression, of any width."""
        try:
            value, width = self._value(_tokens(right), masks)
        except _Unknown:
            return -1
        # A narrower value may be extended by its sign.
        return value | -1 << width if value >> width - 1 & 1 else value

    def _value(self, tokens: Sequence[str], masks) -> tuple[int, int]:
        """Mask and width of an expression."""
        choice = _outside(tokens, "?")
        if choice:
            # The first colon that no further choice before it takes.
            open_choices = 0
            for middle in _outside(tokens, "?:"):
                open_choices += 1 if tokens[middle] == "?" else -1
                if not open_choices:
                    break
            one, width = self._value(tokens[choice[0] + 1 : middle], masks)
            other, wide = self._value(tokens[middle + 1 :], masks)
            return one | other, max(width, wide)
        if len(tokens) == 1 and (found := re.fullmatch(_CONSTANT, tokens[0])):
            if re.search("[xz]", found[3]):
                raise _Unknown
            return int(found[3], _BASES[found[2]]), int(found[1])
        if tokens[:2] == ["$signed", "("] and tokens[-1] == ")":
            return self._value(tokens[2:-1], masks)
        if tokens[0] == "{" and tokens[-1] == "}":
            mask, width = 0, 0
            for part in reversed(_split(tokens[1:-1])):
                value, bits = self._value(part, masks)
                mask, width = mask | value << width, width + bits
            return mask, width
        ((name, low, width, _),) = self._parts(tokens)
        if name not in masks:
            raise _Unknown
        return masks[name] >> low & _ones(width), width

    def _parts(self, tokens):
        """Signals of a concatenation: name, lowest bit, width, and bits to the right of it."""
        pieces = _split(tokens[1:-1]) if tokens[0] == "{" else [tokens]
        parts, skipped = [], 0
        for piece in reversed(pieces):
            name, *place = piece
            low, width = 0, self._bits.get(name, 0)
            if place:
                match = re.fullmatch(r"\[(\d+)(?::(\d+))?\]", "".join(place))
                if not match:
                    raise _Unknown
                low = int(match[2] or match[1])
                width = int(match[1]) - low + 1
            if not width:
                raise _Unknown
            parts.append((name, low, width, skipped))
            skipped += width
        return parts


def _ones(width):
    return (1 << width) - 1


def _tokens(text):
    return [match[0] for match in _TOKEN.finditer(text)]


def _outside(tokens, wanted):
    """Places of tokens outside of brackets."""
    depth, places = 0, []
    for place, token in enumerate(tokens):
        depth += (token in "{([") - (token in "})]")
        if token in wanted and not depth:
            places.append(place)
    return places


def _split(tokens):
    """Parts of a concatenation."""
    parts, begin = [], 0
    for place in [*_outside(tokens, ","), len(tokens)]:
        parts.append(tokens[begin:place])
        begin = place + 1
    return parts
