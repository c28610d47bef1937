"""Predictions of several accelerators and memories, what if: a table, files and a picture."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from rich.console import Group
from rich.text import Text

from mnv2.golden.summary import short_repr
from mnv2.sim.comparison.comparison import worst_wait_of
from mnv2.sim.comparison.comparison_files import write_records
from mnv2.sim.comparison.comparison_plots import SUBJECT_COLORS
from mnv2.sim.comparison.comparison_tables import OVERVIEW_COLUMNS, overview_row
from mnv2.sim.comparison.subject import Subject
from mnv2.sim.jobs.files import write_json
from mnv2.sim.report.colors import STYLE
from mnv2.sim.report.provenance import find_commit
from mnv2.sim.report.wide_table import new_table

__all__ = [
    "AXES",
    "Case",
    "draw_what_if",
    "render_what_if",
    "what_if_as_dict",
    "what_if_rows",
    "write_what_if",
]

#: Axes of the cases, in order, and the words of a heading.
AXES = {
    "config": "config",
    "memory": "memory",
    "latency": "latency,\ncycles",
    "bandwidth": "B/cycle\nat most",
}

LEGEND_COLUMNS = 3


@dataclass(frozen=True)
class Case:
    """One prediction of several.

    Attributes
    ----------
    subject : mnv2.sim.comparison.subject.Subject
        The prediction.
    config : str
        Name of the configuration.
    memory : str
        Name of the memory's part; empty if it is none.
    latency : int
        Of the memory, in cycles; of a part, that without load.
    bandwidth : int
        Bytes a cycle at most, reads and writes together; 0 for a beat each way.
    """

    __repr__ = short_repr

    subject: Subject
    config: str
    memory: str
    latency: int
    bandwidth: int

    def text(self, axis: str) -> str:
        """Value of an axis as a person reads it."""
        value = getattr(self, axis)
        if axis == "bandwidth" and not value:
            return "a beat each way"
        return f"{value:,}" if isinstance(value, int) else value

    def words(self, axis: str) -> str:
        """Value of an axis with what it is of."""
        text = self.text(axis)
        if axis == "bandwidth" and self.bandwidth:
            return f"{text} bytes a cycle"
        return f"latency {text}" if axis == "latency" else text

    @property
    def frames_per_second(self) -> float:
        """At the clock of its configuration."""
        rate = self.subject.frames_per_second
        assert rate is not None, "whole networks are predicted"
        return rate


def varied(cases: Sequence[Case]) -> list[str]:
    """Axes in which the cases differ."""
    return [name for name in AXES if len({getattr(case, name) for case in cases}) > 1]


def render_what_if(cases: Sequence[Case]) -> Group:
    """A row for each case, and the fastest and the slowest in a sentence, last.

    Parameters
    ----------
    cases : sequence of Case

    Returns
    -------
    rich.console.Group
    """
    axes = varied(cases)
    table = new_table("What if, predicted", *(AXES[name] for name in axes), *OVERVIEW_COLUMNS)
    previous = None
    for case in cases:
        group = tuple(getattr(case, name) for name in axes[:-1])
        if previous is not None and group != previous:
            table.add_section()
        previous = group
        table.add_row(*(Text(case.text(name)) for name in axes), *overview_row(case.subject))
    fixed = [
        f"{AXES[name].replace(chr(10), ' ')} {cases[0].text(name)}"
        for name in AXES
        if name not in axes and cases[0].text(name)
    ]
    table.caption = f"of all: {'; '.join(fixed)}" if fixed else None
    return Group(table, Text(_sentence(cases, axes), style="bold"))


def _sentence(cases: Sequence[Case], axes: Sequence[str]) -> str:
    """The fastest and the slowest case."""
    best = max(cases, key=lambda case: case.frames_per_second)
    worst = min(cases, key=lambda case: case.frames_per_second)
    return (
        f"predicted, not run: {len(cases)} cases, "
        f"{worst.frames_per_second:,.1f} frames/s ({_where(worst, axes)}) to "
        f"{best.frames_per_second:,.1f} frames/s ({_where(best, axes)})"
    )


def _where(case: Case, axes: Sequence[str]) -> str:
    """Values of a case on the axes, in words."""
    return ", ".join(case.words(name) for name in axes)


def what_if_rows(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """A row of plain values for each case: its axes, then what is predicted of the frame."""
    return [_row(case) for case in cases]


def _row(case: Case) -> dict[str, Any]:
    total = case.subject.total
    cause, share = worst_wait_of(total)
    return {
        "predicted": True,
        **{name: getattr(case, name) for name in AXES},
        "clock_hz": case.subject.clock_hz,
        "cycles": total["cycles"],
        "milliseconds": case.subject.seconds * 1e3,
        "frames_per_second": case.frames_per_second,
        "mac_utilization": total["mac_utilization"],
        "busy_cycles": total["busy_cycles"],
        "stalls": dict(total["stalls"]),
        "worst_wait": cause,
        "worst_wait_share": share,
        "dram_bytes": total["dram_bytes"],
        "relative_energy": sum(case.subject.energy.values()),
    }


def what_if_as_dict(cases: Sequence[Case]) -> dict[str, Any]:
    """Everything of the cases in values that JSON holds."""
    return {
        "mode": "what-if",
        "predicted": True,
        "commit": find_commit(),
        "cases": what_if_rows(cases),
    }


def write_what_if(cases: Sequence[Case], folder: Path) -> None:
    """Write ``report.json``, ``report.csv`` and ``what-if.png`` into a folder."""
    content = what_if_as_dict(cases)
    write_json(folder / "report.json", content)
    write_records(content["cases"], folder / "report.csv")
    draw_what_if(cases).savefig(folder / "what-if.png", dpi=120)


@matplotlib.rc_context(STYLE)
def draw_what_if(cases: Sequence[Case]) -> Figure:
    """Frames a second: lines over latency or bandwidth where they vary, else a bar for each case.

    Parameters
    ----------
    cases : sequence of Case

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(11, 6), layout="constrained")
    axes = figure.add_subplot()
    names = varied(cases)
    along = next((name for name in ("latency", "bandwidth") if name in names), None)
    if along is None:
        _bars(axes, cases, names)
    else:
        _lines(axes, cases, names, along)
    legend = axes.get_legend()
    rows = -(-len(legend.texts) // LEGEND_COLUMNS) if legend else 0
    axes.set_title("Frames a second, predicted", pad=10 + 17 * rows)
    axes.grid(True, axis="y" if along else "x")
    return figure


def _bars(axes, cases, names):
    """A bar for each case, from top to bottom."""
    places = range(len(cases))
    axes.barh(places, [case.frames_per_second for case in cases], color=SUBJECT_COLORS[0])
    for place, case in zip(places, cases, strict=True):
        axes.annotate(
            f"{case.frames_per_second:,.1f}",
            (case.frames_per_second, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
        )
    axes.set_yticks(places, [_where(case, names) for case in cases])
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel("frames/s")


def _lines(axes, cases, names, along):
    """A line over one axis for each value of the others."""
    others = [name for name in names if name != along]
    values = sorted({getattr(case, along) for case in cases}, key=lambda one: one or float("inf"))
    texts = {getattr(case, along): case.text(along) for case in cases}

    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(_where(case, others), []).append(case)
    markers = itertools.cycle("osD^v")
    for number, (label, group) in enumerate(groups.items()):
        axes.plot(
            [values.index(getattr(case, along)) for case in group],
            [case.frames_per_second for case in group],
            next(markers) + "-",
            color=SUBJECT_COLORS[number % len(SUBJECT_COLORS)],
            label=label or None,
        )
    axes.set_xticks(range(len(values)), [texts[value] for value in values])
    axes.set_xlabel(
        "latency of the memory, cycles"
        if along == "latency"
        else "bytes a cycle that memory moves at most"
    )
    axes.set_ylabel("frames/s")
    axes.set_ylim(bottom=0)
    if others:
        axes.legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncols=LEGEND_COLUMNS, borderaxespad=0.2
        )
