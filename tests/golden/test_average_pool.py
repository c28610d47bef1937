"""The average pool as a scaled sum equals LiteRT's division, on every sum."""

import numpy as np
import pytest

from mnv2.golden.average_pool import QuantizedAveragePool, average_parameters
from mnv2.golden.exporters.tflite import add_activation, write_average_pool
from mnv2.golden.exporters.tflite_graph import GraphWriter
from mnv2.golden.fixed_point import multiply_by_quantized_multiplier
from tests.golden.litert import run_litert
from tests.golden.reference_pool import average_pool2d


def reference(total, count):
    """(v + or - count / 2) / count in C, whose division truncates."""
    magnitude = (abs(total) + count // 2) // count
    return magnitude if total >= 0 else -magnitude


@pytest.mark.parametrize("count", [*range(1, 70), 144, 196])
def test_every_sum(count):
    sum_bias, multiplier, shift, offset = average_parameters(count)
    assert 0 < multiplier < 2**31
    assert 0 <= shift <= 31
    sums = np.arange(-128 * count, 127 * count + 1)
    found = multiply_by_quantized_multiplier(sums + sum_bias, multiplier, shift) + offset
    expected = [reference(total, count) for total in sums.tolist()]
    np.testing.assert_array_equal(np.clip(found, -128, 127), expected)


def test_no_factor_alone_divides_by_49():
    """Without the lifted sum a multiplier fails: the candidates are needed."""
    _, multiplier, shift, _ = average_parameters(49)
    sums = np.arange(-128 * 49, 127 * 49 + 1)
    expected = np.array([reference(total, 49) for total in sums.tolist()])
    for factor in range(multiplier - 50, multiplier + 50):
        assert (multiply_by_quantized_multiplier(sums, factor, shift) != expected).any()


@pytest.mark.parametrize("shape", [(7, 7), (1, 1), (3, 5), (4, 4), (1, 2), (1, 3), (6, 7)])
def test_equals_litert(shape):
    rng = np.random.default_rng(shape)
    mean = rng.normal(0, 60, 300)
    x = np.clip(rng.normal(mean, 30, (*shape, 300)), -128, 127).astype(np.int8)
    graph = GraphWriter()
    source = add_activation(graph, "x", x.shape, 0.05, 3)
    pool = QuantizedAveragePool("pool", shape[0] * shape[1], 0.05, 3, 3, 127)
    target = write_average_pool(graph, pool, source, x.shape)
    expected = run_litert(graph.finish([source], [target]), [x])["pool"]
    np.testing.assert_array_equal(pool.run(x), expected)
    np.testing.assert_array_equal(
        pool.run(x), average_pool2d(x, shape, 1, ((0, 0), (0, 0)), 3, 127)
    )
    assert len(np.unique(expected)) > 20


def test_wrong_size():
    with pytest.raises(ValueError, match="must have 49 pixels"):
        QuantizedAveragePool("pool", 49, 0.1, 0).run(np.zeros((7, 6, 3), np.int8))


def test_wrong_clamp():
    with pytest.raises(ValueError, match=r"The clamp of pool must lie in -128\.\.127"):
        QuantizedAveragePool("pool", 49, 0.1, 0, 5, 4)
