"""Progress of runs in RTL."""

import time
from collections.abc import Sequence
from importlib import import_module
from threading import Thread
from typing import Self

from mnv2.golden.network import Block
from mnv2.sim.commands.terminal.bars import make_bar
from mnv2.sim.commands.terminal.console import get_error_console
from mnv2.sim.jobs.progress import BlocksProgress, BuildProgress, FrameProgress
from mnv2.sim.mapping.ideal import ProgramStep

__all__ = ["BlocksBar", "FrameBar"]


class _RunBar(BuildProgress):
    """A bar of work done and time left, from the calibration on; a context manager."""

    def __init__(self) -> None:
        from rich.progress import TaskProgressColumn

        self._bar = make_bar(16, TaskProgressColumn())
        self._total = 0

    def __enter__(self) -> Self:
        self._bar.__enter__()
        self._task = self._bar.add_task("Starting", total=None)
        return self

    def __exit__(self, *exception) -> None:
        self._bar.__exit__(*exception)

    def calibrating(self, done: int, total: int) -> None:
        """Show how many calibration pictures the network has seen."""
        self._bar.update(self._task, completed=done, total=total, description="Calibrating")

    def building(self) -> None:
        """Show that the simulation is being built, on no terminal too."""
        # A task of its own: its time left is that of its own pace.
        self._bar.remove_task(self._task)
        self._task = self._bar.add_task("Building (minutes, once)", total=None)
        console = get_error_console()
        if not console.is_terminal:
            console.print("Building the simulation (minutes) ...")

    def compiled(self, done: int, total: int) -> None:
        """Show how much of the simulation is compiled."""
        self._bar.update(
            self._task, completed=done, total=total, description="Building: compiling (once)"
        )

    def built(self) -> None:
        """Start the bar again for the simulation."""
        self._bar.reset(self._task, total=self._total, description="Simulating")

    def _show(self, done: int, description: str) -> None:
        """Set the work done and the words in front of the bar."""
        self._bar.update(self._task, completed=done, description=description)


class BlocksBar(_RunBar, BlocksProgress):
    """Shows how many blocks are done; their shares of the bar are those of their MACs."""

    def __init__(self) -> None:
        super().__init__()
        self.simulation_seconds = 0.0
        self._done = 0

    def starting(self, blocks: Sequence[Block]) -> None:
        """Take the length of the bar from the blocks."""
        self._total = sum(block.macs for block in blocks)

    def built(self) -> None:
        """Start the bar and the clock."""
        super().built()
        self._start = time.monotonic()

    def finished(self, block: Block, cycles: int, done: int, total: int) -> None:
        """Show the block that has ended."""
        self.simulation_seconds = time.monotonic() - self._start
        self._done += block.macs
        self._show(self._done, f"{done} of {total} simulated, {block.name} {cycles:,} cycles")


class FrameBar(_RunBar, FrameProgress):
    """Shows the current block and cycle; shares of the bar are those of ideal cycles.

    Parameters
    ----------
    loading : str, optional
        A module that is needed after the simulation, which runs in a process of its own: it is
        imported meanwhile.
    """

    def __init__(self, loading: str | None = None) -> None:
        super().__init__()
        self._loading = loading
        self._run = ""
        self._names: list[str] | None = None

    def name_run(self, name: str) -> None:
        """Put a name in front of all that is shown of the run that follows."""
        self._run = f"{name}: "

    def starting(self, steps: Sequence[ProgramStep]) -> None:
        """Take the length of the bar from the steps."""
        self._names = [step.name for step in steps]
        self._done = [0]
        for step in steps:
            self._done.append(self._done[-1] + step.ideal_cycles)
        self._total = self._done[-1]

    def repeating(self, cycles: int) -> None:
        """Take the length of the bar from the cycles of all frames."""
        self._names, self._total = None, cycles

    def built(self) -> None:
        """Start the bar at the first step."""
        super().built()
        if self._loading:
            Thread(target=import_module, args=(self._loading,), daemon=True).start()
        self.reached(0, 0)

    def reached(self, descriptors: int, cycles: int) -> None:
        """Show the step that is at work, or of several frames the cycle alone."""
        if self._names is None:
            done = min(cycles, self._total)
            self._show(done, f"{self._run}Simulating back-to-back frames, cycle {cycles:,}")
            return
        ended = min(descriptors, len(self._names))
        work = self._names[ended] if ended < len(self._names) else "reading results"
        self._show(self._done[ended], f"{self._run}Simulating {work}, cycle {cycles:,}")
