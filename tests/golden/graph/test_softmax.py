"""SOFTMAX's fixed-point exponential and reciprocal by their own accuracy, whole rows by LiteRT's.

Eight bits of a row do not show the last bits of the two.
"""

import numpy as np
import pytest

from mnv2.golden.graph.softmax import (
    EXP_MINUS_EIGHTH,
    EXPONENTIALS,
    ONE_THIRD,
    RECIPROCAL_SLOPE,
    RECIPROCAL_START,
    exponential,
    reciprocal_of_one_plus,
)
from mnv2.golden.importers.tflite import read_graph
from tests.golden.graph.models import ModelMaker, assert_equals_litert


def test_constants():
    assert [round(np.exp(-(2.0**k)) * 2**31) for k in range(-2, 5)] == list(EXPONENTIALS)
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
    assert np.abs(got - exact).max() < 2**31 * (1 / 8) ** 5 / 120
    near = values > -(2**22)  # where the series is at its worst end
    assert np.abs(got - exact)[near].max() > 20


def test_reciprocal():
    """Three Newton steps end within a few last bits; two do not."""
    values = np.linspace(0, 2**31 - 1, 20001).astype(np.int64)
    exact = 2.0**62 / (2.0**31 + values)
    errors = np.abs(reciprocal_of_one_plus(values) - np.minimum(exact, 2**31 - 1))
    assert errors.max() < 16


@pytest.mark.parametrize("scale", [1e-7, 2.0**-25, 0.004, 0.1, 0.7, 3.0, 30.0, 1e4, 2.0**40])
@pytest.mark.parametrize("beta", [1.0, 0.25, 7.0])
def test_softmax(scale, beta):
    """Every distance from the maximum, in rows of several lengths."""
    rng = np.random.default_rng(7)
    maker = ModelMaker(rng)
    rows = rng.integers(-128, 128, (1, 40, 256))
    rows[0, 0] = np.arange(-128, 128)
    rows[0, 1], rows[0, 2] = -128, 127
    rows[0, 3] = np.where(np.arange(256) == 9, 127, -128)
    rows[0, 4:20] = np.clip(rows[0, 4:20], 100, 127)
    source = maker.input(rows.shape, scale=scale, values=rows)
    content, inputs = maker.finish([maker.softmax(source, beta)])
    if beta * scale * 2**26 <= 1:  # LiteRT stops the process at such a scale
        with pytest.raises(ValueError, match=r"beta times the scale of tensor 0 .* above 2\*\*-26"):
            read_graph(content)
        return
    (probabilities,) = assert_equals_litert(content, inputs).values()
    assert probabilities.max() > -128


@pytest.mark.parametrize("classes", [1, 2, 3, 511])
def test_softmax_of_equal_logits(classes):
    maker = ModelMaker(np.random.default_rng(8))
    source = maker.input((2, classes), scale=0.1, values=np.full((2, classes), 5))
    outputs = assert_equals_litert(*maker.finish([maker.softmax(source)]))
    (probabilities,) = outputs.values()
    assert (probabilities == min(127, round(256 / classes) - 128)).all()


def test_softmax_beyond_what_litert_takes():
    """From a sum of 512 on LiteRT stops; the formula goes on to 4096, where it would wrap."""
    for classes, zero in ((1000, -128), (4095, -128), (4096, None)):
        maker = ModelMaker(np.random.default_rng(8))
        source = maker.input((1, classes), scale=0.1, values=np.zeros((1, classes)))
        content, inputs = maker.finish([maker.softmax(source)])
        graph = read_graph(content)
        if zero is None:
            with pytest.raises(ValueError, match="less than 4096"):
                graph.run(inputs)
        else:
            (probabilities,) = graph.run(inputs).values()
            assert (probabilities == zero).all()
