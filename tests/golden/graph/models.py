"""Random models of one or a few operators, as .tflite files, and LiteRT's tensors of them."""

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from mnv2.golden.exporters.tflite_graph import GraphWriter
from mnv2.golden.importers.tflite import read_graph

ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6")


def run_litert(content, inputs):
    """Every tensor that LiteRT's reference kernels keep, by index."""
    interpreter = Interpreter(
        model_content=content,
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    for detail, value in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    return lambda index: interpreter.get_tensor(index)


def assert_equals_litert(content, inputs):
    """Hold every operator's output to LiteRT's, shape and type included; the outputs by index."""
    outputs = read_graph(content).run(inputs)
    tensor = run_litert(content, inputs)
    for index, value in outputs.items():
        expected = tensor(index)
        assert value.dtype == expected.dtype
        assert value.shape == expected.shape
        np.testing.assert_array_equal(value, expected, err_msg=f"tensor {index}")
    return outputs


class ModelMaker:
    """Writes a chain of random operators; `finish` gives the file and its inputs.

    Scales are chosen so that outputs spread over the int8 range, unless they are given.
    """

    def __init__(self, rng):
        self.rng, self.graph = rng, GraphWriter()
        self.activity = 100  # how far inputs are thought to spread
        self.inputs, self.values = [], []
        self.shapes, self.scales, self.zeros = {}, {}, {}

    def zero(self):
        """A zero point, at an end of the range every third time."""
        return int(self.rng.choice([-128, 127, *self.rng.integers(-128, 128, 4)]))

    def scale(self, low=0.003, high=0.3):
        return float(np.float32(np.exp(self.rng.uniform(np.log(low), np.log(high)))))

    def tensor(self, shape, scale=None, zero=None, dtype=np.int8, data=None):
        scale = self.scale() if scale is None else float(np.float32(scale))
        if zero is None:
            zero = self.zero() + (128 if dtype == np.uint8 else 0)
        name = f"t{len(self.shapes)}"
        index = self.graph.tensor(name, shape, dtype, scales=scale, zero_points=zero, data=data)
        self.shapes[index], self.scales[index], self.zeros[index] = tuple(shape), scale, zero
        return index

    def input(self, shape, scale=None, zero=None, dtype=np.int8, values=None):
        """An input tensor with random contents, extremes among them."""
        if dtype == np.float32:
            index = self.graph.tensor(f"t{len(self.shapes)}", shape, dtype)
            self.shapes[index] = tuple(shape)
            values = self.rng.normal(0, 2, shape) if values is None else values
        else:
            index = self.tensor(shape, scale, zero, dtype)
            low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
            if values is None:
                values = self.rng.integers(low, high + 1, shape)
                if self.rng.random() < 0.2:
                    values = self.rng.choice([low, high], shape)
        self.inputs.append(index)
        self.values.append(np.asarray(values).astype(dtype))
        return index

    def weights(self, shape, channels, axis):
        """(index, scales) of weights; a scale a channel half of the time."""
        rng = self.rng
        values = np.clip(rng.normal(0, 50, shape), -127, 127).astype(np.int8)
        count = channels if rng.random() < 0.5 else 1
        scales = (rng.uniform(0.2, 2, count) * self.scale(0.001, 0.05)).astype(np.float32)
        if count > 1:
            scales[rng.random(count) < 0.1] = 0  # dead channels
        return self.graph.tensor(
            "w", shape, scales=scales, axis=axis if count > 1 else 0, data=values
        ), scales

    def bias(self, channels, scales, source_scale, spread):
        values = self.rng.normal(0, spread, channels).astype(np.int32)
        return self.graph.tensor(
            "b", (channels,), np.int32, data=values, scales=scales * np.float32(source_scale)
        )

    def convolution(
        self,
        source,
        channels,
        kernel,
        stride=(1, 1),
        dilation=(1, 1),
        padding="SAME",
        activation="NONE",
        multiplier=None,
        groups=1,
        scale=None,
        zero=None,
    ):
        """CONV_2D, or DEPTHWISE_CONV_2D where `multiplier` is given; the output's index."""
        _, rows, columns, inputs = self.shapes[source]
        depthwise = multiplier is not None
        if depthwise:
            channels = inputs * multiplier
        shape = (1, *kernel, channels) if depthwise else (channels, *kernel, inputs // groups)
        weights, scales = self.weights(shape, channels, 3 if depthwise else 0)
        fan_in = kernel[0] * kernel[1] * (1 if depthwise else inputs // groups)
        spread = 50 * self.activity * np.sqrt(fan_in)
        bias = self.bias(channels, scales, self.scales[source], spread)
        out = []
        for size, k, s, d in zip((rows, columns), kernel, stride, dilation, strict=True):
            reach = (k - 1) * d + 1
            out.append(-(-size // s) if padding == "SAME" else (size - reach) // s + 1)
        if scale is None:
            scale = self.scales[source] * float(scales.mean()) * spread / self.rng.uniform(20, 80)
        target = self.tensor((1, *out, channels), scale, zero)
        options = {
            "padding": padding,
            "strideH": stride[0],
            "strideW": stride[1],
            "dilationHFactor": dilation[0],
            "dilationWFactor": dilation[1],
            **_activation(activation),
        }
        if depthwise:
            options["depthMultiplier"] = multiplier
        code, kind = (
            ("DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions")
            if depthwise
            else ("CONV_2D", "Conv2DOptions")
        )
        self.graph.operator(code, [source, weights, bias], [target], kind, options, version=3)
        return target

    def fully_connected(
        self,
        source,
        channels,
        activation="NONE",
        keep=False,
        with_bias=True,
        scale=None,
        zero=None,
        depth=None,
    ):
        shape = self.shapes[source]
        depth = depth or shape[-1]
        weights, scales = self.weights((channels, depth), channels, 0)
        spread = 50 * self.activity * np.sqrt(depth)
        bias = self.bias(channels, scales, self.scales[source], spread) if with_bias else -1
        if scale is None:
            scale = self.scales[source] * float(scales.mean()) * spread / self.rng.uniform(20, 80)
        rows = int(np.prod(shape)) // depth
        out = (*shape[:-1], channels) if keep else (rows, channels)
        target = self.tensor(out, scale, zero)
        self.graph.operator(
            "FULLY_CONNECTED",
            [source, weights, bias],
            [target],
            "FullyConnectedOptions",
            {"keepNumDims": keep, **_activation(activation)},
            version=5,
        )
        return target

    def add(self, a, b, activation="NONE", scale=None, zero=None, kind="ADD"):
        """ADD, SUB or MUL."""
        if scale is None:
            scale = max(self.scales[a], self.scales[b]) * self.rng.uniform(0.4, 2.5)
            if kind == "MUL":
                scale = 100 * self.scales[a] * self.scales[b] * self.rng.uniform(0.4, 2.5)
        target = self.tensor(np.broadcast_shapes(self.shapes[a], self.shapes[b]), scale, zero)
        self.graph.operator(
            kind,
            [a, b],
            [target],
            f"{kind.capitalize()}Options",
            _activation(activation),
            version=2,
        )
        return target

    def mean(self, source, axes=(1, 2), keep=True, scale=None, zero=None):
        shape = self.shapes[source]
        chosen = {axis % len(shape) for axis in axes}
        out = tuple(
            1 if axis in chosen else size
            for axis, size in enumerate(shape)
            if keep or axis not in chosen
        )
        if scale is None:
            scale = self.scales[source] * self.rng.uniform(0.1, 2)
        indices = self.graph.tensor("axes", (len(axes),), np.int32, data=axes)
        target = self.tensor(out, scale, zero)
        self.graph.operator(
            "MEAN", [source, indices], [target], "ReducerOptions", {"keepDims": keep}, version=2
        )
        return target

    def average_pool(
        self,
        source,
        kernel,
        stride=(1, 1),
        padding="SAME",
        activation="NONE",
        kind="AVERAGE_POOL_2D",
    ):
        """AVERAGE_POOL_2D or MAX_POOL_2D."""
        _, rows, columns, channels = self.shapes[source]
        out = [
            -(-size // s) if padding == "SAME" else (size - k) // s + 1
            for size, k, s in zip((rows, columns), kernel, stride, strict=True)
        ]
        target = self.tensor((1, *out, channels), self.scales[source], self.zeros[source])
        self.graph.operator(
            kind,
            [source],
            [target],
            "Pool2DOptions",
            {
                "padding": padding,
                "strideH": stride[0],
                "strideW": stride[1],
                "filterHeight": kernel[0],
                "filterWidth": kernel[1],
                **_activation(activation),
            },
            version=2,
        )
        return target

    def pad(self, source, amounts, value=None, dtype=np.int32):
        shape = self.shapes[source]
        out = tuple(size + sum(pair) for size, pair in zip(shape, amounts, strict=True))
        indices = self.graph.tensor("padding", (len(shape), 2), dtype, data=amounts)
        zero = self.zeros[source]
        target = self.tensor(out, self.scales[source], zero)
        if value is None:
            self.graph.operator("PAD", [source, indices], [target], "PadOptions", version=2)
        else:
            constant = self.tensor((1,), self.scales[source], zero, data=[value])
            self.graph.operator(
                "PADV2", [source, indices, constant], [target], "PadV2Options", version=2
            )
        return target

    def reshape(self, source, shape, by_options=False):
        size = int(np.prod(self.shapes[source]))
        known = int(np.prod([n for n in shape if n != -1]))
        out = tuple(size // known if n == -1 else n for n in shape)
        target = self.tensor(out, self.scales[source], self.zeros[source])
        inputs = [source]
        if not by_options:
            inputs.append(self.graph.tensor("shape", (len(shape),), np.int32, data=shape))
        self.graph.operator(
            "RESHAPE",
            inputs,
            [target],
            "ReshapeOptions",
            {"newShape": list(shape)} if by_options else {},
        )
        return target

    def flatten(self, source, begin=0, shrink=True):
        """RESHAPE to [N, -1] as converters write it where the batch is open."""
        rank = len(self.shapes[source])
        graph = self.graph
        numbers = [graph.tensor(f"n{x}", (1,), np.int32, data=[x]) for x in (begin, begin + 1, 1)]
        shape = graph.tensor("sizes", (rank,), np.int32)
        graph.operator("SHAPE", [source], [shape], "ShapeOptions", {"outType": 2})
        batch = graph.tensor("batch", () if shrink else (1,), np.int32)
        graph.operator(
            "STRIDED_SLICE",
            [shape, *numbers],
            [batch],
            "StridedSliceOptions",
            {"shrinkAxisMask": int(shrink)},
        )
        rest = graph.tensor("rest", () if shrink else (1,), np.int32, data=-1 if shrink else [-1])
        sizes = graph.tensor("new", (2,) if shrink else (2, 1), np.int32)
        graph.operator("PACK", [batch, rest], [sizes], "PackOptions", {"valuesCount": 2})
        if not shrink:
            return sizes
        size = self.shapes[source][begin]
        out = (size, int(np.prod(self.shapes[source])) // size)
        target = self.tensor(out, self.scales[source], self.zeros[source])
        graph.operator("RESHAPE", [source, sizes], [target], "ReshapeOptions")
        return target

    def logistic(self, source):
        target = self.tensor(self.shapes[source], 1 / 256, -128)
        self.graph.operator("LOGISTIC", [source], [target])
        return target

    def softmax(self, source, beta=1.0):
        target = self.tensor(self.shapes[source], 1 / 256, -128)
        self.graph.operator(
            "SOFTMAX", [source], [target], "SoftmaxOptions", {"beta": beta}, version=2
        )
        return target

    def quantize(self, source, scale=None, zero=None, dtype=np.int8):
        target = self.tensor(self.shapes[source], scale, zero, dtype)
        self.graph.operator("QUANTIZE", [source], [target], "QuantizeOptions", version=2)
        return target

    def dequantize(self, source):
        target = self.graph.tensor("real", self.shapes[source], np.float32)
        self.shapes[target] = self.shapes[source]
        self.graph.operator("DEQUANTIZE", [source], [target], "DequantizeOptions", version=2)
        return target

    def finish(self, outputs):
        """(file, inputs)."""
        return self.graph.finish(self.inputs, outputs), self.values


def _activation(name):
    return {"fusedActivationFunction": name}
