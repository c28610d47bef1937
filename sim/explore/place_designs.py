"""Designs of the front placed and routed, as `mnv2 place` does it, next to their estimates."""

from dataclasses import dataclass
from typing import Any

from mnv2.sim.errors import SimulationError
from mnv2.sim.explore.design import Design
from mnv2.sim.explore.front import spread_choice
from mnv2.sim.explore.search_results import SearchResults
from mnv2.sim.place.nextpnr import Watch
from mnv2.sim.place.placement import Misfit, PlaceRequest, place_accelerator
from mnv2.sim.place.target import Target

__all__ = ["Placing", "place_designs"]


@dataclass(frozen=True)
class Placing:
    """A design placed and routed.

    Attributes
    ----------
    name, key : str
        Name and key of the design.
    device : str
    speed : int
        Speed grade.
    estimated_megahertz : float
        The clock that the search had, and ``clock_from``, its source.
    clock_from : str
    estimated_frames_per_second : float
        At that clock; cycles are the same at both.
    estimated_luts : int
        Memories in them included.
    megahertz, frames_per_second : float or None
        Of the fastest seed; None where none was routed.
    seed : int or None
    seeds : int
        Seeds that were tried.
    luts : int or None
        That the placed design takes, the registers around it included.
    reason : str or None
        Why it was not routed.
    """

    name: str
    key: str
    device: str
    speed: int
    estimated_megahertz: float
    clock_from: str
    estimated_frames_per_second: float
    estimated_luts: int
    seeds: int
    megahertz: float | None = None
    frames_per_second: float | None = None
    seed: int | None = None
    luts: int | None = None
    reason: str | None = None


def place_designs(
    results: SearchResults, count: int, target: Target, watch: Watch, *, speed: int, seeds: int
) -> list[Placing]:
    """Place and route designs of the front: those that `mnv2.sim.explore.prove` runs in RTL.

    Finished steps are kept in the cache, so that a search that is resumed does none twice.

    Parameters
    ----------
    results : mnv2.sim.explore.search_results.SearchResults
    count : int
    target : mnv2.sim.place.target.Target
    watch : function
        As `mnv2.sim.place.nextpnr.Watch`; steps begin with the design's name.
    speed, seeds : int
        Speed grade; seeds of the placer for each design, from 1.

    Returns
    -------
    list of Placing
        In the order chosen. A design that the device has too little for, or that cannot be routed,
        has a reason.

    Raises
    ------
    UserError
        If a tool is missing, or the disk is full.
    """
    chosen = spread_choice(results.front, results.prepared.objectives, count)
    return [_place(design, target, watch, speed, seeds) for design in chosen]


def _place(design: Design, target: Target, watch: Watch, speed: int, seeds: int) -> Placing:
    """A design placed and routed."""
    assert design.total is not None
    assert design.frames_per_second is not None
    estimated: dict[str, Any] = {
        "name": design.name,
        "key": design.key,
        "device": target.device.name,
        "speed": speed,
        "estimated_megahertz": design.clock_hz / 1e6,
        "clock_from": design.clock_from,
        "estimated_frames_per_second": design.frames_per_second,
        "estimated_luts": design.resources.all_luts,
        "seeds": seeds,
    }
    request = PlaceRequest(design.config, target, speed, tuple(range(1, seeds + 1)))

    def show(step: str, done: int, total: int, words: str) -> None:
        watch(f"{design.name}: {step}", done, total, words)

    try:
        report = place_accelerator(request, show)
    except Misfit as error:
        return Placing(**estimated, reason=str(error))
    except SimulationError as error:
        return Placing(**estimated, reason=" ".join(str(error).split()))
    clock = report.clocks[speed]
    return Placing(
        **estimated,
        megahertz=clock,
        frames_per_second=design.config.frames * clock * 1e6 / design.total.cycles,
        seed=report.best,
        luts=next(use.used for use in report.uses if use.resource == "LUTs"),
    )
