"""Progress of tools that run one after the other, by the steps that they name themselves."""

from typing import Self

from mnv2.sim.commands.terminal.bars import make_bar

__all__ = ["StepBar"]


class StepBar:
    """Shows the step that is under way, how much of it is done where that is known, and words.

    A context manager.
    """

    def __init__(self) -> None:
        from rich.progress import TaskID, TextColumn

        self._bar = make_bar(24, TextColumn("{task.fields[words]}", markup=False))
        self._step = ""
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.__exit__(None, None, None)

    def show(self, step: str, done: int, total: int, words: str) -> None:
        """Show how far a step is; ``total`` 0 where nobody knows how much there is."""
        if step != self._step or self._task is None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._step = step
            self._task = self._bar.add_task(step, total=total or None, words=words)
        self._bar.update(self._task, completed=done, total=total or None, words=words)
