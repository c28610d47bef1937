"""Pictures of a run: cycles, bytes and the roofline of each bottleneck."""

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

__all__ = ["draw_bytes", "draw_cycles", "draw_roofline", "write_plots"]

#: Colour-blind safe, one for each kind that occurs (Okabe and Ito, 2008), the working colour first.
WORK_COLOR = "#0072B2"
COLORS = ("#E69F00", "#D55E00", "#CC79A7", "#009E73", "#F0E442", "#56B4E9", "#882255", "#999999")
INK = "#222222"

STYLE = {
    "font.size": 10,
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "legend.frameon": False,
}


def write_plots(report, folder):
    """Write ``cycles.png``, ``bytes.png`` and ``roofline.png`` into a folder."""
    for name, draw in (("cycles", draw_cycles), ("bytes", draw_bytes), ("roofline", draw_roofline)):
        draw(report).savefig(folder / f"{name}.png", dpi=120)


@matplotlib.rc_context(STYLE)
def draw_cycles(report):
    """Cycles of each bottleneck, split into busy and each cause of waiting, against ideal.

    Parameters
    ----------
    report : RunReport

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    axes = figure.add_subplot()
    parts = [("busy", [result.busy_cycles for result in report.bottlenecks], WORK_COLOR)]
    for cause, color in zip(report.stall_causes, _cycle(COLORS), strict=False):
        cycles = [result.stalls.get(cause, 0) for result in report.bottlenecks]
        parts.append((f"waits: {cause.replace('_', ' ')}", cycles, color))
    _stack(axes, parts)
    ideal = [result.ideal_cycles for result in report.bottlenecks]
    _mark(axes, ideal, "ideal (computed: tiles only, nothing waits)")
    for position, result in enumerate(report.bottlenecks):
        axes.annotate(
            f"{result.mac_utilization:.0%}",
            (position, max(result.cycles, ideal[position])),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            color=INK,
        )
    total = report.total
    axes.set_title(
        f"Cycles of each bottleneck: {total.cycles:,} together, "
        f"{total.mac_utilization:.1%} MAC utilisation of {total.multipliers} multipliers"
    )
    axes.set_ylabel("clock cycles, measured in RTL")
    _finish(axes, report, "the number above a bar is its MAC utilisation")
    microseconds = axes.secondary_yaxis(
        "right",
        functions=(lambda y: y / report.clock_hz * 1e6, lambda y: y * report.clock_hz / 1e6),
    )
    microseconds.set_ylabel(f"µs at {report.clock_hz / 1e6:g} MHz")
    return figure


@matplotlib.rc_context(STYLE)
def draw_bytes(report):
    """External memory bytes of each bottleneck by kind, against two computed figures.

    Parameters
    ----------
    report : RunReport

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(11, 7.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=(3, 2))
    parts = []
    for kind, color in zip(report.read_kinds, (WORK_COLOR, *COLORS[:6]), strict=False):
        values = [result.dram_read_bytes_by_kind.get(kind, 0) for result in report.bottlenecks]
        parts.append((f"read: {kind}", values, color))
    parts.append(
        ("written: activations", [r.dram_write_bytes for r in report.bottlenecks], "#999999")
    )
    _stack(upper, parts)
    _mark(upper, [limit.fused_bytes for limit in report.limits], "block fused (computed)")
    upper.set_title(
        f"External memory: {report.total.dram_bytes / 1e6:.2f} MB for the bottlenecks shown"
    )
    upper.set_ylabel("bytes, measured in RTL")
    _finish(upper, report, None)

    positions = range(len(report.bottlenecks))
    lower.plot(
        positions,
        [limit.layer_by_layer_bytes for limit in report.limits],
        "^",
        color=COLORS[1],
        label="layer by layer (computed)",
    )
    lower.plot(
        positions,
        [result.dram_bytes for result in report.bottlenecks],
        "o",
        color=WORK_COLOR,
        label="measured in RTL",
    )
    lower.plot(
        positions,
        [limit.fused_bytes for limit in report.limits],
        "_",
        markersize=16,
        markeredgewidth=2,
        color=INK,
        label="block fused (computed)",
    )
    lower.set_yscale("log")
    lower.set_ylabel("bytes, logarithmic")
    _finish(lower, report, "computed: activations and weights only, one byte each")
    return figure


@matplotlib.rc_context(STYLE)
def draw_roofline(report):
    """MACs a cycle over MACs a byte, under what the multipliers and the memory port allow.

    Parameters
    ----------
    report : RunReport

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.add_subplot()
    peak, bandwidth = report.total.multipliers, report.memory_bytes_per_cycle
    points = [(result.macs_per_byte, result.macs_per_cycle) for result in report.bottlenecks]
    ridge = peak / bandwidth
    left = min(min(x for x, _ in points), ridge) / 2
    right = max(max(x for x, _ in points), ridge) * 2
    slope = [left * (ridge / left) ** (step / 50) for step in range(51)]
    axes.plot([*slope, right], [*(x * bandwidth for x in slope), peak], color=INK, linewidth=2)
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_ylim(0, peak * 1.12)
    axes.annotate(
        f"{peak} multipliers", (right, peak), xytext=(-4, 5), textcoords="offset points", ha="right"
    )
    axes.axvline(ridge, color="#999999", linestyle=":", linewidth=1)
    axes.annotate(
        f"left of here the memory port binds:\n{bandwidth} bytes a cycle each way",
        (ridge, 0),
        xytext=(5, 8),
        textcoords="offset points",
        color="#555555",
    )
    residual = [result.residual for result in report.bottlenecks]
    for flag, marker, label in (
        (False, "o", "bottleneck"),
        (True, "s", "bottleneck with residual"),
    ):
        chosen = [
            point
            for point, is_residual in zip(points, residual, strict=True)
            if is_residual == flag
        ]
        if chosen:
            axes.plot(
                *zip(*chosen, strict=True),
                marker,
                color=WORK_COLOR if flag else COLORS[1],
                label=label,
            )
    for names, point in _group_close(report, points):
        axes.annotate(
            names, point, xytext=(7, 0), textcoords="offset points", va="center", fontsize=8
        )
    axes.set_title("Roofline of the bottlenecks, measured in RTL")
    axes.set_xlabel("MACs for each byte of external memory")
    axes.set_ylabel("MACs a cycle")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(True, which="major")
    axes.legend(loc="lower right")
    return figure


def _group_close(report, points):
    """Labels of the points, from left to right, one for those that lie on each other.

    Returns
    -------
    list of tuple of (str, tuple of float)
        Text and point.
    """
    groups = []
    pairs = zip(report.bottlenecks, points, strict=True)
    for result, point in sorted(pairs, key=lambda pair: pair[1]):
        for names, first in groups:
            near = abs(first[1] - point[1]) < report.total.multipliers / 50
            if near and point[0] / first[0] < 1.08:
                names.append(_short(result.name))
                break
        else:
            groups.append(([_short(result.name)], point))
    return [(", ".join(names), point) for names, point in groups]


def _stack(axes, parts):
    """Bars of parts on each other; a part is (label, values, colour)."""
    positions = range(len(parts[0][1]))
    bottom = [0] * len(parts[0][1])
    for label, values, color in parts:
        if any(values):
            axes.bar(positions, values, bottom=bottom, width=0.72, label=label, color=color)
        bottom = [low + value for low, value in zip(bottom, values, strict=True)]


def _mark(axes, values, label):
    """A short line across each bar."""
    axes.plot(
        range(len(values)), values, "_", color=INK, markersize=26, markeredgewidth=2, label=label
    )


def _finish(axes, report, note):
    """Ticks, grid and legend that the bar charts share."""
    names = [
        f"{_short(result.name)}\ns{result.stride}{' +' if result.residual else ''}"
        for result in report.bottlenecks
    ]
    axes.set_xticks(range(len(names)), names)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(True, axis="y")
    axes.set_xlim(-0.7, len(names) - 0.3)
    explanation = "s: stride, +: residual"
    axes.set_xlabel(
        f"bottleneck ({explanation}; {note})" if note else f"bottleneck ({explanation})"
    )
    axes.legend()


def _short(name):
    """``block3`` as ``B3``."""
    return name.replace("block", "B")


def _cycle(colors):
    """Colours without end."""
    while True:
        yield from colors
