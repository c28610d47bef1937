"""Progress of sweeps and searches on standard error."""

import time

from mnv2.sim.commands.terminal.bars import make_bar

__all__ = ["SearchProgress", "SweepProgress"]


class SweepProgress:
    """Shows shared work, then points done and time left; a context manager.

    Its methods are what `mnv2.sim.sweep.sweep` calls.

    Attributes
    ----------
    started : bool
        Whether points are being evaluated, and kept.
    """

    def __init__(self):
        from rich.progress import MofNCompleteColumn

        self._bar = make_bar(24, MofNCompleteColumn())
        self._shown = None
        self.started = False

    def __enter__(self):
        self._bar.__enter__()
        return self

    def __exit__(self, *exception):
        self._bar.__exit__(*exception)

    def count(self, what, done, total):
        """Show how much of the work that all points share is done."""
        self._show(what, what, done, total)

    def points(self, done, total, name=""):
        """Show how many formats are done; the last was this one."""
        self.started = True
        self._show("points", f"Formats {name}" if name else "Formats", done, total)

    def _show(self, what, description, done, total):
        # A bar for each kind of work: the time left is that of its own pace.
        if self._shown is None or self._shown[0] != what:
            if self._shown is not None:
                self._bar.remove_task(self._shown[1])
            self._shown = what, self._bar.add_task(description, completed=done, total=total)
        else:
            self._bar.update(self._shown[1], description=description, completed=done, total=total)


class SearchProgress:
    """Shows designs screened, then predictions, their rate, and the best so far.

    Its methods are what `mnv2.sim.explore.search.run_search` calls; a context manager.

    Attributes
    ----------
    started : bool
        Whether predictions are being made, and kept.
    """

    def __init__(self):
        from rich.progress import MofNCompleteColumn

        self._bar = make_bar(24, MofNCompleteColumn())
        self._task = None
        self._begin = 0.0
        self._made = 0
        self._best = ""
        self.started = False

    def __enter__(self):
        self._bar.__enter__()
        return self

    def __exit__(self, *exception):
        self._bar.__exit__(*exception)

    def screening(self, done, total):
        """Show how many points of the space have been screened."""
        self._show("Screening by cost", done, total)

    def predicted(self, done, total, found=0):
        """Show how many predictions are made, of at most ``total``; ``found`` of them now."""
        if not self.started:
            self.started, self._begin = True, time.monotonic()
            if self._task is not None:
                self._bar.remove_task(self._task)
                self._task = None
        self._made += found
        rate = self._made / max(time.monotonic() - self._begin, 1e-3)
        self._show(f"Predicting{f' {rate:.0f}/s' if self._made else ''}{self._best}", done, total)

    def best(self, front):
        """Take the front so far, the best in the first objective first."""
        if front:
            self._best = (
                f", {len(front)} in front, {front[0].lanes} "
                f"{front[0].frames_per_second:,.1f} frames/s"
            )

    def _show(self, description, done, total):
        if self._task is None:
            self._task = self._bar.add_task(description, completed=done, total=total)
        else:
            self._bar.update(self._task, description=description, completed=done, total=total)
