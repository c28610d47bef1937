"""The consoles that commands print on."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from mnv2.sim.networks.open import RunnableModel

__all__ = ["get_console", "get_error_console", "say_files", "say_notes"]

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

    return Console(stderr=True, highlight=False, markup=False)


def say_files(folder: Path) -> None:
    """Say on standard error which files a folder of results has."""
    names = ", ".join(sorted(file.name for file in folder.iterdir() if file.is_file()))
    get_error_console().print(f"In {folder}: {names}", soft_wrap=True)


def say_notes(model: "RunnableModel") -> None:
    """Say on standard error what a model's reader took in another form than the file has it."""
    for note in (model.float_model or model.integer).notes:
        get_error_console().print(f"{model.name}: {note}", soft_wrap=True)
