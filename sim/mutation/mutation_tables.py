"""Tables of a mutation campaign."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from mnv2.sim.mutation.kept import count_unfinished, score

__all__ = ["render_scores", "score_line"]

_COLUMNS = ("killed", "slower", "equivalent", "hole", "unnamed", "stillborn")


def score_line(part: str, summary: Mapping[str, Any]) -> str:
    """The result of a part in one line."""
    counts, unfinished = summary["counts"], count_unfinished(part, summary)
    result = f"score {100 * score(counts):.1f} %"
    if unfinished:
        result = f"no score yet: {unfinished} that live have not been through every stage"
    return (
        f"{part}: {summary['drawn']} mutants of {summary['places']:,} places, seed "
        f"{summary['seed']}: {counts['killed']} killed, {counts['slower']} slower, "
        f"{counts['equivalent']} equivalent, {counts['hole']} holes, {counts['unnamed']} not "
        f"named; {result}"
    )


def render_scores(part: str, summary: Mapping[str, Any], differences: Mapping[str, str]) -> Group:
    """Table by file, then each mutant that lives.

    Parameters
    ----------
    part : str
    summary : dict
        See `mnv2.sim.mutation.kept.summarize`.
    differences : dict of str to str
        Changes by names of mutants.

    Returns
    -------
    rich.console.Group
    """
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("file")
    for heading in ("places", *_COLUMNS):
        table.add_column(heading, justify="right")
    for file, counts in summary["files"].items():
        cells = [str(counts[name] or "") for name in _COLUMNS]
        table.add_row(escape(file), str(counts["places"]), *cells)
    table.add_section()
    total = [str(summary["counts"][name]) for name in _COLUMNS]
    table.add_row("all", str(summary["places"]), *total)
    stages = Table(box=box.SIMPLE_HEAD)
    for heading in ("stage", "judged", "killed"):
        stages.add_column(heading, justify="left" if heading == "stage" else "right")
    for name, numbers in summary["stages"].items():
        stages.add_row(name, str(numbers["judged"]), str(numbers["killed"]))
    living = [
        Text(f"{one['name']} {one['found']}, through {one['through']}: {one['place']}\n")
        + Text(differences.get(one["name"], "") + "\n")
        for one in summary["living"]
    ]
    return Group(table, stages, *living, Text(score_line(part, summary)))
