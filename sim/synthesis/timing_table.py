"""The worst paths of a mapped accelerator on the terminal."""

from rich.console import Group
from rich.text import Text

from mnv2.sim.report.wide_table import WideTable
from mnv2.sim.synthesis.flat_timing import FlatTiming

__all__ = ["render_paths"]


def render_paths(timing: FlatTiming, count: int) -> Group:
    """Worst paths, one for each pair of units.

    Parameters
    ----------
    timing : mnv2.sim.synthesis.flat_timing.FlatTiming
    count : int
        Pairs, the worst first.

    Returns
    -------
    rich.console.Group
    """
    table = WideTable("Worst path of each pair of units", keys=1)
    for heading, justify in (
        ("ns", "right"),
        ("levels", "right"),
        ("most pins", "right"),
        ("from", "left"),
        ("to", "left"),
    ):
        table.add_column(heading, justify)
    for path in timing.paths[:count]:
        pin = "" if path.pin == "DI" else f" ({path.pin})"
        table.add_row(
            f"{path.nanoseconds:.2f}",
            str(path.levels),
            str(max((step.fanout for step in path.steps), default=1)),
            f"{path.begin_unit}: {path.begin}",
            f"{path.end_unit}: {path.end}{pin}",
        )
    table.caption = (
        "Computed: cells of ECP5 at speed grade 8, a flat delay for each wire, by its pins. Not a "
        "clock: nothing is placed."
    )
    cells = ", ".join(f"{number:,} {kind}" for kind, number in sorted(timing.cells.items()))
    return Group(Text(cells), table)
