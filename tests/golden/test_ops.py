"""Narrow accumulators and wide activations against plain Python integers."""

import numpy as np
import pytest

from mnv2.golden import ops
from mnv2.golden.arithmetic import Arithmetic
from mnv2.golden.fast import ops as fast_ops
from mnv2.golden.fixed_point import signed_range

PADDING = ((1, 1), (1, 1))


def accumulate(bias, products, bits, overflow):
    """(accumulator, whether it left its range) by the definition, on Python's integers."""
    low, high = signed_range(bits)
    if overflow == "wrap":
        total = bias + sum(products)
        return (total - low) % 2**bits + low, not low <= total <= high
    total, left = bias, False
    for product in (0, *products):
        total += product
        left |= not low <= total <= high
        total = min(max(total, low), high)
    return total, left


def reference(x, weights, bias, zero_point, stride, bits, overflow, depthwise):
    """The definition of a padded 3x3 convolution, one output at a time."""
    rows, columns, channels = x.shape
    out = -(-rows // stride), -(-columns // stride), len(bias)
    acc, left = np.zeros(out, np.int64), np.zeros(out, bool)
    for row, column, m in np.ndindex(out):
        products = []
        for dy, dx in np.ndindex(3, 3):
            r, c = row * stride + dy - 1, column * stride + dx - 1
            if 0 <= r < rows and 0 <= c < columns:
                for k in [m] if depthwise else range(channels):
                    weight = weights[dy, dx, m] if depthwise else weights[dy, dx, k, m]
                    products.append((int(x[r, c, k]) - zero_point) * int(weight))
        acc[row, column, m], left[row, column, m] = accumulate(
            int(bias[m]), products, bits, overflow
        )
    return acc, left


@pytest.mark.parametrize("kind", [np.int8, np.int16])
@pytest.mark.parametrize("overflow", ["wrap", "saturate"])
@pytest.mark.parametrize("bits", [12, 15, 18, 32])
@pytest.mark.parametrize("stride", [1, 2])
def test_3x3_accumulators(stride, bits, overflow, kind):
    rng = np.random.default_rng([stride, bits])
    limits = np.iinfo(kind)
    arithmetic = Arithmetic(accumulator_bits=bits, overflow=overflow)
    # Small inputs next to large ones: some sums overflow, some only on the way, some not at all.
    x = rng.integers(limits.min, limits.max + 1, (5, 4, 3), dtype=kind)
    x[:3] //= 16
    bias = rng.integers(-(2 ** (bits - 2)), 2 ** (bits - 2), 3).astype(np.int32)
    for depthwise in (True, False):
        shape = (3, 3, 3) if depthwise else (3, 3, 3, 3)
        weights = rng.integers(-127, 128, shape, dtype=np.int8)
        expected, left = reference(x, weights, bias, 5, stride, bits, overflow, depthwise)
        for form in (ops, fast_ops):
            run = form.depthwise_conv2d if depthwise else form.conv2d
            found = []
            acc = run(x, weights, bias, 5, stride, PADDING, arithmetic, found)
            assert acc.dtype == np.int32
            np.testing.assert_array_equal(acc, expected)
            np.testing.assert_array_equal(found[0], left)
            np.testing.assert_array_equal(
                run(x, weights, bias, 5, stride, PADDING, arithmetic), expected
            )
        if bits == 15 and kind == np.int8 and not depthwise:
            assert 0 < left.sum() < left.size


@pytest.mark.parametrize("overflow", ["wrap", "saturate"])
@pytest.mark.parametrize("bits", [12, 14, 16, 18, 20])
def test_1x1_accumulators(bits, overflow):
    rng = np.random.default_rng(bits)
    arithmetic = Arithmetic(accumulator_bits=bits, overflow=overflow)
    x = rng.integers(-128, 128, (6, 5, 40), dtype=np.int8)
    weights = rng.integers(-127, 128, (40, 7), dtype=np.int8)
    weights[:, :3] //= 32
    bias = np.array([0, 5, -(2**20), 2**13, -(2**13), 7, 2**11], np.int32)
    found = [[], []]
    plain = ops.pointwise_conv2d(x, weights, bias, -3, arithmetic, found[0])
    quick = fast_ops.pointwise_conv2d(x, weights, bias, -3, arithmetic, found[1])
    np.testing.assert_array_equal(quick, plain)
    np.testing.assert_array_equal(*(parts[0] for parts in found))
    for row, column, m in ((0, 0, 0), (5, 4, 2), (2, 3, 6), (1, 1, 4)):
        products = [
            (int(v) + 3) * int(w) for v, w in zip(x[row, column], weights[:, m], strict=True)
        ]
        acc, left = accumulate(int(bias[m]), products, bits, overflow)
        assert (plain[row, column, m], found[0][0][row, column, m]) == (acc, left)
    assert 0 < found[0][0].mean() < 1


def test_saturation_depends_on_the_order():
    """2047 + 200 clamps, and only then comes what would have brought it back."""
    x = np.array([[[100, 100]]], np.int8)
    bias = np.array([2047], np.int32)
    arithmetic = Arithmetic(accumulator_bits=12, overflow="saturate")
    for form in (ops, fast_ops):
        up_down = form.pointwise_conv2d(x, np.array([[2], [-2]], np.int8), bias, 0, arithmetic)
        down_up = form.pointwise_conv2d(x, np.array([[-2], [2]], np.int8), bias, 0, arithmetic)
        assert (up_down.item(), down_up.item()) == (2047 - 200, 2047)


def test_an_accumulator_that_wraps_back_is_no_overflow():
    x = np.array([[[100, 100]]], np.int8)
    found = []
    acc = ops.pointwise_conv2d(
        x,
        np.array([[100], [-100]], np.int8),
        np.array([1], np.int32),
        0,
        Arithmetic(accumulator_bits=12),
        found,
    )
    assert acc.item() == 1
    assert not found[0].any()


def test_addition_of_int16_at_the_extremes():
    """Lifted by 15 bits, the largest difference from a zero point still fits int32."""
    ends = np.array([-(2**15), -1, 0, 2**15 - 1], np.int16)
    a, b = (part.reshape(4, 4, 1) for part in np.meshgrid(ends, ends))
    half = (2**30, 0)
    result = ops.add(
        a,
        b,
        (-(2**15), *half),
        (-(2**15), *half),
        2**30,
        14,
        -(2**15),
        -(2**15),
        2**15 - 1,
        left_shift=15,
        kind=np.int16,
    )
    total = a.astype(int) + b + 2**16  # half the sum of the differences
    exact = np.floor(total / 2 + 0.5).astype(int) - 2**15
    assert result.dtype == np.int16
    assert np.abs(result - exact).max() <= 1
    assert len(np.unique(result)) > 5
