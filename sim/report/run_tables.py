"""The report on the terminal: the class first, then one line, then tables."""

from rich.console import Group
from rich.text import Text

from mnv2.sim.report.names import words
from mnv2.sim.report.run_report import RunReport
from mnv2.sim.report.wide_table import WideTable, new_table

__all__ = [
    "frames_line",
    "headline",
    "memory_table",
    "render_report",
    "stall_table",
    "time_table",
]

#: Causes of waiting that have a column of their own; the rarer ones share one.
CAUSE_COLUMNS = 5


def render_report(report: RunReport) -> Group:
    """Class, time, waiting and traffic of each layer, and provenance, for the terminal.

    Parameters
    ----------
    report : RunReport

    Returns
    -------
    rich.console.Group
    """
    parts = [_class_table(report)] if report.classes else []
    return Group(
        *parts,
        Text(headline(report), style="bold"),
        *([Text(frames_line(report))] if report.frames else []),
        "",
        time_table(report),
        "",
        stall_table(report),
        "",
        memory_table(report),
        "",
        _closing(report),
    )


def headline(report: RunReport) -> str:
    """The run in one line.

    Parameters
    ----------
    report : RunReport

    Returns
    -------
    str
    """
    total = report.total
    frame = report.mode == "network"
    what = (
        f"{report.layers[-1].output_shape[-1]:,}-class frame"
        if frame
        else f"{_named(report.layers)}, from memory to memory"
    )
    speed = f", {report.clock_hz / total.cycles:,.1f} frames/s" if frame else ""
    wrong = "mismatch" if total.mismatches == 1 else "mismatches"
    return (
        f"{what}: {total.cycles:,} cycles = {total.microseconds(report.clock_hz) / 1e3:.3f} ms at "
        f"{report.clock_hz / 1e6:g} MHz{speed}, {total.mac_utilization:.1%} of "
        f"{report.multipliers:,} multipliers, {total.dram_bytes:,} bytes of DRAM "
        f"({report.over_floor:.3f} x floor), {total.mismatches:,} {wrong}"
    )


def _named(bottlenecks):
    """Which bottlenecks ran."""
    if len(bottlenecks) == 1:
        return f"{bottlenecks[0].name} alone"
    return f"{len(bottlenecks)} bottlenecks, each alone"


def frames_line(report: RunReport) -> str:
    """Several back-to-back frames, in one line."""
    frames = report.frames
    assert frames is not None
    interval = frames.interval_cycles
    return (
        f"{len(frames.ends)} back-to-back frames: every {interval:,.0f} cycles = "
        f"{interval / report.clock_hz * 1e3:.3f} ms, {report.clock_hz / interval:,.1f} frames/s, "
        f"{frames.mac_utilization:.1%} of the multipliers, "
        f"{frames.dram_bytes / len(frames.ends):,.0f} bytes of DRAM each"
    )


def _class_table(report):
    """The likeliest classes of float, golden and the RTL, side by side."""
    classes = report.classes
    first = classes.rtl_top[0].name
    tops = {
        "float": classes.float_top,
        "golden, integer": classes.golden_top,
        "RTL": classes.rtl_top,
    }
    tops = {column: top for column, top in tops.items() if top}
    agreement = f"{'float, ' if classes.float_top else ''}golden and RTL agree"
    if not classes.agree:
        said = [
            f"{name} says {top[0].name}"
            for name, top in (("float", classes.float_top), ("golden", classes.golden_top))
            if top
        ]
        agreement = ", ".join(said).replace(", golden says", ", golden")
    table = new_table(f"{first} ({agreement})", "")
    for column in tops:
        table.add_column(column)
        table.add_column("", justify="right")
    for place, row in enumerate(zip(*tops.values(), strict=True), start=1):
        cells = [cell for one in row for cell in (one.name, f"{one.probability:.1%}")]
        table.add_row(str(place), *cells, style="bold" if place == 1 else None)
    return table


def _rows(report, table):
    """The layers and their total, with a rule before the total."""
    yield from report.layers
    table.add_section()
    yield report.total


def _style(result):
    """The total stands out."""
    return "bold" if result.name == "total" else None


def time_table(report: RunReport) -> WideTable:
    """Shape, work and time of each layer; the title states whether they are measured."""
    measured = not report.predicted
    table = new_table(
        f"Layers{' in RTL,' if measured else ', predicted:'} {report.multipliers:,} multipliers, "
        f"{report.on_chip_bytes:,} bytes on chip, {report.clock_hz / 1e6:g} MHz",
        "layer",
        "output",
        "s",
        "MACs",
        "cycles" if measured else "predicted\ncycles",
        "ideal",
        "cycles/\nbound*",
        "MAC\nutil.",
        "µs",
        *(["mis-\nmatches"] if measured else []),
    )
    for result in _rows(report, table):
        layer = result.name != "total"
        table.add_row(
            result.name,
            _shape(result.output_shape) if layer else "",
            f"{result.stride} {'+' if result.residual else ' '}" if layer else "",
            f"{result.macs:,}",
            f"{result.cycles:,}",
            f"{result.ideal_cycles:,}",
            f"{report.over_bound(result):.3f}",
            f"{result.mac_utilization:.1%}",
            f"{result.microseconds(report.clock_hz):,.1f}",
            *([_mismatches(result)] if measured else []),
            style=_style(result),
        )
    table.caption = (
        "s: stride, +: residual; ideal: computed from the tiles, if nothing waits\n"
        "* the ideal, or the cycles of the bytes moved meanwhile, whichever is more"
    )
    if report.mode == "network":
        table.caption += "; head: and pool"
    if report.scale_sim is not None:
        height, width = report.scale_sim.array
        table.caption += (
            f"\nSCALE-Sim's formula for {height} x {width} multipliers, weight-stationary, "
            f"computed: {report.scale_sim.total_cycles:,} cycles"
        )
    return table


def _mismatches(result):
    """Red unless there are none."""
    return Text(f"{result.mismatches:,}", style="bold red" if result.mismatches else "green")


def stall_table(report: RunReport) -> WideTable:
    """Cycles of each layer by work and by cause of waiting."""
    measured = not report.predicted
    stalls = report.total.stalls
    causes = report.stall_causes
    shown = causes
    if len(causes) > CAUSE_COLUMNS:
        largest = sorted(causes, key=lambda cause: -stalls[cause])[: CAUSE_COLUMNS - 1]
        shown = tuple(cause for cause in causes if cause in largest)
    rest = [cause for cause in causes if cause not in shown]
    table = new_table(
        "Cycles, measured: the array worked, or waited for …"
        if measured
        else "Cycles, predicted: the array works, or waits for …",
        "layer",
        "point-\nwise",
        "depth-\nwise",
        *(words(cause).replace(" ", "\n") for cause in shown),
        *(["others*"] if rest else []),
        "waited" if measured else "waits",
        "bound by",
    )
    for result in _rows(report, table):
        table.add_row(
            result.name,
            f"{result.pointwise_cycles:,}",
            f"{result.depthwise_cycles:,}",
            *(f"{result.stalls.get(name, 0):,}" for name in shown),
            *([f"{sum(result.stalls.get(name, 0) for name in rest):,}"] if rest else []),
            f"{1 - result.busy_share:.1%}",
            f"{words(result.bound)} {result.bound_share:.1%}",
            style=_style(result),
        )
    took = "took" if measured else "takes"
    table.caption = f"bound by: what {took} most cycles, the array's work or one cause"
    if rest:
        table.caption += f"; * {', '.join(map(words, rest))}"
    return table


def memory_table(report: RunReport) -> WideTable:
    """Traffic of external memory of each layer."""
    kinds = report.read_kinds
    blocks = report.mode == "blocks"
    table = new_table(
        f"External memory, bytes{', predicted' if report.predicted else ''}",
        "layer",
        *(f"read\n{kind}" for kind in kinds),
        "written",
        "together",
        "B/cycle",
        "GB/s",
        *(("block\nfused*", "layer by\nlayer*") if blocks else ()),
    )
    for result, limit in zip(
        _rows(report, table),
        (*report.block_limits, report.limits) if blocks else (None,) * (len(report.layers) + 1),
        strict=True,
    ):
        read = result.dram_read_bytes_by_kind
        computed = (
            () if limit is None else (f"{limit.fused_bytes:,}", f"{limit.layer_by_layer_bytes:,}")
        )
        table.add_row(
            result.name,
            *(f"{read.get(kind, 0):,}" for kind in kinds),
            f"{result.dram_write_bytes:,}",
            f"{result.dram_bytes:,}",
            f"{result.bytes_per_cycle:.2f}",
            f"{result.gigabytes_per_second(report.clock_hz):.2f}",
            *computed,
            style=_style(result),
        )
    table.caption = (
        "* computed from the architecture: activations and weights only, one byte each"
        if blocks
        else "a byte counts for the layer during which it is read, often ahead of its use;\n"
        f"computed: floor {report.limits.floor_bytes:,} (image, logits, every weight and parameter "
        f"once),\nlayer by layer {report.limits.layer_by_layer_bytes:,}"
    )
    return table


def _closing(report):
    """Provenance of the run, in a few lines."""
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    commit, dirty, _ = report.commit.partition("-dirty")
    return Text(
        f"{report.total.cycles:,} cycles simulated in {report.wall_seconds:.1f} s "
        f"({report.simulated_cycles_per_second:,.0f} a second), seed {report.seed}, "
        f"commit {commit[:12]}{dirty}\n{versions}",
        style="dim",
    )


def _shape(shape):
    """A shape as ``112x112x32``."""
    return "x".join(map(str, shape))
