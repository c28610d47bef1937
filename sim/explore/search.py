"""The search itself: a small space whole, a large one by NSGA-II, each prediction journalled.

The journal holds predictions by what they are of, in any order. Generations are asked and told in
order, so a search that goes on asks the same again, finds what was predicted, and ends with the
same front for any number of workers.
"""

import contextlib
import dataclasses
import functools
import os
from collections import Counter
from dataclasses import dataclass

from mnv2.sim.errors import UserError
from mnv2.sim.explore.design_files import run_command
from mnv2.sim.explore.evolution import evolve
from mnv2.sim.explore.front import balanced, find_front
from mnv2.sim.explore.identity import code_hash
from mnv2.sim.explore.sensitivity import Change, Sensitivity, single_changes
from mnv2.sim.explore.spread import predict_here, predict_on_cluster
from mnv2.sim.jobs.cluster import connect
from mnv2.sim.jobs.journal import Journal

__all__ = ["SearchResults", "Search", "Silence", "run_search"]

#: Combinations up to which a space is looked at whole: what each costs, not what it takes.
SCREENED = 20_000


@dataclass(frozen=True, eq=False)
class SearchResults:
    """What a search found.

    Attributes
    ----------
    prepared : mnv2.sim.explore.request.PreparedSearch
    method : str
        ``"whole"`` or ``"nsga-ii"``.
    designs : list of mnv2.sim.explore.design.Design
        All that were looked at, in order: predicted, or ruled out by what they cost.
    front : list of mnv2.sim.explore.design.Design
        See `mnv2.sim.explore.front.find_front`.
    refused : dict of str to int
        Points that are no designs, by reason.
    failures : dict of str to str
        Designs without a prediction, by key: why.
    sensitivity : mnv2.sim.explore.sensitivity.Sensitivity or None
        What single changes of the balanced design do.
    """

    prepared: object
    method: str
    designs: list
    front: list
    refused: dict
    failures: dict
    sensitivity: object

    @property
    def balanced(self):
        """The balanced design of the front, or None without one; see `mnv2.sim.explore.front`."""
        return balanced(self.front, self.prepared.objectives) if self.front else None

    @property
    def predicted(self):
        """Designs that were predicted."""
        return [design for design in self.designs if design.layers]


class Silence:
    """Progress that nobody sees; what a command shows has these methods."""

    def screening(self, done, total):
        """So many points of a space are looked at."""

    def predicted(self, done, total, found=0):
        """So many predictions are made, of so many at most; ``found`` of them now."""

    def best(self, front):
        """The front so far."""


def run_search(prepared, folder, *, resume=False, workers=None, scheduler=None, progress=None):
    """Search, or go on with a search.

    Parameters
    ----------
    prepared : mnv2.sim.explore.request.PreparedSearch
    folder : Path
        Gets the journal.
    resume : bool
        Whether the journal is there already.
    workers : int, optional
        Processes; 0 works in this one. Without it, one for each core.
    scheduler : str, optional
        Address of a Dask cluster, instead.
    progress : Silence, optional

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
    with contextlib.ExitStack() as stack:
        if resume:
            # What is done already needs no cluster.
            journal = stack.enter_context(Journal.resume(folder, prepared.configuration))
            connect_ = functools.cache(lambda: _connected(stack, workers, scheduler))
        else:
            # A cluster that is not there leaves no folder.
            connect_ = functools.cache(lambda: _connected(stack, workers, scheduler))
            connect_()
            journal = stack.enter_context(Journal.create(folder, prepared.configuration))
        search.open(journal, connect_)
        if candidates is None:
            evolve(search, prepared)
            if not search.designs:
                raise UserError(f"No design was found in the space: {_commonest(search.refused)}")
        else:
            search.keep(search.predict(candidates, len(candidates)))
        front = [
            dataclasses.replace(design, command=run_command(design, folder, prepared.request))
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


def _connected(stack, workers, scheduler):
    """The function that makes predictions, with its cluster where it has one."""
    if scheduler is None and workers == 0:
        return predict_here
    client = stack.enter_context(
        connect(workers or os.cpu_count() or 1, scheduler, code_hash=code_hash)
    )
    return functools.partial(predict_on_cluster, client)


class Search:
    """A search under way.

    Attributes
    ----------
    designs : dict of str to Design
        By key, in the order found.
    refused : collections.Counter
        Reasons of points that are no designs.
    failures : dict of str to str
    """

    def __init__(self, prepared, progress):
        self.designs = {}
        self.refused = Counter()
        self.failures = {}
        self._prepared = prepared
        self._judge = prepared.judge
        self._progress = progress
        self._known = {}
        self._done = 0

    def open(self, journal, connect_):
        """Take a journal, whose predictions are known, and what gives the maker of others."""
        self._journal, self._connect = journal, connect_
        self._known = {
            entry["task"]: entry["figures"] for entry in journal.entries if "task" in entry
        }

    def screen(self):
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
        space, found, candidates = self._prepared.space, {}, []
        for number, point in enumerate(space.points(), 1):
            self._progress.screening(number, space.size)
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
            raise UserError(f"No design of the space is one: {_commonest(self.refused)}")
        self.designs.update(found)
        return candidates

    def candidate(self, point):
        """Design of a point, or None, counted by its reason."""
        try:
            return self._judge.candidate(point)
        except ValueError as error:
            self.refused[str(error)] += 1
            return None

    def predict(self, candidates, total, bytes_per_cycle=0):
        """Predict candidates, as far as that is not done.

        Parameters
        ----------
        candidates : list of Design
        total : int
            Predictions that there will be at most, for progress.
        bytes_per_cycle : int
            Of the memory; 0 for a beat a cycle each way.

        Returns
        -------
        list of Design
            Those that have a prediction, in order.
        """
        tasks = [self._judge.task(design, bytes_per_cycle) for design in candidates]
        todo = {task.key: task for task in tasks if task.key not in self._known}
        self._done += len({task.key for task in tasks}) - len(todo)
        self._progress.predicted(self._done, total)

        def finished(task, figures):
            # The journal first: what is counted as done is on the disk.
            self._journal.append({"task": task.key, "figures": figures})
            self._known[task.key] = figures
            self._done += 1
            self._progress.predicted(self._done, total, 1)

        if todo:
            self._connect()(list(todo.values()), self._prepared.network, finished=finished)
        made = []
        for design, task in zip(candidates, tasks, strict=True):
            figures = self._known[task.key]
            if "failure" in figures:
                self.failures[design.key] = figures["failure"]
            else:
                made.append(self._judge.complete(design, figures["rows"], bytes_per_cycle))
        return made

    def keep(self, made):
        """Designs that may be on the front."""
        self.designs.update((design.key, design) for design in made)
        self._progress.best(find_front(self.designs.values(), self._prepared.objectives))

    def settle(self):
        """The front, each design predicted with the memory that its device has.

        A port that can ask for more than the memory gives is predicted as if it got it, which is
        quick and only makes a design look faster. So where the front holds such a design, it is
        predicted with the memory's own bandwidth, which takes seconds, until none is left. What
        such a design asks of the memory rules it out only then: it gets less, and is slower.
        """
        while True:
            front = find_front(
                map(self._hoped_for, self.designs.values()), self._prepared.objectives
            )
            short = {}
            for design in front:
                bandwidth = self._judge.short_bandwidth(design)
                if bandwidth:
                    # As it is kept, without a number: it may not stay on the front.
                    short.setdefault(bandwidth, []).append(self.designs[design.key])
            if not short:
                return front
            for bandwidth, designs in sorted(short.items()):
                self.keep(self.predict(designs, self._done + len(designs), bandwidth))

    def _hoped_for(self, design):
        """A design without what it misses only as long as it gets more than the memory gives."""
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

    def sensitivity(self, front):
        """What single changes of the balanced design of a front do, a Sensitivity; None without a
        front.
        """
        if not front:
            return None
        middle = balanced(front, self._prepared.objectives)
        changed = {middle.key: None}
        for axis, value, point in single_changes(middle, self._prepared.space):
            with contextlib.suppress(ValueError):
                changed.setdefault(self._judge.candidate(point).key, (axis, value, point))
        candidates = [
            self._judge.candidate(point[2] if point else middle.point) for point in changed.values()
        ]
        made = {
            design.key: design for design in self.predict(candidates, self._done + len(candidates))
        }
        return Sensitivity(
            made.pop(middle.key),
            tuple(Change(*changed[key][:2], design) for key, design in made.items()),
        )


def _commonest(refused):
    """The reason that most points have."""
    reason, count = refused.most_common(1)[0] if refused else ("its lanes do not fit together", 0)
    return f"{reason}" + (f" (and so {count - 1:,} others)" if count > 1 else "")
