"""Every kind of integer layer against LiteRT's reference kernels: zero differences."""

from dataclasses import replace

import numpy as np
import pytest

from mnv2.golden.exporters.tflite import (
    add_activation,
    export_model,
    write_add,
    write_convolution,
    write_mean,
)
from mnv2.golden.exporters.tflite_graph import GraphWriter
from mnv2.golden.fixed_point import quantize_multiplier
from mnv2.golden.network import Layer, build_network, stride_padding
from mnv2.golden.quantize import add_record, layer_record, mean_record
from tests.golden.family_files import random_quantized_network
from tests.golden.litert import run_litert
from tests.golden.reference_pool import average_pool2d


def with_scales(record, weight_scales, output_scale, bias):
    """The record with other scales and the multipliers that follow."""
    pairs = [
        quantize_multiplier(
            np.float64(np.float32(record.input_scale))
            * np.float64(scale)
            / np.float64(np.float32(output_scale))
        )
        for scale in weight_scales
    ]
    multiplier, shift = np.array(pairs, np.int32).T.copy()
    return replace(
        record,
        weight_scales=weight_scales,
        output_scale=output_scale,
        bias=bias,
        multiplier=multiplier,
        shift=shift,
    )


def make_layer(
    rng,
    kind,
    shape,
    channels,
    stride=1,
    padding="pytorch",
    *,
    output_scale=None,
    output_zero_point=-128,
    input_zero_point=None,
):
    """A quantised layer with scales that spread its outputs, and its input."""
    rows, columns, inputs = shape
    kernel = 3 if kind in ("stem", "depthwise") else 1
    pads = ((0, 0), (0, 0))
    if kernel == 3:
        pads = tuple(stride_padding(n, stride, padding) for n in (rows, columns))
    out = (-(-rows // stride), -(-columns // stride), channels)
    layer = Layer("layer", kind, 0, shape, out, (kernel, kernel), stride, pads)
    weight_shape = {"stem": (3, 3, inputs, channels), "depthwise": (3, 3, channels)}.get(
        kind, (inputs, channels)
    )
    weights = (rng.normal(0, 1, weight_shape) * rng.uniform(0.1, 3, channels)).astype(np.float32)
    source = (
        float(np.float32(rng.uniform(0.005, 0.05))),
        int(rng.integers(-128, 128)) if input_zero_point is None else input_zero_point,
    )
    x = rng.integers(-128, 128, shape, dtype=np.int8)
    trial = layer_record(layer, weights, np.zeros(channels, np.float32), source, (1.0, 0))
    real = trial.accumulate(x) * (source[0] * trial.weight_scales)
    spread = real.std(axis=(0, 1)) + 0.1 * np.abs(real).max()
    bias = spread * rng.uniform(0 if layer.relu6 else -1, 1, channels) - real.mean(axis=(0, 1))
    scale = float(np.float32(spread.max() / 50)) if output_scale is None else output_scale
    record = layer_record(
        layer, weights, bias.astype(np.float32), source, (scale, output_zero_point)
    )
    if layer.relu6 and output_scale is None:  # a scale at which 6 lies outside the range
        record = with_scales(
            record, record.weight_scales * np.float32(0.02 / scale), 0.02, record.bias
        )
        record = replace(record, minimum=max(-128, output_zero_point), maximum=127)
    return record, x


def litert_layer(record, x):
    graph = GraphWriter()
    source = add_activation(graph, "x", x.shape, record.input_scale, record.input_zero_point)
    target, _ = write_convolution(graph, record, source, x.shape)
    return run_litert(graph.finish([source], [target]), [x])["layer"]


def assert_layer_equals(record, x, spread=20):
    expected = litert_layer(record, x)
    np.testing.assert_array_equal(record.run(x), expected)
    np.testing.assert_array_equal(record.run(x, exact_loops=True), expected)
    assert len(np.unique(expected)) >= spread


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("padding", ["pytorch", "tensorflow"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kind", ["stem", "depthwise"])
def test_3x3(kind, stride, padding, seed):
    rng = np.random.default_rng([seed, stride, len(padding), len(kind)])
    rows, columns = (int(n) for n in rng.integers(5, 19, 2))
    inputs = 3 if kind == "stem" else 11
    record, x = make_layer(
        rng, kind, (rows, columns, inputs), 8 if kind == "stem" else 11, stride, padding
    )
    assert_layer_equals(record, x)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (2, 5)])
@pytest.mark.parametrize("padding", ["pytorch", "tensorflow"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kind", ["stem", "depthwise"])
def test_3x3_on_few_pixels(kind, stride, padding, shape):
    rng = np.random.default_rng([*shape, stride])
    record, x = make_layer(rng, kind, (*shape, 16), 16, stride, padding)
    assert_layer_equals(record, x, spread=2)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["expand", "project", "head", "classifier"])
def test_1x1(kind, seed):
    rng = np.random.default_rng([seed, len(kind)])
    zero = -128 if kind in ("expand", "head") else int(rng.integers(-40, 40))
    record, x = make_layer(rng, kind, (7, 5, int(rng.integers(1, 200))), 24, output_zero_point=zero)
    assert_layer_equals(record, x)


def test_1x1_with_many_inputs():
    rng = np.random.default_rng(5)
    record, x = make_layer(rng, "project", (3, 3, 1280), 40, output_zero_point=3)
    assert_layer_equals(record, x)


@pytest.mark.parametrize(
    ("scale", "zero", "clamp"),
    [
        (0.1, -128, (-128, -68)),  # 6 lies inside the range
        (6 / 255, -128, (-128, 127)),  # 6 is the range's end
        (0.01, -128, (-128, 127)),  # 6 lies outside
        (0.05, -20, (-20, 100)),  # both ends inside
        (0.5, 100, (100, 112)),
        (0.0375, 0, (0, 127)),  # 6 / 0.0375 = 160
        (4.0, -1, (-1, 1)),  # 6 / 4 = 1.5, a tie that rounds away from zero
    ],
)
def test_relu6_inside_and_outside_the_range(scale, zero, clamp):
    rng = np.random.default_rng(9)
    record, x = make_layer(
        rng, "expand", (9, 9, 6), 8, output_scale=float(np.float32(scale)), output_zero_point=zero
    )
    assert (record.minimum, record.maximum) == clamp
    expected = litert_layer(record, x)
    np.testing.assert_array_equal(record.run(x), expected)
    assert expected.min() == clamp[0]


def test_ties():
    """Factors that are powers of two put every odd accumulator on a tie, of either sign."""
    rng = np.random.default_rng(12)
    record, x = make_layer(rng, "project", (40, 20, 4), 8, output_zero_point=0)
    record = replace(record, input_scale=1.0, weights=np.sign(record.weights))
    scales = np.float32(2.0) ** np.arange(-1, -9, -1, dtype=np.float32)
    bias = rng.integers(-50, 50, 8).astype(np.int32)
    record = with_scales(record, scales, 1.0, bias)
    assert (record.multiplier == 2**30).all()
    acc = record.accumulate(x)
    half = np.int32(1) << (record.shift.astype(np.int32))
    ties = (acc & (2 * half - 1)) == half
    assert (ties & (acc < 0)).sum() > 100
    assert (ties & (acc > 0)).sum() > 100
    assert_layer_equals(record, x)


def test_double_rounding():
    """Single rounding would differ somewhere on this layer: the test can see it."""
    rng = np.random.default_rng(13)
    record, x = make_layer(rng, "project", (60, 60, 16), 32, output_zero_point=0)
    acc = record.accumulate(x).astype(np.int64)
    total = 31 + record.shift.astype(np.int64)
    single = (acc * record.multiplier + (np.int64(1) << (total - 1))) >> total
    assert (np.clip(single, -128, 127) != record.run(x)).sum() > 10
    assert_layer_equals(record, x)


def test_left_shift():
    """Factors of 1 and more shift left before the multiplication."""
    rng = np.random.default_rng(14)
    record, x = make_layer(rng, "project", (9, 9, 2), 6, output_zero_point=0)
    record = replace(record, input_scale=1.0, weights=np.clip(record.weights, -3, 3))
    scales = np.array([1.0, 1.5, 3.7, 20.0, 0.9, 130.0], np.float32)
    record = with_scales(record, scales, 8.0, rng.integers(-9, 9, 6).astype(np.int32))
    assert record.shift.min() <= -4
    assert_layer_equals(record, x)


def test_left_shift_that_wraps():
    """A lifted accumulator wraps in int32, in LiteRT as here."""
    rng = np.random.default_rng(15)
    record, x = make_layer(rng, "project", (20, 20, 64), 4, output_zero_point=0)
    record = replace(record, input_scale=1.0)
    scales = np.array([2.0**14, 2.0**16, 2.0**20, 2.0**12], np.float32)
    record = with_scales(record, scales, 0.5, record.bias * 0)
    lifted = np.abs(record.accumulate(x).astype(np.int64)) << -record.shift.astype(np.int64)
    assert (lifted > 2**31).any()
    expected = litert_layer(record, x)
    np.testing.assert_array_equal(record.run(x), expected)
    np.testing.assert_array_equal(record.run(x, exact_loops=True), expected)


def test_nearly_dead_channels():
    """Tiny weights with a bias that would not fit int32 at their scale."""
    rng = np.random.default_rng(16)
    layer = Layer("layer", "project", 0, (5, 5, 8), (5, 5, 4), (1, 1), 1, ((0, 0), (0, 0)))
    weights = rng.normal(0, 1, (8, 4)) * np.array([1e-30, 0.0, 1e-9, 1.0])
    record = layer_record(
        layer, weights.astype(np.float32), np.float32([2.51, 0.0, 0.03, 0.1]), (0.02, 5), (0.04, -3)
    )
    assert np.abs(record.bias.astype(np.int64)).max() <= 2**30 + 64
    assert record.shift.max() >= 29
    x = rng.integers(-128, 128, (5, 5, 8), dtype=np.int8)
    assert_layer_equals(record, x, spread=4)
    assert (record.run(x)[..., 0] == -3 + round(2.51 / 0.04)).all()


def test_largest_right_shifts():
    """A shift of 31 still rounds; a factor below 2**-32 is zero."""
    rng = np.random.default_rng(17)
    record, x = make_layer(rng, "project", (6, 6, 8), 3, output_zero_point=4)
    record = replace(record, input_scale=1.0)
    scales = np.array([1.5, 0.2, 1.0], np.float32) * np.float32(2.0**-32)
    bias = np.array([2**31 - 2**20, 2**31 - 2**20, -(2**31) + 2**20], np.int32)
    record = with_scales(record, scales, 1.0, bias)
    assert record.shift.tolist() == [31, 0, 31]
    assert record.multiplier[1] == 0
    assert_layer_equals(record, x, spread=2)
    assert record.run(x)[0, 0].tolist() == [5, 4, 4]


def litert_add(record, a, b):
    graph = GraphWriter()
    left = add_activation(graph, "a", a.shape, record.a_scale, record.a_zero_point)
    right = add_activation(graph, "b", b.shape, record.b_scale, record.b_zero_point)
    target = write_add(graph, record, left, right, a.shape)
    return run_litert(graph.finish([left, right], [target]), [a, b])[record.name]


@pytest.mark.parametrize("ratio", [1.0, 0.5, 3.0, 1e-3, 700.0])
@pytest.mark.parametrize("zeros", [(0, 0, 0), (-128, 127, 30), (17, -64, -128)])
def test_add(ratio, zeros):
    a_scale = float(np.float32(0.03))
    b_scale = float(np.float32(0.03 * ratio))
    record = add_record(
        "sum",
        a_scale,
        zeros[0],
        b_scale,
        zeros[1],
        float(np.float32(1.3 * max(a_scale, b_scale))),
        zeros[2],
        -128,
        127,
    )
    grid = np.arange(-128, 128).astype(np.int8)
    a, b = (part.reshape(256, 256, 1) for part in np.meshgrid(grid, grid))  # every pair
    expected = litert_add(record, a, b)
    np.testing.assert_array_equal(record.run(a, b), expected)
    assert len(np.unique(expected)) > 80


def test_add_ties():
    record = add_record("sum", 1.0, 0, 1.0, 0, 2.0, 0, -128, 127)
    grid = np.arange(-128, 128).astype(np.int8)
    a, b = (part.reshape(256, 256, 1) for part in np.meshgrid(grid, grid))
    expected = litert_add(record, a, b)
    np.testing.assert_array_equal(record.run(a, b), expected)
    assert expected[127, 126, 0] != expected[127, 128, 0]


@pytest.mark.parametrize("shape", [(7, 7), (1, 1), (3, 5), (4, 4), (1, 2), (8, 8), (6, 7)])
@pytest.mark.parametrize("ratio", [1.0, 1.7, 0.4, 30.0])
def test_mean(shape, ratio):
    rng = np.random.default_rng(shape[0])
    base = rng.normal(-20, 60 / ratio, 64)
    x = np.clip(rng.normal(base, 20, (*shape, 64)), -128, 127).astype(np.int8)
    scale = float(np.float32(0.02))
    record = mean_record(
        "mean", x.shape[0] * x.shape[1], scale, -20, float(np.float32(scale / ratio)), 5
    )
    graph = GraphWriter()
    source = add_activation(graph, "x", x.shape, record.input_scale, record.input_zero_point)
    target = write_mean(graph, record, source, x.shape)
    expected = run_litert(graph.finish([source], [target]), [x])["mean"]
    np.testing.assert_array_equal(record.run(x), expected)
    assert len(np.unique(expected)) > 5


@pytest.mark.parametrize("kernel", [(7, 7), (2, 2), (3, 2)])
@pytest.mark.parametrize("same", [True, False])
def test_average_pool(kernel, same):
    rng = np.random.default_rng(2)
    x = rng.integers(-128, 128, (7, 7, 9), dtype=np.int8)
    graph = GraphWriter()
    source = add_activation(graph, "x", x.shape, 0.1, 4)
    padding = ((0, 0), (0, 0))
    if same:
        padding = tuple(((size - 1) // 2, size - 1 - (size - 1) // 2) for size in kernel)
    out = tuple(7 + sum(pads) - size + 1 for pads, size in zip(padding, kernel, strict=True))
    target = add_activation(graph, "pool", (*out, 9), 0.1, 4)
    graph.operator(
        "AVERAGE_POOL_2D",
        [source],
        [target],
        "Pool2DOptions",
        {
            "padding": "SAME" if same else "VALID",
            "strideH": 1,
            "strideW": 1,
            "filterHeight": kernel[0],
            "filterWidth": kernel[1],
        },
        version=2,
    )
    expected = run_litert(graph.finish([source], [target]), [x])["pool"]
    np.testing.assert_array_equal(average_pool2d(x, kernel, 1, padding), expected)


@pytest.mark.parametrize("size", [(32, 32), (33, 27), (5, 64)])
@pytest.mark.parametrize("padding", ["pytorch", "tensorflow"])
def test_small_networks(padding, size):
    rng = np.random.default_rng(sum(size))
    table = ((1, 8, 1, 1), (4, 12, 2, 2), (6, 12, 1, 2), (3, 16, 2, 1))
    network = build_network(
        table, stem_channels=8, head_channels=48, classes=11, input_size=size, padding=padding
    )
    model = random_quantized_network(rng, network)
    image = rng.integers(-128, 128, network.input_shape, dtype=np.int8)
    expected = run_litert(export_model(model), [image])
    tensors = model.run(image)
    tensors.pop("logits_accumulator")
    assert set(tensors) <= set(expected)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(tensor, expected[name], err_msg=name)
    assert len(np.unique(tensors["classifier"])) > 5
