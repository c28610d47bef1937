"""Figure of a frame in time: work of the array, its causes of waiting, load of the bus."""

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from mnv2.sim.report.colors import (
    DEPTHWISE_COLOR,
    INK,
    MUTED,
    POINTWISE_COLOR,
    READ_COLOR,
    STYLE,
    WRITTEN_COLOR,
)
from mnv2.sim.report.run_report import RunReport
from mnv2.sim.report.run_series import frame_parts, frame_titles, timeline_shares, wait_series

__all__ = ["draw_frame"]

#: Least width of a layer that is labelled, as a share of the frame, for each letter of its name.
SHARE_PER_LETTER = 0.0065


@matplotlib.rc_context(STYLE)
def draw_frame(report: RunReport) -> Figure:
    """The array's activity, its causes of waiting and the bus, over the cycles of the frame.

    Parameters
    ----------
    report : RunReport
        With a timeline.

    Returns
    -------
    matplotlib.figure.Figure
    """
    timeline = report.timeline
    assert timeline is not None
    figure = Figure(figsize=(15, 8.2), layout="constrained")
    array, waits, bus = figure.subplots(3, 1, sharex=True, height_ratios=(3.2, 1.5, 1.7))
    edges, (pointwise, depthwise, read, written) = timeline_shares(report)
    parts = frame_parts(report)
    both = [a + b for a, b in zip(pointwise, depthwise, strict=True)]
    array.stairs(both, edges, fill=True, color=DEPTHWISE_COLOR, label="works: depthwise")
    array.stairs(pointwise, edges, fill=True, color=POINTWISE_COLOR, label="works: pointwise")
    array.set_ylim(0, 1)
    array.set_ylabel("multiplier array\nbusy")
    _draw_waits(waits, report, parts)
    bus.stairs(read, edges, fill=True, color=READ_COLOR, label="beats read")
    if any(written):
        bus.stairs(written, edges, fill=True, color=WRITTEN_COLOR, label="beats written")
    bus.set_ylim(0, 1)
    bus.set_ylabel(f"memory port\n{report.port_bytes} bytes a beat")
    for axes in (array, waits, bus):
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.grid(True, axis="y")
        for part in parts[1:]:
            axes.axvline(part.begin, color=INK, linewidth=0.5, alpha=0.45)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=1.2)
    bus.set_xlim(0, parts[-1].end)
    bus.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    bus.set_xlabel(
        f"clock cycles, measured in RTL in steps of {timeline.step_cycles:,}; above the "
        "panels: the layers (B: bottleneck) and their MAC utilisation"
    )
    _label_layers(array, parts)
    _add_microseconds(array, report)
    _add_titles(array, report)
    return figure


def _add_titles(axes, report):
    """Add a title with the cycles of the frame, and below it the shares of the array."""
    title, below = frame_titles(report)
    axes.set_title(title, pad=86)
    axes.annotate(
        below,
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 70),
        textcoords="offset points",
        color=MUTED,
    )


def _draw_waits(axes, report, parts):
    """Share of each part's cycles that the array waited, by cause; an area is a time."""
    begins = [part.begin for part in parts]
    widths = [part.cycles for part in parts]
    bottom = [0.0] * len(parts)
    for series in wait_series(report, parts):
        axes.bar(
            begins,
            series.values,
            widths,
            bottom,
            align="edge",
            color=series.color,
            label=series.label,
        )
        bottom = [low + height for low, height in zip(bottom, series.values, strict=True)]
    axes.set_ylim(0, min(1.0, max(0.1, *bottom) * 1.12))
    axes.set_ylabel("array waits for …\n(mean of a layer)")


def _label_layers(axes, parts):
    """Name and utilisation of each layer above the panel, where they have room."""
    for part in parts:
        lines = [part.name, f"{part.mac_utilization:.0%}"]
        if part.cycles / parts[-1].end < SHARE_PER_LETTER * max(map(len, lines)):
            continue
        axes.annotate(
            "\n".join(lines),
            ((part.begin + part.end) / 2, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=9,
            color=INK,
            annotation_clip=False,
        )


def _add_microseconds(axes, report):
    """A second axis of time above the labels."""
    scale = report.clock_hz / 1e6
    upper = axes.secondary_xaxis(
        "top", functions=(lambda cycles: cycles / scale, lambda time: time * scale)
    )
    upper.spines["top"].set_visible(True)
    upper.spines["top"].set_position(("outward", 34))
    upper.tick_params(labelsize=8, colors=MUTED)
    upper.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    upper.set_xlabel(f"µs at {scale:g} MHz", color=MUTED, fontsize=8, loc="right")
