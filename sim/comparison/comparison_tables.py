"""Reports side by side on the terminal: settings, layers, resources, energy; the verdict last."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from mnv2.sim.comparison.comparison import ReportComparison, relative, worst_wait_of
from mnv2.sim.comparison.subject import Subject
from mnv2.sim.report.names import words
from mnv2.sim.report.wide_table import WideTable, new_table

__all__ = [
    "RESOURCES",
    "change_text",
    "overview_row",
    "render_comparison",
    "verdict",
    "worst_wait_text",
]

#: Rows of the table of resources: a field of `mnv2.sim.cost.record.Resources`, and its words.
RESOURCES = {
    "dsp": "DSPs",
    "block_ram_halves": "block RAM, 18 kbit",
    "block_ram_4k": "block RAM, 4 kbit",
    "ultra_ram": "UltraRAM",
    "all_luts": "LUTs",
    "flip_flops": "flip-flops",
}


def render_comparison(comparison: ReportComparison) -> Group:
    """Tables of a comparison, the verdict last.

    Parameters
    ----------
    comparison : mnv2.sim.comparison.comparison.ReportComparison

    Returns
    -------
    rich.console.Group
    """
    parts: list[RenderableType] = []
    if comparison.settings:
        parts += [_settings_table(comparison), ""]
    parts += [_layer_table(comparison), "", _byte_table(comparison), ""]
    parts += [_resource_table(comparison), ""]
    if comparison.has_energy:
        parts += [_energy_table(comparison), ""]
    parts += [overview_table(comparison.subjects, comparison.family_title, comparison), ""]
    return Group(*parts, *(Text(line, style="bold") for line in verdict(comparison)))


def change_text(value: float | None, reference: float | None) -> str:
    """``+1.6%``; empty where there is nothing to compare, ``0`` where they are equal."""
    change = relative(value, reference)
    if change is None:
        return ""
    return f"{change:+.1%}" if change else "0"


def worst_wait_text(row: Any) -> str:
    """``requantize 33.0%`` of a row of a report; empty where nothing waits."""
    cause, share = worst_wait_of(row)
    return f"{words(cause)} {share:.1%}" if cause else ""


def _named(comparison: ReportComparison, title: str, first: str) -> WideTable:
    """A table with a column for each report, and one of the change for each but the reference."""
    table = new_table(title, first)
    for number, subject in enumerate(comparison.subjects):
        table.add_column(subject.name, justify="right")
        if number:
            # Without a heading, it stays with the column of its report.
            table.add_column("", justify="right")
    return table


def _with_changes(values: Sequence[Any], show=lambda value: f"{value:,}") -> list[str]:
    """A cell for each report, followed by its change from the first."""
    cells = ["" if values[0] is None else show(values[0])]
    for value in values[1:]:
        cells += ["" if value is None else show(value), change_text(value, values[0])]
    return cells


def _settings_table(comparison: ReportComparison) -> WideTable:
    """Options in which the reports differ."""
    table = new_table("What differs", "", *(one.name for one in comparison.subjects))
    for name, texts in comparison.settings.items():
        table.add_row(name, *map(Text, texts))
    return table


def _layer_table(comparison: ReportComparison) -> WideTable:
    """Cycles of each layer with what it waits for."""
    table = new_table(
        "Cycles by layer, and the worst wait of each; changes are from "
        f"{comparison.reference.name}",
        "layer",
    )
    for number, subject in enumerate(comparison.subjects):
        table.add_column(f"{subject.name}\n{subject.source}", justify="right")
        if number:
            table.add_column("", justify="right")
        table.add_column("", justify="right")
        table.add_column("", justify="left")
    for name in _row_names(comparison, table):
        reference = comparison.reference.rows.get(name)
        cells: list[str] = []
        for number, subject in enumerate(comparison.subjects):
            row = subject.rows.get(name)
            cells.append("" if row is None else f"{row['cycles']:,}")
            if number:
                cells.append(
                    change_text(row["cycles"], reference["cycles"]) if row and reference else ""
                )
            waits = "" if row is None else _waits(row)
            cells += [waits, "" if row is None else worst_wait_text(row)]
        table.add_row(name, *cells, style="bold" if name == "total" else None)
    table.caption = "of each report: cycles, change, share of them that the array waits, worst wait"
    return table


def _waits(row: Any) -> str:
    """Share of a row's cycles that the array waits."""
    return f"{1 - row['busy_cycles'] / row['cycles']:.1%}" if row["cycles"] else ""


def _row_names(comparison: ReportComparison, table: WideTable):
    """Layers, then the total under a rule."""
    yield from comparison.rows
    table.add_section()
    yield "total"


def _byte_table(comparison: ReportComparison) -> WideTable:
    """Bytes of external memory of each layer."""
    table = _named(comparison, "Bytes of external memory by layer", "layer")
    for name in _row_names(comparison, table):
        table.add_row(
            name,
            *_with_changes(comparison.cells(name, "dram_bytes")),
            style="bold" if name == "total" else None,
        )
    return table


def _resource_table(comparison: ReportComparison) -> WideTable:
    """Resources of each accelerator."""
    table = _named(comparison, f"Resources of {comparison.family_title}, estimated", "resource")
    for key, label in RESOURCES.items():
        values = [getattr(one, key) for one in comparison.resources]
        if any(values):
            table.add_row(label, *_with_changes(values))
    on_chip = [one.config.on_chip_bytes for one in comparison.subjects]
    table.add_row("buffers, bytes", *_with_changes(on_chip))
    return table


def _energy_table(comparison: ReportComparison) -> WideTable:
    """Energy of a frame by operation."""
    table = _named(
        comparison,
        "Relative energy of a frame, estimated: 1 is that of its products at 8 bits alone",
        "operation",
    )
    names = dict.fromkeys(name for one in comparison.subjects for name in one.energy)
    for name in names:
        values = [one.energy.get(name, 0.0) for one in comparison.subjects]
        if any(values):
            table.add_row(words(name), *_with_changes(values, _ratio))
    table.add_section()
    totals = [sum(one.energy.values()) for one in comparison.subjects]
    table.add_row("total", *_with_changes(totals, _ratio), style="bold")
    return table


def _ratio(value: float) -> str:
    return f"{value:,.3f}"


def overview_row(subject: Subject) -> list[str]:
    """Main figures of a report: cycles, time, frames a second, use, waits, bytes."""
    total = subject.total
    rate = subject.frames_per_second
    return [
        f"{subject.clock_hz / 1e6:g}",
        f"{total['cycles']:,}",
        f"{subject.seconds * 1e3:,.3f}",
        "" if rate is None else f"{rate:,.1f}",
        f"{total['mac_utilization']:.1%}",
        _waits(total),
        worst_wait_text(total),
        f"{total['dram_bytes']:,}",
    ]


OVERVIEW_COLUMNS = (
    "clock,\nMHz",
    "cycles",
    "ms",
    "frames\n/s",
    "MAC\nutil.",
    "waits",
    "worst wait",
    "bytes\nof DRAM",
)


def overview_table(subjects: Sequence[Subject], family: str, comparison: ReportComparison):
    """A row for each report: its main figures and costs."""
    columns = [*OVERVIEW_COLUMNS, "DSPs", "block RAM,\n18 kbit", "kLUT"]
    if comparison.has_energy:
        columns.append("relative\nenergy")
    if comparison.device is not None:
        columns.append("scarcest\nresource")
    table = new_table(f"All together; resources of {family}", "report", *columns)
    for subject, resources, uses in zip(
        subjects, comparison.resources, comparison.uses, strict=True
    ):
        cells = [
            *overview_row(subject),
            f"{resources.dsp:,}",
            f"{resources.block_ram_halves:,}",
            f"{resources.all_luts / 1e3:,.1f}",
        ]
        if comparison.has_energy:
            cells.append(f"{sum(subject.energy.values()):.2f}")
        if uses:
            cells.append(f"{uses[0].resource.split(',')[0]} {uses[0].share:.0%}")
        table.add_row(Text(subject.name), *cells)
    return table


def verdict(comparison: ReportComparison) -> list[str]:
    """A sentence for each report but the reference.

    Parameters
    ----------
    comparison : mnv2.sim.comparison.comparison.ReportComparison

    Returns
    -------
    list of str
    """
    return [_sentence(comparison, other) for other in comparison.others]


def _sentence(comparison: ReportComparison, other: Subject) -> str:
    """How a report differs from the reference."""
    reference = comparison.reference
    one, two = reference.total, other.total
    parts = [
        _difference(two["cycles"] - one["cycles"], one["cycles"], "cycles"),
        _difference(two["dram_bytes"] - one["dram_bytes"], one["dram_bytes"], "bytes of DRAM"),
    ]
    if reference.frames_per_second and other.frames_per_second:
        factor = other.frames_per_second / reference.frames_per_second
        parts.append(f"{factor:.3f} x the frames a second")
    change = comparison.largest_change(other)
    where = f"; most in {change[0]}, {change[1]:+,} cycles" if change else ""
    return f"{other.name} against {reference.name}: {', '.join(parts)}{where}"


def _difference(change: int, reference: int, what: str) -> str:
    """``+12,345 cycles (+1.6%)``."""
    if not change:
        return f"as many {what}"
    share = f" ({change / reference:+.1%})" if reference else ""
    return f"{change:+,} {what}{share}"
