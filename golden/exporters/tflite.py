"""The integer model as a .tflite that LiteRT's reference kernels run to the same tensors.

Tensors keep their names. PyTorch's padding becomes a PAD before a VALID convolution where SAME
would pad otherwise; such a tensor is named `<layer>.padded`. The classifier is a 1x1 CONV_2D.
"""

import numpy as np

from mnv2.golden.arithmetic import LITERT
from mnv2.golden.average_pool import QuantizedAveragePool
from mnv2.golden.exporters.tflite_graph import GraphWriter
from mnv2.golden.fixed_point import quantize_multipliers
from mnv2.golden.network import stride_padding
from mnv2.golden.quantize import add_record, mean_record, relu6_clamp


def _activation(record):
    """The fused activation whose clamp LiteRT would derive as the record has it."""
    clamp = (record.minimum, record.maximum)
    clamps = {
        "NONE": (-128, 127),
        "RELU6": relu6_clamp(record.output_scale, record.output_zero_point),
        "RELU": (record.output_zero_point, 127),
    }
    for activation, expected in clamps.items():
        if clamp == expected:
            return activation
    raise ValueError(
        f"The clamp of {record.name} must be ReLU's, ReLU6's or the int8 range to be "
        f"exported, not {clamp!r}"
    )


def _check_arithmetic(record):
    """Refuse a record that does not compute as LiteRT does."""
    if record.activation_bits > 8 or record.arithmetic != LITERT:
        raise ValueError(
            f"{record.name} must have activations of 8 bits or fewer and LiteRT's "
            f"arithmetic to be exported, not {record.activation_bits} bits and "
            f"{record.arithmetic!r}"
        )


def _check_multipliers(layer):
    """LiteRT derives multipliers from scales: refuse a record whose own differ."""
    multiplier, shift = quantize_multipliers(
        np.float64(np.float32(layer.input_scale))
        * layer.weight_scales.astype(np.float64)
        / np.float64(np.float32(layer.output_scale))
    )
    if not (np.array_equal(multiplier, layer.multiplier) and np.array_equal(shift, layer.shift)):
        raise ValueError(
            f"The multipliers of {layer.name} must follow from its scales to be exported"
        )


def add_activation(graph, name, shape, scale, zero_point):
    """A tensor int8 [1, H, W, C] for a map of (H, W, C)."""
    return graph.tensor(name, (1, *shape), scales=scale, zero_points=zero_point)


def write_convolution(graph, layer, source, input_shape, explicit_padding=False):
    """Write a QuantizedLayer.

    Parameters
    ----------
    graph : GraphWriter
    layer : mnv2.golden.quantized_layer.QuantizedLayer
    source : int
        Index of the input tensor.
    input_shape : (H, W, C)
    explicit_padding : bool
        A PAD before VALID even where SAME pads the same, as Keras' networks have it at stride 2.

    Returns
    -------
    (int, (H, W, C))
        Index and shape of the output.
    """
    _check_arithmetic(layer)
    _check_multipliers(layer)
    depthwise, kernel = layer.kind == "depthwise", 3 if layer.weights.ndim > 2 else 1
    stride, padding, name = layer.stride, layer.padding, layer.name
    rows, columns, channels = input_shape
    same = tuple(stride_padding(n, stride, "tensorflow") for n in (rows, columns))
    mode = "VALID"
    if kernel == 3 and padding == same and not explicit_padding:
        mode = "SAME"
    elif padding != ((0, 0), (0, 0)):
        amounts = graph.tensor(f"{name}.padding", (4, 2), np.int32, data=((0, 0), *padding, (0, 0)))
        padded_shape = (rows + sum(padding[0]), columns + sum(padding[1]), channels)
        padded = add_activation(
            graph, f"{name}.padded", padded_shape, layer.input_scale, layer.input_zero_point
        )
        graph.operator("PAD", [source, amounts], [padded], "PadOptions", version=2)
        source = padded
    weights = layer.weights if kernel == 3 else layer.weights[None, None]
    weights = weights[None] if depthwise else weights.transpose(3, 0, 1, 2)
    kernels = graph.tensor(
        f"{name}.weights",
        weights.shape,
        scales=layer.weight_scales,
        axis=3 if depthwise else 0,
        data=weights,
    )
    bias = graph.tensor(
        f"{name}.bias",
        layer.bias.shape,
        np.int32,
        scales=layer.weight_scales * np.float32(layer.input_scale),
        data=layer.bias,
    )
    shape = (
        *(
            (n + sum(pads) - kernel) // stride + 1
            for n, pads in zip((rows, columns), padding, strict=True)
        ),
        layer.output_channels,
    )
    target = add_activation(graph, name, shape, layer.output_scale, layer.output_zero_point)
    options = {
        "padding": mode,
        "strideW": stride,
        "strideH": stride,
        "dilationWFactor": 1,
        "dilationHFactor": 1,
        "fusedActivationFunction": _activation(layer),
    }
    if depthwise:
        options["depthMultiplier"] = 1
    code, kind = (
        ("DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions")
        if depthwise
        else ("CONV_2D", "Conv2DOptions")
    )
    graph.operator(code, [source, kernels, bias], [target], kind, options, version=3)
    return target, shape


def write_add(graph, add, a, b, shape):
    """Write a QuantizedAdd of tensors a and b of a shape; returns the output's index."""
    _check_arithmetic(add)
    expected = add_record(
        add.name,
        add.a_scale,
        add.a_zero_point,
        add.b_scale,
        add.b_zero_point,
        add.output_scale,
        add.output_zero_point,
        add.minimum,
        add.maximum,
    )
    if any(
        getattr(add, name) != getattr(expected, name)
        for name in ("a_multiplier", "a_shift", "b_multiplier", "b_shift", "multiplier", "shift")
    ):
        raise ValueError(
            f"The multipliers of {add.name} must follow from its scales to be exported"
        )
    target = add_activation(graph, add.name, shape, add.output_scale, add.output_zero_point)
    graph.operator(
        "ADD",
        [a, b],
        [target],
        "AddOptions",
        {"fusedActivationFunction": _activation(add)},
        version=2,
    )
    return target


def write_mean(graph, mean, source, shape):
    """Write a QuantizedMean over rows and columns; returns the output's index."""
    _check_arithmetic(mean)
    expected = mean_record(
        mean.name,
        mean.count,
        mean.input_scale,
        mean.input_zero_point,
        mean.output_scale,
        mean.output_zero_point,
    )
    if (expected.multiplier, expected.shift) != (mean.multiplier, mean.shift) or (
        mean.minimum,
        mean.maximum,
    ) != (-128, 127):
        raise ValueError(
            f"The multiplier and clamp of {mean.name} must follow from its scales to be exported"
        )
    axes = graph.tensor(f"{mean.name}.axes", (2,), np.int32, data=(1, 2))
    target = add_activation(
        graph, mean.name, (1, 1, shape[2]), mean.output_scale, mean.output_zero_point
    )
    graph.operator(
        "MEAN", [source, axes], [target], "ReducerOptions", {"keepDims": True}, version=2
    )
    return target


def write_average_pool(graph, pool, source, shape):
    """Write a QuantizedAveragePool over rows and columns; returns the output's index."""
    target = add_activation(
        graph, pool.name, (1, 1, shape[2]), pool.output_scale, pool.output_zero_point
    )
    graph.operator(
        "AVERAGE_POOL_2D",
        [source],
        [target],
        "Pool2DOptions",
        {
            "padding": "VALID",
            "strideH": 1,
            "strideW": 1,
            "filterHeight": shape[0],
            "filterWidth": shape[1],
            "fusedActivationFunction": _activation(pool),
        },
        version=2,
    )
    return target


def export_model(model, description="mnv2", metadata=None):
    """A whole QuantizedModel as the bytes of a .tflite; input `input`, output `classifier`.

    Parameters
    ----------
    model : mnv2.golden.model.QuantizedModel
    description : str
        What the file says of itself.
    metadata : dict of str to bytes, optional
        More that the file holds, by name.

    Raises
    ------
    ValueError
        If LiteRT would not run it to the same tensors, or a package is missing.
    """
    graph = GraphWriter(description)
    for name, content in (metadata or {}).items():
        graph.metadata(name, content)
    shape = model.network.input_shape
    first = source = add_activation(
        graph, "input", shape, model.input_scale, model.input_zero_point
    )
    source, shape = write_convolution(graph, model.stem, source, shape)
    for block in model.blocks:
        shortcut = source
        for layer in block.layers:
            source, shape = write_convolution(graph, layer, source, shape)
        if block.add is not None:
            source = write_add(graph, block.add, shortcut, source, shape)
    for head in model.head_layers:
        source, shape = write_convolution(graph, head, source, shape)
    averages = isinstance(model.pool, QuantizedAveragePool)
    source = (write_average_pool if averages else write_mean)(graph, model.pool, source, shape)
    source, _ = write_convolution(graph, model.classifier, source, (1, 1, shape[2]))
    return graph.finish([first], [source])
