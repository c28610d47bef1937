"""Graphs of every operator against LiteRT's reference kernels: zero differences.

Random layers first, then the cases that random ones seldom meet.
"""

from dataclasses import replace

import numpy as np
import pytest

from mnv2.golden import ops
from mnv2.golden.exporters.tflite_graph import GraphWriter
from mnv2.golden.fixed_point import quantize_multiplier, round_half_away
from mnv2.golden.graph.graph import Graph
from mnv2.golden.graph.schema import (
    AddOptions,
    ConvolutionOptions,
    Operator,
    SoftmaxOptions,
    Tensor,
)
from mnv2.golden.importers.tflite import read_graph
from tests.golden.graph.models import ModelMaker, assert_equals_litert, run_litert
from tests.golden.graph.random_layers import LAYERS


@pytest.mark.parametrize("kind", LAYERS)
def test_random_layers(kind):
    """Many models of a kind; enough of their outputs hold many values for a fault to show."""
    spread = 0
    for seed in range(12 if kind == "network" else 60):
        content, inputs = LAYERS[kind](np.random.default_rng([seed, len(kind)]))
        outputs = assert_equals_litert(content, inputs)
        spread += max(len(np.unique(output)) for output in outputs.values()) > 5
    assert spread >= 10


def test_network_with_many_values():
    content, inputs = LAYERS["network"](np.random.default_rng(3))
    outputs = assert_equals_litert(content, inputs)
    values = [len(np.unique(output)) for output in outputs.values() if output.size > 200]
    assert np.median(values) > 30


def test_a_scalar_by_a_shape_of_no_elements():
    """Converters keep the shape of a RESHAPE to a scalar in an empty buffer."""
    graph = GraphWriter()
    source = graph.tensor("x", (1, 1), scales=0.5)
    shape = graph.tensor("shape", (0,), np.int32)
    target = graph.tensor("y", (), scales=0.5)
    graph.operator("RESHAPE", [source, shape], [target])
    outputs = assert_equals_litert(graph.finish([source], [target]), [np.int8([[7]])])
    assert outputs[target].shape == ()


def test_a_shape_of_no_elements_is_no_constant_where_it_is_computed():
    """The output of an operator may be declared of any shape."""
    graph = GraphWriter()
    source = graph.tensor("x", (2, 3), scales=0.5)
    target = graph.tensor("y", (0,), scales=0.5)
    graph.operator("RESHAPE", [source, graph.tensor("shape", (1,), np.int32, data=[6])], [target])
    read = read_graph(graph.finish([source], [target]))
    assert read.run([np.zeros((2, 3), np.int8)])[target].shape == (6,)


@pytest.mark.parametrize("kernel", [(3, 1), (1, 4), (5, 2)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 3), (6, 6)])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("multiplier", [None, 2])
def test_windows_that_are_not_square(kernel, stride, padding, multiplier):
    rng = np.random.default_rng([*kernel, *stride])
    maker = ModelMaker(rng)
    source = maker.input((1, 13, 10, 6), zero=rng.choice([-128, 127]))
    target = maker.convolution(
        source, 8, kernel, stride, padding=padding, multiplier=multiplier, zero=0
    )
    outputs = assert_equals_litert(*maker.finish([target]))
    assert len(np.unique(outputs[target])) > 20


@pytest.mark.parametrize("dilation", [(2, 2), (3, 1)])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("multiplier", [None, 1, 2])
def test_dilation(dilation, padding, multiplier):
    rng = np.random.default_rng(dilation)
    maker = ModelMaker(rng)
    source = maker.input((1, 12, 11, 4))
    target = maker.convolution(
        source, 6, (3, 3), dilation=dilation, padding=padding, multiplier=multiplier, zero=10
    )
    outputs = assert_equals_litert(*maker.finish([target]))
    assert len(np.unique(outputs[target])) > 20


def test_windows_in_several_bands(monkeypatch):
    """Windows are gathered band by band: the result is one."""
    maker = ModelMaker(np.random.default_rng(4))
    source = maker.input((1, 9, 11, 4))
    target = maker.convolution(source, 6, (3, 3), (1, 2), groups=2, zero=0)
    content, inputs = maker.finish([target])
    whole = assert_equals_litert(content, inputs)[target]
    for elements in (1, 50, 200):
        monkeypatch.setattr("mnv2.golden.graph.convolution.BAND_ELEMENTS", elements)
        np.testing.assert_array_equal(read_graph(content).run(inputs)[target], whole)


def test_left_shifts_wrap():
    """Factors far above 1 lift accumulators out of int32, in LiteRT as here."""
    maker = ModelMaker(np.random.default_rng(5))
    source = maker.input((1, 12, 12, 16), scale=1.0)
    target = maker.convolution(source, 8, (1, 1), scale=1e-7, zero=3)
    content, inputs = maker.finish([target])
    graph = read_graph(content)
    record = graph.kernels[0]
    lifted = record.accumulate(inputs[0]).astype(np.int64) << -record.shift.astype(np.int64)
    assert (np.abs(lifted) > 2**32).any()
    alive = record.multiplier > 0  # a scale of 0 may be among the weights'
    assert record.shift[alive].max() <= -8
    assert_equals_litert(content, inputs)


@pytest.mark.parametrize("activation", ["RELU", "RELU6", "RELU_N1_TO_1"])
@pytest.mark.parametrize("zero", [-128, 0, 127])
@pytest.mark.parametrize("scale", [0.004, 0.0235, 0.08])
def test_clamps(activation, zero, scale):
    maker = ModelMaker(np.random.default_rng(6))
    source = maker.input((1, 12, 12, 4), scale=0.02, zero=0)
    made = maker.convolution(source, 8, (1, 1), activation=activation, scale=scale, zero=zero)
    pooled = maker.average_pool(made, (2, 2), activation=activation)
    added = maker.add(pooled, made, activation, scale, zero)
    outputs = assert_equals_litert(*maker.finish([added]))
    one = int(1 / scale + 0.5)  # halves away from zero
    low = zero - one if activation == "RELU_N1_TO_1" else zero
    high = {"RELU": 127, "RELU6": zero + int(6 / scale + 0.5), "RELU_N1_TO_1": zero + one}
    for output in outputs.values():
        assert max(-128, low) <= output.min()
        assert output.max() <= min(127, high[activation])
    assert outputs[made].min() == max(-128, low)


@pytest.mark.parametrize(
    "shape", [(1, 181, 182, 2), (1, 1, 1000, 3), (1, 512, 512, 1), (1, 7, 7, 40), (1, 1, 1, 5)]
)
@pytest.mark.parametrize("ratio", [1.0, 0.01, 300.0, 1e-9])
def test_mean_over_many_pixels(shape, ratio):
    rng = np.random.default_rng(shape[1])
    maker = ModelMaker(rng)
    values = np.clip(rng.normal(rng.normal(0, 50, shape[3]), 8, shape), -128, 127)
    source = maker.input(shape, scale=0.03, zero=-7, values=values)
    target = maker.mean(source, scale=0.03 / ratio, zero=4)
    assert_equals_litert(*maker.finish([target]))


@pytest.mark.parametrize("zero", [-128, -5, 0, 5, 127])
def test_quantize_what_does_not_fit(zero):
    """Infinities, NaN and what is beyond int32 end where x86-64's conversion puts them."""
    maker = ModelMaker(np.random.default_rng(9))
    values = [
        [
            1e30,
            -1e30,
            np.inf,
            -np.inf,
            np.nan,
            3e9,
            -3e9,
            1.0,
            -1.0,
            0.25,
            -0.25,
            1.1e9,
            63.4,
            -64.4,
            0.0,
            -0.0,
        ]
    ]
    source = maker.input((1, 16), dtype=np.float32, values=values)
    target = maker.quantize(source, 0.5, zero)
    outputs = assert_equals_litert(*maker.finish([target]))
    assert outputs[target][0, 9] - zero == (0 if zero == 127 else 1)


@pytest.mark.parametrize("source_type", [np.int8, np.uint8])
@pytest.mark.parametrize("target_type", [np.int8, np.uint8])
@pytest.mark.parametrize("ratio", [1.0, 0.5, 2.0, 0.37, 1e-12, 1e6])
def test_requantize_every_value(source_type, target_type, ratio):
    low, high = np.iinfo(source_type).min, np.iinfo(source_type).max
    for shift in (0, 20, -128):
        maker = ModelMaker(np.random.default_rng(10))
        zero = 128 if source_type == np.uint8 else 0
        source = maker.input((1, 256), 0.05, zero, source_type, np.arange(low, high + 1)[None])
        target_zero = shift + (128 if target_type == np.uint8 else 0)
        target = maker.quantize(source, 0.05 / ratio, target_zero, target_type)
        assert_equals_litert(*maker.finish([target]))


@pytest.mark.parametrize("zero", [-128, -5, 0, 5, 127])
def test_fully_connected_beyond_int32(zero):
    maker = ModelMaker(np.random.default_rng(11))
    source = maker.input((1, 40), scale=10.0)
    target = maker.fully_connected(source, 30, scale=3e-8, zero=zero)
    content, inputs = maker.finish([target])
    record = read_graph(content).kernels[0]
    assert (np.abs(record.accumulate(inputs[0]) * record.factors) > 2**31).any()
    assert_equals_litert(content, inputs)


def test_forms_of_fully_connected():
    """The floating-point form is LiteRT's; the integer form is that of a 1x1 CONV_2D."""
    rng = np.random.default_rng(12)
    maker = ModelMaker(rng)
    source = maker.input((1, 600), zero=3)
    target = maker.fully_connected(source, 20000, zero=0)
    content, inputs = maker.finish([target])
    graph = read_graph(content)
    floating = assert_equals_litert(content, inputs)[target]
    integer = graph.run(inputs, fully_connected="integer")[target]
    record = graph.kernels[0]
    acc = ops.pointwise_conv2d(inputs[0][None], record.weights, record.bias, 3)
    expected = ops.requantize(acc, record.multiplier, record.shift, 0, -128, 127)[0]
    np.testing.assert_array_equal(integer, expected)
    differences = int((floating != integer).sum())
    assert 0 < differences < 0.002 * floating.size
    for outputs in ({target: floating}, {target: integer}):
        assert graph.fully_connected_differences(inputs, outputs) == {target: differences}
    with pytest.raises(ValueError, match="litert, integer, not 'float'"):
        graph.run(inputs, fully_connected="float")


def test_tensors_in_the_order_of_operators_and_progress():
    content, inputs = LAYERS["network"](np.random.default_rng(3))
    graph, seen = read_graph(content), []
    outputs = graph.run(inputs, progress=lambda done, total: seen.append((done, total)))
    assert list(outputs) == [operator.output for operator in graph.operators]
    assert seen == [(n, len(graph.operators)) for n in range(1, len(graph.operators) + 1)]
    for index, output in outputs.items():
        assert graph.tensors[index].shape == output.shape
        assert graph.producer(index).output == index
    first = graph.operators[0]
    assert graph.consumers(first.inputs[0]) == (first,)
    assert graph.producer(graph.inputs[0]) is None


def test_wrong_inputs():
    content, inputs = LAYERS["add"](np.random.default_rng(1))
    graph = read_graph(content)
    with pytest.raises(ValueError, match="must be given 2 inputs, not 1"):
        graph.run(inputs[:1])
    with pytest.raises(ValueError, match=r"tensor 0 \('t0'\) must be int8 .*, not float64"):
        graph.run([inputs[0].astype(float), inputs[1]])
    with pytest.raises(ValueError, match=r"tensor 1 \('t1'\) must be int8"):
        graph.run([inputs[0], inputs[1][None]])


def test_shapes_are_those_that_operators_give():
    """LiteRT resizes what a file claims."""
    maker = ModelMaker(np.random.default_rng(13))
    source = maker.input((1, 6, 6, 3))
    target = maker.convolution(source, 4, (3, 3), (2, 2), zero=0)
    content, inputs = maker.finish([target])
    tensors = maker.graph._tensors
    tensors[target] = replace(tensors[target], shape=(1, 9, 9, 9))
    wrong = maker.graph.finish([source], [target])
    assert wrong != content
    graph = read_graph(wrong)
    assert graph.tensors[target].shape == (1, 3, 3, 4)
    np.testing.assert_array_equal(graph.run(inputs)[target], run_litert(wrong, inputs)(target))


def quantized(index, shape, scale=0.1, zero=0, **fields):
    return Tensor(
        index, f"t{index}", shape, "int8", np.float32([scale]), np.int64([zero]), **fields
    )


def test_sizes_are_bounded_before_memory_is_taken():
    huge = quantized(0, (1, 2**13, 2**13, 1))
    with pytest.raises(ValueError, match=r"tensor 0 \('t0'\) must have at most 16,777,216"):
        Graph((huge,), (), (0,), (0,))
    tall = quantized(0, (1, 2**12, 1, 1)), quantized(1, (1, 1, 2**13, 1)), quantized(2, ())
    with pytest.raises(ValueError, match=r"Operator 0 \(ADD\), output tensor 2 \('t2'\): tensor 2"):
        Graph(tall, (Operator(0, "ADD", (0, 1), (2,), AddOptions()),), (0, 1), (2,))
    weights = quantized(1, (1, 2, 2, 1), data=np.ones((1, 2, 2, 1), np.int8))
    options = ConvolutionOptions(dilation=(10**9, 10**9))
    with pytest.raises(ValueError, match=r"The map tensor 0 .* with its padding"):
        Graph(
            (quantized(0, (1, 4, 4, 1)), weights, quantized(2, ())),
            (Operator(0, "CONV_2D", (0, 1), (2,), options),),
            (0,),
            (2,),
        )


def test_work_and_elements_are_bounded_over_all_operators():
    weights = quantized(1, (2048, 1, 1, 2048), data=np.ones((2048, 1, 1, 2048), np.int8))
    tensors = (quantized(0, (1, 90, 90, 2048)), weights, quantized(2, ()))
    with pytest.raises(ValueError, match="17,179,869,184 multiplications.*operator 0"):
        Graph(tensors, (Operator(0, "CONV_2D", (0, 1), (2,), ConvolutionOptions()),), (0,), (2,))
    chain = tuple(quantized(n, (1, 2**12, 2**12, 1)) for n in range(10))
    adds = tuple(Operator(n, "ADD", (n, n), (n + 1,), AddOptions()) for n in range(9))
    with pytest.raises(ValueError, match=r"134,217,728 elements.* at operator 7 \(ADD\)"):
        Graph(chain, adds, (0,), (9,))


def test_records_refuse_what_is_none():
    with pytest.raises(ValueError, match="must be one of ADD, .*, not 'MAX_POOL_2D'"):
        Operator(0, "MAX_POOL_2D", (0,), (1,))
    with pytest.raises(TypeError, match="must be SoftmaxOptions"):
        Operator(0, "SOFTMAX", (0,), (1,), AddOptions())
    with pytest.raises(ValueError, match="activation must be one of NONE, .*, not 'TANH'"):
        AddOptions("TANH")
    with pytest.raises(ValueError, match="stride must be positive"):
        ConvolutionOptions(stride=(0, 1))
    with pytest.raises(ValueError, match="must be one of int8"):
        Tensor(0, "x", (1,), "float16")
    with pytest.raises(TypeError, match="equally many"):
        Tensor(0, "x", (1,), "int8", np.float32([1]))
    with pytest.raises(TypeError, match="must be int8"):
        quantized(0, (2,), data=np.zeros(3, np.int8))
    assert SoftmaxOptions().beta == 1


def scales_at_a_boundary(rng, outputs):
    """Float32 scales (input, weights, output) and accumulators at which their precision matters.

    `outputs` gives int8 values of accumulators under a real factor; it is called with the product
    of the scales in double and in float32, and must differ at the accumulators that are returned.
    """
    acc = np.arange(-300000, 300000)
    for _ in range(200):
        source, weights, target = np.exp(rng.uniform(-6, 0, 3)).astype(np.float32)
        target *= np.float32(100)
        wide = np.float64(source) * np.float64(weights) / np.float64(target)
        parts = outputs(acc, wide) != outputs(acc, np.float64(source * weights / target))
        if parts.any():
            return (source, weights, target), acc[parts][:50]
    raise AssertionError("no such scales were found")


def one_column(code, kind, options, scales, acc):
    """A model whose accumulators are its biases, as its weights are 0."""
    maker = ModelMaker(np.random.default_rng(0))
    convolution = code == "CONV_2D"
    shape = (1, 1, 1, 1) if convolution else (1, 1)
    source = maker.input(shape, scales[0], 0)
    weights = maker.graph.tensor(
        "w", (len(acc), *shape[1:]), scales=scales[1], data=np.zeros((len(acc), *shape[1:]))
    )
    bias = maker.graph.tensor("b", (len(acc),), np.int32, scales=scales[0] * scales[1], data=acc)
    target = maker.graph.tensor("y", (*shape[:-1], len(acc)), scales=scales[2])
    maker.graph.operator(code, [source, weights, bias], [target], kind, options)
    return maker.finish([target])


def test_convolution_multiplies_scales_in_double():
    def outputs(acc, factor):
        return ops.requantize(acc, *quantize_multiplier(factor), 0, -128, 127)

    scales, acc = scales_at_a_boundary(np.random.default_rng(1), outputs)
    assert_equals_litert(
        *one_column(
            "CONV_2D",
            "Conv2DOptions",
            {"padding": "VALID", "strideH": 1, "strideW": 1},
            scales,
            acc,
        )
    )


def test_fully_connected_multiplies_scales_in_double():
    def outputs(acc, factor):
        return np.clip(round_half_away(acc * factor), -128, 127)

    scales, acc = scales_at_a_boundary(np.random.default_rng(2), outputs)
    assert_equals_litert(*one_column("FULLY_CONNECTED", "FullyConnectedOptions", {}, scales, acc))


def test_quantize_divides_in_float32():
    rng = np.random.default_rng(3)
    scale = np.float32(0.0123)
    values = ((rng.integers(-100, 100, 400000) + 0.5) * scale).astype(np.float32)
    values = np.nextafter(values, rng.choice([-np.inf, np.inf], values.size), dtype=np.float32)
    narrow = round_half_away(values / scale)
    values = values[narrow != round_half_away(values.astype(np.float64) / np.float64(scale))]
    assert values.size > 10
    maker = ModelMaker(rng)
    source = maker.input((1, values.size), dtype=np.float32, values=values[None])
    assert_equals_litert(*maker.finish([maker.quantize(source, scale, 3)]))


def test_more_than_one_image():
    rng = np.random.default_rng(14)
    maker = ModelMaker(rng)
    source = maker.input((3, 9, 8, 6))
    maps = [
        maker.convolution(source, 6, (3, 3), (2, 1), zero=0, groups=2),
        maker.convolution(source, None, (3, 2), padding="VALID", multiplier=2, zero=0),
        maker.average_pool(source, (3, 3), (2, 2)),
        maker.add(source, source),
    ]
    ends = [
        maker.mean(maps[0], keep=False),
        maker.fully_connected(maps[1], 5, zero=0),
        maker.softmax(maker.reshape(maps[2], (3, -1))),
        maker.pad(maps[3], [[1, 0]] * 4),
    ]
    outputs = assert_equals_litert(*maker.finish(ends))
    assert all(outputs[index].shape[0] == 3 for index in maps)
    assert len(np.unique(outputs[maps[0]][0] == outputs[maps[0]][1])) == 2


@pytest.mark.parametrize(
    ("shape", "axes"),
    [((7,), (0,)), ((4, 9), (1,)), ((4, 9), (0, -1)), ((3, 4, 5), (1,)), ((2, 3, 4, 5, 2), (1, 3))],
)
@pytest.mark.parametrize("keep", [True, False])
def test_mean_of_any_axes(shape, axes, keep):
    maker = ModelMaker(np.random.default_rng(len(shape)))
    target = maker.mean(maker.input(shape), axes, keep)
    assert_equals_litert(*maker.finish([target]))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
def test_pad_writes_the_zero_point(dtype):
    maker = ModelMaker(np.random.default_rng(15))
    zero = 37 if dtype == np.int8 else 200
    source = maker.input((1, 3, 3, 2), zero=zero, dtype=dtype)
    target = maker.tensor((1, 5, 4, 2), maker.scales[source], zero, dtype)
    amounts = maker.graph.tensor("p", (4, 2), np.int32, data=[[0, 0], [2, 0], [0, 1], [0, 0]])
    maker.graph.operator("PAD", [source, amounts], [target], "PadOptions", version=2)
    outputs = assert_equals_litert(*maker.finish([target]))
    assert (outputs[target][0, :2] == zero).all()


def test_constants_are_inputs_like_others():
    maker = ModelMaker(np.random.default_rng(16))
    source = maker.input((1, 4, 4, 3))
    constant = maker.tensor((3,), 0.1, 5, data=[-128, 0, 127])
    outputs = assert_equals_litert(*maker.finish([maker.add(source, constant)]))
    assert len(outputs) == 1
