"""The documentation's table of formats: what each loses on a set of pictures.

The formats are those that its sentences are about. The figures are a sweep's, so that they resume,
spread over workers and run on a GPU as sweeps do.
"""

import math
from collections.abc import Mapping
from typing import Any

from mnv2.sim.sweep.comparison import paired_difference
from mnv2.sim.sweep.grid import AXES, Grid, Point
from mnv2.sim.sweep.sweep_records import SweepResults
from mnv2.sim.sweep.sweep_tables import headline

__all__ = ["FORMATS", "format_table", "grids"]

# Fields of points; Any, since mypy takes the names for those of fields of every type.
BIAS: Mapping[str, Any] = {"bias_correction": "on"}
BOTH: Mapping[str, Any] = {**BIAS, "adaptive_rounding": "on"}
TENSOR: Mapping[str, Any] = {"granularity": "tensor"}
EQUALISED: Mapping[str, Any] = {**TENSOR, "equalization": "on"}
#: Formats in the table's order, with their words. Differences are to the first.
FORMATS: Mapping[str, Point] = {
    "W8A8 per channel": Point(),
    "W8A8 with bias correction": Point(**BIAS),
    "W8A8 per tensor": Point(**TENSOR),
    "W8A8 per tensor, equalised": Point(**EQUALISED),
    "W8A8 per channel, power-of-two scales": Point(scales="power-of-two"),
    "W8A8, entropy ranges": Point(ranges="entropy"),
    "W8A16": Point(8, 16),
    "W8A7": Point(8, 7),
    "W8A6": Point(8, 6),
    "W8A5": Point(8, 5),
    "W8A6 with bias correction": Point(8, 6, **BIAS),
    "W8A8 with bias correction, A6 inside blocks": Point(**BIAS, expanded_bits="6"),
    "W6A8 per channel": Point(6, 8),
    "W6A8 with bias correction": Point(6, 8, **BIAS),
    "W6A8 per tensor": Point(6, 8, **TENSOR),
    "W6A8 per tensor, equalised": Point(6, 8, **EQUALISED),
    "W5A8 with bias correction and adaptive rounding": Point(5, 8, **BOTH),
    "W4A8": Point(4, 8),
    "W4A8 with bias correction": Point(4, 8, **BIAS),
    "W4A8 with bias correction and adaptive rounding": Point(4, 8, **BOTH),
    "W4A8 with both, weight bits by size": Point(4, 8, **BOTH, layer_weights="by-size"),
    "W3A8 with bias correction and adaptive rounding": Point(3, 8, **BOTH),
    "W8A8, 8-bit multipliers": Point(multiplier_bits=8),
    "W8A8, one rounding": Point(rounding="single"),
    "W8A8, truncation": Point(rounding="truncate"),
    "W8A8, 24-bit accumulators": Point(accumulator_bits=24),
    "W8A8, 20-bit accumulators": Point(accumulator_bits=20),
}


def grids() -> tuple[Grid, ...]:
    """The formats as products of a sweep, one each."""
    base = Point()
    return tuple(
        {
            axis.field: (getattr(point, axis.field),)
            for axis in AXES
            if getattr(point, axis.field) != getattr(base, axis.field)
        }
        for point in FORMATS.values()
    )


def format_table(results: SweepResults) -> str:
    """The table in Markdown, with a line on the pictures before it.

    Parameters
    ----------
    results : mnv2.sim.sweep.sweep_records.SweepResults
        Of a sweep of `grids`.

    Returns
    -------
    str
        For each format: agreement with float's first class; its difference to that of the first
        format, paired; where there are labels those found first, minus those that float finds,
        paired; SQNR of the logits. Each with one standard error.
    """
    labelled = bool(results.reference)
    heads = ["format", "agrees with float, %", "minus W8A8, points"]
    heads += ["labels minus float, points"] if labelled else []
    heads += ["SQNR of the logits, dB"]
    lines = [f"{headline(results)}. {results.prepared.preparation}."]
    lines += [f"Warning: {sentence}." for sentence in results.warnings]
    lines += ["", _row(heads), "|" + "---|" * len(heads)]
    first = results.figures[next(iter(FORMATS.values()))]
    for words, point in FORMATS.items():
        figures = results.figures[point]
        if "failure" in figures:
            lines.append(_row([words, f"failed: {figures['failure']}", *[""] * (len(heads) - 2)]))
            continue
        cells = [words, _share(figures), _against(figures, first)]
        if labelled:
            error = figures["label_difference_standard_error"]
            cells.append(_points(figures["label_difference"], error))
        error = figures["sqnr_db_standard_error"]
        cells.append(f"{figures['sqnr_db']:z.1f}" + ("" if error is None else f" ± {error:.1f}"))
        lines.append(_row(cells))
    return "\n".join(lines) + "\n"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _share(figures: Mapping[str, Any]) -> str:
    """Agreement; without an error where there is none by the formula."""
    share, error = figures["agree_top1"], figures["agree_top1_standard_error"]
    if not error:
        return f"{100 * share:.0f} (of {figures['pictures']:,})"
    return f"{100 * share:.1f} ± {100 * error:.1f}"


def _against(figures: Mapping[str, Any], first: Mapping[str, Any]) -> str:
    if figures is first or "failure" in first:
        return ""
    return _points(*paired_difference(figures, first, "agree_top1"))


def _points(difference: float, error: float | None) -> str:
    known = error is not None and math.isfinite(error)
    return f"{100 * difference:+z.1f}" + (f" ± {100 * error:.1f}" if known and error else "")
