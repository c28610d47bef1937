"""Figures of a run: cycles, bytes and roofline of each layer; the frame in time is in `frame`."""

from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from mnv2.sim.report.colors import INK, MUTED, POINTWISE_COLOR, STALL_COLORS, STYLE
from mnv2.sim.report.frame import draw_frame
from mnv2.sim.report.label_placement import label_points
from mnv2.sim.report.names import if_several, name_frames, short_name
from mnv2.sim.report.run_report import RunReport
from mnv2.sim.report.run_series import byte_series, cycle_series, limit_bars, roofline, tick_names

__all__ = ["draw_bytes", "draw_cycles", "draw_roofline", "write_plots"]

#: Size of the marker of all layers together, in points of the page.
STAR = 15


def write_plots(report: RunReport, folder: Path) -> None:
    """Write ``cycles.png``, ``bytes.png``, ``roofline.png`` and, of a network, ``frame.png``."""
    drawings = {"cycles": draw_cycles, "bytes": draw_bytes, "roofline": draw_roofline}
    if report.timeline is not None:
        drawings["frame"] = draw_frame
    for name, draw in drawings.items():
        draw(report).savefig(folder / f"{name}.png", dpi=120)


@matplotlib.rc_context(STYLE)
def draw_cycles(report):
    """Cycles of each layer, split into work and each cause of waiting, against ideal.

    Parameters
    ----------
    report : RunReport

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(12, 5.6), layout="constrained")
    axes = figure.add_subplot()
    layers, total = report.layers, report.total
    _stack(axes, cycle_series(report))
    ideal = [result.ideal_cycles for result in layers]
    _mark(axes, ideal, "ideal (computed: tiles only, nothing waits)")
    for position, result in enumerate(layers):
        axes.annotate(
            f"{result.mac_utilization:.0%}",
            (position, max(result.cycles, ideal[position])),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            color=INK,
        )
    axes.set_title(
        f"Cycles by layer{if_several(report.abreast, ', {}')}: {total.cycles:,} together, "
        f"{total.mac_utilization:.1%} of {total.multipliers:,} products a cycle"
    )
    axes.set_ylabel("clock cycles, measured in RTL")
    _finish(axes, report, "the number above a bar: MAC utilisation")
    microseconds = axes.secondary_yaxis(
        "right",
        functions=(lambda y: y / report.clock_hz * 1e6, lambda y: y * report.clock_hz / 1e6),
    )
    microseconds.set_ylabel(f"µs at {report.clock_hz / 1e6:g} MHz")
    return figure


@matplotlib.rc_context(STYLE)
def draw_bytes(report):
    """External memory bytes of each layer by kind, and all of them against computed figures.

    Parameters
    ----------
    report : RunReport

    Returns
    -------
    matplotlib.figure.Figure
    """
    blocks = report.mode == "blocks"
    figure = Figure(figsize=(12, 7.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=(3, 2) if blocks else (4, 1.3))
    _stack(upper, byte_series(report))
    if blocks:
        _mark(upper, [limit.fused_bytes for limit in report.block_limits], "fused (computed)")
    upper.set_title(
        f"External memory{if_several(report.abreast, ', {}')}: {report.total.dram_bytes:,} bytes, "
        f"{report.over_floor:.3f} times the floor"
    )
    upper.set_ylabel("bytes, measured in RTL")
    ahead = "a byte counts for the layer that ran while it was read, often ahead of its use"
    _finish(upper, report, None if blocks else ahead)
    (_compare_blocks if blocks else _compare_frame)(lower, report)
    return figure


def _compare_blocks(axes, report):
    """Bytes of each block, measured and computed."""
    positions = range(len(report.layers))
    for values, style in (
        (
            [limit.layer_by_layer_bytes for limit in report.block_limits],
            {"marker": "^", "color": STALL_COLORS["weights"], "label": "layer by layer (computed)"},
        ),
        (
            [result.dram_bytes for result in report.layers],
            {"marker": "o", "color": POINTWISE_COLOR, "label": "measured in RTL"},
        ),
        (
            [limit.fused_bytes for limit in report.block_limits],
            {
                "marker": "_",
                "markersize": 16,
                "markeredgewidth": 2,
                "color": INK,
                "label": "block fused (computed)",
            },
        ),
    ):
        axes.plot(positions, values, linestyle="", **style)
    axes.set_yscale("log")
    _plain_ticks(axes.yaxis)
    axes.set_ylabel("bytes, logarithmic")
    _finish(axes, report, "computed: activations and weights only, one byte each")


def _compare_frame(axes, report):
    """Bytes of the frame, measured and computed, as bars to the right."""
    bars = limit_bars(report)
    for position, (_, value, color) in enumerate(reversed(bars)):
        axes.barh(position, value, color=color, height=0.66)
        axes.annotate(
            f"{value:,}",
            (value, position),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    axes.set_yticks(range(len(bars)), [label for label, _, _ in reversed(bars)])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1e6:g}"))
    axes.set_xlim(0, max(value for _, value, _ in bars) * 1.1)
    whole = name_frames(report.abreast, "the whole frame")
    axes.set_xlabel(f"million bytes of {whole}")


@matplotlib.rc_context(STYLE)
def draw_roofline(report):
    """MACs a cycle over MACs a byte, below the limits of the array and the memory port.

    Parameters
    ----------
    report : RunReport

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(11, 6.4), layout="constrained")
    axes = figure.add_subplot()
    shape = roofline(report)
    peak, right, ridge = shape.peak, shape.limits[1], shape.ridge
    axes.plot(*zip(*shape.roof, strict=True), color=INK, linewidth=2)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(shape.limits)
    axes.set_ylim(shape.heights)
    axes.annotate(
        f"{peak:,} products a cycle",
        (right, peak),
        xytext=(-4, 6),
        textcoords="offset points",
        ha="right",
    )
    axes.axvline(ridge, color=MUTED, linestyle=":", linewidth=1)
    shared = "together" if report.shared_bytes_per_cycle else "each way"
    axes.annotate(
        f"left of here the memory port binds:\n{shape.bandwidth} bytes a cycle {shared}",
        (ridge, shape.heights[0]),
        xytext=(5, 8),
        textcoords="offset points",
        color=MUTED,
    )
    _points(axes, shape)
    axes.set_title("Roofline: MACs per cycle over MACs per byte, measured in RTL")
    axes.set_xlabel("MACs for each byte that crossed the memory port meanwhile")
    axes.set_ylabel("MACs a cycle")
    _plain_ticks(axes.xaxis)
    _plain_ticks(axes.yaxis)
    axes.grid(True, which="major")
    axes.legend(loc="lower right")
    names = [short_name(result) for result in report.layers]
    label_points(axes, names, shape.points, [shape.roof], last_marker=STAR / 2)
    return figure


def _points(axes, shape):
    """A marker for each layer by its kind, and one for all together."""
    styles = {
        "stem, head, classifier": ("^", STALL_COLORS["activations"]),
        "bottleneck": ("o", STALL_COLORS["weights"]),
        "bottleneck with residual": ("s", POINTWISE_COLOR),
    }
    for label, numbers in shape.groups.items():
        if numbers:
            xs, ys = zip(*(shape.points[number] for number in numbers), strict=True)
            marker, color = styles[label]
            axes.plot(xs, ys, marker, color=color, label=label, markersize=7, alpha=0.85)
    if len(shape.points) > 2:
        axes.plot(*shape.points[-1], "*", color=INK, markersize=STAR, label="all together")


def _stack(axes, parts):
    """Draw series as stacked bars."""
    positions = range(len(parts[0].values))
    bottom = [0] * len(positions)
    for part in parts:
        if any(part.values):
            axes.bar(
                positions,
                part.values,
                bottom=bottom,
                width=0.74,
                label=part.label,
                color=part.color,
            )
        bottom = [low + value for low, value in zip(bottom, part.values, strict=True)]


def _mark(axes, values, label):
    """A short line across each bar."""
    axes.plot(
        range(len(values)), values, "_", color=INK, markersize=26, markeredgewidth=2, label=label
    )


def _plain_ticks(axis):
    """Numbers written out on a logarithmic axis; where it shows few powers of ten, 2 and 5 too."""

    def between(value, _):
        low, high = sorted(axis.get_view_interval())
        return f"{value:,.10g}" if high < 100 * low and f"{value:e}"[0] in "25" else ""

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_formatter(FuncFormatter(between))


def _finish(axes, report, note):
    """Ticks, grid and legend that the bar charts share."""
    names = tick_names(report)
    axes.set_xticks(range(len(names)), names)
    if axes.get_yscale() == "linear":
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(True, axis="y")
    # A few bars stand in the middle, as wide as many do.
    margin = max(0.7, (10 - len(names)) / 2)
    axes.set_xlim(-margin, len(names) - 1 + margin)
    explanation = "B: bottleneck, s2: stride 2, +: residual"
    axes.set_xlabel(f"{explanation}; {note}" if note else explanation)
    # Above the bars, under the title: no bar is hidden.
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.2)
    axes.set_title(axes.get_title(loc="left"), pad=10 + 17 * -(-len(axes.get_legend().texts) // 4))
