"""Formats compared picture by picture: the error of a difference, and which are not worse.

Two formats are judged on the same pictures, and mostly right on the same ones. So the error of
their difference is that of the pictures on which they differ, much less than either's own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mnv2.sim.sweep.costs import format_cost
from mnv2.sim.sweep.format_options import quantization_options
from mnv2.sim.sweep.grid import Point, position
from mnv2.sim.sweep.uncertainty import mean_and_error

__all__ = [
    "equal_to_best",
    "measured_pictures",
    "pack_hits",
    "paired_difference",
    "smallest_of_the_best",
    "unpack_hits",
]

#: Of shares and their errors, which may be equal.
ROUNDING = 1e-9


def pack_hits(hits: np.ndarray) -> str:
    """Whether each picture was a hit, as hexadecimal digits, the first picture in the first bit."""
    return np.packbits(np.asarray(hits, bool)).tobytes().hex()


def unpack_hits(text: str, count: int) -> np.ndarray:
    """bool [count] of what `pack_hits` made."""
    return np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8), count=count).astype(bool)


def measured_pictures(figures: Mapping[str, Any], measure: str) -> int:
    """Pictures that a share is of: those with a label, or all."""
    return figures["labelled" if measure.startswith("label") else "pictures"]


def paired_difference(
    one: Mapping[str, Any], other: Mapping[str, Any], measure: str
) -> tuple[float, float]:
    """Share of hits of one format minus that of another on the same pictures, and its error.

    Parameters
    ----------
    one, other : dict
        Figures, see `mnv2.sim.sweep.evaluate.summarize`.
    measure : str
        ``"agree_top1"`` or ``"label_top1"``.

    Returns
    -------
    (float, float)
        One standard error of the mean of the differences; 0 of a single picture.
    """
    first, second = (
        unpack_hits(figures["hits"][measure], measured_pictures(figures, measure)).astype(int)
        for figures in (one, other)
    )
    mean, error = mean_and_error(first - second)
    return mean, error if len(first) > 1 else 0.0


def _measure(figures: Mapping[Point, Mapping[str, Any]]) -> str:
    """Formats are compared by labels where there are some, else by agreement with float."""
    return "label_top1" if any("label_top1" in one for one in figures.values()) else "agree_top1"


def equal_to_best(figures: Mapping[Point, Mapping[str, Any]]) -> tuple[str, list[Point]]:
    """Formats that are within one error of the one with most hits, itself among them.

    Parameters
    ----------
    figures : dict of Point to dict
        Of a sweep; formats without figures are left out.

    Returns
    -------
    (str, list of Point)
        The measure: ``"label_top1"`` where there are labels, else ``"agree_top1"``; and the
        formats, in order.
    """
    found = {point: one for point, one in figures.items() if "failure" not in one}
    measure = _measure(found)
    if not found:
        return measure, []
    best = max(found, key=lambda point: (found[point][measure], [-p for p in position(point)]))

    def equal(point: Point) -> bool:
        difference, error = paired_difference(found[best], found[point], measure)
        return difference <= error + ROUNDING

    return measure, sorted(filter(equal, found), key=position)


def smallest_of_the_best(
    figures: Mapping[Point, Mapping[str, Any]], network: Any
) -> tuple[str, Point, Sequence[Point]] | None:
    """The smallest format that is within one error of the best; no other is named.

    Parameters
    ----------
    figures : dict of Point to dict
        See `equal_to_best`.
    network : mnv2.golden.network.Network
        Decides the bytes of the weights.

    Returns
    -------
    (str, Point, sequence of Point) or None
        The measure; the format with the fewest bytes of weights, then the fewest bits of a product,
        then the first in order; and all those within one error. None without any figures.
    """
    measure, equal = equal_to_best(figures)
    if not equal:
        return None

    def size(point: Point) -> tuple[Any, ...]:
        cost = format_cost(network, quantization_options(point, network))
        return cost.weight_bytes, cost.product_bits, position(point)

    return measure, min(equal, key=size), equal
