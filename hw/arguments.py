"""Checks of constructor arguments, in one wording."""

from .config import DATA_WIDTHS

__all__ = ["check_choice", "check_data_bits", "check_integer"]


def check_choice(name, value, choices):
    """Refuse anything but one of a few values.

    Parameters
    ----------
    name : str
        The argument's name as the message starts with it, e.g. ``"Rounding"``.
    value : object
        What the caller passed.
    choices : sequence
        The values accepted.

    Raises
    ------
    ValueError
        If ``value`` is none of them.
    """
    if isinstance(value, bool) or value not in choices:
        *others, last = map(str, choices)
        raise ValueError(f"{name} must be {', '.join(others)} or {last}, not {value!r}")


def check_integer(name, value, minimum=1, maximum=None):
    """Refuse anything but an integer within a range.

    Parameters
    ----------
    name : str
        The argument's name as the message starts with it, e.g. ``"Activation bits"``.
    value : object
        What the caller passed.
    minimum, maximum : int
        Smallest and largest value accepted; no upper bound when ``maximum`` is None.

    Raises
    ------
    TypeError
        If ``value`` is not an ``int`` (a ``bool`` is not one here).
    ValueError
        If it lies outside the range.
    """
    if maximum is not None:
        rule = f"an integer from {minimum} to {maximum}"
    elif minimum == 1:
        rule = "a positive integer"
    else:
        rule = f"an integer of at least {minimum}"
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be {rule}, not {value!r}")
    if value < minimum or (maximum is not None and value > maximum):
        raise ValueError(f"{name} must be {rule}, not {value!r}")


def check_data_bits(value):
    """Refuse a width of the memory port's data that AXI4 or the units do not have.

    Parameters
    ----------
    value : object
        What the caller passed: bits of a beat.

    Raises
    ------
    TypeError, ValueError
        As :func:`check_integer`.
    """
    *others, last = DATA_WIDTHS
    rule = f"{', '.join(map(str, others))} or {last} bits"
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"Data width must be {rule}, not {value!r}")
    if value not in DATA_WIDTHS:
        raise ValueError(f"Data width must be {rule}, not {value!r}")
