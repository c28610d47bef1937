"""Changes of one axis at a time of a design: which parameter is worth a second look."""

from collections.abc import Mapping
from dataclasses import dataclass

from mnv2.golden.summary import short_repr
from mnv2.sim.explore.design import Design
from mnv2.sim.explore.space import AXES, SPACES, Space

__all__ = ["Change", "Sensitivity", "single_changes"]


@dataclass(frozen=True)
class Change:
    """A design that differs from another in one axis.

    Attributes
    ----------
    axis : str
    value : int or float
        The value of the axis instead.
    design : mnv2.sim.explore.design.Design
        Predicted; it may miss limits.
    """

    axis: str
    value: int | float
    design: Design


@dataclass(frozen=True)
class Sensitivity:
    """A design and its changes, all predicted with a memory that gives a beat a cycle each way.

    Attributes
    ----------
    base : mnv2.sim.explore.design.Design
    changes : tuple of Change
    """

    __repr__ = short_repr

    base: Design
    changes: tuple[Change, ...]


def single_changes(
    design: Design, space: Space
) -> list[tuple[str, int | float, dict[str, int | float]]]:
    """The next smaller and the next larger value of each axis, all others as they are.

    Buffers that are derived follow the lanes. Values are those of the space, and where it has one
    alone, those of the full space; of ``outputs``, multiples of the inputs alone.

    Parameters
    ----------
    design : mnv2.sim.explore.design.Design
    space : mnv2.sim.explore.space.Space

    Returns
    -------
    list of (str, int or float, dict)
        Axis, its other value, and the point.
    """
    found = []
    for axis, value in design.point.items():
        values = set(space.values.get(axis, ()))
        if len(values) < 2:
            values |= set(_others(axis, value))
        values = {other for other in values if _fits(axis, other, design.point)}
        below = max((other for other in values if other < value), default=None)
        above = min((other for other in values if other > value), default=None)
        found += [
            (axis, other, {**design.point, axis: other})
            for other in (below, above)
            if other is not None
        ]
    return found


def _others(axis: str, value: int | float) -> tuple[int | float, ...]:
    """Values of an axis that the space does not vary."""
    if axis in SPACES["full"]:
        return (7,) if axis.endswith("_bits") and axis != "data_bits" else SPACES["full"][axis]
    half, double = (value // 2, value * 2) if AXES[axis].whole else (value / 2, value * 2)
    return tuple(other for other in (half, double) if AXES[axis].low <= other <= AXES[axis].high)


def _fits(axis: str, other: int | float, point: Mapping[str, int | float]) -> bool:
    """Whether lanes still fit together."""
    if axis == "outputs":
        return other % point["inputs"] == 0
    return axis != "inputs" or point["outputs"] % other == 0
