"""The fixed-point exponential and reciprocal of SOFTMAX, by their own accuracy.

Whole rows are held to LiteRT in `test_graph`; eight bits do not show the last bits of these.
"""

import numpy as np

from golden.graph.softmax import (
    EXP_MINUS_EIGHTH,
    EXPONENTIALS,
    ONE_THIRD,
    RECIPROCAL_SLOPE,
    RECIPROCAL_START,
    exponential,
    reciprocal_of_one_plus,
)


def test_constants():
    assert [round(np.exp(-2.0**k) * 2**31) for k in range(-2, 5)] == list(EXPONENTIALS)
    assert round(np.exp(-1 / 8) * 2**31) == EXP_MINUS_EIGHTH
    assert round(2**31 / 3) == ONE_THIRD
    assert round(48 / 17 * 2**29) == RECIPROCAL_START
    assert round(-32 / 17 * 2**29) == RECIPROCAL_SLOPE


def test_exponential():
    """Within the series' remainder, (1/8)**5 / 5! of the value, and a few last bits."""
    values = -np.unique(np.concatenate([[0, 1], np.geomspace(1, 2**31 - 1, 20000).astype(int)]))
    exact = np.exp(values / 2.0**26) * 2**31
    got = exponential(values)
    assert got[values == 0] == 2**31 - 1
    assert np.abs(got - exact).max() < 2**31 * (1 / 8)**5 / 120
    near = values > -(2**22)                           # where the series is at its worst end
    assert np.abs(got - exact)[near].max() > 20


def test_reciprocal():
    """Three Newton steps end within a few last bits; two do not."""
    values = np.linspace(0, 2**31 - 1, 20001).astype(np.int64)
    exact = 2.0**62 / (2.0**31 + values)
    errors = np.abs(reciprocal_of_one_plus(values) - np.minimum(exact, 2**31 - 1))
    assert errors.max() < 16
