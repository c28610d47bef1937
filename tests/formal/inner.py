"""Names inside of a unit, for the invariants of an induction."""

import sys

from amaranth.hdl import Fragment

__all__ = ["elaborate_open"]


def elaborate_open(unit):
    """Elaborate a unit, and keep the local names of its ``elaborate``.

    Parameters
    ----------
    unit : Component

    Returns
    -------
    elaborated : Fragment
    inner : dict of str to object
        Signals and other values by their names in ``elaborate``, as it left them.
    """
    inner = {}
    code = type(unit).elaborate.__code__

    def profile(frame, event, _):
        if event == "return" and frame.f_code is code:
            inner.update(frame.f_locals)

    sys.setprofile(profile)
    try:
        elaborated = Fragment.get(unit, None)
    finally:
        sys.setprofile(None)
    return elaborated, inner
