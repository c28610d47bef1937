"""Options of work that is spread over processes and gone on with, for commands that have them."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["WORK", "NewFolder", "Resume", "Scheduler", "Workers"]

#: Panel of these options in a command's help.
WORK = "Work"

NewFolder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder of the results, new or empty. Without it, one in runs/, called by the time.",
        rich_help_panel=WORK,
    ),
]
Resume = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Go on with what that folder holds. What it was asked for is in its journal; options "
        "that are given must be the same.",
        rich_help_panel=WORK,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        help="Processes, each with one thread. Without it, one for each core; 0 works in the "
        "command's own process, without Dask. The results are the same.",
        rich_help_panel=WORK,
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="tcp://HOST:PORT",
        help="A Dask cluster to work on instead. Its workers need this version of mnv2 "
        "installed, no common disk, and best one thread each.",
        rich_help_panel=WORK,
    ),
]
