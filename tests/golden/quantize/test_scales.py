"""Scales and zero points; scales of weights; integers of weights."""

import numpy as np
import pytest

from mnv2.golden.fixed_point import dequantize, signed_range
from mnv2.golden.quantize.scales import (
    affine_parameters,
    nearest_integers,
    power_of_two_above,
    relu6_clamp,
    tensor_parameters,
    weight_scales,
)


@pytest.mark.parametrize(
    ("minimum", "maximum", "zero_point"),
    [(0.0, 6.0, -128), (-6.0, 0.0, 127), (-1.0, 1.0, -1), (2.0, 6.0, -128), (-0.3, 5.0, -114)],
)
def test_affine_parameters(minimum, maximum, zero_point):
    scale, zero = affine_parameters(minimum, maximum)
    assert zero == zero_point
    assert scale == np.float32(scale)
    ends = dequantize(np.array([-128, 127], np.int8), scale, zero)
    assert ends[0] <= min(minimum, 0) + 1.01 * scale / 2
    assert ends[1] >= max(maximum, 0) - 1.01 * scale / 2


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_affine_parameters_of_fewer_bits(bits):
    scale, zero = affine_parameters(0.0, 6.0, bits)
    assert zero == -(2 ** (bits - 1))
    assert scale == pytest.approx(6 / (2**bits - 1))


@pytest.mark.parametrize("scales", ["real", "power-of-two"])
@pytest.mark.parametrize("bits", [8, 16])
def test_empty_range(bits, scales):
    assert tensor_parameters(0.0, 0.0, bits, scales) == (1.0, 0)


@pytest.mark.parametrize("ends", [(1.0, -1.0), (float("nan"), 1.0), (0.0, float("inf"))])
@pytest.mark.parametrize("scales", ["real", "power-of-two"])
def test_refused_ranges(ends, scales):
    with pytest.raises(ValueError, match="finite and ordered"):
        tensor_parameters(*ends, 8, scales)


@pytest.mark.parametrize("bits", [4, 8, 16])
@pytest.mark.parametrize(
    "ends", [(0.0, 6.0), (-3.0, 1.0), (-0.01, 0.02), (0.0, 7.938), (-8.0, 7.0), (0.0, 4.0)]
)
def test_power_of_two_scales_are_the_smallest_that_cover(ends, bits):
    scale, zero = tensor_parameters(*ends, bits, "power-of-two")
    assert zero == 0
    assert np.frexp(scale)[0] == 0.5
    low, high = signed_range(bits)
    assert (low - 0.5) * scale <= ends[0] <= ends[1] <= (high + 0.5) * scale
    assert not (low - 0.5) * scale / 2 <= ends[0] <= ends[1] <= (high + 0.5) * scale / 2


def test_16_bits_are_symmetric():
    scale, zero = tensor_parameters(-3.0, 1.0, 16)
    assert zero == 0
    assert scale == pytest.approx(3 / 32767)


def test_power_of_two_above():
    values = [1.0, 0.75, 0.5, 0.50001, 1e-300]
    assert power_of_two_above(values).tolist() == [1.0, 1.0, 0.5, 1.0, 2.0**-126]


def test_relu6_clamp():
    assert relu6_clamp(0.5, -8, 4) == (-8, 4)
    assert relu6_clamp(0.1, -8, 4) == (-8, 7)
    assert relu6_clamp(0.5, -8, 4, ceiling=3.0) == (-8, -2)


def layer_weights(seed, spread=1.0):
    rng = np.random.default_rng(seed)
    weights = rng.standard_t(4, (3, 3, 6, 20)) * spread ** rng.uniform(-1, 1, 20)
    return weights.astype(np.float32), rng.normal(0, 1, 20).astype(np.float32)


@pytest.mark.parametrize("bits", range(2, 9))
def test_weights_reach_the_end_and_are_symmetric(bits):
    weights, bias = layer_weights(1, 4.0)
    scales = weight_scales(weights, bias, 0.1, bits)
    integers = nearest_integers(weights, scales, bits)
    top = 2 ** (bits - 1) - 1
    assert integers.dtype == np.int8
    assert (np.abs(integers.astype(int)).max(axis=(0, 1, 2)) == top).all()
    error = np.abs(integers * scales.astype(np.float64) - weights)
    assert (error <= 0.501 * scales).all()


def test_a_tensors_scale_is_that_of_its_largest_channel():
    weights, bias = layer_weights(2, 4.0)
    channels = weight_scales(weights, bias, 0.1)
    whole = weight_scales(weights, bias, 0.1, granularity="tensor")
    assert whole.shape == channels.shape == (20,)
    assert np.ptp(channels) > 0
    assert (whole == channels.max()).all()


@pytest.mark.parametrize("granularity", ["channel", "tensor"])
@pytest.mark.parametrize("method", ["minmax", "least-squares"])
@pytest.mark.parametrize("bits", [3, 8])
def test_power_of_two_weights(bits, method, granularity):
    weights, bias = layer_weights(3, 4.0)
    scales = weight_scales(weights, bias, 0.125, bits, granularity, "power-of-two", method)
    assert (np.frexp(scales)[0] == 0.5).all()
    if method == "minmax":
        rows = weights.reshape(-1, 20)
        largest = np.abs(rows).max(axis=0) if granularity == "channel" else np.abs(rows).max()
        steps = largest / scales
        top = 2 ** (bits - 1) - 1
        assert ((steps <= top + 0.5) & (steps > (top + 0.5) / 2)).all()


@pytest.mark.parametrize("scales", ["real", "power-of-two"])
@pytest.mark.parametrize("granularity", ["channel", "tensor"])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_least_squares_is_never_worse_than_the_largest_weight(bits, granularity, scales):
    weights, _ = layer_weights(4, 2.0)
    bias = np.zeros(20, np.float32)

    def error(method):
        step = weight_scales(weights, bias, 0.1, bits, granularity, scales, method)
        wrong = np.square(nearest_integers(weights, step, bits) * step.astype(np.float64) - weights)
        return wrong.sum(axis=(0, 1, 2)) if granularity == "channel" else wrong.sum()

    plain, fitted = error("minmax"), error("least-squares")
    assert (fitted <= plain * (1 + 1e-6)).all()
    if bits < 8:
        assert fitted.sum() < 0.9 * plain.sum()


@pytest.mark.parametrize("scales", ["real", "power-of-two"])
def test_scales_of_dead_channels(scales):
    weights = np.array([[0.0, 1e-20, 1.0, 0.0]], np.float32)
    bias = np.array([3.0, 3.0, 3.0, 0.0], np.float32)
    made = weight_scales(weights, bias, 0.05, scales=scales)
    assert made[3] == 1.0
    integers = bias / (0.05 * made.astype(np.float64))
    assert (np.abs(integers) < 2**31).all()
    if scales == "real":
        assert made[2] == np.float32(1 / 127)
        assert integers[:2] == pytest.approx(2**30, rel=1e-6)


def test_a_tensors_scale_leaves_room_for_every_bias():
    weights = np.full((4, 2), 1e-12, np.float32)
    bias = np.array([0.0, 3.0], np.float32)
    made = weight_scales(weights, bias, 0.05, granularity="tensor")
    assert made[0] == made[1]
    assert bias[1] / (0.05 * float(made[1])) == pytest.approx(2**30, rel=1e-6)
