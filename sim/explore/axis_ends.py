"""Best designs that lie at the end of an axis: what a search did not look at, and how it would."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from mnv2.sim.explore.design import Design
from mnv2.sim.explore.evaluate import Judge
from mnv2.sim.explore.front import balanced
from mnv2.sim.explore.objectives import Figure
from mnv2.sim.explore.space import AXES, Point, Space, value_text

__all__ = ["AxisEnd", "axis_ends"]


@dataclass(frozen=True)
class AxisEnd:
    """An end of an axis at which best designs lie, and beyond which there are others.

    Attributes
    ----------
    axis : str
    value : int or float
        The end.
    further : int or float
        The next value beyond it.
    names : tuple of str
        Designs that lie there.
    option : str
        The option with which the search looks there too.
    """

    axis: str
    value: Any
    further: Any
    names: tuple[str, ...]
    option: str

    @property
    def words(self) -> str:
        """In a sentence without a full stop."""
        verb = "lies" if len(self.names) == 1 else "lie"
        return (
            f"{', '.join(self.names)} {verb} at the end of {self.axis}, "
            f"{value_text(self.value)}: to search further, add {self.option}"
        )


def axis_ends(
    front: Sequence[Design], space: Space, objectives: Sequence[Figure], judge: Judge
) -> list[AxisEnd]:
    """Ends of axes at which the best designs lie.

    The best design of each objective, and the balanced one. An end counts where a design with the
    next value beyond it is not ruled out by its costs.

    Parameters
    ----------
    front : sequence of mnv2.sim.explore.design.Design
    space : mnv2.sim.explore.space.Space
    objectives : sequence of mnv2.sim.explore.objectives.Figure
    judge : mnv2.sim.explore.evaluate.Judge

    Returns
    -------
    list of AxisEnd
        In the order of the space's axes.
    """
    if not front:
        return []
    best = {one.name: one for one in (balanced(front, objectives), *_bests(front, objectives))}
    ends: dict[tuple[str, Any], tuple[Any, list[str]]] = {}
    for design in best.values():
        for axis, value in design.point.items():
            further = _beyond(space, axis, value)
            if further is not None and _possible(design, space, axis, further, judge):
                ends.setdefault((axis, value), (further, []))[1].append(design.name)
    order = list(space.values)
    return [
        AxisEnd(axis, value, further, tuple(sorted(names)), _option(space, axis, further))
        for (axis, value), (further, names) in sorted(
            ends.items(), key=lambda item: (order.index(item[0][0]), item[0][1])
        )
    ]


def _bests(front: Sequence[Design], objectives: Sequence[Figure]) -> list[Design]:
    """The best design of each objective."""
    return [min(front, key=partial(_least, figure)) for figure in objectives]


def _least(figure: Figure, design: Design) -> float:
    value = figure.of(design)
    assert value is not None  # designs of a front have every objective
    return figure.sign * value


def _beyond(space: Space, axis: str, value: Any) -> Any:
    """The next value of an axis beyond an end; None where it is no end, or nothing lies beyond.

    Twice the largest, or half the smallest, within the bounds of the axis.
    """
    values, known = space.values.get(axis, ()), AXES[axis]
    if len(values) < 2 or known.choices or isinstance(value, str):
        return None
    if value == values[-1]:
        beyond = 2 * value
        return beyond if beyond <= known.high else None
    if value == values[0]:
        half = value // 2 if known.whole else value / 2
        beyond = max(half, known.low)
        return beyond if 0 < beyond < value else None
    return None


def _possible(design: Design, space: Space, axis: str, further: Any, judge: Judge) -> bool:
    """Whether the design with that value is one, and its costs do not rule it out."""
    wider = Space(
        {
            name: tuple(sorted({*values, further})) if name == axis else values
            for name, values in space.values.items()
        }
    )
    point: Point = wider.repaired({**design.point, axis: further})
    if point.get(axis) != further:
        return False
    try:
        return not judge.candidate(point).violations
    except ValueError:
        return False


def _option(space: Space, axis: str, further: Any) -> str:
    """The option that gives an axis all its values and one more."""
    values = sorted({*space.values[axis], further})
    return f"--vary {axis}={','.join(map(value_text, values))}"
