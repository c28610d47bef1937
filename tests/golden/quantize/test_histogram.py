"""Histograms that add up exactly; percentiles against numpy's."""

import itertools

import numpy as np
import pytest

from mnv2.golden.quantize.histogram import HALF_BINS, histogram


def samples(seed, scale):
    return np.random.default_rng(seed).normal(0.2, scale, 5000).astype(np.float32)


def same(a, b):
    return a.exponent == b.exponent and np.array_equal(a.counts, b.counts)


def test_every_sample_lies_in_its_bin():
    values = samples(1, 3.0)
    made = histogram(values)
    index = np.floor(values.astype(np.float64) / made.width).astype(int) + HALF_BINS
    assert np.array_equal(made.counts, np.bincount(index, minlength=2 * HALF_BINS))
    assert HALF_BINS / 2 <= np.abs(values).max() / made.width < HALF_BINS
    centres, counts = made.occupied()
    assert counts[0] > 0 < counts[-1]
    assert counts.sum() == values.size
    assert abs(np.dot(centres, counts) / counts.sum() - values.mean()) < made.width


def test_order_and_splits_decide_nothing():
    """Parts of very different width, zeros alone among them."""
    parts = [samples(1, 0.01), samples(2, 40.0), np.zeros(7, np.float32), samples(3, 1.0)]
    whole = histogram(np.concatenate(parts))
    for order in itertools.permutations(histogram(part) for part in parts):
        total = order[0] + (order[1] + order[2]) + order[3]
        assert same(total, whole)


@pytest.mark.parametrize("doublings", [1, 3, 11, 12, 40])
def test_widening_is_the_histogram_of_wider_bins(doublings):
    values = samples(4, 1.0)
    narrow = histogram(values)
    wide = narrow.widened(narrow.exponent + doublings)
    index = np.floor(values.astype(np.float64) / wide.width).astype(int) + HALF_BINS
    assert np.array_equal(wide.counts, np.bincount(index, minlength=2 * HALF_BINS))


def test_magnitudes():
    made = histogram(np.array([-3.0, -0.5, 0.0, 0.5, 3.5], np.float32))
    counts = made.magnitudes()
    assert counts.sum() == 5
    assert counts[0] == 1  # zero
    # -0.5 is the upper edge of its bin, 0.5 the lower: by magnitude they are neighbours.
    assert counts[round(0.5 / made.width) - 1 : round(0.5 / made.width) + 1].tolist() == [1, 1]


@pytest.mark.parametrize("percent", [0, 0.01, 1, 50, 99, 99.9, 99.99, 100])
@pytest.mark.parametrize("relu", [False, True])
def test_percentile_is_numpys_within_a_bin(percent, relu):
    values = samples(5, 2.0)
    if relu:
        values = np.maximum(values, 0)
    made = histogram(values)
    lower, upper = (np.percentile(values, percent, method=m) for m in ("lower", "higher"))
    assert lower - made.width <= made.percentile(percent) <= upper + made.width


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="finite"):
        histogram(np.array([1.0, np.inf], np.float32))
