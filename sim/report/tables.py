"""The report on the terminal."""

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

__all__ = ["render_report"]


def render_report(report):
    """Tables of a run: time, waiting and traffic of each bottleneck, and what it was made with.

    Parameters
    ----------
    report : RunReport

    Returns
    -------
    rich.console.Group
    """
    return Group(_time_table(report), _stall_table(report), _memory_table(report), _closing(report))


def _table(title, *columns):
    """A table with a left-aligned first column and numbers in the others."""
    table = Table(
        title=title,
        title_justify="left",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    return table


def _time_table(report):
    """Shape, work and time."""
    table = _table(
        f"Bottlenecks in RTL, {report.bottlenecks[0].multipliers} multipliers, "
        f"{report.clock_hz / 1e6:g} MHz",
        "block",
        "input",
        "output",
        "stride",
        "add",
        "MACs",
        "cycles",
        "ideal",
        "MAC\nutil.",
        "µs",
        "mis-\nmatches",
    )
    for result in report.bottlenecks:
        table.add_row(
            result.name,
            _shape(result.input_shape),
            _shape(result.output_shape),
            str(result.stride),
            "+" if result.residual else "",
            *_time_cells(result, report),
        )
    table.add_section()
    table.add_row("total", "", "", "", "", *_time_cells(report.total, report), style="bold")
    return table


def _time_cells(result, report):
    """Cells of a row, from the MACs on."""
    wrong = Text(f"{result.mismatches:,}", style="bold red" if result.mismatches else "green")
    return (
        f"{result.macs:,}",
        f"{result.cycles:,}",
        f"{result.ideal_cycles:,}",
        f"{result.mac_utilization:.1%}",
        f"{result.microseconds(report.clock_hz):,.1f}",
        wrong,
    )


def _stall_table(report):
    """Where the cycles went."""
    causes = report.stall_causes
    table = _table(
        "Cycles, measured: the array worked, or waited for …",
        "block",
        "cycles",
        "busy",
        *(cause.replace("_", " ") for cause in causes),
        "waited",
    )
    for result in (*report.bottlenecks, report.total):
        if result.name == "total":
            table.add_section()
        waited = sum(result.stalls.values())
        table.add_row(
            result.name,
            f"{result.cycles:,}",
            f"{result.busy_cycles:,}",
            *(f"{result.stalls.get(cause, 0):,}" for cause in causes),
            f"{waited / result.cycles:.1%}" if result.cycles else "",
            style="bold" if result.name == "total" else None,
        )
    return table


def _memory_table(report):
    """Traffic of external memory."""
    kinds = report.read_kinds
    table = _table(
        "External memory, bytes",
        "block",
        *(f"read\n{kind}" for kind in kinds),
        "written",
        "together",
        "B/cycle",
        "GB/s",
        "block\nfused*",
        "layer\nby layer*",
    )
    computed = [(limit.fused_bytes, limit.layer_by_layer_bytes) for limit in report.limits]
    computed.append(tuple(map(sum, zip(*computed, strict=True))))
    for result, (fused, by_layer) in zip(
        (*report.bottlenecks, report.total), computed, strict=True
    ):
        if result.name == "total":
            table.add_section()
        read = result.dram_read_bytes_by_kind
        table.add_row(
            result.name,
            *(f"{read.get(kind, 0):,}" for kind in kinds),
            f"{result.dram_write_bytes:,}",
            f"{result.dram_bytes:,}",
            f"{result.bytes_per_cycle:.2f}",
            f"{result.gigabytes_per_second(report.clock_hz):.2f}",
            f"{fused:,}",
            f"{by_layer:,}",
            style="bold" if result.name == "total" else None,
        )
    table.caption = "* computed from the architecture: activations and weights only, one byte each"
    table.caption_justify = "left"
    return table


def _closing(report):
    """What the run was made with, in a few lines."""
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    return Text(
        f"{report.total.cycles:,} cycles simulated in {report.wall_seconds:.1f} s "
        f"({report.simulated_cycles_per_second:,.0f} a second), seed {report.seed}, "
        f"commit {report.commit[:12]}\n{versions}",
        style="dim",
    )


def _shape(shape):
    """A shape as ``112x112x32``."""
    return "x".join(map(str, shape))
