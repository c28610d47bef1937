"""Figures with units, as people write them: ``2GB/s``, ``10ms``, ``3.5x``, ``100``."""

import contextlib
import re

from mnv2.sim.errors import UserError

__all__ = ["format_quantity", "parse_quantity"]

_PREFIXES = {
    "p": 1e-12,
    "n": 1e-9,
    "u": 1e-6,
    "µ": 1e-6,
    "m": 1e-3,
    "": 1.0,
    "k": 1e3,
    "K": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
}
_BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30}
#: Prefixes and names of each unit; the first name is the one that is written.
_UNITS = {
    "1/s": (("",), ("/s", "fps", "frames/s", "1/s")),
    "s": (("", "m", "u", "µ", "n"), ("s",)),
    "B/s": (("", "k", "K", "M", "G", "T", *_BINARY), ("B/s",)),
    "x": (("",), ("x", "×", "")),
    "B": (("", "k", "K", "M", "G", *_BINARY), ("B",)),
    "Hz": (("", "k", "M", "G"), ("Hz",)),
    "%": (("",), ("%",)),
    "": (("", "k", "K", "M"), ("",)),
}
_EXAMPLES = {
    "1/s": "100",
    "s": "10ms",
    "B/s": "2GB/s",
    "x": "12",
    "B": "500kB",
    "Hz": "200MHz",
    "%": "70%",
    "": "360",
}
#: Units without which a number alone is clear.
_PLAIN = {"1/s", "", "%", "x"}
_NUMBER = re.compile(r"\s*([+-]?(?:\d[\d_,]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*")


def parse_quantity(text: str, unit: str, name: str) -> float:
    """A figure in its unit.

    Parameters
    ----------
    text : str
        A number and its unit with a prefix of the SI, or one of ``Ki Mi Gi``.
    unit : str
        ``"1/s"``, ``"s"``, ``"B/s"``, ``"x"`` for a ratio, ``"B"``, ``"Hz"``, ``"%"``, or ``""``
        for a count.
    name : str
        The option, for the message.

    Returns
    -------
    float
        In the unit without prefix, more than 0; per cent as a share.

    Raises
    ------
    UserError
        If the text is not such a figure.
    """
    match = _NUMBER.fullmatch(text)
    factor = _factor(match[2], unit) if match else None
    value = None
    if match and factor is not None:
        with contextlib.suppress(ValueError):
            value = float(match[1].replace(",", "").replace("_", "")) * factor
    if match is None or value is None or not 0 < value < float("inf"):
        need = {"": "a number", "1/s": "frames a second", "x": "a ratio"}.get(
            unit, f"a figure in {unit}"
        )
        raise UserError(f"{name} must be {need} above 0, such as {_EXAMPLES[unit]}, not {text!r}")
    return value / 100 if unit == "%" and match[2] else value


def _factor(written: str, unit: str) -> float | None:
    """Factor of a written unit, or None if it is another unit."""
    if not written and unit in _PLAIN:
        return 1.0
    prefixes, names = _UNITS[unit]
    for name in names:
        if written.endswith(name):
            prefix = written.removesuffix(name) if name else written
            if prefix in prefixes:
                return {**_PREFIXES, **_BINARY}[prefix]
    return None


def format_quantity(value: float, unit: str) -> str:
    """A figure with three digits, a prefix and its unit, such as ``3.85 ms``.

    Parameters
    ----------
    value : float
        In the unit without prefix; a share for per cent.
    unit : str
        As for `parse_quantity`.
    """
    if unit == "%":
        return f"{value:.1%}"
    if unit == "":
        return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
    if unit == "x":
        return f"{value:,.2f}"
    if unit == "1/s":
        return f"{value:,.1f} /s" if value < 1000 else f"{value:,.0f} /s"
    for prefix in ("G", "M", "k", "", "m", "µ", "n"):
        if abs(value) >= _PREFIXES[prefix]:
            return (
                f"{value / _PREFIXES[prefix]:.3g} {prefix}{unit}"
                if (value / _PREFIXES[prefix] < 999.5)
                else (f"{value / _PREFIXES[prefix]:,.0f} {prefix}{unit}")
            )
    return f"{value:g} {unit}"
