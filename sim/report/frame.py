"""Picture of a frame in time: what the array does, why it waits, and how busy the bus is."""

from dataclasses import dataclass
from itertools import accumulate

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from sim.report.colors import (
    DEPTHWISE_COLOR,
    INK,
    MUTED,
    POINTWISE_COLOR,
    STALL_COLORS,
    STYLE,
    WRITTEN_COLOR,
    choose_colors,
)
from sim.report.labels import short_name, words

__all__ = ["draw_frame"]

#: Least width of a layer that is labelled, as a share of the frame, for each letter of its name.
SHARE_PER_LETTER = 0.0065
#: A cause of waiting that nowhere takes more of a layer's cycles is drawn with the others so small.
SMALL_SHARE = 0.005
READ_COLOR = "#E69F00"


@matplotlib.rc_context(STYLE)
def draw_frame(report):
    """The array's activity, its causes of waiting and the bus, over the cycles of the frame.

    Parameters
    ----------
    report : RunReport
        With a timeline.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(15, 8.2), layout="constrained")
    array, waits, bus = figure.subplots(3, 1, sharex=True, height_ratios=(3.2, 1.5, 1.7))
    edges, steps = _steps(report)
    parts = _parts(report)
    borders = list(accumulate((part.cycles for part in parts), initial=0))

    lengths = [end - begin for begin, end in zip(edges, edges[1:], strict=False)]
    shares = [
        [value / length for value, length in zip(column, lengths, strict=True)]
        for column in zip(*steps, strict=True)
    ]
    pointwise, depthwise, read, written = shares
    both = [a + b for a, b in zip(pointwise, depthwise, strict=True)]
    array.stairs(both, edges, fill=True, color=DEPTHWISE_COLOR, label="works: depthwise")
    array.stairs(pointwise, edges, fill=True, color=POINTWISE_COLOR, label="works: pointwise")
    array.set_ylim(0, 1)
    array.set_ylabel("multiplier array\nbusy")
    _draw_waits(waits, report, parts, borders)
    bus.stairs(read, edges, fill=True, color=READ_COLOR, label="beats read")
    if any(written):
        bus.stairs(written, edges, fill=True, color=WRITTEN_COLOR, label="beats written")
    bus.set_ylim(0, 1)
    bus.set_ylabel(f"memory port\n{report.port_bytes} bytes a beat")
    for axes in (array, waits, bus):
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.grid(True, axis="y")
        for begin in borders[1:-1]:
            axes.axvline(begin, color=INK, linewidth=0.5, alpha=0.45)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=1.2)
    bus.set_xlim(0, borders[-1])
    bus.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    bus.set_xlabel(
        f"clock cycles, measured in RTL in steps of {report.timeline.step_cycles:,}; above the "
        "panels: the layers (B: bottleneck) and their MAC utilisation"
    )
    _label_layers(array, parts, borders)
    _add_microseconds(array, report)
    _add_titles(array, report)
    return figure


def _add_titles(axes, report):
    """What the frame took, and under it what the array did meanwhile."""
    total = report.total
    axes.set_title(
        f"One frame: {total.cycles:,} cycles, {total.microseconds(report.clock_hz) / 1e3:.2f} ms "
        f"at {report.clock_hz / 1e6:g} MHz, {total.mac_utilization:.1%} of {total.multipliers:,} "
        "multipliers used",
        pad=86,
    )
    causes = sorted(total.stalls.items(), key=lambda item: -item[1])[:3]
    waited = ", ".join(f"{words(cause)} {cycles / total.cycles:.1%}" for cause, cycles in causes)
    axes.annotate(
        f"The array works in {total.busy_share:.1%} of the cycles; it waits most for {waited}. "
        f"The port moves {total.dram_bytes:,} bytes, {report.over_floor:.3f} times the floor.",
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 70),
        textcoords="offset points",
        color=MUTED,
    )


def _steps(report):
    """Borders of the timeline's steps in cycles, and the steps between them."""
    steps, length = report.timeline.steps, report.timeline.step_cycles
    last = max(report.total.cycles - length * (len(steps) - 1), 1)
    edges = [length * number for number in range(len(steps))]
    return [*edges, edges[-1] + last], steps


@dataclass(frozen=True)
class _Part:
    """What lies between two borders."""

    name: str
    cycles: int
    macs: int
    multipliers: int
    stalls: dict

    @property
    def mac_utilization(self):
        return self.macs / (self.cycles * self.multipliers)


def _parts(report):
    """The layers in time. The stem works in turn with the first block, whose input it makes."""
    parts, ahead = [], None
    for result in report.layers:
        part = _Part(
            short_name(result), result.cycles, result.macs, result.multipliers, dict(result.stalls)
        )
        if ahead is not None:
            stalls = {
                cause: cycles + ahead.stalls.get(cause, 0) for cause, cycles in part.stalls.items()
            }
            part = _Part(
                f"{ahead.name}, {part.name}",
                ahead.cycles + part.cycles,
                ahead.macs + part.macs,
                part.multipliers,
                stalls,
            )
        ahead = part if result.kind == "stem" else None
        if ahead is None:
            parts.append(part)
    return parts


def _draw_waits(axes, report, parts, borders):
    """Share of each part's cycles that the array waited, by cause; an area is a time."""
    widths = [part.cycles for part in parts]
    shares = {
        cause: [part.stalls.get(cause, 0) / part.cycles for part in parts]
        for cause in report.stall_causes
    }
    small = [cause for cause, heights in shares.items() if max(heights) < SMALL_SHARE]
    drawn = [
        (words(cause), shares[cause], color)
        for cause, color in choose_colors(shares, STALL_COLORS).items()
        if cause not in small
    ]
    if small:
        drawn.append(
            (
                f"{', '.join(map(words, small))}",
                [sum(column) for column in zip(*map(shares.get, small), strict=True)],
                "#CCCCCC",
            )
        )
    bottom = [0.0] * len(parts)
    for label, heights, color in drawn:
        axes.bar(borders[:-1], heights, widths, bottom, align="edge", color=color, label=label)
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    axes.set_ylim(0, min(1.0, max(0.1, *bottom) * 1.12))
    axes.set_ylabel("array waits for …\n(mean of a layer)")


def _label_layers(axes, parts, borders):
    """Name and utilisation of each layer above the panel, where they have room."""
    for part, begin, end in zip(parts, borders, borders[1:], strict=False):
        lines = [part.name, f"{part.mac_utilization:.0%}"]
        if (end - begin) / borders[-1] < SHARE_PER_LETTER * max(map(len, lines)):
            continue
        axes.annotate(
            "\n".join(lines),
            ((begin + end) / 2, 1),
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
