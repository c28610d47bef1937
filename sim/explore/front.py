"""The designs that no other beats, and choices among them."""

import dataclasses

import numpy as np

__all__ = ["balanced", "find_front", "objective_values", "spread_choice"]


#: No objective is negative; one that is 0 has a logarithm too.
_LEAST = 1e-15


def objective_values(designs, objectives):
    """Objectives of designs, less being better.

    Parameters
    ----------
    designs : sequence of mnv2.sim.explore.design.Design
        All predicted.
    objectives : sequence of mnv2.sim.explore.objectives.Figure

    Returns
    -------
    float64 [designs, objectives]
    """
    values = [[figure.sign * figure.of(design) for figure in objectives] for design in designs]
    return np.array(values, np.float64).reshape(len(designs), len(objectives))


def find_front(designs, objectives):
    """Designs that miss no limit and that no such design beats.

    One beats another that is as good in all objectives and better in one.

    Of designs that are equal in every objective one is kept: that with the least share of its
    device, block RAM, tables, DSPs, bytes on chip and bytes a frame, in this order.

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
    kept, seen = [], set()
    for number, row in enumerate(values):
        beaten = np.any(np.all(values <= row, axis=1) & np.any(values < row, axis=1))
        if not beaten and tuple(row) not in seen:
            seen.add(tuple(row))
            kept.append(number)
    kept.sort(key=lambda number: (tuple(values[number]), found[number].key))
    return [
        dataclasses.replace(found[number], number=place) for place, number in enumerate(kept, 1)
    ]


def _costs(design):
    """What decides between designs that are equal in every objective."""
    share = design.binding_use.share if design.uses else 0
    return (
        share,
        design.block_ram_18k,
        design.resources.all_luts,
        design.resources.dsp,
        design.config.on_chip_bytes,
        design.dram_bytes,
        design.key,
    )


def _scaled(front, objectives):
    """Objectives of a front between 0, its best, and 1, its worst, on a logarithmic scale: twice as
    much counts the same everywhere.
    """
    values = objective_values(front, objectives)
    logs = np.log(np.maximum(np.abs(values), _LEAST)) * np.sign(
        [figure.sign for figure in objectives]
    )
    least, most = logs.min(axis=0), logs.max(axis=0)
    return (logs - least) / np.where(most > least, most - least, 1)


def balanced(front, objectives):
    """The design nearest to having the best of everything.

    Each objective is scaled to 0 for the front's best and 1 for its worst, on a logarithmic scale;
    the distance is Euclid's. Of equally near ones it is the first.

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


def spread_choice(front, objectives, count):
    """So many designs of a front that lie far from each other.

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
