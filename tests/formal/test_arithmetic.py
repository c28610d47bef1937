"""The roundings that the proofs compare the hardware with are those of the integer model."""

import numpy as np
import pytest

from mnv2.golden.fixed_point import scale_by_multiplier
from tests.formal.arithmetic import clamped, rescaled


def negative(value):
    return int(value < 0)


def choose(condition, a, b):
    return a if condition else b


def check(values, multipliers, shifts, rounding):
    golden = scale_by_multiplier(values, multipliers, shifts, rounding)
    for value, multiplier, shift, expected in zip(values, multipliers, shifts, golden, strict=True):
        high = int(value) * int(multiplier) >> 30
        assert rescaled(high, int(shift), 1, negative, rounding=rounding) == expected


@pytest.mark.parametrize("rounding", ["double", "single"])
def test_rescaled_equals_golden(rounding):
    random = np.random.default_rng(1)
    bits = random.integers(1, 32, 20000)
    values = random.integers(-(2**31), 2**31, 20000) >> bits
    check(values, random.integers(2**30, 2**31, 20000), random.integers(0, 32, 20000), rounding)


@pytest.mark.parametrize("rounding", ["double", "single"])
def test_rescaled_at_ties_and_extremes(rounding):
    values = [sign * (1 << k) + d for k in range(31) for sign in (-1, 1) for d in (-1, 0, 1)]
    values = [*values, -(2**31), 2**31 - 1]
    cases = [
        (v, m, s) for v in values for m in (2**30, 2**30 + 1, 2**31 - 1) for s in (0, 1, 2, 7, 31)
    ]
    values, multipliers, shifts = (
        np.array(column, np.int64) for column in zip(*cases, strict=True)
    )
    check(values, multipliers, shifts, rounding)


def test_clamped():
    assert [clamped(value, -3, 5, choose) for value in (-9, -3, 0, 5, 6)] == [-3, -3, 0, 5, 5]
