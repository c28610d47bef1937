"""Places where tasks are done: this process, or a Dask cluster of this machine or of many.

A task is a function of plain data. A caller submits it once, by `Place.submit`, which returns a
placeholder for the result that may be an argument of other tasks. Everything that a worker needs
reaches it as data; what a lost worker held is made again by Dask from what led to it.
"""

import collections
import contextlib
import itertools
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from mnv2.sim.jobs.cluster import cluster_losses, connect

__all__ = ["Pending", "Place", "choose_place"]

#: Tasks under way for each thread of a cluster, so that none waits for the next.
TASKS_AHEAD = 3

Item = TypeVar("Item")


class Pending(Protocol):
    """The result of a task, which may not be there yet."""

    def result(self) -> Any:
        """The result; waits for it, or makes it."""


class Place(Protocol):
    """A place where tasks are done."""

    def submit(
        self, function: Callable[..., Any], *arguments: Any, name: str = "task", priority: int = 0
    ) -> Any:
        """Have a function called.

        Parameters
        ----------
        function : function
            One that workers can import.
        arguments
            Plain data, or what `submit` gave for other tasks, alone or in lists.
        name : str
            What messages about the task call it.
        priority : int
            Tasks of greater priority are done first.

        Returns
        -------
        Pending
        """

    def spread(
        self, items: Sequence[Item], submit: Callable[[Item], Any], *, tasks: int = 1
    ) -> Iterator[tuple[Item, Any]]:
        """Have tasks done for each of many items, as many at a time as the place has room for.

        Parameters
        ----------
        items : sequence
        submit : function of item
            Submits the tasks of an item, and returns a placeholder for its result.
        tasks : int
            Tasks that an item takes.

        Yields
        ------
        (item, Pending)
            In the order in which they are done.
        """

    def parcels(self, items: Sequence[Item], most: int) -> list[Sequence[Item]]:
        """Cut items into parcels of at most ``most`` that are worth sending to a worker."""


class _Call:
    """A call that is made when its result is asked for, once."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]):
        self._call: tuple[Callable[..., Any], tuple[Any, ...]] | None = function, arguments
        self._value: Any = None

    def result(self) -> Any:
        """The result, made if it is not there."""
        if self._call is not None:
            function, arguments = self._call
            self._value = function(*map(_resolve, arguments))
            self._call = None
        return self._value


def _resolve(argument: Any) -> Any:
    """An argument in which calls are replaced by their results."""
    if isinstance(argument, list):
        return [_resolve(item) for item in argument]
    return argument.result() if isinstance(argument, _Call) else argument


class ThisProcess:
    """Tasks done one after another in this process: a `Place`."""

    def submit(
        self, function: Callable[..., Any], *arguments: Any, name: str = "task", priority: int = 0
    ) -> _Call:
        """Have a function called; see `Place.submit`."""
        return _Call(function, arguments)

    def spread(
        self, items: Sequence[Item], submit: Callable[[Item], _Call], *, tasks: int = 1
    ) -> Iterator[tuple[Item, _Call]]:
        """Have tasks done for each of many items; see `Place.spread`."""
        for item in items:
            yield item, submit(item)

    def parcels(self, items: Sequence[Item], most: int) -> list[Sequence[Item]]:
        """Each item alone: nothing is sent."""
        return [items[place : place + 1] for place in range(len(items))]


class Cluster:
    """Tasks done by the workers of a Dask cluster: a `Place`.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Any):
        self._client = client
        # Work of others on the same cluster must not be taken for this one's.
        self._run = uuid.uuid4().hex
        self._numbers = itertools.count()

    def submit(
        self, function: Callable[..., Any], *arguments: Any, name: str = "task", priority: int = 0
    ) -> "_Task":
        """Have a function called; see `Place.submit`.

        Raises
        ------
        UserError
            If the cluster is lost.
        """
        with cluster_losses():
            future = self._client.submit(
                function,
                *map(_future, arguments),
                key=f"{name}-{self._run}-{next(self._numbers)}",
                priority=priority,
            )
        return _Task(future)

    def spread(
        self, items: Sequence[Item], submit: "Callable[[Item], _Task]", *, tasks: int = 1
    ) -> "Iterator[tuple[Item, _Task]]":
        """Have tasks done for each of many items; see `Place.spread`.

        Raises
        ------
        UserError
            If the cluster is lost.
        """
        from distributed import as_completed

        todo = collections.deque(items)
        under_way: dict[Any, tuple[Item, _Task]] = {}
        done = as_completed()
        while todo or under_way:
            with cluster_losses():
                threads = self._threads()
                while todo and len(under_way) * tasks < TASKS_AHEAD * threads:
                    item = todo.popleft()
                    task = submit(item)
                    under_way[task.future] = item, task
                    done.add(task.future)
                future = next(done)
            yield under_way.pop(future)

    def parcels(self, items: Sequence[Item], most: int) -> list[Sequence[Item]]:
        """Cut items into parcels; of few items, each thread gets some."""
        with cluster_losses():
            size = max(1, min(most, len(items) // (2 * self._threads())))
        return [items[begin : begin + size] for begin in range(0, len(items), size)]

    def _threads(self) -> int:
        """Threads of all workers that are there now."""
        return max(1, sum(self._client.nthreads().values()))


class _Task:
    """A task on a cluster."""

    def __init__(self, future: Any):
        self.future = future

    def result(self) -> Any:
        """The result; waits for it.

        Raises
        ------
        TaskLost
            If the workers died of it, or of one that it needs.
        UserError
            If the cluster is lost.
        """
        with cluster_losses():
            return self.future.result()


def _future(argument: Any) -> Any:
    """An argument as Dask takes it."""
    if isinstance(argument, list):
        return [_future(item) for item in argument]
    return argument.future if isinstance(argument, _Task) else argument


@contextlib.contextmanager
def choose_place(
    workers: int | None, scheduler: str | None, *, code: Iterable[str], most: int | None = None
) -> Iterator[Place]:
    """The place that the user asks for.

    Parameters
    ----------
    workers : int or None
        Processes of this machine; 0 for this one; None for one for each core.
    scheduler : str or None
        Address of a Dask cluster to use instead.
    code : iterable of str
        Modules whose code, on every worker, must be that of this machine.
    most : int, optional
        Processes at most: what there is to do at once.

    Yields
    ------
    Place

    Raises
    ------
    UserError
        See `mnv2.sim.jobs.cluster.connect`.
    """
    if scheduler is None and workers == 0:
        yield ThisProcess()
        return
    processes = workers or os.cpu_count() or 1
    processes = processes if most is None else min(processes, most)
    with connect(processes, scheduler, code=tuple(code)) as client:
        yield Cluster(client)
