"""Changes of one axis at a time of a design: which parameter is worth a second look."""

from dataclasses import dataclass
from typing import Any

from mnv2.golden.summary import short_repr
from mnv2.sim.explore.design import Design
from mnv2.sim.explore.space import AXES, SPACES, Point, Space, Value

__all__ = ["Change", "Sensitivity", "single_changes"]

#: Bits that designs are compared with where the space has one value alone.
_BITS = {"weight_bits": (7,), "activation_bits": (7,), "accumulator_bits": (27, 32)}


@dataclass(frozen=True)
class Change:
    """A design that differs from another in one axis.

    Attributes
    ----------
    axis : str
    value : int, float, str or bool
        The value of the axis instead.
    design : mnv2.sim.explore.design.Design
        Predicted; it may miss limits.
    """

    axis: str
    value: Value
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


def single_changes(design: Design, space: Space) -> list[tuple[str, Value, Point]]:
    """The next smaller and the next larger value of each axis, all others as they are.

    Every other value of an axis of words. Buffers that are derived follow the lanes. Values are
    those of the space, and where it has one alone, those of the full space; of ``outputs``,
    multiples of the inputs alone.

    Parameters
    ----------
    design : mnv2.sim.explore.design.Design
    space : mnv2.sim.explore.space.Space

    Returns
    -------
    list of (str, (int, float, str or bool), dict)
        Axis, its other value, and the point.
    """
    found = []
    for axis, value in design.point.items():
        values = set(space.values.get(axis, ()))
        if len(values) < 2:
            values |= set(_others(axis, value))
        values = {other for other in values if _fits(axis, other, design.point)}
        place = AXES[axis].place
        ordered = sorted(values | {value}, key=place)
        near = ordered.index(value)
        chosen = ordered if AXES[axis].choices else ordered[max(near - 1, 0) : near + 2]
        found += [
            (axis, other, {**design.point, axis: other}) for other in chosen if other != value
        ]
    return found


def _others(axis: str, value: Value) -> tuple[Value, ...]:
    """Values of an axis that the space does not vary."""
    if axis in _BITS:
        return _BITS[axis]
    if axis in SPACES["full"]:
        return SPACES["full"][axis]
    if AXES[axis].choices:
        return AXES[axis].choices
    assert not isinstance(value, str)  # a word is one of the choices of its axis
    half, double = (value // 2, value * 2) if AXES[axis].whole else (value / 2, value * 2)
    return tuple(other for other in (half, double) if AXES[axis].low <= other <= AXES[axis].high)


def _fits(axis: str, other: Any, point: Point) -> bool:
    """Whether lanes still fit together."""
    if axis == "outputs":
        return other % point["inputs"] == 0
    if axis == "residual_lanes":
        return point.get("frames", 1) * point["inputs"] * point["pixels"] % other == 0
    return axis != "inputs" or point["outputs"] % other == 0
