"""Stimulus and expected results of the units that rescale: drawn for the output, not the input.

Full-range accumulators would all saturate and hide a wrong rounding. So accumulators are drawn near
those that give a wanted output, next to ties, extremes and values that wrap, and what the tests
rely on is asserted of each draw.
"""

import numpy as np

from mnv2.golden.fixed_point import (
    ADD_LEFT_SHIFT,
    saturating_rounding_doubling_high_mul,
    scale_by_multiplier,
    signed_range,
    wrap,
    wrap_int32,
)
from mnv2.golden.ops import add, requantize

__all__ = ["count_ties", "draw_add", "draw_requantize"]


#: Bits of a multiplier, its sign included, by rounding.
MULTIPLIER_BITS = {"double": 32, "single": 17}


def count_ties(values, multiplier, shift, rounding="double"):
    """Number of halves that are rounded last, (negative, positive)."""
    shift = np.broadcast_to(shift, values.shape)
    if rounding == "single":
        scaled = values.astype(np.int64) * multiplier
        bits = 31 + shift
    else:
        lifted = wrap_int32(values.astype(np.int64) << np.maximum(-shift, 0))
        scaled = saturating_rounding_doubling_high_mul(lifted, multiplier)
        bits = np.maximum(shift, 0)
    tie = (bits > 0) & ((scaled & ((1 << bits) - 1)) == (1 << np.maximum(bits, 1) >> 1))
    return int((tie & (scaled < 0)).sum()), int((tie & (scaled >= 0)).sum())


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


def _draw_multiplier(rng, shape, rounding="double"):
    """Multipliers: any, with both ends, exact halves, small ones and 0 among them."""
    multiplier = rng.integers(2**30, 2**31, shape)
    kind = rng.random(shape)
    multiplier[kind < 0.45] = 2**30
    multiplier[kind < 0.15] = 2**31 - 1
    # A mean's multiplier is not normalised.
    multiplier[kind < 0.06] >>= 6
    multiplier[kind < 0.03] = 0
    dropped = 32 - MULTIPLIER_BITS[rounding]
    return multiplier >> dropped << dropped


def _limits(limits, k):
    """Zero point, minimum and maximum of one item."""
    return (int(limits[name][k]) for name in ("zero_point", "minimum", "maximum"))


def draw_requantize(
    rng, count, *, channels, pixels, frames=1, bits=8, accumulator_bits=32, rounding="double"
):
    """Items for `Requantize` and the words that they give.

    Returns
    -------
    fields : dict
        As `pack_items` takes it, tags included.
    expected : int64 [N, P, F * C]
    """
    lanes = (count, pixels, frames * channels)
    low, high = signed_range(bits)
    least, largest = signed_range(accumulator_bits)
    limits = _draw_range(rng, count, bits)
    multiplier = _draw_multiplier(rng, (count, channels), rounding)
    shifts = [0, 0, 0, 0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 12, 14, 17, 20, 23, 30, 31]
    shifts = [shift for shift in shifts if shift <= max(accumulator_bits - 8, 12)]
    shifts_left = accumulator_bits == 32 and rounding == "double"
    if shifts_left:
        shifts += [-30, -29, -8, -3, -1]
    shift = rng.choice(shifts, (count, channels))
    shift[rng.random((count, channels)) < 0.03] = 31
    wide_multiplier, wide_shift = (
        np.tile(values, frames)[:, None, :] for values in (multiplier, shift)
    )

    # Near a wanted output, a little beyond the ends included.
    step = np.exp2(31.0 + wide_shift) / np.maximum(wide_multiplier, 2**30)
    wanted = rng.integers(low - 3, high + 3, lanes, endpoint=True)
    wanted -= limits["zero_point"][:, None, None]
    accumulator = np.clip(np.rint((wanted + rng.uniform(-1, 1, lanes)) * step), least, largest)
    accumulator = accumulator.astype(np.int64)
    # Odd multiples of 2**shift: with the multiplier 2**30 every one is a tie.
    ties = (2 * wanted + 1) << np.maximum(wide_shift, 0)
    kind = rng.random(lanes)
    chosen = (kind < 0.35) & (least <= ties) & (ties <= largest)
    accumulator[chosen] = ties[chosen]
    accumulator += np.where((kind > 0.35) & (kind < 0.45), rng.integers(-2, 3, lanes), 0)
    extremes = np.array([least, least + 1, -1, 0, 1, largest - 1, largest])
    accumulator = np.where(kind > 0.95, rng.choice(extremes, lanes), accumulator)
    accumulator = wrap(accumulator, accumulator_bits)

    # The accumulator less the bias, modulo 2**bits, so that the addition wraps in many.
    bias = rng.integers(least, largest, (count, channels), endpoint=True)
    small = rng.random((count, channels)) < 0.5
    bias[small] >>= 12
    raw = wrap(accumulator - np.tile(bias, frames)[:, None, :], accumulator_bits)

    expected = np.stack(
        [
            requantize(
                accumulator[k],
                wide_multiplier[k, 0],
                wide_shift[k, 0],
                *_limits(limits, k),
                rounding=rounding,
            )
            for k in range(count)
        ]
    ).astype(np.int64)
    fields = {
        "accumulators": raw,
        "range": limits,
        "tag": rng.integers(0, 2, count),
        "parameters": {"bias": bias, "multiplier": multiplier, "shift": shift},
    }

    ties = count_ties(accumulator, wide_multiplier, wide_shift, rounding)
    assert min(ties) > accumulator.size // 100
    assert (raw + np.tile(bias, frames)[:, None, :] != accumulator).any()
    assert (shift < 0).any() == shifts_left
    assert (multiplier == 0).any()
    _assert_spread(expected, limits, high)
    return fields, expected


def draw_add(rng, count, *, channels, pixels, bits=8, rounding="double"):
    """Items for `ResidualAdd` and the words that they give; see `draw_requantize`."""
    lanes = (count, pixels, channels)
    low, high = signed_range(bits)
    limits = _draw_range(rng, count, bits)
    a, b = rng.integers(low, high, (2, *lanes), endpoint=True)
    a[rng.random(lanes) < 0.05] = low
    b[rng.random(lanes) < 0.05] = high
    parameters = {"range": limits}
    # One of the two has the factor 1/2, the other any: up to all of it is shifted out.
    plain_a, gains = rng.random(count) < 0.5, []
    for name, plain in (("a", plain_a), ("b", ~plain_a)):
        parameters[f"{name}_zero_point"] = rng.integers(low, high, count, endpoint=True)
        multiplier = np.where(plain, 2**30, _draw_multiplier(rng, count, rounding))
        shift = rng.choice([0, 0, 0, 1, 2, 3, 8, 17, 20, 24, 31], count)
        shift = np.where(plain, 0, shift)
        parameters |= {f"{name}_multiplier": multiplier, f"{name}_shift": shift}
        gains.append(multiplier * np.exp2(-31.0 - shift))
    # A total gain of about one half to two, so that most results are inside the range.
    exponent = np.rint(np.log2(np.maximum(np.max(gains, axis=0), 2.0**-40))).astype(int)
    shift = np.clip(ADD_LEFT_SHIFT + exponent + rng.integers(-1, 2, count), 0, 31)
    shift[rng.random(count) < 0.03] = 31
    parameters["multiplier"] = _draw_multiplier(rng, count, rounding)
    parameters["shift"] = shift
    # Powers of two all along: every odd sum is a tie.
    exact = rng.random(count) < 0.4
    for name in ("multiplier", "a_multiplier", "b_multiplier"):
        parameters[name][exact] = 2**30
    parameters["a_shift"][exact] = ~plain_a[exact]
    parameters["b_shift"][exact] = plain_a[exact]
    parameters["shift"][exact] = ADD_LEFT_SHIFT - 1

    expected, ties = [], np.zeros(2, int)
    for k in range(count):
        item = {name: int(value[k]) for name, value in parameters.items() if name != "range"}
        sides = [
            (item[f"{name}_zero_point"], item[f"{name}_multiplier"], item[f"{name}_shift"])
            for name in "ab"
        ]
        expected.append(
            add(
                a[k],
                b[k],
                *sides,
                item["multiplier"],
                item["shift"],
                *_limits(limits, k),
                rounding=rounding,
            )
        )
        total = sum(
            scale_by_multiplier((values - zero) << ADD_LEFT_SHIFT, factor, right, rounding)
            for values, (zero, factor, right) in zip((a[k], b[k]), sides, strict=True)
        )
        ties += count_ties(total, item["multiplier"], item["shift"], rounding)
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
