"""Distributions of every figure over seeds of the pauses, and the test of a measured mean.

A memory that pauses at random gives a distribution, not a number. Each draw is the whole model with
the pauses of one seed, and equal to a run in RTL with this seed; no law is assumed for the sums.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, fmean, quantiles, stdev

from mnv2.golden.network import Network
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cycles.predict import PredictedLayer, predict_network
from mnv2.sim.prediction.figures import figures, total_figures
from mnv2.sim.report.results import LayerResult

__all__ = [
    "CONFIDENCE",
    "Spread",
    "Spreads",
    "column_spreads",
    "draw",
    "holds",
    "seeds_from",
    "spread_of",
]

#: Probability with which a correct model passes the test of all means together.
CONFIDENCE = 0.99
#: Greatest seed of the pauses.
MOST_SEED = 2**32 - 1


@dataclass(frozen=True)
class Spread:
    """Spread of a figure over seeds.

    Attributes
    ----------
    count : int
        Seeds.
    mean, deviation : float
        The deviation is that of a sample.
    low, high : float
        Between which 90 % of the values lie: the 5th and the 95th percentile.
    """

    count: int
    mean: float
    deviation: float
    low: float
    high: float


#: By the name of a row, the last of which is ``"total"``, and of a figure.
Spreads = Mapping[str, Mapping[str, Spread]]


def spread_of(values: Sequence[int]) -> Spread:
    """Compute the spread of a figure.

    Parameters
    ----------
    values : sequence of int
        One for each seed, two or more.

    Returns
    -------
    Spread

    Raises
    ------
    ValueError
        For fewer than two values.
    """
    if len(values) < 2:
        raise ValueError(f"A spread needs two values or more, not {len(values)}")
    percentiles = quantiles(values, n=20, method="inclusive")
    return Spread(len(values), fmean(values), stdev(values), percentiles[0], percentiles[-1])


def draw(
    network: Network,
    config: AcceleratorConfig,
    *,
    latency: int,
    bytes_per_cycle: int,
    stall_percent: int,
    seeds: Sequence[int],
    part: str = "",
    part_clock_hz: float = 0.0,
    drawn: Callable[[int, int], object] | None = None,
) -> list[tuple[PredictedLayer, ...]]:
    """Predict a network once for each seed.

    Parameters
    ----------
    network, config, latency, bytes_per_cycle, stall_percent, part, part_clock_hz
        See `mnv2.sim.cycles.predict.predict_network`.
    seeds : sequence of int
    drawn : function of (done, total), optional
        Called after each.

    Returns
    -------
    list of tuple of mnv2.sim.cycles.predict.PredictedLayer
    """
    draws = []
    for seed in seeds:
        draws.append(
            predict_network(
                network,
                config,
                latency=latency,
                seed=seed,
                bytes_per_cycle=bytes_per_cycle,
                stall_percent=stall_percent,
                part=part,
                part_clock_hz=part_clock_hz,
            )
        )
        if drawn:
            drawn(len(draws), len(seeds))
    return draws


def seeds_from(first: int, count: int) -> list[int]:
    """List consecutive seeds of pauses; the first follows the last that there is.

    Parameters
    ----------
    first : int
        From 1 to 2**32 - 1.
    count : int

    Returns
    -------
    list of int
    """
    return [(first - 1 + number) % MOST_SEED + 1 for number in range(count)]


def column_spreads(draws: Sequence[Sequence[LayerResult]]) -> Spreads:
    """Compute the spreads of every figure of every row, and of the total.

    Parameters
    ----------
    draws : sequence of tuple of mnv2.sim.report.results.LayerResult
        The same rows for each seed.

    Returns
    -------
    dict of str to dict of str to Spread
        By the name of the row, the last of which is ``"total"``, and of the figure.
    """
    tables = [
        {**{row.name: figures(row) for row in rows}, "total": total_figures(rows)} for rows in draws
    ]
    return {
        name: {
            figure: spread_of([table[name][figure] for table in tables])
            for figure in tables[0][name]
        }
        for name in tables[0]
    }


def _student(probability: float, freedom: int) -> float:
    """Compute a quantile of Student's distribution.

    Ref: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5; four terms.
    """
    z = NormalDist().inv_cdf(probability)
    terms = (
        z,
        (z**3 + z) / (4 * freedom),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3),
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * freedom**4),
    )
    return sum(terms)


def holds(predicted: Spread, measured: Spread, tests: int) -> bool:
    """Whether the interval predicted for the mean of the runs covers the mean measured.

    The interval is Student's, from the predicted deviation alone: mean +- t * deviation *
    sqrt(1 / draws + 1 / runs). Its confidence is such that ``tests`` of them all hold with
    `CONFIDENCE` where the model is right (Bonferroni). What is predicted not to vary must be equal.

    Parameters
    ----------
    predicted, measured : Spread
    tests : int
        Means that are tested together.

    Returns
    -------
    bool
    """
    probability = 1 - (1 - CONFIDENCE) / (2 * tests)
    half = (
        _student(probability, predicted.count - 1)
        * predicted.deviation
        * sqrt(1 / predicted.count + 1 / measured.count)
    )
    return abs(predicted.mean - measured.mean) <= half
