"""Each way to choose a range, against another form of it."""

import math

import numpy as np
import pytest

from mnv2.golden.fixed_point import signed_range
from mnv2.golden.quantize import choose_ranges
from mnv2.golden.quantize.histogram import histogram
from mnv2.golden.quantize.options import RANGE_METHODS
from mnv2.golden.quantize.range_statistics import RangeStatistics
from mnv2.golden.quantize.ranges import (
    entropy_divergence,
    entropy_range,
    least_squares_range,
    quantization_error,
)
from mnv2.golden.quantize.scales import tensor_parameters


def statistics_of(**tensors):
    """RangeStatistics of pictures [pictures, values] by tensor; and of the logits."""
    tensors.setdefault("classifier", np.array([[-4.0, 5.0], [-8.0, 20.0]]))
    return RangeStatistics(
        {n: t.min(axis=1) for n, t in tensors.items()},
        {n: t.max(axis=1) for n, t in tensors.items()},
        {n: histogram(t) for n, t in tensors.items()},
    )


def tensor(seed, kind):
    """float32 with heavy tails: of both signs, of one, or with exact zeros and a ceiling."""
    values = np.random.default_rng(seed).standard_t(3, 20000) + 0.3
    return {"both": values, "negative": -np.abs(values), "relu6": np.clip(values, 0, 6)}[
        kind
    ].astype(np.float32)


def test_mean_of_extremes_and_extremes():
    seen = statistics_of(input=np.array([[-1.0, 1.0], [-3.0, 9.0]]))
    assert choose_ranges(seen)["input"] == (-2.0, 5.0)
    assert choose_ranges(seen, "minmax")["input"] == (-3.0, 9.0)
    assert choose_ranges(seen, input_range=(-7, 7))["input"] == (-7.0, 7.0)
    with pytest.raises(
        ValueError, match="mean-minmax, minmax, percentile, least-squares, entropy, not 'best'"
    ):
        choose_ranges(seen, "best")


@pytest.mark.parametrize("method", RANGE_METHODS)
def test_no_method_clips_logits_or_a_known_input(method):
    seen = statistics_of(input=tensor(1, "both")[None], head=tensor(2, "relu6")[None])
    ranges = choose_ranges(seen, method, (-7, 7))
    assert ranges["classifier"] == (-8.0, 20.0)
    assert ranges["input"] == (-7.0, 7.0)


@pytest.mark.parametrize("method", ["mean-minmax", "minmax"])
def test_last_bits_of_a_float_library_decide_nothing(method):
    names = ("input", "head", "classifier")
    minima = {name: np.array([-1.23456, -2.34567]) for name in names}
    maxima = {name: np.array([3.45678, 1.0]) for name in names}
    first = choose_ranges(RangeStatistics(minima, maxima), method)
    second = choose_ranges(
        RangeStatistics(
            {n: v * (1 + 1e-7) for n, v in minima.items()},
            {n: v * (1 - 1e-7) for n, v in maxima.items()},
        ),
        method,
    )
    assert first == second
    assert first["head"][0] == pytest.approx(
        -1.790115 if method == "mean-minmax" else -2.34567, rel=5e-4
    )


@pytest.mark.parametrize("percentile", [99, 99.9, 100])
def test_percentile(percentile):
    values = tensor(3, "both")
    ends = choose_ranges(statistics_of(head=values[None]), "percentile", percentile=percentile)[
        "head"
    ]
    for end, percent in zip(ends, (100 - percentile, percentile), strict=True):
        # Between two samples numpy interpolates and a histogram cannot: both ends are allowed.
        lower, upper = (np.percentile(values, percent, method=m) for m in ("lower", "higher"))
        slack = histogram(values).width + 6e-4 * abs(end)
        assert lower - slack <= end <= upper + slack


@pytest.mark.parametrize("scales", ["real", "power-of-two"])
@pytest.mark.parametrize("kind", ["both", "negative", "relu6"])
@pytest.mark.parametrize("bits", [4, 8, 16])
def test_least_squares_is_never_worse_than_the_extremes(bits, kind, scales):
    """Measured on the samples themselves, not on the histogram that it chose by."""
    values = tensor(4, kind)
    extremes = float(values.min()), float(values.max())
    chosen = least_squares_range(histogram(values), extremes, bits, scales)

    def error(ends):
        low, high = signed_range(bits)
        scale, zero = tensor_parameters(*ends, bits, scales)
        steps = np.clip(np.rint(values / scale) + zero, low, high) - zero
        return np.mean(np.square(steps * scale - values))

    by_histogram = quantization_error(histogram(values), [chosen, extremes], bits, scales)
    assert by_histogram[0] <= by_histogram[1]
    assert error(chosen) <= error(extremes) * (1.01 if bits < 16 else 2)
    if bits == 4 and kind != "relu6":
        assert error(chosen) < 0.5 * error(extremes)
    if bits < 16:
        assert by_histogram[1] == pytest.approx(error(extremes), rel=0.1)


def slow_divergence(counts, length, levels):
    """The same divergence, bin by bin."""
    reference = [float(count) for count in counts[:length]]
    for count in counts[length:]:
        reference[-1] += count
    quantized = [0.0] * length
    for level in range(levels):
        members = [i for i in range(length) if i * levels // length == level]
        filled = [i for i in members if counts[i] > 0]
        for i in filled:
            quantized[i] = sum(counts[j] for j in members) / len(filled)
    total, mass = sum(reference), max(sum(quantized), 1.0)
    return sum(
        p / total * math.log((p / total) / (max(q, 1.0) / mass))
        for p, q in zip(reference, quantized, strict=True)
        if p > 0
    )


@pytest.mark.parametrize(("length", "levels"), [(16, 16), (37, 16), (80, 16), (100, 16), (100, 8)])
def test_divergence_is_the_slow_forms(length, levels):
    rng = np.random.default_rng(length)
    counts = rng.poisson(200 * np.exp(-np.arange(100) / 15)).astype(np.float64)
    counts[rng.integers(0, 100, 10)] = 0
    assert entropy_divergence(counts, length, levels) == pytest.approx(
        slow_divergence(counts, length, levels), abs=1e-12
    )


@pytest.mark.parametrize("kind", ["both", "negative", "relu6"])
@pytest.mark.parametrize("bits", [4, 8])
def test_entropy_takes_the_least_divergence(kind, bits):
    values = tensor(5, kind)
    made = histogram(values)
    extremes = float(values.min()), float(values.max())
    low, high = entropy_range(made, extremes, bits)
    assert extremes[0] <= low <= high <= extremes[1]
    counts = made.magnitudes().astype(np.float64)
    counts[0] = counts[1]
    levels = 2 ** (bits - 1) if kind == "both" else 2**bits
    occupied = int(np.flatnonzero(counts)[-1]) + 1
    length = occupied if (low, high) == extremes else round(max(-low, high) / made.width)
    chosen = slow_divergence(counts, length, levels)
    for other in np.linspace(levels, occupied, 9).astype(int):
        assert chosen <= slow_divergence(counts, other, levels) * 1.05 + 1e-6


def test_entropy_of_more_levels_than_bins():
    values = tensor(6, "both")
    extremes = float(values.min()), float(values.max())
    assert entropy_range(histogram(values), extremes, 16) == extremes
    assert entropy_range(histogram(np.zeros(5, np.float32)), (0.0, 0.0)) == (0.0, 0.0)


@pytest.mark.parametrize("method", ["percentile", "least-squares", "entropy"])
def test_outliers_are_clipped(method):
    """One value in a million at fifty deviations: the extremes' steps would be ten times theirs."""
    values = np.random.default_rng(7).normal(0, 1, 200_000).astype(np.float32)
    values[0] = 50
    ends = choose_ranges(statistics_of(head=values[None]), method, bits_of=lambda name: 6)["head"]
    assert 2 < ends[1] < 25
    assert -6 < ends[0] < -2
