"""The option that asks for a page, for every command that writes one."""

from typing import Annotated

import typer

__all__ = ["Html", "check_page"]

Html = Annotated[
    bool,
    typer.Option(
        "--html",
        help="Write report.html too: one page with all figures to point at and all tables to sort, "
        "which any browser opens from the disk, without a network (5 MB).",
    ),
]


def check_page(html):
    """Look for what a page is made with, before anything long is done.

    Raises
    ------
    UserError
        If a page is wanted and plotly is not installed.
    """
    if html:
        from mnv2.sim.page.kit.page import import_plotly

        import_plotly()
