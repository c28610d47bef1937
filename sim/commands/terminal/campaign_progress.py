"""Progress of a sweep or a search, on standard error."""

import time
from typing import Self

from mnv2.sim.commands.terminal.bars import make_bar

__all__ = ["CampaignBar"]


class CampaignBar:
    """Shows the work before the results, then results kept, time left and the best so far.

    A `mnv2.sim.jobs.progress.CampaignProgress`, and a context manager.

    Parameters
    ----------
    doing : str
        Description of the bar of results.
    rate : bool
        Whether to show results a second, in place of the name of the last.

    Attributes
    ----------
    started : bool
        Whether results are being made, and kept.
    """

    def __init__(self, doing: str, *, rate: bool = False):
        from rich.progress import MofNCompleteColumn, TaskID

        self.started = False
        self._bar = make_bar(24, MofNCompleteColumn())
        self._shown: tuple[str, TaskID] | None = None
        self._doing = doing
        self._rate = rate
        self._begin = 0.0
        self._made = 0
        self._best = ""

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.__exit__(None, None, None)

    def count(self, what: str, done: int, total: int) -> None:
        """Show how much of the work before the results is done."""
        self._show(what, what, done, total)

    def results(self, done: int, total: int, last: str = "") -> None:
        """Show how many results of at most ``total`` are kept; ``last`` names one made now."""
        if not self.started:
            self.started, self._begin = True, time.monotonic()
        words = self._doing
        if last:
            self._made += 1
        if self._rate and self._made:
            words += f" {self._made / max(time.monotonic() - self._begin, 1e-3):.0f}/s"
        elif last:
            words += f" {last}"
        self._show(self._doing, words + self._best, done, total)

    def best(self, words: str) -> None:
        """Show what the best results so far are."""
        self._best = f", {words}"

    def _show(self, what: str, description: str, done: int, total: int) -> None:
        # A bar for each kind of work: the time left is that of its own pace.
        if self._shown is None or self._shown[0] != what:
            if self._shown is not None:
                self._bar.remove_task(self._shown[1])
            self._shown = what, self._bar.add_task(description, completed=done, total=total)
        else:
            self._bar.update(self._shown[1], description=description, completed=done, total=total)
