"""The mean with an exact division, against fractions."""

from fractions import Fraction

import numpy as np
import pytest

from mnv2.golden.arithmetic import LITERT
from mnv2.golden.exact_mean import QuantizedExactMean, divide_to_even


@pytest.mark.parametrize(("numerator", "denominator"), [(1, 36), (1, 49), (3, 8), (5, 2), (7, 7)])
def test_halves_go_to_even(numerator, denominator):
    values = np.arange(-500, 500)
    expected = [round(Fraction(int(value) * numerator, denominator)) for value in values]
    assert divide_to_even(values, numerator, denominator).tolist() == expected


def test_pixels_are_added_and_divided():
    rng = np.random.default_rng(1)
    activation = rng.integers(-128, 128, (6, 6, 40), dtype=np.int8)
    pool = QuantizedExactMean("pool", 36, 1, 18, 0.5, -128, 0.25, -128)
    sums = (activation.astype(int) + 128).sum(axis=(0, 1))
    expected = [min(round(Fraction(int(x), 18)) - 128, 127) for x in sums]
    found = pool.run(activation)
    assert found.shape == (1, 1, 40)
    assert found.ravel().tolist() == expected
    assert (pool.multiplier, pool.shift) == (1908874354, 4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"denominator": 0}, "denominator of pool must be from 1 to 2"),
        ({"numerator": 2**36}, "numerator of pool must be from 1 to 2"),
        ({"arithmetic": LITERT}, "must round to even"),
        ({"minimum": 5, "maximum": 4}, "The clamp of pool must lie in"),
    ],
)
def test_refusals(change, words):
    fields = {"numerator": 1, "denominator": 4, **change}
    with pytest.raises(ValueError, match=words):
        QuantizedExactMean(
            "pool",
            4,
            input_scale=1.0,
            input_zero_point=0,
            output_scale=1.0,
            output_zero_point=0,
            **fields,
        )


def test_a_map_of_another_size():
    pool = QuantizedExactMean("pool", 4, 1, 4, 1.0, 0, 1.0, 0)
    with pytest.raises(ValueError, match="must have 4 pixels"):
        pool.run(np.zeros((3, 3, 2), np.int8))
