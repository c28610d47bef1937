"""The options of commands that judge networks on sets of pictures: accuracy and sweeps."""

from typing import Annotated

import typer

__all__ = ["PICTURES", "Images", "Limit", "Seed"]

#: Panel of these options in a command's help.
PICTURES = "Pictures and network"

Images = Annotated[
    str,
    typer.Option(
        metavar="DIR|FILE|bundled",
        help="Pictures to evaluate on: a folder with a folder for each class, a list file, a "
        "folder of pictures, or bundled, 120 easy photographs of installed packages.",
        rich_help_panel=PICTURES,
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Evaluate on at most N pictures, sampled at random.",
        rich_help_panel=PICTURES,
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        min=0,
        help="Seed of that sampling, and of that of --rtl where there is one.",
        rich_help_panel=PICTURES,
    ),
]
