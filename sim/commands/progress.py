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
    """Shows how many blocks are simulated and the time left; a context manager.

    Its methods are what `sim.rtl.run_blocks.run_tasks` calls.

    Parameters
    ----------
    total_macs : int
        MACs of all blocks that will be simulated: what the shares of the work are taken of.

    Attributes
    ----------
    simulation_seconds : float
        Wall time from the end of the build to the end of the last block so far.
    built_now : bool
        Whether the simulation was built, not found in the cache.
    """

    def __init__(self, total_macs):
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self.simulation_seconds = 0.0
        self.built_now = False
        self._total_macs = total_macs
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=get_error_console(), transient=True)

    def __enter__(self):
        self._bar.__enter__()
        self._task = self._bar.add_task("Starting", total=None)
        return self

    def __exit__(self, *exception):
        self._bar.__exit__(*exception)

    def building(self):
        """The simulation is being built, or looked for in the cache."""
        self._bar.update(self._task, description="Building the simulation (minutes at first)")

    def built(self, build):
        """The simulation is there, and blocks start."""
        self.built_now = build.built
        self._start = time.monotonic()
        self._bar.reset(self._task, total=self._total_macs, description="Simulating")

    def finished(self, result, done, total):
        """A block ended."""
        self.simulation_seconds = time.monotonic() - self._start
        self._bar.update(
            self._task,
            advance=result.macs,
            description=f"Simulating, {done} of {total}: {result.name}, {result.cycles:,} cycles",
        )
