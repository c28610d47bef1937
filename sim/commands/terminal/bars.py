"""Progress bars on standard error; where that is no terminal, they are silent."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from mnv2.sim.commands.terminal.console import get_error_console

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

__all__ = ["make_bar", "show_count"]


def make_bar(width: int, share: "ProgressColumn") -> "Progress":
    """Make a bar with the share done, the time spent and the time left.

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
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = get_error_console()
    return Progress(
        TextColumn("{task.description}", markup=False),
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
