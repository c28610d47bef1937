"""Pictures of a search: the front by pairs of objectives, what binds it, what changes do."""

import itertools
import textwrap
from typing import Literal

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    PercentFormatter,
)

from mnv2.sim.explore.design import Design
from mnv2.sim.explore.front import spread_choice
from mnv2.sim.explore.space import AXES, value_text
from mnv2.sim.report.colors import (
    DEPTHWISE_COLOR,
    INK,
    MUTED,
    POINTWISE_COLOR,
    STALL_COLORS,
    STYLE,
    choose_colors,
)
from mnv2.sim.report.label_placement import label_points
from mnv2.sim.report.names import words
from mnv2.sim.report.quantities import format_quantity

__all__ = ["draw_binding", "draw_front", "draw_sensitivity", "write_plots"]

FRONT_COLOR, MISSED_COLOR, OTHER_COLOR, CHOSEN_COLOR = "#0072B2", "#E3E3E3", "#A9A9A9", "#D55E00"
RESOURCE_COLORS = {
    "DSPs": "#0072B2",
    "LUTs": "#D55E00",
    "block RAM, 18 kbit": "#009E73",
    "block RAM, 4 kbit": "#009E73",
    "flip-flops": "#CC79A7",
    "UltraRAM": "#E69F00",
}
RESOURCE_MARKERS = {
    "DSPs": "o",
    "LUTs": "s",
    "block RAM, 18 kbit": "^",
    "block RAM, 4 kbit": "^",
    "flip-flops": "D",
    "UltraRAM": "v",
}
#: Designs at most in the picture of what binds them, and numbers next to points.
BARS, NUMBERED = 30, 8
#: Places of the legends of two panels.
LEGENDS: tuple[Literal["outside lower left", "outside lower right"], ...] = (
    "outside lower left",
    "outside lower right",
)
#: Values that differ by more than this factor have a logarithmic axis.
LOGARITHMIC = 10
#: A cause of waiting with at most this share of every design's cycles is drawn with the others.
SMALL_SHARE = 0.005


def write_plots(results, folder):
    """Write ``front.png``, ``binding.png`` and ``sensitivity.png``; none without a front."""
    if not results.front:
        return
    pictures = [("front", draw_front), ("binding", draw_binding)]
    if results.sensitivity.changes:
        pictures.append(("sensitivity", draw_sensitivity))
    for name, draw in pictures:
        draw(results).savefig(folder / f"{name}.png", dpi=120)


def _formatter(figure):
    return FuncFormatter(lambda value, _: format_quantity(value, figure.unit) if value > 0 else "0")


def _panels(count: int) -> tuple[int, int]:
    """Rows and columns of a number of panels."""
    columns = min(count, 3)
    return -(-count // columns), columns


@matplotlib.rc_context(STYLE)
def draw_front(results):
    """Every predicted design by each pair of objectives, the front coloured.

    Parameters
    ----------
    results : mnv2.sim.explore.search_results.SearchResults
        With a front.

    Returns
    -------
    matplotlib.figure.Figure
    """
    objectives = results.prepared.objectives
    pairs = list(itertools.combinations(objectives, 2)) or [(objectives[0], objectives[0])]
    rows, columns = _panels(len(pairs))
    figure = Figure(figsize=(1 + 4.9 * columns, 1.3 + 4.3 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(pairs) :]:
        axes.set_visible(False)
    for axes, (above, across) in zip(grid.flat, pairs, strict=False):
        _draw_pair(axes, results, across, above)
    figure.suptitle(
        f"{len(results.front)} Pareto-optimal designs, of {len(results.predicted):,} predicted",
        x=0.01,
        ha="left",
        fontweight="bold",
        fontsize=13,
    )
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=len(labels))
    # Last, where the panels are as large as they stay.
    chosen = spread_choice(results.front, results.prepared.objectives, NUMBERED)
    others = [design for design in results.front if design not in chosen]
    for axes, (above, across) in zip(grid.flat, pairs, strict=False):
        points = [(across.of(design), above.of(design)) for design in (*chosen, *others)]
        label_points(axes, [str(design.number) for design in chosen], points)
    return figure


def _draw_pair(axes, results, across, above):
    front = {design.key for design in results.front}
    missing: list[Design] = []
    others: list[Design] = []
    for design in results.predicted:
        if design.key not in front and None not in (across.of(design), above.of(design)):
            (others if design.feasible else missing).append(design)
    for group, color, size, label in (
        (missing, MISSED_COLOR, 9, "misses a limit"),
        (others, OTHER_COLOR, 9, "dominated by another"),
        (results.front, FRONT_COLOR, 34, "front"),
    ):
        if group:
            # Points of equal figures in part cover each other: their edges show how many there are.
            axes.scatter(
                *_places(group, across, above),
                s=size,
                color=color,
                label=label,
                edgecolors="white",
                linewidths=0.8 if size > 9 else 0,
            )
    middle = results.balanced
    axes.scatter(
        *_places([middle], across, above),
        s=110,
        marker="*",
        color=CHOSEN_COLOR,
        label=f"balanced: {middle.name}",
        zorder=3,
    )
    for limit in results.prepared.judge.limits:
        style = {"color": MUTED, "linestyle": "--", "linewidth": 1}
        if limit.name == across.name:
            axes.axvline(limit.bound, **style)
        if limit.name == above.name:
            axes.axhline(limit.bound, **style)
    axes.set_xlabel(_label(across))
    axes.set_ylabel(_label(above))
    for axis, figure in ((axes.xaxis, across), (axes.yaxis, above)):
        _scale(axis, [figure.of(design) for design in (*results.front, *others)], figure)
    axes.grid(True)


def _scale(axis, values, figure):
    """A logarithmic axis where values differ much, written out with units either way."""
    if min(values) > 0 and max(values) > LOGARITHMIC * min(values):
        axis.axes.set(**{f"{axis.axis_name}scale": "log"})
        axis.set_minor_formatter(NullFormatter())
        axis.set_major_locator(LogLocator(subs=(1, 3)))
    else:
        axis.set_major_locator(MaxNLocator(5))
    axis.set_major_formatter(_formatter(figure))


def _places(designs, across, above):
    return ([across.of(design) for design in designs], [above.of(design) for design in designs])


def _label(figure):
    """The figure's words, in lines as long as an axis of a small plot."""
    return textwrap.fill(f"{figure.words} ({_better(figure)})", 44)


def _better(figure):
    return "more is better" if figure.best == "most" else "less is better"


@matplotlib.rc_context(STYLE)
def draw_binding(results):
    """Bounds of each design of the front: its cycles by work and cause of waiting, and its device.

    Of a long front, designs that are far from each other.
    """
    designs = sorted(
        spread_choice(results.front, results.prepared.objectives, BARS),
        key=lambda design: -(design.number or 0),
    )
    device = any(design.uses for design in designs)
    figure = Figure(figsize=(13 if device else 8.5, 2.3 + 0.3 * len(designs)), layout="constrained")
    panels = figure.subplots(1, 2 if device else 1, sharey=True, squeeze=False)[0]
    _draw_cycles(panels[0], designs)
    if device:
        _draw_uses(panels[1], designs, results.prepared.judge.device)
    panels[0].set_yticks(
        range(len(designs)),
        [
            f"{design.number}: {design.lanes}, {design.frames_per_second:,.0f}/s"
            for design in designs
        ],
    )
    panels[0].set_ylim(-0.6, len(designs) - 0.4)
    for axes in panels:
        axes.grid(True, axis="x")
    for axes, place in zip(panels, LEGENDS, strict=False):
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc=place, ncols=4, fontsize=8)
    figure.suptitle(
        "What binds the designs of the front", x=0.01, ha="left", fontweight="bold", fontsize=13
    )
    return figure


def _draw_cycles(axes, designs):
    """Shares of the frame's cycles, stacked."""
    totals = [design.total for design in designs]
    parts = {
        "works: pointwise": [total.pointwise_cycles for total in totals],
        "works: depthwise": [total.depthwise_cycles for total in totals],
    }
    colors = {"works: pointwise": POINTWISE_COLOR, "works: depthwise": DEPTHWISE_COLOR}
    small = [0] * len(totals)
    for cause, color in choose_colors(totals[0].stalls, STALL_COLORS).items():
        cycles = [total.stalls[cause] for total in totals]
        if (
            max(count / total.cycles for count, total in zip(cycles, totals, strict=True))
            < SMALL_SHARE
        ):
            small = [one + other for one, other in zip(small, cycles, strict=True)]
            continue
        parts[f"waits: {words(cause)}"], colors[f"waits: {words(cause)}"] = cycles, color
    if any(small):
        parts["waits: others"], colors["waits: others"] = small, "#CCCCCC"
    left = [0.0] * len(totals)
    for label, cycles in parts.items():
        shares = [count / total.cycles for count, total in zip(cycles, totals, strict=True)]
        axes.barh(range(len(totals)), shares, 0.72, left, color=colors[label], label=label)
        left = [begin + share for begin, share in zip(left, shares, strict=True)]
    axes.scatter(
        [total.mac_utilization for total in totals],
        range(len(totals)),
        marker="|",
        s=90,
        color=INK,
        label="MAC utilisation",
        zorder=3,
    )
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_title("cycles of a frame, predicted", fontsize=10)


def _draw_uses(axes, designs, device):
    """Shares of the device's resources."""
    names = {use.resource: None for design in designs for use in design.uses}
    for name in names:
        shares = [
            next((use.share for use in design.uses if use.resource == name), 0)
            for design in designs
        ]
        axes.scatter(
            shares,
            range(len(designs)),
            s=30,
            label=name,
            color=RESOURCE_COLORS.get(name, MUTED),
            marker=RESOURCE_MARKERS.get(name, "x"),
        )
    axes.axvline(1, color=INK, linewidth=1)
    axes.set_xlim(0, 1.05)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_title(f"of {device.name}'s resources, estimated", fontsize=10)


@matplotlib.rc_context(STYLE)
def draw_sensitivity(results):
    """Effects of the next smaller and the next larger value of each axis of the balanced design.

    A panel for each objective; hollow where the changed design misses a limit.
    """
    objectives = results.prepared.objectives
    middle, changes = results.sensitivity.base, results.sensitivity.changes
    axes_names = [name for name in middle.point if any(change.axis == name for change in changes)]
    places = {name: len(axes_names) - 1 - number for number, name in enumerate(axes_names)}
    figure = Figure(
        figsize=(2.6 + 3.6 * len(objectives), 1.8 + 0.42 * len(places)), layout="constrained"
    )
    panels = figure.subplots(1, len(objectives), sharey=True, squeeze=False)[0]
    for axes, objective in zip(panels, objectives, strict=True):
        _draw_changes(axes, changes, middle, objective, places)
    panels[0].set_yticks(
        [places[name] for name in axes_names],
        [f"{name} = {value_text(middle.point[name])}" for name in axes_names],
    )
    panels[0].set_ylim(-0.6, len(places) - 0.4)
    figure.suptitle(
        f"What one change of {results.balanced.name} does (each re-predicted; hollow: "
        "misses a limit)",
        x=0.01,
        ha="left",
        fontweight="bold",
        fontsize=13,
    )
    return figure


def _draw_changes(axes, changes, middle, objective, places):
    base = objective.of(middle)
    axes.axvline(0, color=INK, linewidth=1)
    for change in changes:
        value = objective.of(change.design)
        if value is None or not base:
            continue
        share, place = value / base - 1, places[change.axis]
        order = AXES[change.axis].place
        more = order(change.value) > order(middle.point[change.axis])
        color = FRONT_COLOR if more else CHOSEN_COLOR
        place += 0.16 if more else -0.16
        axes.plot([0, share], [place, place], color=color, linewidth=1.6)
        axes.plot(
            share,
            place,
            "o",
            color=color,
            markersize=5,
            markerfacecolor=color if change.design.feasible else "white",
        )
        right = share >= 0
        axes.annotate(
            value_text(change.value),
            (share, place),
            xytext=(5 if right else -5, 0),
            textcoords="offset points",
            ha="left" if right else "right",
            va="center",
            fontsize=7,
            color=MUTED,
        )
    axes.margins(x=0.18)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_title(f"{objective.name}, {format_quantity(base, objective.unit)}", fontsize=10)
    axes.set_xlabel(_better(objective))
    axes.grid(True, axis="both")
