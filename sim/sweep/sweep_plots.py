"""Pictures of a sweep: accuracy by bits, noise by layer, accuracy by what a format costs."""

from types import SimpleNamespace

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from mnv2.sim.report.colors import INK, MUTED, STYLE
from mnv2.sim.report.names import short_name
from mnv2.sim.sweep.comparison import paired_difference
from mnv2.sim.sweep.grid import varied_axes, way_words
from mnv2.sim.sweep.sweep_series import (
    COSTS,
    HEAT_DB,
    WIDTH_COLORS,
    best_at_cost,
    found_points,
    heat_points,
    intervals,
    panels,
    point_costs,
    way,
)
from mnv2.sim.sweep.uncertainty import wilson_interval

__all__ = ["draw_accuracy", "draw_costs", "draw_layers", "write_plots"]

WIDTH_MARKERS = {4: "v", 5: "D", 6: "^", 7: "s", 8: "o", 16: "P"}
#: Agreement from which a format at the frontier is worth a label.
LABELLED_SHARE = 0.2
#: Inches of a picture whose title is whole, and of an entry of its legend.
LEAST_WIDTH, LEGEND_WIDTH = 7.5, 1.9


def write_plots(results, folder):
    """Write ``accuracy.png``, ``layers.png`` and ``costs.png``; none without any figures."""
    if not found_points(results):
        return
    for name, draw in (("accuracy", draw_accuracy), ("layers", draw_layers), ("costs", draw_costs)):
        draw(results).savefig(folder / f"{name}.png", dpi=120)


@matplotlib.rc_context(STYLE)
def draw_accuracy(results):
    """Accuracy where there are labels, and agreement with float, over weight bits.

    A panel for each way of quantising, a line for each activation width; bars are Wilson's
    intervals of one standard error.

    Parameters
    ----------
    results : mnv2.sim.sweep.sweep_records.SweepResults

    Returns
    -------
    matplotlib.figure.Figure
    """
    shown = panels(found_points(results))
    varied = varied_axes([points[0] for points in shown.values()])
    rows = [("agree_top1", "first class is float's")]
    if results.reference:
        rows.insert(0, ("label_top1", "first class is the label's"))
    width = max(1.2 + 2.9 * len(shown), LEAST_WIDTH)
    figure = Figure(figsize=(width, 1.9 + 2.9 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), len(shown), sharex=True, sharey=True, squeeze=False)
    widths = sorted({point.activation_bits for points in shown.values() for point in points})
    for place, (axes_row, (measure, words)) in enumerate(zip(grid, rows, strict=True)):
        for axes, points in zip(axes_row, shown.values(), strict=True):
            _draw_lines(axes, results, points, measure, widths)
            if measure == "label_top1":
                _draw_reference(axes, results)
            if place == 0:
                words_above = way_words(points[0], varied) or ["all at once"]
                axes.set_title("\n".join(words_above), fontsize=10)
            if place == len(rows) - 1:
                axes.set_xlabel("bits of a weight")
        axes_row[0].set_ylabel(words)
    grid[0, 0].set_ylim(0, 1.02)
    grid[0, 0].yaxis.set_major_formatter(PercentFormatter(1))
    count = len(results.prepared.pictures)
    figure.suptitle(
        f"What bits cost: {count:,} pictures, bars of one standard error",
        x=0.01,
        ha="left",
        fontweight="bold",
        fontsize=13,
    )
    handles, labels = grid[0, 0].get_legend_handles_labels()
    for axes in grid.flat:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            if label not in labels:
                handles.append(handle)
                labels.append(label)
    columns = min(len(labels), int(width / LEGEND_WIDTH))
    figure.legend(handles, labels, loc="outside lower left", ncols=columns)
    return figure


def _draw_lines(axes, results, points, measure, widths):
    """A line with error bars for each activation width."""
    for place, width in enumerate(widths):
        line = [point for point in points if point.activation_bits == width]
        if not line:
            continue
        values = [results.figures[point][measure] for point in line]
        # Next to each other, so that bars do not hide each other.
        offset = 0.07 * (place - (len(widths) - 1) / 2)
        errors = np.transpose(intervals(results, line, measure))
        axes.errorbar(
            [point.weight_bits + offset for point in line],
            values,
            errors,
            color=WIDTH_COLORS[width],
            marker=WIDTH_MARKERS[width],
            markersize=5,
            linewidth=1.5,
            elinewidth=0.8,
            label=f"{width}-bit activations",
        )
    bits = sorted({point.weight_bits for point in points})
    axes.set_xticks(range(bits[0], bits[-1] + 1))
    axes.grid(True, axis="y")


def _draw_reference(axes, results):
    """The float network's accuracy and its interval."""
    share = results.reference["label_top1"]
    low, high = wilson_interval(share, len(results.prepared.pictures))
    axes.axhspan(low, high, color="#DDDDDD", zorder=0)
    axes.axhline(share, color=MUTED, linestyle="--", linewidth=1, label="float network")


@matplotlib.rc_context(STYLE)
def draw_layers(results):
    """SQNR of the stem, each block's output, head, pool and logits, by format: where it breaks.

    Of each way of quantising, the formats with the widest activations and the widest weights.
    """
    points = heat_points(found_points(results))
    layers = list(results.figures[points[0]]["layers"])
    values = np.array(
        [
            [results.figures[point]["layers"][layer]["sqnr_db"] for layer in layers]
            for point in points
        ],
        float,
    )
    figure = Figure(figsize=(4 + 0.5 * len(layers), 2.2 + 0.26 * len(points)), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(values, aspect="auto", cmap="viridis", vmin=HEAT_DB[0], vmax=HEAT_DB[1])
    for row, column in np.ndindex(values.shape):
        value = values[row, column]
        middle = sum(HEAT_DB) / 2
        axes.text(
            column,
            row,
            f"{value:z.0f}",
            ha="center",
            va="center",
            fontsize=7,
            color="white" if value < middle else INK,
        )
    for row in range(1, len(points)):
        if way(points[row]) != way(points[row - 1]):
            axes.axhline(row - 0.5, color="white", linewidth=3)
    names = [short_name(SimpleNamespace(name=layer.split(".")[0])) for layer in layers]
    axes.set_xticks(range(len(layers)), names)
    axes.set_yticks(range(len(points)), [point.name for point in points])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("Where it breaks: signal to quantisation noise after each block, dB")
    axes.set_xlabel("B: output of a bottleneck; all against the float network, mean over pictures")
    figure.colorbar(image, ax=axes, label="SQNR, dB", shrink=0.6)
    return figure


@matplotlib.rc_context(STYLE)
def draw_costs(results):
    """Agreement over weight memory, DRAM bytes of a frame, and bits of a multiplier.

    The line joins the formats that agree more than all that cost less; its bars are Wilson's
    intervals of one standard error.
    """
    points = found_points(results)
    costs = point_costs(results, points)
    figure = Figure(figsize=(14, 5.6), layout="constrained")
    row = figure.subplots(1, 3, sharey=True)
    for axes, cost in zip(row, COSTS, strict=True):
        at = {point: getattr(costs[point], cost.name) / cost.unit for point in points}
        for width in sorted({point.activation_bits for point in points}):
            group = [point for point in points if point.activation_bits == width]
            axes.plot(
                [at[point] for point in group],
                [results.figures[point]["agree_top1"] for point in group],
                WIDTH_MARKERS[width],
                color=WIDTH_COLORS[width],
                markersize=5,
                alpha=0.6,
                label=f"{width}-bit activations",
            )
        _draw_frontier(axes, results, at)
        axes.set_xlabel(cost.words)
        axes.set_xlim(left=0)
        axes.grid(True)
    row[0].set_ylim(0, 1.04)
    row[0].yaxis.set_major_formatter(PercentFormatter(1))
    row[0].set_ylabel("first class is float's")
    figure.suptitle(
        f"What accuracy costs: {len(points):,} formats, "
        f"{len(results.prepared.pictures):,} pictures",
        x=0.01,
        ha="left",
        fontweight="bold",
        fontsize=13,
    )
    handles, labels = row[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=len(labels))
    return figure


def _draw_frontier(axes, results, at):
    """Formats that no cheaper one equals."""
    frontier = best_at_cost(results, at)
    values = [results.figures[point]["agree_top1"] for point in frontier]
    axes.errorbar(
        [at[point] for point in frontier],
        values,
        np.transpose(intervals(results, frontier, "agree_top1")),
        color=INK,
        linewidth=1.2,
        drawstyle="steps-post",
        elinewidth=0.8,
        label="best at the cost",
    )
    named = None
    for point, value in zip(frontier, values, strict=True):
        if value < LABELLED_SHARE:
            continue
        # A format is named only if it is better than the one before by more than an error.
        if named is not None:
            better, error = paired_difference(
                results.figures[point], results.figures[named], "agree_top1"
            )
            if better <= error:
                continue
        named = point
        axes.annotate(
            f"W{point.weight_bits}A{point.activation_bits}",
            (at[point], value),
            xytext=(4, -10),
            textcoords="offset points",
            fontsize=8,
            color=INK,
        )
