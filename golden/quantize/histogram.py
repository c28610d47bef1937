"""Histograms that add up exactly, whatever the order and however the samples were split.

The bins are a power of two wide and begin at multiples of their width, so two of them make one of
the next width with nothing moved. The width follows from the largest magnitude seen, which knows
no order either.
"""

import math
from dataclasses import dataclass

import numpy as np

from mnv2.golden.summary import short_repr

#: Bins on each side of zero. A range of 8 bits then has 8 bins or more in each of its steps.
HALF_BINS = 2**11
#: Width 2**exponent that nothing is narrower than: all zeros fit any bin.
SMALLEST_EXPONENT = -60


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many samples fell into each bin.

    Attributes
    ----------
    counts : int64 [2 * HALF_BINS]
        Bin i holds the samples in [(i - HALF_BINS) * width, (i + 1 - HALF_BINS) * width).
    exponent : int
        The width is 2**exponent.
    """

    counts: np.ndarray
    exponent: int

    __repr__ = short_repr

    @property
    def width(self):
        return 2.0**self.exponent

    def occupied(self):
        """(centres, counts) of the bins from the first to the last that is not empty."""
        held = np.flatnonzero(self.counts)
        first, last = (held[0], held[-1]) if held.size else (HALF_BINS, HALF_BINS)
        index = np.arange(first, last + 1)
        return (index - HALF_BINS + 0.5) * self.width, self.counts[first : last + 1]

    def magnitudes(self):
        """int64 [HALF_BINS]: the samples by their absolute value, both signs together."""
        return self.counts[HALF_BINS:] + self.counts[:HALF_BINS][::-1]

    def widened(self, exponent):
        """The same samples in bins of 2**exponent, not narrower than these."""
        counts = self.counts
        # Past this many doublings all samples lie in the two bins next to zero, and stay there.
        for _ in range(min(exponent - self.exponent, HALF_BINS.bit_length())):
            pairs = counts.reshape(-1, 2).sum(axis=1)
            counts = np.zeros_like(counts)
            counts[HALF_BINS // 2 : HALF_BINS // 2 + HALF_BINS] = pairs
        return Histogram(counts, max(exponent, self.exponent))

    def __add__(self, other):
        exponent = max(self.exponent, other.exponent)
        return Histogram(self.widened(exponent).counts + other.widened(exponent).counts, exponent)

    def percentile(self, percent):
        """The value below which a percentage of the samples lie, linear within its bin."""
        total = np.cumsum(self.counts)
        wanted = percent / 100 * total[-1]
        # The first bin that reaches the share; at 0 % the first that holds anything.
        index = int(np.searchsorted(total, wanted if wanted > 0 else 0.5))
        index = min(index, int(np.flatnonzero(self.counts)[-1]))
        inside = (wanted - total[index] + self.counts[index]) / self.counts[index]
        return float((index - HALF_BINS + min(inside, 1.0)) * self.width)


def histogram(values):
    """The Histogram of a float32 or float64 array, finite."""
    values = np.asarray(values).reshape(-1)
    largest = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
    if not math.isfinite(largest):
        raise ValueError("A histogram must be of finite values")
    exponent = max(math.frexp(largest)[1] - (HALF_BINS.bit_length() - 1), SMALLEST_EXPONENT)
    index = np.floor(values * values.dtype.type(2.0**-exponent)).astype(np.int64)
    index += HALF_BINS
    return Histogram(np.bincount(index, minlength=2 * HALF_BINS), exponent)
