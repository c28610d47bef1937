"""Pieces of logic that no formula fits, measured one by one: gearboxes.

The LUTs of a gearbox jump with its shape, since the mapper merges gates that fit into one large
LUT. They grow with the bits, though, so one measurement of each shape is enough.
`mnv2.sim.synthesis.calibrate_costs` measures them and keeps them in ``pieces.json``; shapes that
are not there are estimated from the nearest ones.
"""

import functools
import json
from math import gcd, log
from pathlib import Path

__all__ = ["MEASURED", "gearbox_luts", "gearbox_shape", "load_pieces"]

MEASURED = Path(__file__).with_name("pieces.json")


@functools.cache
def load_pieces():
    """Measured pieces: family, ``"gearboxes"``, shape, and LUTs for each bit."""
    return json.loads(MEASURED.read_text(encoding="utf-8"))


def gearbox_shape(taken_bits: int, given_bits: int) -> tuple[int, int, int]:
    """Shape of a gearbox, which decides its logic: units taken, units given, bits of a unit."""
    unit = gcd(taken_bits, given_bits)
    return taken_bits // unit, given_bits // unit, unit


def gearbox_luts(taken_bits: int, given_bits: int, partial: str, family: str) -> float:
    """LUTs of a gearbox.

    Parameters
    ----------
    taken_bits, given_bits : int
        Widths of its input and of its output.
    partial : str
        ``"emit"`` or ``"drop"``, see `mnv2.hw.gearbox.Gearbox`.
    family : str

    Returns
    -------
    float
        Where the shape was not measured: that of the shape nearest to it, for each bit of the words
        that come in and each place that they can go to.
    """
    taken, given, unit = gearbox_shape(taken_bits, given_bits)
    shapes = _shapes(family, partial)
    near = (
        (taken, given)
        if (taken, given) in shapes
        else min(shapes, key=lambda one: abs(log(one[0] / taken)) + abs(log(one[1] / given)))
    )
    return shapes[near] * unit * _ways(taken, given) / _ways(*near)


@functools.cache
def _shapes(family, partial):
    """Measured shapes with one handling of partial words: LUTs for each bit of a unit."""
    found = {}
    for name, luts in load_pieces()[family]["gearboxes"].items():
        shape, kind = name.split()
        if kind == partial:
            found[tuple(map(int, shape.split(":")))] = luts
    return found


def _ways(taken, given):
    """Units that come in, times the places of the held units that a word can begin at.

    Ref: hw/gearbox.py, ``capacity - taken + 1``.
    """
    return taken * (given + min(taken, given))
