"""Roundings against their definitions in exact arithmetic."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest

from mnv2.golden.fixed_point import (
    dequantize,
    divide_rounding_half_away,
    mean_multiplier,
    multiply_by_quantized_multiplier,
    quantize,
    quantize_multiplier,
    round_half_away,
    round_multiplier,
    round_multipliers,
    rounding_divide_by_power_of_two,
    saturate,
    saturating_rounding_doubling_high_mul,
    scale_by_multiplier,
    signed_range,
    wrap,
    wrap_int32,
)

MIN, MAX = -(2**31), 2**31 - 1


def half_away(value):
    """Round an exact fraction, halves away from zero."""
    return floor(value + Fraction(1, 2)) if value >= 0 else -floor(-value + Fraction(1, 2))


def gemmlowp_high_mul(a, b):
    """gemmlowp's own form: a nudge by the product's sign, then C's division."""
    if a == b == MIN:
        return MAX
    product = a * b
    total = product + (2**30 if product >= 0 else 1 - 2**30)
    return total // 2**31 if total >= 0 else -(-total // 2**31)


def test_high_mul_is_gemmlowps():
    rng = np.random.default_rng(0)
    a = np.concatenate([rng.integers(MIN, MAX + 1, 4000), [MIN, MIN, MAX, MAX, -1, 0, 1]])
    b = np.concatenate([rng.integers(MIN, MAX + 1, 4000), [MIN, MAX, MIN, MAX, 2**30, 5, 2**30]])
    expected = [gemmlowp_high_mul(int(x), int(y)) for x, y in zip(a, b, strict=True)]
    np.testing.assert_array_equal(saturating_rounding_doubling_high_mul(a, b), expected)


@pytest.mark.parametrize("exponent", range(32))
def test_divide_by_power_of_two(exponent):
    rng = np.random.default_rng(exponent)
    values = np.concatenate(
        [
            rng.integers(MIN, MAX + 1, 300),
            np.arange(-300, 300),
            [MIN, MAX, 1 << max(exponent - 1, 0), -(1 << max(exponent - 1, 0))],
        ]
    )
    expected = [half_away(Fraction(int(v), 1 << exponent)) for v in values]
    np.testing.assert_array_equal(rounding_divide_by_power_of_two(values, exponent), expected)


def test_multiply_rounds_twice():
    # 3 * (2**30 + ...) : the first rounding lifts a value onto the second's tie
    value, multiplier, shift = 3, 2**31 - 1, 1
    assert saturating_rounding_doubling_high_mul(value, multiplier) == 3
    assert multiply_by_quantized_multiplier(value, multiplier, shift) == 2
    assert half_away(Fraction(value * multiplier, 2**32)) == 1


def test_left_shift_wraps():
    assert multiply_by_quantized_multiplier(2**30, 2**30, -1) == -(2**30)
    assert multiply_by_quantized_multiplier(5, 2**30, -3) == 20


@pytest.mark.parametrize("shift", [-30, -7, -1, 0, 1, 9, 31])
def test_single_rounding_and_truncation(shift):
    rng = np.random.default_rng(shift + 40)
    values = np.concatenate([rng.integers(MIN, MAX + 1, 500), np.arange(-70, 70), [MIN, MAX]])
    multipliers = np.concatenate([rng.integers(2**30, 2**31, 500), np.full(142, 2**30)])
    for name, half in (("single", Fraction(1, 2)), ("truncate", 0)):
        expected = [
            floor(Fraction(int(v) * int(m), 2 ** (31 + shift)) + half)
            for v, m in zip(values, multipliers, strict=True)
        ]
        assert scale_by_multiplier(values, multipliers, shift, name).tolist() == expected
    expected = [
        round(Fraction(int(v) * int(m), 2 ** (31 + shift)))  # Python's: half to even
        for v, m in zip(values, multipliers, strict=True)
    ]
    assert scale_by_multiplier(values, multipliers, shift, "even").tolist() == expected


def test_roundings_differ_where_they_should():
    half = 2**30, 0  # one half
    assert [scale_by_multiplier(v, *half, "single").item() for v in (3, -3)] == [2, -1]
    assert [scale_by_multiplier(v, *half, "truncate").item() for v in (3, -3)] == [1, -2]
    ties = [scale_by_multiplier(v, *half, "even").item() for v in (1, 3, 5, -1, -3, -5)]
    assert ties == [0, 2, 2, 0, -2, -2]
    quarter = 2**30, 1
    assert [scale_by_multiplier(v, *quarter).item() for v in (6, -6)] == [2, -2]
    with pytest.raises(ValueError, match="double, single, truncate or even, not 'up'"):
        scale_by_multiplier(1, *half, "up")


@pytest.mark.parametrize("bits", range(8, 33))
def test_round_multiplier(bits):
    rng = np.random.default_rng(bits)
    step = 2 ** (32 - bits)
    ties = 2**30 + step * np.arange(3) + step // 2
    for value in (*rng.integers(2**30, 2**31, 60), *ties, 2**30, 2**31 - 1):
        multiplier, shift = round_multiplier(value, 4, bits)
        expected = floor(Fraction(int(value), step) + Fraction(1, 2)) * step
        assert Fraction(multiplier) * 2**4 == Fraction(expected) * 2**shift
        assert multiplier % step == 0
        assert 2**30 <= multiplier < 2**31
        assert shift == (3 if expected == 2**31 else 4)


def test_round_multiplier_at_the_ends():
    assert round_multiplier(2**31 - 1, 0, 8) == (2**30, -1)
    assert round_multiplier(0, 0, 8) == (0, 0)
    assert round_multiplier(2**29 + 3, 5, 32) == (2**29 + 3, 5)
    assert round_multiplier(2**29 + 3, 5, 31) == (2**30 + 6, 6)  # a mean's, normalised
    made = round_multipliers(np.array([2**31 - 1, 0], np.int32), np.array([3, 0], np.int32), 9)
    assert [array.tolist() for array in made] == [[2**30, 0], [2, 0]]
    assert {array.dtype for array in made} == {np.dtype(np.int32)}


@pytest.mark.parametrize("real", [0.5, 1.0, 0.75, 3.7, 1e-3, 2.0**-31, 1e-9, 0.9999999999999, 1e8])
def test_quantize_multiplier(real):
    multiplier, shift = quantize_multiplier(real)
    assert 2**30 <= multiplier < 2**31
    assert multiplier * 2.0 ** (-31 - shift) == pytest.approx(real, rel=2**-31)


def test_quantize_multiplier_carries():
    assert quantize_multiplier(1 - 2.0**-40) == (2**30, -1)


@pytest.mark.parametrize("real", [0.0, 2.0**-33, 1e-30])
def test_quantize_multiplier_of_nothing(real):
    assert quantize_multiplier(real) == (0, 0)


@pytest.mark.parametrize("real", [-1.0, float("nan"), float("inf"), 2.0**31])
def test_quantize_multiplier_refuses(real):
    with pytest.raises(ValueError, match="requantisation factor"):
        quantize_multiplier(real)


def test_mean_multiplier_truncates():
    multiplier, shift = mean_multiplier(2**30 + 12345, 3, 49)
    assert multiplier == ((2**30 + 12345) << 5) // 49
    assert shift == 3 + 5
    assert mean_multiplier(2**30, 0, 1) == (2**30, 0)
    assert mean_multiplier(2**30, 29, 64) == ((2**30 << 2) // 64, 31)


def test_round_half_away():
    values = [0.5, 1.5, -0.5, -1.5, 0.49999999999999994, 2.4, -2.6, 0.0, 2.0**52 + 1]
    assert round_half_away(values).tolist() == [1, 2, -1, -2, 0, 2, -3, 0, 2**52 + 1]


@pytest.mark.parametrize("divisor", [1, 2, 7, 49])
def test_divide_half_away(divisor):
    values = np.arange(-500, 500)
    # C's truncating division after adding half, of which an odd divisor's half is the lower
    expected = [int((abs(int(v)) + divisor // 2) // divisor) * (1 if v > 0 else -1) for v in values]
    np.testing.assert_array_equal(divide_rounding_half_away(values, divisor), expected)


def test_saturate_and_wrap():
    assert saturate(np.array([-1000, -5, 300]), -128, 127).tolist() == [-128, -5, 127]
    assert saturate(np.array([300]), -128, 127).dtype == np.int8
    assert wrap_int32(np.array([2**31, -(2**31) - 1])).tolist() == [-(2**31), 2**31 - 1]
    assert signed_range(4) == (-8, 7)
    assert wrap(np.array([2047, 2048, -2049, 5 * 4096 + 1]), 12).tolist() == [2047, -2048, 2047, 1]


def test_quantize_round_trip():
    scale, zero_point = 0.05, -20
    integers = np.arange(-128, 128).astype(np.int8)
    np.testing.assert_array_equal(
        quantize(dequantize(integers, scale, zero_point), scale, zero_point), integers
    )
    assert quantize([1e9, -1e9], scale, zero_point).tolist() == [127, -128]
