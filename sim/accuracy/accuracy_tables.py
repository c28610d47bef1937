"""An accuracy in the terminal: a table of figures, and sentences on what they rest on."""

import math
from collections.abc import Sequence

from rich.console import Group
from rich.markup import escape

from mnv2.sim.accuracy.figures import (
    Figure,
    accuracy_figures,
    accuracy_warnings,
    changed,
    labelled_rows,
)
from mnv2.sim.accuracy.hardware import PictureRun
from mnv2.sim.accuracy.judge import AccuracyResults
from mnv2.sim.report.wide_table import WideTable

__all__ = ["accuracy_notes", "render_accuracy", "render_runs"]


def _percent(figure: Figure | None) -> str:
    if figure is None:
        return ""
    return f"{100 * figure.value:.1f} ±{100 * figure.error:.1f}"


def render_accuracy(results: AccuracyResults) -> Group:
    """Table for the terminal.

    Parameters
    ----------
    results : mnv2.sim.accuracy.judge.AccuracyResults

    Returns
    -------
    rich.console.Group
    """
    figures = accuracy_figures(results)
    count = len(results.rows)
    title = f"{results.prepared.name} on {count:,} {'picture' if count == 1 else 'pictures'}"
    if 0 < len(labelled_rows(results)) < count:
        title += f", {len(labelled_rows(results)):,} of them with a label"
    table = WideTable(title)
    table.add_column("form")
    labelled = any(name.endswith("_top1") and name != "agree_top1" for name in figures)
    wide = any(name.endswith("_top5") for name in figures)
    if labelled:
        table.add_column("label\ntop-1 %", justify="right")
    if wide:
        table.add_column("label\ntop-5 %", justify="right")
    both = "agree_top1" in figures
    if both:
        table.add_column("agrees with\nfloat %", justify="right")
        table.add_column("logits\nSQNR dB", justify="right")
    for form in results.prepared.judged.forms:
        cells = [form]
        if labelled:
            cells.append(_percent(figures.get(f"{form}_top1")))
        if wide:
            cells.append(_percent(figures.get(f"{form}_top5")))
        if both:
            sqnr = figures["sqnr_db"]
            error = "" if math.isnan(sqnr.error) else f" ±{sqnr.error:.1f}"
            mine = form == "integer"
            cells += (
                [_percent(figures["agree_top1"]), f"{sqnr.value:.1f}{error}"] if mine else ["", ""]
            )
        table.add_row(*cells)
    return Group(table, *map(escape, accuracy_notes(results)))


def accuracy_notes(results: AccuracyResults) -> list[str]:
    """Sentences: the paired difference, the meaning of errors, pixels, classes, what was left out.

    Parameters
    ----------
    results : mnv2.sim.accuracy.judge.AccuracyResults

    Returns
    -------
    list of str
    """
    figures, prepared = accuracy_figures(results), results.prepared
    count = len(results.rows)
    lines = []
    if "difference" in figures:
        difference, (lost, gained) = figures["difference"], changed(results)
        error = "" if math.isnan(difference.error) else f" ± {100 * difference.error:.1f}"
        lines.append(
            f"Integer minus float, the same pictures: {100 * difference.value:+z.1f}{error} "
            f"points; float alone is right on {lost:,}, integer alone on {gained:,}."
        )
    lines.append(
        "±: one standard error. 0 and 100 % have none by the formula, and still mean "
        f"{100 / (count + 1):.1f} points with {count:,} pictures (Wilson)."
    )
    lines.append(f"{prepared.preparation}.")
    lines += [f"Warning: {sentence}." for sentence in accuracy_warnings(results)]
    if not prepared.image_set.labelled:
        lines.append(f"No labels: {prepared.image_set.labels_from.removeprefix('none: ')}.")
    if results.skipped:
        name, reason = results.skipped[0]
        left = len(results.skipped)
        lines.append(
            f"{left:,} {'picture was' if left == 1 else 'pictures were'} left out, {name!r} first: "
            f"{reason}; report.json lists all."
        )
    return lines


def render_runs(runs: Sequence[PictureRun]) -> Group:
    """Table of pictures run in RTL.

    Parameters
    ----------
    runs : sequence of mnv2.sim.accuracy.hardware.PictureRun

    Returns
    -------
    rich.console.Group
    """
    equal = sum(run.exact for run in runs)
    table = WideTable(f"In RTL: {equal:,} of {len(runs):,} pictures equal golden in every element")
    for heading in ("picture", "golden", "RTL", "bit for bit"):
        table.add_column(heading)
    for heading in ("cycles", "DRAM bytes"):
        table.add_column(heading, justify="right")
    for run in runs:
        measured = [f"{run.cycles:,}", f"{run.dram_bytes:,}"] if run.exact else ["", ""]
        table.add_row(
            escape(run.picture),
            run.golden_class,
            run.rtl_class or "",
            "equal" if run.exact else "differs",
            *measured,
        )
    return Group(table, *(escape(f"{run.picture}: {run.reason}.") for run in runs if run.reason))
