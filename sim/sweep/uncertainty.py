"""Uncertainty of a figure of a few pictures: its distance from that of all possible pictures.

Ref: Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the
American Statistical Association 22 (1927), 209-212.
"""

import math
from collections.abc import Sequence

import numpy as np

__all__ = ["mean_and_error", "proportion_error", "wilson_interval"]


def proportion_error(hits: int, count: int) -> float:
    """Standard error of the share hits / count, binomial: sqrt(p (1 - p) / n).

    It is 0 if all or none hit, which says little about few pictures: see `wilson_interval`.
    """
    share = hits / count
    return math.sqrt(share * (1 - share) / count)


def wilson_interval(share: float, count: int, z: float = 1.0) -> tuple[float, float]:
    """(low, high) around a share of a number of pictures, ``z`` standard errors to either side.

    Unlike the plain standard error it is never empty, and stays within 0 and 1.
    """
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = (
        z
        * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
        / (1 + z * z / count)
    )
    # At 0 and 1 the interval ends there; rounding must not put it beyond the share.
    return min(max(0.0, centre - half), share), max(min(1.0, centre + half), share)


def mean_and_error(values: np.ndarray | Sequence[float]) -> tuple[float, float]:
    """(mean, standard error of the mean) over pictures; no error of a single one, which is NaN.

    Values that are infinite make the mean so, and have no error.
    """
    values = np.asarray(values, np.float64)
    mean = float(values.mean())
    if len(values) < 2 or not math.isfinite(mean):
        return mean, float("nan")
    return mean, float(values.std(ddof=1) / math.sqrt(len(values)))
