"""The search itself: a small space whole, a large one by NSGA-II, each prediction journalled.

The journal holds predictions by what they are of, in any order. Generations are asked and told in
order, so a search that is resumed asks the same again, finds what was predicted, and ends with the
same front for any number of workers.
"""

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mnv2.golden.network import Network
from mnv2.sim.errors import UserError
from mnv2.sim.explore.design import Design
from mnv2.sim.explore.design_files import run_command
from mnv2.sim.explore.evaluate import Task, predict_parcel
from mnv2.sim.explore.evolution import evolve
from mnv2.sim.explore.front import balanced, find_front
from mnv2.sim.explore.request import PreparedSearch
from mnv2.sim.explore.search_results import SearchResults
from mnv2.sim.explore.sensitivity import Change, Sensitivity, single_changes
from mnv2.sim.explore.space import Point, Value
from mnv2.sim.jobs.campaign import Campaign, open_campaign
from mnv2.sim.jobs.progress import CampaignProgress, Silence

__all__ = ["Search", "run_search"]

#: Combinations up to which the costs of a whole space are computed.
SCREENED = 20_000
#: Predictions that travel together.
PARCEL = 4


def run_search(
    prepared: PreparedSearch,
    folder: Path,
    *,
    resume: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: CampaignProgress | None = None,
) -> SearchResults:
    """Search, or resume a search.

    Parameters
    ----------
    prepared : mnv2.sim.explore.request.PreparedSearch
    folder : Path
        Gets the journal.
    resume : bool
        Whether the journal is there already.
    workers : int, optional
        Processes; 0 works in this one; default one for each core.
    scheduler : str, optional
        Address of a Dask cluster, instead.
    progress : CampaignProgress, optional

    Returns
    -------
    SearchResults

    Raises
    ------
    UserError
        If there is no design, the folder cannot be used, or the cluster is lost. What is done is
        kept.
    """
    progress = progress or Silence()
    search = Search(prepared, progress)
    candidates = search.screen() if prepared.space.size <= SCREENED else None
    with open_campaign(
        prepared, folder, resume=resume, workers=workers, scheduler=scheduler, progress=progress
    ) as campaign:
        search.open(campaign)
        if candidates is None:
            evolve(search, prepared)
            if not search.designs:
                raise UserError(f"No design was found in the space: {_commonest(search.refused)}")
        else:
            search.keep(search.predict(candidates, len(candidates)))
        front = [
            dataclasses.replace(design, command=run_command(design, folder))
            for design in search.settle()
        ]
        sensitivity = search.sensitivity(front)
    return SearchResults(
        prepared,
        "nsga-ii" if candidates is None else "whole",
        list(search.designs.values()),
        front,
        dict(search.refused),
        search.failures,
        sensitivity,
    )


class Search:
    """A search under way.

    Parameters
    ----------
    prepared : mnv2.sim.explore.request.PreparedSearch
    progress : CampaignProgress

    Attributes
    ----------
    designs : dict of str to Design
        By key, in the order found.
    refused : collections.Counter
        Reasons of points that are no designs.
    failures : dict of str to str
        Designs without a prediction, by key: why.
    """

    def __init__(self, prepared: PreparedSearch, progress: CampaignProgress):
        self.designs: dict[str, Design] = {}
        self.refused: Counter[str] = Counter()
        self.failures: dict[str, str] = {}
        self._prepared = prepared
        self._judge = prepared.judge
        self._progress = progress
        self._known: dict[str, dict[str, Any]] = {}

    def open(self, campaign: Campaign) -> None:
        """Take the campaign, whose predictions are known and whose place makes others."""
        self._campaign = campaign
        self._known = campaign.figures("task")

    def screen(self) -> list[Design] | None:
        """Every design of the space that its costs do not rule out, in order.

        Returns
        -------
        list of Design or None
            None where there are more than may be predicted.

        Raises
        ------
        UserError
            If the space has no design.
        """
        space = self._prepared.space
        found: dict[str, Design] = {}
        candidates = []
        for number, point in enumerate(space.points(), 1):
            self._progress.count("Computing costs", number, space.size)
            design = self.candidate(point) if space.repaired(point) == point else None
            if design is None or design.key in found:
                continue
            found[design.key] = design
            if not design.violations:
                candidates.append(design)
                if len(candidates) > self._prepared.request.designs:
                    self.refused.clear()
                    return None
        if not found:
            raise UserError(f"No point of the space is a design: {_commonest(self.refused)}")
        self.designs.update(found)
        return candidates

    def candidate(self, point: Point) -> Design | None:
        """Design of a point, or None, counted by its reason."""
        try:
            return self._judge.candidate(point)
        except ValueError as error:
            self.refused[str(error)] += 1
            return None

    def predict(
        self, candidates: Sequence[Design], total: int, bytes_per_cycle: int = 0
    ) -> list[Design]:
        """Predict candidates, as far as that is not done.

        Parameters
        ----------
        candidates : list of Design
        total : int
            Predictions that there will be at most, for progress.
        bytes_per_cycle : int
            Bandwidth of the memory; 0 for a beat a cycle each way.

        Returns
        -------
        list of Design
            Those that have a prediction, in order.
        """
        tasks = [self._judge.task(design, bytes_per_cycle) for design in candidates]
        todo = {task.key: task for task in tasks if task.key not in self._known}
        self._campaign.done += len({task.key for task in tasks}) - len(todo)
        self._campaign.show(total)
        if todo:
            self._make(list(todo.values()), total)
        made = []
        for design, task in zip(candidates, tasks, strict=True):
            figures = self._known[task.key]
            if "failure" in figures:
                self.failures[design.key] = figures["failure"]
            else:
                made.append(self._judge.complete(design, figures["rows"], bytes_per_cycle))
        return made

    def _make(self, tasks: Sequence[Task], total: int) -> None:
        """Make predictions, and keep them."""
        place = self._campaign.place
        network = place.submit(_same, self._prepared.network, name="network")
        for parcel, pending in place.spread(
            place.parcels(tasks, PARCEL),
            lambda parcel: place.submit(predict_parcel, network, parcel, name="parcel"),
        ):
            for task, figures in zip(parcel, pending.result(), strict=True):
                self._known[task.key] = figures
                self._campaign.keep({"task": task.key, "figures": figures}, total, task.key)

    def keep(self, made: Iterable[Design]) -> None:
        """Keep designs that may be on the front."""
        self.designs.update((design.key, design) for design in made)
        front = find_front(self.designs.values(), self._prepared.objectives)
        if front:
            first = front[0]
            self._progress.best(
                f"{len(front)} in front, {first.lanes} {first.frames_per_second:,.1f} frames/s"
            )

    def settle(self) -> list[Design]:
        """The front, each design predicted with the memory that its device has.

        A port that can ask for more than the memory gives is predicted as if it got it, which is
        quick and only makes a design look faster. So where the front holds such a design, it is
        predicted with the memory's own bandwidth, which takes seconds, until none is left. The
        bandwidth that such a design asks for rules it out only then: it gets less, and is slower.
        """
        while True:
            front = find_front(
                map(self._hoped_for, self.designs.values()), self._prepared.objectives
            )
            short: dict[int, list[Design]] = {}
            for design in front:
                bandwidth = self._judge.short_bandwidth(design)
                if bandwidth:
                    # The kept one, without a number: it may not stay on the front.
                    short.setdefault(bandwidth, []).append(self.designs[design.key])
            if not short:
                return front
            for bandwidth, designs in sorted(short.items()):
                total = self._campaign.done + len(designs)
                self.keep(self.predict(designs, total, bandwidth))

    def _hoped_for(self, design: Design) -> Design:
        """A design without limits that it misses only as long as its memory is too fast."""
        if not design.layers or not self._judge.short_bandwidth(design):
            return design
        return dataclasses.replace(
            design,
            violations={
                name: share
                for name, share in design.violations.items()
                if name not in ("bandwidth", "device bandwidth")
            },
        )

    def sensitivity(self, front: Sequence[Design]) -> Sensitivity | None:
        """Effects of single changes of the balanced design of a front; None without a front."""
        if not front:
            return None
        middle = balanced(front, self._prepared.objectives)
        candidates = {middle.key: self._judge.candidate(middle.point)}
        changed: dict[str, tuple[str, Value]] = {}
        for axis, value, point in single_changes(middle, self._prepared.space):
            with contextlib.suppress(ValueError):
                candidate = self._judge.candidate(point)
                if candidate.key not in candidates:
                    candidates[candidate.key] = candidate
                    changed[candidate.key] = axis, value
        total = self._campaign.done + len(candidates)
        made = {design.key: design for design in self.predict(list(candidates.values()), total)}
        return Sensitivity(
            made.pop(middle.key),
            tuple(Change(*changed[key], design) for key, design in made.items()),
        )


def _same(network: Network) -> Network:
    return network


def _commonest(refused: Counter[str]) -> str:
    """The reason that most points have."""
    reason, count = refused.most_common(1)[0] if refused else ("its lanes do not fit together", 0)
    return reason + (f" ({count - 1:,} others too)" if count > 1 else "")
