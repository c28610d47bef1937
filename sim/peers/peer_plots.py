"""Bars of the cycles that each tool predicts, next to those measured in RTL."""

import matplotlib
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from mnv2.sim.report.colors import DEPTHWISE_COLOR, INK, POINTWISE_COLOR, STYLE

__all__ = ["draw_peers"]

MEASURED_COLOR, MEASURED_DEPTHWISE = "#D55E00", "#F0A56B"
#: Bars longer than this multiple of the measured one are cut, and marked.
LONGEST = 7.0


@matplotlib.rc_context(STYLE)
def draw_peers(measured, rows, multipliers):
    """One bar for the run in RTL, and one for each prediction that there is.

    Parameters
    ----------
    measured : Measured
    rows : sequence of PeerRow
    multipliers : int
        Of the accelerator.

    Returns
    -------
    matplotlib.figure.Figure
    """
    answered = [row for row in rows if row.cycles is not None]
    bars = [
        (
            "measured in RTL",
            measured.cycles,
            measured.depthwise_cycles,
            MEASURED_COLOR,
            MEASURED_DEPTHWISE,
        )
    ]
    bars += [
        (row.title, row.cycles, row.depthwise_cycles, POINTWISE_COLOR, DEPTHWISE_COLOR)
        for row in answered
    ]
    longest = max(cycles for _, cycles, *_ in bars)
    end = min(longest, LONGEST * measured.cycles)
    figure = Figure(figsize=(11, 1.7 + 0.42 * len(bars)), layout="constrained")
    axes = figure.add_subplot()
    for place, (_, cycles, depthwise, color, light) in enumerate(bars):
        others = min(cycles - depthwise, end)
        axes.barh(place, others, color=color)
        axes.barh(place, min(cycles, end) - others, left=others, color=light)
        cut = cycles > end
        axes.annotate(
            f"{cycles:,}  {cycles / measured.cycles:.2f} x" + (", cut" if cut else ""),
            (min(cycles, end), place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=INK,
        )
        if cut:
            axes.annotate(
                "//",
                (0.96 * end, place),
                ha="center",
                va="center",
                color="white",
                fontsize=17,
                fontweight="bold",
            )
    axes.axvline(measured.cycles, color=MEASURED_COLOR, linewidth=1, linestyle="--", zorder=3)
    axes.set_yticks(range(len(bars)), [name for name, *_ in bars])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlim(0, end * 1.2)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1e6:g} M"))
    axes.set_xlabel("clock cycles of a frame")
    axes.grid(True, axis="x")
    axes.legend(
        handles=[
            Patch(color=MEASURED_COLOR, label="measured in RTL"),
            Patch(color=POINTWISE_COLOR, label="predicted"),
            Patch(color=DEPTHWISE_COLOR, label="light: of them in depthwise layers"),
            Line2D([], [], linestyle="", label="x: times the measured"),
        ],
        loc="upper center",
        bbox_to_anchor=(0.5, -0.12),
        bbox_transform=axes.transAxes,
        ncols=4,
        fontsize=9,
    )
    figure.suptitle(
        f"MobileNetV2 1.0/224 at {multipliers:,} products a cycle: one network, many "
        "answers (Vela: products by name)",
        x=0.01,
        ha="left",
        fontsize=13,
        fontweight="bold",
    )
    return figure
