"""From ranges and weights to integers; calibration; the archive."""

import numpy as np
import pytest

from golden.archive import model_from_arrays, model_to_arrays
from golden.calibrate import RangeStatistics, collect_statistics
from golden.fixed_point import dequantize
from golden.float_model import FloatLayer, FloatModel
from golden.network import Layer, build_network
from golden.quantize import (
    QuantizationOptions,
    add_record,
    affine_parameters,
    choose_ranges,
    layer_record,
    mean_record,
    quantize_model,
    relu6_clamp,
    weight_scales,
)


@pytest.mark.parametrize(("minimum", "maximum", "zero_point"), [
    (0.0, 6.0, -128), (-6.0, 0.0, 127), (-1.0, 1.0, -1), (2.0, 6.0, -128), (-0.3, 5.0, -114)])
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
    assert zero == -2 ** (bits - 1)
    assert scale == pytest.approx(6 / (2**bits - 1))


def test_empty_range():
    assert affine_parameters(0.0, 0.0) == (1.0, 0)


@pytest.mark.parametrize("ends", [(1.0, -1.0), (float("nan"), 1.0), (0.0, float("inf"))])
def test_refused_ranges(ends):
    with pytest.raises(ValueError, match="finite and ordered"):
        affine_parameters(*ends)


def test_weights_reach_the_end_and_are_symmetric():
    rng = np.random.default_rng(1)
    layer = Layer("l", "project", 0, (2, 2, 50), (2, 2, 20), (1, 1), 1, ((0, 0), (0, 0)))
    weights = rng.normal(0, 1, (50, 20)).astype(np.float32)
    for bits in (4, 5, 8):
        record = layer_record(layer, weights, np.zeros(20, np.float32), (0.1, 0), (0.2, 0), bits)
        top = 2 ** (bits - 1) - 1
        assert (np.abs(record.weights).max(axis=0) == top).all()
        error = np.abs(record.weights * record.weight_scales - weights)
        assert (error <= 0.501 * record.weight_scales).all()


def test_scales_of_dead_channels():
    weights = np.array([[0.0, 1e-20, 1.0, 0.0]], np.float32)
    bias = np.array([3.0, 3.0, 3.0, 0.0], np.float32)
    scales = weight_scales(weights, bias, 0.05)
    assert scales[3] == 1.0
    assert scales[2] == np.float32(1 / 127)
    integers = bias / (0.05 * scales.astype(np.float64))
    assert (np.abs(integers) < 2**31).all()
    assert integers[:2] == pytest.approx(2**30, rel=1e-6)


def test_relu6_clamp_of_fewer_bits():
    assert relu6_clamp(0.5, -8, 4) == (-8, 4)
    assert relu6_clamp(0.1, -8, 4) == (-8, 7)


def test_mean_of_extremes_and_extremes():
    statistics = RangeStatistics(
        {"input": np.array([-1.0, -3.0]), "classifier": np.array([-4.0, -8.0])},
        {"input": np.array([1.0, 9.0]), "classifier": np.array([5.0, 20.0])})
    assert choose_ranges(statistics)["input"] == (-2.0, 5.0)
    assert choose_ranges(statistics, "minmax")["input"] == (-3.0, 9.0)
    assert choose_ranges(statistics, input_range=(-7, 7))["input"] == (-7.0, 7.0)
    assert choose_ranges(statistics)["classifier"] == (-8.0, 20.0)   # never the mean: no clipping
    with pytest.raises(ValueError, match="mean-minmax, minmax, not 'best'"):
        choose_ranges(statistics, "best")


def test_last_bits_of_a_float_library_decide_nothing():
    names = ("input", "head", "classifier")
    minima = {name: np.array([-1.23456, -2.34567]) for name in names}
    maxima = {name: np.array([3.45678, 1.0]) for name in names}
    first = choose_ranges(RangeStatistics(minima, maxima))
    second = choose_ranges(RangeStatistics({n: v * (1 + 1e-7) for n, v in minima.items()},
                                           {n: v * (1 - 1e-7) for n, v in maxima.items()}))
    assert first == second
    assert first["head"] == pytest.approx((-1.790115, 2.22839), rel=5e-4)


@pytest.mark.parametrize(("options", "words"), [
    ({"weight_bits": 3}, "weight_bits must be 4 to 8, not 3"),
    ({"activation_bits": 9}, "activation_bits must be 4 to 8"),
    ({"logits_headroom": 0.5}, "at least 1")])
def test_refused_options(options, words):
    with pytest.raises(ValueError, match=words):
        QuantizationOptions(**options)


def test_add_refuses_a_scale_too_small():
    with pytest.raises(ValueError, match="output scale of sum"):
        add_record("sum", 1.0, 0, 1.0, 0, 1e-7, 0, -128, 127)


def test_mean_refuses_another_count():
    record = mean_record("pool", 4, 0.1, 0, 0.1, 0)
    with pytest.raises(ValueError, match="4 pixels"):
        record.run(np.zeros((3, 3, 1), np.int8))


@pytest.fixture(scope="module")
def small_float_model():
    rng = np.random.default_rng(2)
    network = build_network(((1, 8, 1, 1), (4, 12, 2, 2), (4, 12, 1, 1)), stem_channels=8,
                            head_channels=64, classes=10, input_size=(24, 20))
    layers = {}
    for layer in network.layers:
        if layer.kind == "pool":
            continue
        channels = layer.output_channels
        shape = {"stem": (3, 3, layer.input_channels, channels),
                 "depthwise": (3, 3, channels)}.get(layer.kind, (layer.input_channels, channels))
        weights = rng.normal(0, 1.5 / np.sqrt(np.prod(shape[:-1])), shape).astype(np.float32)
        layers[layer.name] = FloatLayer(layer, weights,
                                        rng.normal(0.3, 0.5, channels).astype(np.float32))
    return FloatModel(network, layers)


def test_every_tensor_is_near_float(small_float_model):
    """With 8 bits no tensor is worse than 20 dB; with 4 bits most of them are."""
    rng = np.random.default_rng(3)
    images = [rng.normal(0, 1, small_float_model.network.input_shape).astype(np.float32)
              for _ in range(4)]
    seen = []
    statistics = collect_statistics(small_float_model, images[:3],
                                    lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    ranges = choose_ranges(statistics)
    reference = small_float_model.run(images[3])
    worst = {}
    for bits in (4, 6, 8):
        options = QuantizationOptions(weight_bits=bits, activation_bits=bits)
        model = quantize_model(small_float_model, ranges, options)
        low, high = -2 ** (bits - 1), 2 ** (bits - 1) - 1
        scaled = images[3] / np.float32(model.input_scale) + model.input_zero_point
        tensors = model.run(np.clip(np.round(scaled), low, high).astype(np.int8))
        records = [*model.layers, *(block.add for block in model.blocks if block.add), model.pool]
        ratios = []
        for record in records:
            value = tensors[record.name]
            assert low <= value.min() <= value.max() <= high
            real = dequantize(value, record.output_scale, record.output_zero_point)
            noise = np.square(reference[record.name] - real).sum()
            ratios.append(10 * np.log10(np.square(reference[record.name]).sum() / noise))
        worst[bits] = min(ratios)
        logits = model.logits(tensors)
        assert logits.shape == (10,)
    assert worst[8] > 20 > worst[4]
    assert worst[4] < worst[6] < worst[8]


def test_archive_round_trip(small_float_model):
    image = np.random.default_rng(5).normal(0, 1, (24, 20, 3)).astype(np.float32)
    ranges = {name: (t.min(), t.max()) for name, t in small_float_model.run(image).items()}
    model = quantize_model(small_float_model, ranges)
    again = model_from_arrays(model_to_arrays(model))
    assert again.network == model.network
    x = np.random.default_rng(6).integers(-128, 128, (24, 20, 3), dtype=np.int8)
    first, second = model.run(x), again.run(x)
    assert list(first) == list(second)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
    arrays = model_to_arrays(model)
    del arrays["head/bias"]
    with pytest.raises(ValueError, match="head/bias"):
        model_from_arrays(arrays)
