"""Pieces of logic that no formula fits, measured one by one: gearboxes.

The LUTs of a gearbox jump with its shape, since the mapper merges gates that fit into one large
LUT. They grow with the bits, though, so one measurement of each shape is enough.
`mnv2.sim.synthesis.calibrate_costs` measures them and keeps them in ``pieces.json``; shapes that
are not there are estimated from the nearest ones.
"""

import functools
import json
from math import log
from pathlib import Path

from mnv2.hw.gearbox_shape import GearboxShape, gearbox_shape

__all__ = ["MEASURED", "gearbox_luts", "load_pieces"]

MEASURED = Path(__file__).with_name("pieces.json")


@functools.cache
def load_pieces():
    """Measured pieces: family, ``"gearboxes"``, shape, and LUTs for each bit."""
    return json.loads(MEASURED.read_text(encoding="utf-8"))


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
        Where the shape was not measured: that of the nearest one that holds its words as it does,
        for each bit that is selected and each place that it is selected from.
    """
    shape = gearbox_shape(taken_bits, given_bits)
    known = _shapes(family, partial)
    near = min(
        (one for one in known if one.storage == shape.storage),
        key=lambda one: (
            abs(log(one.taken / shape.taken)) + abs(log(one.given / shape.given)),
            one.taken,
        ),
    )
    return known[near] * shape.unit_bits * _ways(shape) / _ways(near)


@functools.cache
def _shapes(family, partial):
    """Measured shapes with one handling of partial words: LUTs for each bit of a unit."""
    found = {}
    for name, luts in load_pieces()[family]["gearboxes"].items():
        shape, kind = name.split()
        if kind == partial:
            found[GearboxShape(1, *map(int, shape.split(":")))] = luts
    return found


def _ways(shape):
    """Units of which each bit is selected, times the places that it is selected from.

    Ref: hw/gearbox.py.
    """
    match shape.storage:
        case "place":
            return 1
        case "part":
            return shape.taken + 1
        case "ring":
            return shape.given * shape.taken
    return shape.taken * (shape.capacity - shape.taken + 1)
