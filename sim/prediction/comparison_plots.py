"""Predicted and measured side by side, as a picture."""

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from mnv2.sim.report.colors import DEPTHWISE_COLOR, INK, POINTWISE_COLOR, STALL_COLORS, STYLE
from mnv2.sim.report.names import short_name

__all__ = ["draw_comparison"]


@matplotlib.rc_context(STYLE)
def draw_comparison(comparison, title="The model against the RTL"):
    """Cycles of each row, predicted, measured and by SCALE-Sim's formula; below, the differences.

    Parameters
    ----------
    comparison : mnv2.sim.prediction.layers.LayerComparison
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(12, 7.2), layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=(3, 1.3), sharex=True)
    predicted = [row.cycles for row in comparison.predicted]
    measured = [row.cycles for row in comparison.measured]
    places = range(len(predicted))
    for shift, values, color, label in (
        (-0.2, predicted, DEPTHWISE_COLOR, "predicted by the model"),
        (+0.2, measured, POINTWISE_COLOR, "measured in RTL"),
    ):
        upper.bar([place + shift for place in places], values, width=0.38, color=color, label=label)
    height, width = comparison.array
    upper.plot(
        places,
        comparison.scale_sim,
        "_",
        color=INK,
        markersize=24,
        markeredgewidth=2,
        label=f"SCALE-Sim's formula, {height} x {width} (computed)",
    )
    total = sum(measured)
    difference = sum(predicted) - total
    upper.set_title(
        f"{title}: {total:,} cycles measured, "
        + (f"{difference:+,} predicted" if difference else "as many predicted"),
        pad=28,
    )
    upper.set_ylabel("clock cycles")
    upper.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    byte_differences = [
        one.dram_bytes - other.dram_bytes
        for one, other in zip(comparison.predicted, comparison.measured, strict=True)
    ]
    lower.axhline(0, color=INK, linewidth=1)
    lower.plot(
        places,
        [one - other for one, other in zip(predicted, measured, strict=True)],
        "o",
        color=STALL_COLORS["weights"],
        label="cycles",
    )
    lower.plot(
        places,
        byte_differences,
        "x",
        color=STALL_COLORS["activations"],
        markersize=9,
        label="bytes of DRAM",
    )
    if not any(byte_differences) and predicted == measured:
        lower.set_ylim(-1, 1)
    lower.set_ylabel("predicted less measured")
    lower.legend(loc="upper right", ncols=2)
    lower.set_xticks(places, [short_name(row) for row in comparison.measured])
    for axes in (upper, lower):
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.grid(True, axis="y")
    lower.yaxis.set_major_locator(MaxNLocator(integer=True))
    return figure
