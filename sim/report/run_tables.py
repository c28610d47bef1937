"""The report on the terminal: tables, then the class, then one line."""

from collections.abc import Sequence

from rich.console import Group
from rich.text import Text

from mnv2.sim.report.names import if_several, name_frames, words
from mnv2.sim.report.results import Measurement
from mnv2.sim.report.run_report import RunReport
from mnv2.sim.report.wide_table import WideTable, new_table

__all__ = [
    "figures_line",
    "frames_line",
    "headline",
    "memory_table",
    "render_report",
    "rounding_note",
    "stall_table",
    "time_table",
    "worst_wait",
]

#: Causes of waiting that have a column of their own; the rarer ones share one.
CAUSE_COLUMNS = 5


def render_report(report: RunReport, notes: Sequence[str] = ()) -> Group:
    """Time, waiting and traffic of each layer, and provenance; class and main figures stand last.

    Parameters
    ----------
    report : RunReport
    notes : sequence of str
        Shown after the tables.

    Returns
    -------
    rich.console.Group
    """
    parts = [_class_table(one) for one in (report.classes, report.second_classes) if one]
    return Group(
        time_table(report),
        "",
        stall_table(report),
        "",
        memory_table(report),
        "",
        *map(Text, notes),
        _closing(report),
        "",
        *parts,
        *([Text(frames_line(report))] if report.frames else []),
        Text(headline(report), style="bold"),
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
    wrong = f"{total.mismatches:,} {'mismatch' if total.mismatches == 1 else 'mismatches'}"
    return f"{_named(report)}: {figures_line(report)}, {wrong}{rounding_note(report)}"


def figures_line(report: RunReport) -> str:
    """The main figures, whether measured or predicted, in one line: cycles, frames, bytes."""
    total, clock = report.total, report.clock_hz
    network = report.mode == "network"
    speed = f", {report.frames_per_second:,.1f} frames/s" if network else ""
    each = f"{report.dram_bytes_per_frame:,.0f} a frame, " if report.abreast > 1 else ""
    return (
        f"{total.cycles:,} cycles = {total.microseconds(clock) / 1e3:.3f} ms at "
        f"{clock / 1e6:g} MHz{speed}, {total.mac_utilization:.1%} of {report.multipliers:,} "
        f"products a cycle, {total.dram_bytes:,} bytes of DRAM ({each}{report.over_floor:.3f} x "
        "floor)"
    )


def rounding_note(report: RunReport) -> str:
    """Name the rounding, after a comma, where it is not LiteRT's."""
    return ", results rounded once (requantize=single)" if report.rounds_once else ""


def _named(report):
    """Name what ran: frames of the network, or bottlenecks."""
    if report.mode == "network":
        frame = f"{report.layers[-1].output_shape[-1]:,}-class frame"
        return name_frames(report.abreast, frame, f"{frame}s")
    count = len(report.layers)
    alone = f"{count} bottlenecks, each alone" if count > 1 else f"{report.layers[0].name} alone"
    return f"{alone}{if_several(report.abreast, ', {}')}, from memory to memory"


def frames_line(report: RunReport) -> str:
    """Several back-to-back frames, in one line."""
    frames, clock = report.frames, report.clock_hz
    assert frames is not None
    interval = frames.interval_cycles
    two = if_several(frames.abreast, "{} ")
    return (
        f"{frames.count} back-to-back frames: {two}every {interval:,.0f} cycles = "
        f"{interval / clock * 1e3:.3f} ms, {frames.frames_per_second(clock):,.1f} frames/s, "
        f"{frames.mac_utilization:.1%} of the products, "
        f"{frames.dram_bytes_per_frame:,.0f} bytes of DRAM each"
    )


def _class_table(classes):
    """The likeliest classes of a picture by float, golden and the RTL, side by side."""
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
        f"Layers{' in RTL,' if measured else ', predicted:'} {if_several(report.abreast, '{}, ')}"
        f"{report.multipliers:,} products a cycle, {report.on_chip_bytes:,} bytes on chip, "
        f"{report.clock_hz / 1e6:g} MHz",
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
        one_by_one = "" if report.abreast == 1 else " for one frame after another"
        table.caption += (
            f"\nSCALE-Sim's formula for {height} x {width} multipliers, weight-stationary, "
            f"computed{one_by_one}: {report.scale_sim.total_cycles:,} cycles"
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
        "worst wait",
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
            worst_wait(result),
            style=_style(result),
        )
    took = "took" if measured else "takes"
    table.caption = (
        f"bound by: what {took} most cycles, the array's work or one cause; worst wait: the cause "
        f"that {took} most"
    )
    if rest:
        table.caption += f"; * {', '.join(map(words, rest))}"
    return table


def worst_wait(result: Measurement) -> str:
    """``requantize 33.0%``: the cause of most waiting of a layer; empty where nothing waited."""
    cause, _ = result.largest_stall
    return f"{words(cause)} {result.largest_stall_share:.1%}" if cause else ""


def memory_table(report: RunReport) -> WideTable:
    """Traffic of external memory of each layer."""
    kinds = report.read_kinds
    blocks = report.mode == "blocks"
    table = new_table(
        f"External memory, {if_several(report.abreast, '{}, ')}bytes"
        f"{', predicted' if report.predicted else ''}",
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
    images = "image" if report.abreast == 1 else "images"
    table.caption = (
        "* computed from the architecture: activations and weights only, one byte each"
        if blocks
        else "a byte counts for the layer during which it is read, often ahead of its use;\n"
        f"computed: floor {report.limits.floor_bytes:,} ({images}, logits, every weight and "
        f"parameter once),\nlayer by layer {report.limits.layer_by_layer_bytes:,}"
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
