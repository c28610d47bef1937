"""Checks of constructor arguments, in one wording."""

__all__ = ["check_integer"]


def check_integer(name, value, minimum=1, maximum=None):
    """Refuse what is not an integer in the range that is asked for.

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
