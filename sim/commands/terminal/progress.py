"""Progress of long work, on standard error; where that is no terminal, only what takes minutes."""

import contextlib
import time

from mnv2.sim.commands.terminal.console import get_error_console

__all__ = ["BlockProgress", "NetworkProgress", "show_count"]


@contextlib.contextmanager
def show_count(description):
    """Show a bar that is only there while something calls it.

    Yields
    ------
    function of (done, total)
    """
    from rich.progress import MofNCompleteColumn

    with make_bar(24, MofNCompleteColumn()) as bar:
        task = bar.add_task(description, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)


def make_bar(width, share):
    """A bar so many characters wide, how much is done, and the time gone and left.

    Parameters
    ----------
    width : int
    share : rich.progress.ProgressColumn
        Says how much is done.

    Returns
    -------
    rich.progress.Progress
        On standard error, and silent where that is no terminal.
    """
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = get_error_console()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=width),
        share,
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        speed_estimate_period=600,
        disable=not console.is_terminal,
    )


class RunProgress:
    """A bar of work done and time left, from the build on; a context manager.

    Attributes
    ----------
    built_now : bool
        Whether the simulation was built, not found in the cache.
    """

    def __init__(self):
        from rich.progress import TaskProgressColumn

        self.built_now = False
        self._bar = make_bar(16, TaskProgressColumn())
        self._total = 0

    def __enter__(self):
        self._bar.__enter__()
        self._task = self._bar.add_task("Starting", total=None)
        return self

    def __exit__(self, *exception):
        self._bar.__exit__(*exception)

    def calibrating(self, done, total):
        """So many calibration pictures of the network are done."""
        self._bar.update(self._task, completed=done, total=total, description="Calibrating")

    def building(self):
        """The simulation is not in the cache, and is being built."""
        self._bar.reset(self._task, total=None, description="Building (minutes, once)")
        console = get_error_console()
        if not console.is_terminal:
            console.print("Building the simulation (minutes) ...")

    def built(self, build):
        """The simulation is there, and the work starts."""
        self.built_now = build.built
        self._bar.reset(self._task, total=self._total, description="Simulating")

    def show(self, done, description):
        """Set the work done and what is said beside the bar."""
        self._bar.update(self._task, completed=done, description=description)


class BlockProgress(RunProgress):
    """Shows how many blocks are done; `mnv2.sim.run.run_bottlenecks` calls its methods.

    Attributes
    ----------
    simulation_seconds : float
        Wall time from the end of the build to the end of the last block so far.
    """

    def __init__(self):
        super().__init__()
        self.simulation_seconds = 0.0
        self._done = 0

    def starting(self, blocks):
        """These blocks will be run; their shares of the work are those of their MACs."""
        self._total = sum(block.macs for block in blocks)

    def built(self, build):
        """The simulation is there, and blocks start."""
        super().built(build)
        self._start = time.monotonic()

    def finished(self, result, done, total):
        """A block ended."""
        self.simulation_seconds = time.monotonic() - self._start
        self._done += result.macs
        self.show(
            self._done, f"{done} of {total} simulated, {result.name} {result.cycles:,} cycles"
        )


class NetworkProgress(RunProgress):
    """Shows the current block and cycle; `mnv2.sim.run.run_frame` calls its methods."""

    def starting(self, descriptors):
        """These descriptors will be run; their shares of the work are those of ideal cycles."""
        self._names = [descriptor.name for descriptor in descriptors]
        self._done = [0]
        for descriptor in descriptors:
            self._done.append(self._done[-1] + descriptor.ideal_cycles)
        self._total = self._done[-1]

    def repeating(self, cycles):
        """Several frames follow, which take about so many cycles."""
        self._names, self._total = None, cycles

    def built(self, build):
        """The simulation is there, and starts."""
        super().built(build)
        self.reached(0, 0)

    def reached(self, descriptors, cycles):
        """So many descriptors ended by that cycle."""
        if self._names is None:
            done = min(cycles, self._total)
            self.show(done, f"Simulating frame behind frame, cycle {cycles:,}")
            return
        ended = min(descriptors, len(self._names))
        work = self._names[ended] if ended < len(self._names) else "reading results"
        self.show(self._done[ended], f"Simulating {work}, cycle {cycles:,}")


class ValidationProgress(NetworkProgress):
    """Shows the current seed too; see `mnv2.sim.prediction.measure.measure_network`."""

    def __init__(self):
        super().__init__()
        self._run = ""

    def seed(self, seed, done, total):
        """The run with this seed follows, behind so many of all."""
        self._run = f"Seed {seed}, {done + 1} of {total}: "

    def show(self, done, description):
        """Set the work done and what is said beside the bar."""
        super().show(done, self._run + description)


class FormatProgress(NetworkProgress):
    """Shows the format in work on the RTL too; see `mnv2.sim.sweep.hardware.run_best_points`."""

    def starting(self, name, network, config):
        """This format's network will be run."""
        from mnv2.sim.mapping.ideal import program_steps

        self._format = name
        super().starting(program_steps(network, config))

    def show(self, done, description):
        """Set the work done and what is said beside the bar."""
        super().show(done, f"{self._format}: {description}")
