"""The quick forms of single layers equal the plain ones; narrow accumulators: `test_ops`."""

import numpy as np
import pytest

from mnv2.golden import ops
from mnv2.golden.arithmetic import ROUNDINGS
from mnv2.golden.fast import ops as fast_ops
from mnv2.golden.network import build_network
from mnv2.golden.synthetic import random_model

TABLE = ((1, 4, 1, 1), (3, 6, 2, 2), (2, 6, 1, 1))


@pytest.mark.parametrize("padding", ["pytorch", "tensorflow"])
@pytest.mark.parametrize("bits", [(8, 8), (4, 4), (2, 7), (8, 16)])
def test_every_layer_equals_the_plain_form(padding, bits):
    rng = np.random.default_rng(11)
    network = build_network(
        TABLE, stem_channels=5, head_channels=16, classes=7, input_size=(21, 18), padding=padding
    )
    model, image = random_model(rng, network, *bits)
    x = image
    for layer in (model.stem, *model.blocks[0].layers, *model.blocks[1].layers):
        quick, x = layer.run(x), layer.run(x, exact_loops=True)
        assert quick.dtype == x.dtype == (np.int16 if bits[1] > 8 else np.int8)
        np.testing.assert_array_equal(quick, x, err_msg=layer.name)


def test_bounds_hold_every_partial_sum():
    rng = np.random.default_rng(1)
    weights = rng.integers(-127, 128, (3, 4, 5), dtype=np.int8)
    lowest, highest = fast_ops.sum_bounds(weights, -7, 20)
    for _ in range(200):
        x = rng.choice([-7, 20, 0, 3], (3, 4, 1))
        sums = (weights * x).reshape(12, 5).cumsum(axis=0)
        assert np.all(lowest <= sums)
        assert np.all(sums <= highest)
    reached = np.where(weights > 0, weights.astype(int) * 20, weights.astype(int) * -7)
    np.testing.assert_array_equal(highest, reached.reshape(12, 5).sum(axis=0))


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("kind", [np.int8, np.int16])
@pytest.mark.parametrize("seed", range(6))
def test_requantize_at_the_extremes(seed, kind, rounding):
    rng = np.random.default_rng(seed)
    channels = 64
    acc = rng.integers(-(2**31), 2**31, (500, channels)).astype(np.int32)
    acc[:4] = np.array([[-(2**31)], [2**31 - 1], [0], [-1]])
    multiplier = rng.integers(2**30, 2**31, channels).astype(np.int32)
    multiplier[:2] = 0, 2**31 - 1
    shift = rng.integers(-30, 32, channels).astype(np.int32)
    ends = np.iinfo(kind)
    for zero_point in (5, ends.min, ends.max):
        for bounds in ((ends.min, ends.max), (-3, 90)):
            form = multiplier, shift, zero_point, *bounds, rounding, kind
            quick, plain = fast_ops.requantize(acc, *form), ops.requantize(acc, *form)
            assert quick.dtype == plain.dtype == kind
            np.testing.assert_array_equal(quick, plain)


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_requantize_on_ties(rounding):
    shift = np.arange(1, 13, dtype=np.int32)
    multiplier = np.full(12, 2**30, np.int32)  # exactly one half
    acc = (np.arange(-41, 42)[:, None] << shift[None]).astype(np.int32)
    np.testing.assert_array_equal(
        fast_ops.requantize(acc, multiplier, shift, 0, -128, 127, rounding),
        ops.requantize(acc, multiplier, shift, 0, -128, 127, rounding),
    )


def test_pointwise_beyond_float32():
    rng = np.random.default_rng(3)
    weights = rng.integers(120, 128, (3000, 2), dtype=np.int8)
    x = rng.integers(100, 128, (3, 2, 3000), dtype=np.int8)
    assert (x.astype(int) @ weights.astype(int)).min() > 2**25
    bias = np.array([2**31 - 1, -(2**31)], np.int32)  # wraps, as an int32 accumulator does
    np.testing.assert_array_equal(
        fast_ops.pointwise_conv2d(x, weights, bias, -128),
        ops.pointwise_conv2d(x, weights, bias, -128),
    )
