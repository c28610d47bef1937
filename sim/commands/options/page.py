"""The option --html, shared by the commands that write a page."""

from typing import Annotated

import typer

__all__ = ["Html", "check_page"]

Html = Annotated[
    bool,
    typer.Option(
        "--html",
        help="Write report.html too: one page with interactive figures and sortable tables, which "
        "any browser opens from the disk, without a network (5 MB).",
    ),
]


def check_page(html: bool) -> None:
    """Check that a page can be made, before anything that takes long.

    Raises
    ------
    UserError
        If a page is wanted and plotly is not installed.
    """
    if html:
        from mnv2.sim.page.kit.page import import_plotly

        import_plotly()
