"""Progress on standard error: bars on a terminal, elsewhere a line every half minute."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from mnv2.sim.commands.terminal.console import MANNER, get_error_console

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn, Task

__all__ = ["LINE_SECONDS", "make_bar", "show_count"]

#: Seconds between lines where standard error is no terminal.
LINE_SECONDS = 30.0


def make_bar(width: int, share: "ProgressColumn") -> "Progress":
    """Make a bar with the share done, the time spent and the time left.

    Where standard error is no terminal it prints a line with these every `LINE_SECONDS`; with
    --quiet nothing.

    Parameters
    ----------
    width : int
        Of the bar, in characters.
    share : rich.progress.ProgressColumn
        States how much is done.

    Returns
    -------
    rich.progress.Progress
    """
    from rich.progress import BarColumn, Progress, TextColumn

    console = get_error_console()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=width),
        share,
        TextColumn("{task.fields[times]}", markup=False),
    )

    class Bar(Progress):
        """A bar that knows its times; on no terminal, lines."""

        def __init__(self) -> None:
            self._lines = Lines(self)
            super().__init__(
                *columns,
                console=console,
                transient=True,
                speed_estimate_period=600,
                disable=MANNER.quiet or not console.is_terminal,
            )

        def add_task(self, description: str, *settings: Any, **fields: Any) -> Any:
            return super().add_task(description, *settings, **{"times": "", **fields})

        def get_renderables(self) -> Any:
            for task in self.tasks:
                task.fields["times"] = times_words(task)
            return super().get_renderables()

        def start(self) -> None:
            super().start()
            if self.disable and not MANNER.quiet:
                self._lines.start()

        def stop(self) -> None:
            self._lines.stop()
            super().stop()

    return Bar()


def times_words(task: "Task") -> str:
    """``2:10 elapsed, 3:05 left`` of a task; the latter where it can be told."""
    words = f"{_clock(task.elapsed)} elapsed"
    left = task.time_remaining
    return words if left is None or task.finished else f"{words}, {_clock(left)} left"


def _clock(seconds: float | None) -> str:
    """``2:10``, or ``1:02:10``."""
    whole = int(seconds or 0)
    minutes = f"{whole // 60 % 60}:{whole % 60:02}"
    return f"{whole // 3600}:{minutes.zfill(5)}" if whole >= 3600 else minutes


class Lines:
    """A line for what is under way, at regular times, from a thread.

    Parameters
    ----------
    progress : rich.progress.Progress
    """

    def __init__(self, progress: "Progress"):
        self._progress = progress
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; a second call does nothing."""
        if self._thread is None:
            self._stopped.clear()
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End; what was not said is left out."""
        if self._thread is not None:
            self._stopped.set()
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        due = time.monotonic() + LINE_SECONDS
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            due += LINE_SECONDS
            for line in self.lines():
                get_error_console().print(line, soft_wrap=True)

    def lines(self) -> list[str]:
        """A line for each task that is shown and not done."""
        return [
            ", ".join(filter(None, (task.description, _share_words(task), times_words(task))))
            for task in self._progress.tasks
            if task.visible and not task.finished
        ]


def _share_words(task: "Task") -> str:
    """``3 of 9``, or ``45%`` where the steps are too many to be read."""
    if not task.total:
        return str(task.fields.get("words", ""))
    if task.total >= 10_000:
        return f"{task.completed / task.total:.0%}"
    return f"{task.completed:,.0f} of {task.total:,.0f}"


@contextlib.contextmanager
def show_count(description: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar from the first call of the yielded function on.

    Yields
    ------
    function of (done, total)
    """
    from rich.progress import MofNCompleteColumn

    with make_bar(24, MofNCompleteColumn()) as bar:
        task = bar.add_task(description, visible=False)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=True)

        yield show
