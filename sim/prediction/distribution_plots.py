"""Distributions over seeds, predicted and measured, side by side as a picture."""

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from mnv2.sim.report.colors import DEPTHWISE_COLOR, INK, MUTED, POINTWISE_COLOR, STYLE
from mnv2.sim.report.names import short_name

__all__ = ["draw_seeds"]


@matplotlib.rc_context(STYLE)
def draw_seeds(comparison):
    """Draw the cost of pauses and the spread over seeds of each row, and the frame's distribution.

    Parameters
    ----------
    comparison : mnv2.sim.prediction.seeds.SeedComparison

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(13, 8.2), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(3.4, 1), height_ratios=(1.3, 1))
    cost = figure.add_subplot(grid[0, 0])
    spread = figure.add_subplot(grid[1, 0], sharex=cost)
    frame = figure.add_subplot(grid[:, 1])

    names = [short_name(row) for row in comparison.steady]
    places = range(len(names))
    steady = [row.cycles for row in comparison.steady]
    predicted = list(zip(*([row.cycles for row in rows] for rows in comparison.draws), strict=True))
    measured = list(
        zip(*([row.cycles for row in one.measured] for one in comparison.comparisons), strict=True)
    )
    draws, runs = len(comparison.draws), len(comparison.seeds)
    labels = f"predicted, {draws} seeds", f"measured in RTL, {runs} other seeds"
    for shift, values, color, label in (
        (-0.2, predicted, DEPTHWISE_COLOR, labels[0]),
        (+0.2, measured, POINTWISE_COLOR, labels[1]),
    ):
        means = [sum(row) / len(row) - alone for row, alone in zip(values, steady, strict=True)]
        errors = [
            [mean - (min(row) - alone), max(row) - alone - mean]
            for mean, row, alone in zip(means, values, steady, strict=True)
        ]
        cost.bar(
            [place + shift for place in places],
            means,
            width=0.38,
            color=color,
            label=label,
            yerr=list(zip(*errors, strict=True)),
            ecolor=INK,
            capsize=2,
            error_kw={"linewidth": 0.8},
        )
    cost.axhline(0, color=INK, linewidth=1)
    cost.set_ylabel("cycles more than without pauses\n(mean; least to most)")
    cost.set_title(
        f"A memory that pauses at random: {runs} seeds measured, "
        + ("all equal to the model's" if comparison.equal else "not all equal to the model's"),
        pad=28,
    )
    cost.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)

    for shift, values, color, marker in (
        (-0.15, predicted, DEPTHWISE_COLOR, "_"),
        (+0.15, measured, POINTWISE_COLOR, "o"),
    ):
        for place, row, reference in zip(places, values, predicted, strict=True):
            mean = sum(reference) / len(reference)
            spread.plot(
                [place + shift] * len(row),
                [value / mean - 1 for value in row],
                marker,
                color=color,
                markersize=8 if marker == "_" else 4,
                alpha=0.8,
            )
    spread.axhline(0, color=INK, linewidth=1)
    spread.set_ylabel("of the mean predicted")
    spread.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    spread.set_xticks(places, names)
    cost.tick_params(labelbottom=False)

    sums = [sum(row) for row in zip(*predicted, strict=True)]
    runs_sums = [sum(row) for row in zip(*measured, strict=True)]
    low, high = min(sums + runs_sums), max(sums + runs_sums)
    bins = min(16, max(4, draws // 3))
    frame.hist(
        sums,
        bins=bins,
        range=(low, max(high, low + 1)),
        orientation="horizontal",
        color=DEPTHWISE_COLOR,
        density=True,
    )
    frame.plot([0] * len(runs_sums), runs_sums, "o", color=POINTWISE_COLOR, clip_on=False)
    for totals, style, color, label in (
        (sums, "-", INK, "mean predicted"),
        (runs_sums, "--", POINTWISE_COLOR, "mean measured"),
    ):
        frame.axhline(
            sum(totals) / len(totals), linestyle=style, color=color, linewidth=1.2, label=label
        )
    frame.legend(loc="upper right")
    frame.margins(y=0.12)
    frame.set_xticks([])
    frame.set_xlabel(f"{sum(steady):,} cycles without pauses", color=MUTED)
    frame.set_title("The frame, cycles", fontsize=11)
    for axes in (cost, frame):
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    for axes in (cost, spread):
        axes.grid(True, axis="y")
    return figure
