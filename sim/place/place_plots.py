"""A picture of a placed accelerator: its floor plan by unit, and how its delays are spread."""

import matplotlib
from matplotlib.figure import Figure

from mnv2.sim.place.paths import STEP_NANOSECONDS
from mnv2.sim.place.placement import PlaceReport
from mnv2.sim.report.colors import DEPTHWISE_COLOR, INK, POINTWISE_COLOR, STYLE, WRITTEN_COLOR

__all__ = ["draw_place"]

#: Colours of the largest units, colour-blind safe; the others share one.
_COLORS = (
    POINTWISE_COLOR,
    "#D55E00",
    "#009E73",
    "#F2C230",
    "#CC79A7",
    DEPTHWISE_COLOR,
    "#999933",
    "#332288",
    WRITTEN_COLOR,
    "#44AA99",
)
_OTHERS = "#BBBBBB"


@matplotlib.rc_context(STYLE)
def draw_place(report: PlaceReport) -> Figure:
    """Tiles of the device by unit; endpoints by the delay of their longest path.

    Parameters
    ----------
    report : PlaceReport

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(13, 6.2), layout="constrained")
    plan, spread = figure.subplots(1, 2, width_ratios=(1.25, 1))
    _draw_plan(plan, report)
    _draw_delays(spread, report)
    return figure


def _draw_plan(axes, report):
    tiles = report.result["tiles"]
    ranked = sorted(tiles, key=lambda name: (-len(tiles[name]), name))
    shown = ranked[: len(_COLORS)]
    others = [tile for name in ranked[len(_COLORS) :] for tile in tiles[name]]
    layers = [
        *((name, color, tiles[name]) for name, color in zip(shown, _COLORS, strict=False)),
        *([("others", _OTHERS, others)] if others else []),
    ]
    for name, color, places in layers:
        x, y = zip(*places, strict=True)
        axes.scatter(x, y, s=9, marker="s", color=color, label=name, linewidths=0)
    axes.set_aspect("equal")
    axes.set_xlim(-1, report.target.columns)
    # nextpnr counts rows from the top.
    axes.set_ylim(report.target.rows, -1)
    axes.set_xlabel("column of the device")
    axes.set_ylabel("row")
    axes.set_title(f"{report.target.device.name}, each tile in the colour of its largest unit")
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=4, fontsize=8, markerscale=2.5
    )


def _draw_delays(axes, report):
    doubt = report.target.flow.caveat
    delays = {float(begin): count for begin, count in report.result["delays"].items()}
    axes.bar(
        list(delays),
        list(delays.values()),
        width=STEP_NANOSECONDS,
        align="edge",
        color=POINTWISE_COLOR,
    )
    period = 1e3 / report.result["megahertz"]
    axes.axvline(period, color=WRITTEN_COLOR, linestyle="--", linewidth=1.5)
    axes.annotate(
        f"{period:.2f} ns\n{report.result['megahertz']:.1f} MHz"
        + ("\noptimistic" if doubt else ""),
        (period, 0.97),
        xycoords=("data", "axes fraction"),
        xytext=(-4, 0),
        textcoords="offset points",
        ha="right",
        va="top",
        color=INK,
    )
    axes.set_yscale("log")
    axes.set_xlim(0, 1.05 * max(*delays, period))
    axes.set_xlabel("ns from clock to clock; distance to the dashed line is the slack")
    axes.set_ylabel(f"registers' inputs per {STEP_NANOSECONDS:g} ns")
    axes.grid(True, axis="y")
    axes.set_title(
        f"Delays after routing, speed {report.speed}, seed {report.best}"
        + (f"\n{report.timing}" if doubt else ""),
        wrap=True,
    )
