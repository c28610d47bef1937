"""Stimulus and expected results of the units that rescale: drawn for the output, not the input.

Full-range accumulators would all saturate and hide a wrong rounding. So accumulators are drawn near
those that give a wanted output, next to ties, extremes and values that wrap, and what the tests
rely on is asserted of each draw.
"""

import numpy as np

from mnv2.golden.fixed_point import (
    ADD_LEFT_SHIFT,
    multiply_by_quantized_multiplier,
    saturating_rounding_doubling_high_mul,
    signed_range,
    wrap_int32,
)
from mnv2.golden.ops import add, requantize

__all__ = ["count_ties", "draw_add", "draw_requantize"]


def count_ties(values, multiplier, shift):
    """Number of halves that RDBPOT rounds, (negative, positive)."""
    shift = np.broadcast_to(shift, values.shape)
    lifted = wrap_int32(values.astype(np.int64) << np.maximum(-shift, 0))
    high = saturating_rounding_doubling_high_mul(lifted, multiplier)
    right = np.maximum(shift, 0)
    tie = (right > 0) & ((high & ((1 << right) - 1)) == (1 << np.maximum(right, 1) >> 1))
    return int((tie & (high < 0)).sum()), int((tie & (high >= 0)).sum())


def _draw_range(rng, count, bits):
    """Zero points and clamps [N]: mostly the whole range, some narrow, some a single value."""
    low, high = signed_range(bits)
    zero_point = rng.integers(low, high, count, endpoint=True)
    zero_point[rng.random(count) < 0.2] = low
    narrow = rng.random(count) < 0.3
    ends = np.sort(rng.integers(low, high, (2, count), endpoint=True), axis=0)
    return {
        "zero_point": zero_point,
        "minimum": np.where(narrow, ends[0], low),
        "maximum": np.where(narrow, ends[1], high),
    }


def _draw_multiplier(rng, shape):
    """Multipliers: any, with both ends, exact halves and 0 among them."""
    multiplier = rng.integers(2**30, 2**31, shape)
    kind = rng.random(shape)
    multiplier[kind < 0.4] = 2**30
    multiplier[kind < 0.10] = 2**31 - 1
    multiplier[kind < 0.03] = 0
    return multiplier


def _limits(limits, k):
    """Zero point, minimum and maximum of one item."""
    return (int(limits[name][k]) for name in ("zero_point", "minimum", "maximum"))


def draw_requantize(rng, count, *, channels, pixels, bits=8):
    """Items for `Requantize` and the words that they give.

    Returns
    -------
    fields : dict
        As `pack_items` takes it, tags included.
    expected : int64 [N, P, C]
    """
    lanes = (count, pixels, channels)
    low, high = signed_range(bits)
    limits = _draw_range(rng, count, bits)
    multiplier = _draw_multiplier(rng, (count, channels))
    shifts = [-30, -29, -8, -3, -1, 0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 12, 14, 17, 20, 23, 30, 31]
    shift = rng.choice(shifts, (count, channels))
    wide_multiplier, wide_shift = multiplier[:, None, :], shift[:, None, :]

    # Near a wanted output, a little beyond the ends included.
    step = np.exp2(31.0 + wide_shift) / np.maximum(wide_multiplier, 2**30)
    wanted = rng.integers(low - 3, high + 3, lanes, endpoint=True)
    wanted -= limits["zero_point"][:, None, None]
    accumulator = np.clip(np.rint((wanted + rng.uniform(-1, 1, lanes)) * step), -(2**31), 2**31 - 1)
    accumulator = accumulator.astype(np.int64)
    # Odd multiples of 2**shift: with the multiplier 2**30 every one is a tie.
    ties = (2 * wanted + 1) << np.maximum(wide_shift, 0)
    kind = rng.random(lanes)
    chosen = (kind < 0.35) & (abs(ties) < 2**31)
    accumulator[chosen] = ties[chosen]
    accumulator += np.where((kind > 0.35) & (kind < 0.45), rng.integers(-2, 3, lanes), 0)
    extremes = np.array([-(2**31), -(2**31) + 1, -1, 0, 1, 2**31 - 2, 2**31 - 1])
    accumulator = np.where(kind > 0.95, rng.choice(extremes, lanes), accumulator)
    accumulator = wrap_int32(accumulator).astype(np.int64)

    # The accumulator less the bias, modulo 2**32, so that the addition wraps in many.
    bias = rng.integers(-(2**31), 2**31, (count, channels))
    small = rng.random((count, channels)) < 0.5
    bias[small] >>= 12
    raw = wrap_int32(accumulator - bias[:, None, :]).astype(np.int64)

    expected = np.stack(
        [
            requantize(accumulator[k], multiplier[k], shift[k], *_limits(limits, k))
            for k in range(count)
        ]
    ).astype(np.int64)
    fields = {
        "accumulators": raw,
        "range": limits,
        "tag": rng.integers(0, 2, count),
        "parameters": {"bias": bias, "multiplier": multiplier, "shift": shift},
    }

    assert min(count_ties(accumulator, wide_multiplier, wide_shift)) > accumulator.size // 100
    assert (raw + bias[:, None, :] != accumulator).any()
    assert (shift < 0).any()
    assert (multiplier == 0).any()
    _assert_spread(expected, limits, high)
    return fields, expected


def draw_add(rng, count, *, channels, pixels, bits=8):
    """Items for `ResidualAdd` and the words that they give; see `draw_requantize`."""
    lanes = (count, pixels, channels)
    low, high = signed_range(bits)
    limits = _draw_range(rng, count, bits)
    a, b = rng.integers(low, high, (2, *lanes), endpoint=True)
    a[rng.random(lanes) < 0.05] = low
    b[rng.random(lanes) < 0.05] = high
    parameters = {"range": limits}
    gains = []
    for name in ("a", "b"):
        parameters[f"{name}_zero_point"] = rng.integers(low, high, count, endpoint=True)
        parameters[f"{name}_multiplier"] = _draw_multiplier(rng, count)
        # Skewed scales: up to all of an input is shifted out.
        parameters[f"{name}_shift"] = rng.choice([0, 0, 0, 1, 2, 3, 8, 17, 20, 24, 31], count)
        exponent = -31.0 - parameters[f"{name}_shift"]
        gains.append(parameters[f"{name}_multiplier"] * np.exp2(exponent))
    # A total gain of about one half to two, so that most results are inside the range.
    exponent = np.rint(np.log2(np.maximum(np.max(gains, axis=0), 2.0**-40))).astype(int)
    shift = np.clip(ADD_LEFT_SHIFT + exponent + rng.integers(-1, 2, count), 0, 31)
    shift[rng.random(count) < 0.03] = 31
    parameters["multiplier"] = _draw_multiplier(rng, count)
    parameters["shift"] = shift
    # Powers of two all along: every odd sum is a tie.
    exact = rng.random(count) < 0.4
    for name in ("multiplier", "a_multiplier", "b_multiplier"):
        parameters[name][exact] = 2**30
    for name, value in (("a_shift", 0), ("b_shift", 1), ("shift", ADD_LEFT_SHIFT - 1)):
        parameters[name][exact] = value

    expected, ties = [], np.zeros(2, int)
    for k in range(count):
        item = {name: int(value[k]) for name, value in parameters.items() if name != "range"}
        sides = [
            (item[f"{name}_zero_point"], item[f"{name}_multiplier"], item[f"{name}_shift"])
            for name in "ab"
        ]
        expected.append(
            add(a[k], b[k], *sides, item["multiplier"], item["shift"], *_limits(limits, k))
        )
        total = sum(
            multiply_by_quantized_multiplier((values - zero) << ADD_LEFT_SHIFT, factor, right)
            for values, (zero, factor, right) in zip((a[k], b[k]), sides, strict=True)
        )
        ties += count_ties(total, item["multiplier"], item["shift"])
    expected = np.stack(expected).astype(np.int64)

    assert ties.min() > expected.size // 100
    _assert_spread(expected, limits, high)
    fields = {"a": a, "b": b, "parameters": parameters, "tag": rng.integers(0, 2, count)}
    return fields, expected


def _assert_spread(expected, limits, high):
    """Insist that most outputs lie inside their range and that they spread over it."""
    minimum, maximum = (limits[name][:, None, None] for name in ("minimum", "maximum"))
    inside = (minimum < expected) & (expected < maximum)
    assert inside.mean() > 0.3
    assert len(np.unique(expected)) > min(high, expected.size // 8)
