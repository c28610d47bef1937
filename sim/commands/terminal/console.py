"""The consoles that commands print on, and what --quiet and --json make of them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from mnv2.sim.configuration import Setting
    from mnv2.sim.networks.open import RunnableModel


__all__ = [
    "MANNER",
    "Manner",
    "get_console",
    "get_error_console",
    "say_files",
    "say_notes",
    "say_setting",
    "show",
    "show_report",
]


@dataclass
class Manner:
    """How the command that runs prints.

    Attributes
    ----------
    quiet : bool
        Whether progress and notes are left out.
    as_json : bool
        Whether the report is printed as JSON, in place of tables.
    """

    quiet: bool = False
    as_json: bool = False


#: Of the command that runs in this process; set by `mnv2.sim.commands.terminal.guard`.
MANNER = Manner()

#: Width where the output is a file or a pipe: no row of a report is cut.
FILE_WIDTH = 160


def get_console() -> "Console":
    """Console on standard output, wide where that is no terminal."""
    from rich.console import Console

    # Paths and names of layers may hold what rich would take for markup: styles are those of Text.
    console = Console(highlight=False, markup=False)
    if console.is_terminal:
        return console
    return Console(highlight=False, markup=False, width=FILE_WIDTH)


def get_error_console() -> "Console":
    """Console on standard error, for progress."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, quiet=MANNER.quiet)


def show(*renderables: "RenderableType") -> None:
    """Print tables of a command whose report is printed later, unless --json asks for it alone."""
    if not MANNER.as_json:
        get_console().print(*renderables)


def show_report(
    *renderables: "RenderableType", report: Callable[[], Any] | Path, soft_wrap: bool = False
) -> None:
    """Print tables, or with --json the report that they show, alone.

    Parameters
    ----------
    *renderables : renderable of rich
    report : function or Path
        Gives the report in values that JSON holds, or names its file.
    soft_wrap : bool
        Whether long lines are left to the terminal.
    """
    if not MANNER.as_json:
        for one in renderables:
            get_console().print(one, soft_wrap=soft_wrap)
        return
    if isinstance(report, Path):
        print(report.expanduser().read_text(encoding="utf-8"), end="")
    else:
        print(json.dumps(report(), indent=2, default=lambda value: value.item()))


def say_files(folder: Path) -> None:
    """Say on standard error which files a folder of results has."""
    names = ", ".join(sorted(file.name for file in folder.iterdir() if file.is_file()))
    get_error_console().print(f"In {folder}: {names}", soft_wrap=True)


def say_setting(setting: "Setting") -> None:
    """Say on standard error what a design's file states next to the accelerator, if it does."""
    if setting.words:
        get_error_console().print(f"{setting.words}.", soft_wrap=True)


def say_notes(model: "RunnableModel") -> None:
    """Say on standard error what a model's reader took in another form than the file has it."""
    for note in (model.float_model or model.integer).notes:
        get_error_console().print(f"{model.name}: {note}", soft_wrap=True)
