"""The formats of a sweep that its pictures show: matplotlib and the page draw the same."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from mnv2.sim.sweep.comparison import measured_pictures
from mnv2.sim.sweep.costs import FormatCost, format_cost
from mnv2.sim.sweep.format_options import quantization_options
from mnv2.sim.sweep.grid import AXES, Point, position
from mnv2.sim.sweep.sweep_records import SweepResults
from mnv2.sim.sweep.uncertainty import wilson_interval

__all__ = [
    "COSTS",
    "HEAT_DB",
    "WIDTH_COLORS",
    "CostAxis",
    "best_at_cost",
    "found_points",
    "heat_points",
    "intervals",
    "panels",
    "point_costs",
    "way",
]

#: Colour-blind safe, as those of `mnv2.sim.report.colors`: an activation width has the same in all.
WIDTH_COLORS = {4: "#882255", 5: "#D55E00", 6: "#E69F00", 7: "#009E73", 8: "#0072B2", 16: "#222222"}
#: Panels at most; a way of quantising with fewer points than this share of the fullest has none.
PANELS, LEAST_SHARE = 6, 1 / 8
#: Formats at most in the picture of layers.
HEAT_ROWS = 60
#: Ends of its colours, dB.
HEAT_DB = (-5, 35)
WAYS = tuple(axis for axis in AXES if axis.field not in ("weight_bits", "activation_bits"))


#: All choices of a point but its widths.
Way: TypeAlias = tuple[int | str, ...]


@dataclass(frozen=True)
class CostAxis:
    """A cost of a format, as an axis shows it.

    Attributes
    ----------
    name : str
        Name of a field of `mnv2.sim.sweep.costs.FormatCost`.
    unit : float
        Divisor of the cost.
    words : str
    """

    name: str
    unit: float
    words: str


COSTS = (
    CostAxis("weight_bytes", 1e6, "weights, MB"),
    CostAxis("dram_bytes", 1e6, "DRAM of a frame at least, MB (computed)"),
    CostAxis("product_bits", 1, "bits of the widest multiplier, weight × activation"),
)


def found_points(results: SweepResults) -> list[Point]:
    """Points that have figures, in order."""
    return sorted(
        (point for point, figures in results.figures.items() if "failure" not in figures),
        key=position,
    )


def way(point: Point) -> Way:
    """All choices of a point but its widths."""
    return tuple(getattr(point, axis.field) for axis in WAYS)


def panels(points: Sequence[Point]) -> dict[Way, list[Point]]:
    """Points by way of quantising, those with the most points, in order.

    Returns
    -------
    dict of tuple to list of Point
    """
    counts = Counter(map(way, points))
    least = max(counts.values()) * LEAST_SHARE
    chosen = [one for one, count in counts.most_common(PANELS) if count >= least]
    return {
        one: [point for point in points if way(point) == one] for one in counts if one in chosen
    }


def intervals(
    results: SweepResults, points: Sequence[Point], measure: str
) -> list[tuple[float, float]]:
    """Distances of Wilson's interval of one standard error below and above each point's share.

    Returns
    -------
    list of (float, float)
    """
    distances = []
    for figures in (results.figures[point] for point in points):
        value = figures[measure]
        low, high = wilson_interval(value, measured_pictures(figures, measure))
        distances.append((value - low, high - value))
    return distances


def heat_points(points: Sequence[Point]) -> list[Point]:
    """Formats whose layers are shown: two cuts through each way, the fullest ways first."""
    rows: list[Point] = []
    for group in panels(points).values():
        widest_weights = max(point.weight_bits for point in group)
        # 16-bit activations hide differences that 8 bits show: cut at 8 if there are both.
        widths = sorted({point.activation_bits for point in group})
        width = 8 if 8 in widths else widths[-1]
        rows += [
            point
            for point in group
            if width == point.activation_bits or point.weight_bits == widest_weights
        ]
    return rows[:HEAT_ROWS]


def point_costs(results: SweepResults, points: Sequence[Point]) -> dict[Point, FormatCost]:
    """Cost of each format on the sweep's network.

    Returns
    -------
    dict of Point to FormatCost
    """
    network = results.prepared.workload.model.network
    return {point: format_cost(network, quantization_options(point, network)) for point in points}


def best_at_cost(results: SweepResults, at: Mapping[Point, float]) -> list[Point]:
    """Formats that agree more with float than all that cost no more, the cheapest first.

    Parameters
    ----------
    results : mnv2.sim.sweep.sweep_records.SweepResults
    at : dict of Point to float
        Cost of each.

    Returns
    -------
    list of Point
    """
    best, frontier = -1.0, []
    for point in sorted(at, key=lambda point: (at[point], -results.figures[point]["agree_top1"])):
        value = results.figures[point]["agree_top1"]
        if value > best:
            best = value
            frontier.append(point)
    return frontier
