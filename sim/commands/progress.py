"""Progress of long work, on standard error; none of it where that is no terminal."""

import contextlib
import time

from sim.commands.console import get_error_console

__all__ = ["BlockProgress", "show_count"]


@contextlib.contextmanager
def show_count(description):
    """Show a bar that is only there while something calls it.

    Yields
    ------
    function of (done, total)
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=get_error_console(), transient=True) as bar:
        task = bar.add_task(description, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)


class BlockProgress:
    """Shows which blocks are simulated, how many are done and the time left.

    A context manager; call it with the name of a stage as that starts and ends. Stages are the
    names of blocks, and ``"build"``, which counts as no simulation.

    Parameters
    ----------
    total_macs : dict of str to int
        MACs of each block that will be simulated: its share of the work.

    Attributes
    ----------
    simulation_seconds : float
        Wall time from the first start of a block to the last end.
    """

    BUILD = "build"

    def __init__(self, total_macs):
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._macs = dict(total_macs)
        self._running = []
        self._first_start = self._last_end = 0.0
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=get_error_console(),
            transient=True,
        )

    def __enter__(self):
        self._bar.__enter__()
        self._task = self._bar.add_task("Starting", total=sum(self._macs.values()))
        return self

    def __exit__(self, *exception):
        self._bar.__exit__(*exception)

    def __call__(self, stage, finished):
        """Note that a stage starts (``finished`` False) or ends (True)."""
        now = time.monotonic()
        if finished:
            self._running.remove(stage)
        else:
            self._running.append(stage)
        if stage != self.BUILD:
            if finished:
                self._last_end = now
                self._bar.advance(self._task, self._macs[stage])
            elif not self._first_start:
                self._first_start = now
        verb = "Building" if self.BUILD in self._running else "Simulating"
        names = ", ".join(name for name in self._running if name != self.BUILD)
        self._bar.update(self._task, description=f"{verb} {names}".strip())

    @property
    def simulation_seconds(self):
        return max(self._last_end - self._first_start, 0.0)
