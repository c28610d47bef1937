"""The quick forms equal the plain ones, element by element."""

import numpy as np
import pytest

from golden import fast_ops, ops
from golden.network import build_network
from golden.synthetic import random_model

TABLE = ((1, 4, 1, 1), (3, 6, 2, 2), (2, 6, 1, 1))


@pytest.mark.parametrize("padding", ["pytorch", "tensorflow"])
@pytest.mark.parametrize("bits", [(8, 8), (4, 4), (5, 7)])
def test_every_tensor_equals_the_plain_form(padding, bits):
    rng = np.random.default_rng(11)
    network = build_network(TABLE, stem_channels=5, head_channels=16, classes=7,
                            input_size=(21, 18), padding=padding)
    model, image = random_model(rng, network, *bits)
    quick, plain = model.run(image), model.run(image, exact_loops=True)
    assert list(quick) == list(plain)
    for name, tensor in plain.items():
        assert tensor.dtype == quick[name].dtype
        np.testing.assert_array_equal(quick[name], tensor, err_msg=name)


@pytest.mark.parametrize("seed", range(10))
def test_requantize_at_the_extremes(seed):
    rng = np.random.default_rng(seed)
    channels = 64
    acc = rng.integers(-2**31, 2**31, (500, channels)).astype(np.int32)
    acc[:4] = np.array([[-2**31], [2**31 - 1], [0], [-1]])
    multiplier = rng.integers(2**30, 2**31, channels).astype(np.int32)
    multiplier[:2] = 0, 2**31 - 1
    shift = rng.integers(-30, 32, channels).astype(np.int32)
    for bounds in ((-128, 127), (-3, 90)):
        np.testing.assert_array_equal(
            fast_ops.requantize(acc, multiplier, shift, 5, *bounds),
            ops.requantize(acc, multiplier, shift, 5, *bounds))


def test_requantize_on_ties():
    shift = np.arange(1, 13, dtype=np.int32)
    multiplier = np.full(12, 2**30, np.int32)          # exactly one half
    acc = (np.arange(-41, 42)[:, None] << shift[None]).astype(np.int32)
    np.testing.assert_array_equal(fast_ops.requantize(acc, multiplier, shift, 0, -128, 127),
                                  ops.requantize(acc, multiplier, shift, 0, -128, 127))


def test_pointwise_beyond_float32():
    rng = np.random.default_rng(3)
    weights = rng.integers(120, 128, (3000, 2), dtype=np.int8)
    x = rng.integers(100, 128, (3, 2, 3000), dtype=np.int8)
    assert (x.astype(int) @ weights.astype(int)).min() > 2**25
    bias = np.array([2**31 - 1, -2**31], np.int32)      # wraps, as an int32 accumulator does
    np.testing.assert_array_equal(fast_ops.pointwise_conv2d(x, weights, bias, -128),
                                  ops.pointwise_conv2d(x, weights, bias, -128))
