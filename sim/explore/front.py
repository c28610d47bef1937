"""The Pareto front: the Pareto-optimal designs, and choices among them."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from mnv2.sim.explore.design import Design
from mnv2.sim.explore.objectives import Figure

__all__ = ["balanced", "find_front", "objective_values", "spread_choice"]


#: No objective is negative; one that is 0 has a logarithm too.
_LEAST = 1e-15


def objective_values(designs: Sequence[Design], objectives: Sequence[Figure]) -> np.ndarray:
    """Objectives of designs, to minimise.

    Parameters
    ----------
    designs : sequence of mnv2.sim.explore.design.Design
        All predicted.
    objectives : sequence of mnv2.sim.explore.objectives.Figure

    Returns
    -------
    float64 [designs, objectives]
    """
    values = [[_value(design, figure) for figure in objectives] for design in designs]
    return np.array(values, np.float64).reshape(len(designs), len(objectives))


def _value(design: Design, figure: Figure) -> float:
    """A figure of a design that has it, to minimise."""
    value = figure.of(design)
    assert value is not None
    return figure.sign * value


def find_front(designs: Iterable[Design], objectives: Sequence[Figure]) -> list[Design]:
    """The Pareto front: designs that miss no limit, and that no such design dominates.

    One dominates another if it is as good in all objectives and better in one.

    Of designs that are equal in every objective one is kept: that with the least share of its
    device, block RAM, LUTs, DSPs, bytes on chip and bytes a frame, in this order.

    Parameters
    ----------
    designs : iterable of mnv2.sim.explore.design.Design
        In any order.
    objectives : sequence of mnv2.sim.explore.objectives.Figure

    Returns
    -------
    list of mnv2.sim.explore.design.Design
        Numbered from 1, the best in the first objective first.
    """
    found = sorted((design for design in designs if design.feasible), key=_costs)
    if not found:
        return []
    values = objective_values(found, objectives)
    kept: list[int] = []
    seen: set[tuple[float, ...]] = set()
    for number, row in enumerate(values):
        dominated = np.any(np.all(values <= row, axis=1) & np.any(values < row, axis=1))
        if not dominated and tuple(row) not in seen:
            seen.add(tuple(row))
            kept.append(number)
    kept.sort(key=lambda number: (tuple(values[number]), found[number].key))
    return [
        dataclasses.replace(found[number], number=place) for place, number in enumerate(kept, 1)
    ]


def _costs(design: Design) -> tuple[Any, ...]:
    """Costs that decide between designs that are equal in every objective."""
    share = design.binding_use.share if design.binding_use else 0
    return (
        share,
        design.block_ram_18k,
        design.resources.all_luts,
        design.resources.dsp,
        design.config.on_chip_bytes,
        design.dram_bytes,
        design.key,
    )


def _scaled(front: Sequence[Design], objectives: Sequence[Figure]) -> np.ndarray:
    """Objectives of a front, 0 for its best and 1 for its worst, on a logarithmic scale.

    A factor of two counts the same everywhere.
    """
    values = objective_values(front, objectives)
    logs = np.log(np.maximum(np.abs(values), _LEAST)) * np.sign(
        [figure.sign for figure in objectives]
    )
    least, most = logs.min(axis=0), logs.max(axis=0)
    return (logs - least) / np.where(most > least, most - least, 1)


def balanced(front: Sequence[Design], objectives: Sequence[Figure]) -> Design:
    """The design nearest to the best in all objectives.

    Each objective is scaled to 0 for the front's best and 1 for its worst, on a logarithmic scale;
    the distance is Euclidean. Of equally near ones it is the first.

    Parameters
    ----------
    front : sequence of mnv2.sim.explore.design.Design
        At least one.
    objectives : sequence of mnv2.sim.explore.objectives.Figure

    Returns
    -------
    mnv2.sim.explore.design.Design
    """
    distances = np.square(_scaled(front, objectives)).sum(axis=1)
    return front[int(np.argmin(distances))]


def spread_choice(
    front: Sequence[Design], objectives: Sequence[Figure], count: int
) -> list[Design]:
    """At most ``count`` designs of a front that are far from each other.

    The balanced one first, then always the one whose nearest chosen one is farthest, in the scale
    of `balanced`; of equals the first.

    Parameters
    ----------
    front : sequence of mnv2.sim.explore.design.Design
    objectives : sequence of mnv2.sim.explore.objectives.Figure
    count : int

    Returns
    -------
    list of mnv2.sim.explore.design.Design
        In the order chosen.
    """
    if not front or count < 1:
        return []
    scaled = _scaled(front, objectives)
    chosen = [front.index(balanced(front, objectives))]
    while len(chosen) < min(count, len(front)):
        gaps = np.min([np.square(scaled - scaled[one]).sum(axis=1) for one in chosen], axis=0)
        gaps[chosen] = -1
        chosen.append(int(np.argmax(gaps)))
    return [front[number] for number in chosen]
