"""The figures of a sweep as a table: data frame, files, terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Group
from rich.text import Text

from mnv2.sim.pictures.decode import NO_LABEL
from mnv2.sim.report.data_frame import import_pandas, write_frame
from mnv2.sim.report.wide_table import WideTable
from mnv2.sim.sweep.comparison import smallest_of_the_best
from mnv2.sim.sweep.costs import format_cost
from mnv2.sim.sweep.format_options import quantization_options
from mnv2.sim.sweep.grid import AXES, position, varied_axes, way_words
from mnv2.sim.sweep.sweep_records import SweepResults, best_points

if TYPE_CHECKING:
    # It runs the best points of these tables.
    from mnv2.sim.sweep.hardware import HardwareRun

__all__ = [
    "check_pandas",
    "headline",
    "layer_frame",
    "notes",
    "point_frame",
    "render_hardware",
    "render_points",
    "write_tables",
]

#: Measures in their order: name, heading, whether it is a share.
MEASURES = (
    ("agree_top1", "agrees\ntop-1", True),
    ("agree_top5", "agrees\ntop-5", True),
    ("label_top1", "label\ntop-1", True),
    ("label_top5", "label\ntop-5", True),
    ("label_difference", "label,\nminus float", True),
    ("sqnr_db", "logits\nSQNR dB", False),
    ("cosine", "logits\ncosine", False),
)
#: Extra of this package that installs the libraries of tables.
EXTRA = "sweep"
#: Rows at most in the terminal; the files have all.
TERMINAL_ROWS = 100


def check_pandas() -> ModuleType:
    """The library that tables are made with, or one sentence if it is missing."""
    return import_pandas("A sweep's tables", EXTRA)


def point_frame(results: SweepResults) -> Any:
    """A row for each point, in order.

    Parameters
    ----------
    results : mnv2.sim.sweep.sweep_records.SweepResults

    Returns
    -------
    pandas.DataFrame
        ``name``; a column for each axis; ``pictures``; ``labelled``, those with labels; the
        measures, shares from 0 to 1, each with its ``_standard_error``; ``overflows``, accumulators
        that did, over all pictures, where they are narrow; bytes and bits of
        `mnv2.sim.sweep.costs`; ``failure``.
    """
    pandas = check_pandas()
    columns = [
        "pictures",
        "labelled",
        *(name for measure, _, _ in MEASURES for name in (measure, f"{measure}_standard_error")),
    ]
    network = results.prepared.workload.model.network
    rows = []
    for point in sorted(results.figures, key=position):
        figures = results.figures[point]
        cost = format_cost(network, quantization_options(point, network))
        # No name of a cost is that of an axis: both are columns.
        rows.append(
            {
                "name": point.name,
                **{axis.field: getattr(point, axis.field) for axis in AXES},
                **{name: figures.get(name) for name in columns},
                "overflows": figures.get("overflows"),
                "weight_bytes": cost.weight_bytes,
                "dram_bytes": cost.dram_bytes,
                "map_bytes": cost.map_bytes,
                "window_bytes": cost.window_bytes,
                "product_bits": cost.product_bits,
                "failure": figures.get("failure"),
            }
        )
    frame = pandas.DataFrame(rows)
    for name in columns[2:]:
        frame[name] = frame[name].astype("float64")
    for name in ("pictures", "labelled", "overflows"):
        frame[name] = frame[name].astype("Int64")
    frame["failure"] = frame["failure"].astype("string")
    return frame


def layer_frame(results: SweepResults) -> Any:
    """A row for each point and compared tensor: ``name``, ``layer``, ``sqnr_db`` and its error.

    The first pictures alone are compared, those of one chunk.
    """
    pandas = check_pandas()
    rows = [
        {"name": point.name, "layer": layer, **figures}
        for point in sorted(results.figures, key=position)
        for layer, figures in results.figures[point].get("layers", {}).items()
    ]
    return pandas.DataFrame(rows, columns=["name", "layer", "sqnr_db", "sqnr_db_standard_error"])


def write_tables(results: SweepResults, folder: Path) -> None:
    """Write ``sweep.csv``, ``sweep.parquet`` and ``layers.csv``, of which no time is a part.

    Raises
    ------
    UserError
        If pyarrow is not installed.
    """
    write_frame(point_frame(results), folder / "sweep", EXTRA)
    layer_frame(results).to_csv(folder / "layers.csv", index=False, lineterminator="\n")


def render_points(results: SweepResults, limit: int = TERMINAL_ROWS) -> Group:
    """Table for the terminal.

    Parameters
    ----------
    results : mnv2.sim.sweep.sweep_records.SweepResults
    limit : int
        Rows at most; with more points, the best.

    Returns
    -------
    rich.console.Group
    """
    points = sorted(results.figures, key=position)
    title = headline(results)
    if len(points) > limit:
        points = sorted(best_points(results, limit), key=position)
        title += f"; the best {limit} of {len(results.figures)}, sweep.csv has all"
    varied = [
        axis
        for axis in varied_axes(list(results.figures))
        if axis.field not in ("weight_bits", "activation_bits")
    ]
    table = WideTable(title, keys=3 if varied else 2)
    table.add_column("W", justify="right")
    table.add_column("A", justify="right")
    if varied:
        table.add_column("otherwise")
    shown = [
        measure
        for measure in MEASURES
        if any(measure[0] in figures for figures in results.figures.values())
    ]
    for _, heading, share in shown:
        table.add_column(f"{heading}{' %' if share else ''}", justify="right")
    overflows = any("overflows" in results.figures[point] for point in points)
    if overflows:
        table.add_column("over-\nflows", justify="right")
    table.add_column("weights\nMB", justify="right")
    network = results.prepared.workload.model.network
    previous = None
    for point in points:
        figures = results.figures[point]
        if previous is not None and point.weight_bits != previous:
            table.add_section()
        previous = point.weight_bits
        cells: list[str | Text] = [str(point.weight_bits), str(point.activation_bits)]
        if varied:
            cells.append(", ".join(way_words(point, varied)))
        if "failure" in figures:
            cells += [Text("failed", "red")] + ["-"] * (len(shown) - 1)
        else:
            cells += [_measure(figures, name, share) for name, _, share in shown]
        if overflows:
            cells.append(f"{figures['overflows']:,}" if "overflows" in figures else "")
        cost = format_cost(network, quantization_options(point, network))
        table.add_row(*cells, f"{cost.weight_bytes / 1e6:.2f}")
    return Group(table, *notes(results))


def notes(results: SweepResults) -> list[str]:
    """Notes for the table's reader: pixels and classes, errors, missing labels, failed points."""
    prepared = results.prepared
    count = len(prepared.pictures)
    least = 100 / (count + 1)
    lines = [f"{prepared.preparation}."]
    lines += [f"Warning: {sentence}." for sentence in results.warnings]
    lines.append(
        "±: one standard error. 0 and 100 % have none by the formula, and still mean "
        f"{least:.1f} points with {count:,} pictures (Wilson)."
    )
    lines += best_words(results)
    if not results.reference:
        lines.append(f"No labels: {prepared.image_set.labels_from.removeprefix('none: ')}.")
    skipped = prepared.pictures.skipped
    if skipped:
        name, reason = skipped[0]
        lines.append(
            f"{len(skipped):,} pictures were left out, {name!r} first: {reason}; "
            "report.json lists all."
        )
    failed: dict[str, list[str]] = {}
    for point in sorted(results.figures, key=position):
        if "failure" in results.figures[point]:
            failed.setdefault(results.figures[point]["failure"], []).append(point.name)
    lines += [
        f"Failed: {names[0]}{f' and {len(names) - 1} more' if names[1:] else ''}: {reason}."
        for reason, names in failed.items()
    ]
    return lines


def best_words(results: SweepResults) -> list[str]:
    """The smallest format that no other is better than by more than an error, in a sentence."""
    found = smallest_of_the_best(results.figures, results.prepared.workload.model.network)
    if found is None:
        return []
    measure, point, equal = found
    by = "labels" if measure == "label_top1" else "agreement with float"
    others = "no other is" if len(equal) == 1 else f"{len(equal):,} formats are"
    share = _measure(results.figures[point], measure, True)
    sentence = (
        f"Smallest within one error of the best, by {by}, paired: {point.name}, {share} %; "
        f"{others} within it."
    )
    return [sentence]


def headline(results: SweepResults) -> str:
    """The number of formats and of pictures, and the accuracy of float, in one line."""
    count = len(results.prepared.pictures)
    words = f"{len(results.figures):,} formats on {count:,} pictures"
    reference, labels = results.reference, results.prepared.pictures.labels
    if labels is not None and NO_LABEL in labels:
        words += f", {np.count_nonzero(labels != NO_LABEL):,} of them with a label"
    if reference:
        words += (
            f"; float is right on {reference['label_top1']:.1%} "
            f"± {reference['label_top1_standard_error']:.1%}"
        )
        if "label_top5" in reference:
            words += f" (top-5 {reference['label_top5']:.1%})"
    return words


def _measure(figures: Mapping[str, Any], name: str, share: bool) -> str:
    """A figure with its standard error."""
    value, error = figures[name], figures[f"{name}_standard_error"]
    if value is None:
        return "-"
    if share:
        return f"{100 * value:.1f} ±{100 * error:.1f}"
    digits = 1 if name == "sqnr_db" else 3
    return f"{value:z.{digits}f}" + ("" if error is None else f" ±{error:.{digits}f}")


def render_hardware(runs: "Sequence[HardwareRun]") -> Group:
    """Table of formats on the RTL.

    Parameters
    ----------
    runs : sequence of mnv2.sim.sweep.hardware.HardwareRun

    Returns
    -------
    rich.console.Group
    """
    table = WideTable("The best formats on the accelerator's RTL, first picture")
    for heading in ("format", "lanes", "golden", "RTL", "bit for bit"):
        table.add_column(heading)
    for heading in ("cycles", "DRAM bytes"):
        table.add_column(heading, justify="right")
    for run in runs:
        if run.passed_over:
            table.add_row(run.point, "", "", "", "passed over", "", "")
            continue
        measured = [f"{run.cycles:,}", f"{run.dram_bytes:,}"] if run.exact else ["", ""]
        table.add_row(
            run.point,
            f"{run.weight_bits} x {run.activation_bits} bits",
            run.golden_class,
            run.rtl_class or "",
            "equal" if run.exact else "differs",
            *measured,
        )
    return Group(table, *(f"{run.point}: {run.reason}." for run in runs if run.reason))
