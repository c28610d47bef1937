"""Small .tflite files of the family in the forms that converters write them."""

from dataclasses import replace

import numpy as np

from mnv2.golden.average_pool import QuantizedAveragePool
from mnv2.golden.exporters.tflite import (
    add_activation,
    write_add,
    write_average_pool,
    write_convolution,
    write_mean,
)
from mnv2.golden.exporters.tflite_graph import GraphWriter
from mnv2.golden.fixed_point import quantize_multipliers
from mnv2.golden.network import build_network
from mnv2.golden.quantize import quantize_model
from tests.golden.float_networks import float_network

TABLE = ((1, 8, 1, 1), (4, 12, 2, 2), (6, 12, 1, 2), (3, 16, 2, 1))


def small_network(
    size=(32, 32), padding="tensorflow", classes=11, table=TABLE, stem=8, head=48, stem_stride=2
):
    return build_network(
        table,
        stem_channels=stem,
        head_channels=head,
        classes=classes,
        input_size=size,
        padding=padding,
        stem_stride=stem_stride,
    )


def random_quantized_network(rng, network, margin=0.0):
    """A float network with random folded weights, quantised over its own ranges.

    With a margin the ranges are wider, by that share at both ends, so that ReLU6 clamps inside
    them.
    """

    def draw(layer):
        shape = layer.weight_shape
        weights = rng.normal(0, 1.5 / np.sqrt(np.prod(shape[:-1])), shape).astype(np.float32)
        return weights, rng.normal(0.3, 0.5, layer.output_channels).astype(np.float32)

    model = float_network(network, draw)
    image = rng.normal(0, 1, network.input_shape).astype(np.float32)
    ranges = {}
    for name, tensor in model.run(image).items():
        more = margin * (tensor.max() - tensor.min())
        ranges[name] = tensor.min() - more, tensor.max() + more
    return quantize_model(model, ranges)


def with_one_scale(layer):
    """A layer with one weight scale, the largest, for all its outputs."""
    scales = np.full_like(layer.weight_scales, layer.weight_scales.max())
    ratio = layer.weight_scales.astype(np.float64) / scales
    multiplier, shift = quantize_multipliers(
        np.float64(np.float32(layer.input_scale))
        * scales.astype(np.float64)
        / np.float64(np.float32(layer.output_scale))
    )
    return replace(
        layer,
        weight_scales=scales,
        multiplier=multiplier,
        shift=shift,
        weights=np.rint(layer.weights * ratio).astype(np.int8),
        bias=np.rint(layer.bias * ratio).astype(np.int32),
    )


def per_tensor(model):
    """The model with one weight scale a layer."""
    blocks = tuple(
        replace(block, **{layer.kind: with_one_scale(layer) for layer in block.layers})
        for block in model.blocks
    )
    return replace(
        model,
        blocks=blocks,
        **{name: with_one_scale(getattr(model, name)) for name in ("stem", "head", "classifier")},
    )


def with_average_pool(model):
    """The model with AVERAGE_POOL_2D, whose output has the scale of its input."""
    head = model.head
    pool = QuantizedAveragePool("pool", model.pool.count, head.output_scale, head.output_zero_point)
    layer = model.classifier
    multiplier, shift = quantize_multipliers(
        np.float64(head.output_scale)
        * layer.weight_scales.astype(np.float64)
        / np.float64(layer.output_scale)
    )
    classifier = replace(
        layer,
        input_scale=head.output_scale,
        multiplier=multiplier,
        shift=shift,
        input_zero_point=head.output_zero_point,
    )
    return replace(model, pool=pool, classifier=classifier)


def _reshape(graph, source, shape, name):
    sizes = graph.tensor(f"{name}.shape", (len(shape),), np.int32, data=shape)
    target = graph.tensor(
        name, shape, scales=graph.scale_of(source), zero_points=graph.zero_point_of(source)
    )
    graph.operator("RESHAPE", [source, sizes], [target])
    return target


class _Writer(GraphWriter):
    """A GraphWriter that knows the scales of its tensors."""

    def scale_of(self, index):
        return self._tensors[index].scales

    def zero_point_of(self, index):
        return self._tensors[index].zero_point


def write_family(
    model,
    *,
    float_input=False,
    unsigned_ends=False,
    fully_connected=False,
    keep_dimensions=True,
    swapped_adds=False,
    explicit_padding=False,
    softmax=False,
    dequantize=False,
    preprocessing=False,
):
    """A QuantizedModel as the bytes of a .tflite.

    Parameters
    ----------
    float_input : bool
        The input is float32, and QUANTIZE comes first.
    unsigned_ends : bool
        Input and output are uint8, with a QUANTIZE from and to int8.
    fully_connected : bool
        The classifier is FULLY_CONNECTED, on [1, C]; else a CONV_2D, and a RESHAPE after it.
    keep_dimensions : bool
        MEAN keeps its axes, and a RESHAPE takes them off where that is needed.
    swapped_adds : bool
        ADD has the block's input second.
    explicit_padding : bool
        3x3 convolutions of stride 2 have a PAD before them.
    softmax, dequantize : bool
        What comes last.
    preprocessing : bool
        The input is pixels from 0 to 255; MUL, SUB and ADD of constants bring them to the image.
    """
    graph = _Writer()
    shape = model.network.input_shape
    if float_input:
        first = graph.tensor("picture", (1, *shape), np.float32)
        source = add_activation(graph, "input", shape, model.input_scale, model.input_zero_point)
        graph.operator("QUANTIZE", [first], [source])
    elif unsigned_ends:
        first = graph.tensor(
            "bytes",
            (1, *shape),
            np.uint8,
            scales=model.input_scale,
            zero_points=model.input_zero_point + 128,
        )
        source = add_activation(graph, "input", shape, model.input_scale, model.input_zero_point)
        graph.operator("QUANTIZE", [first], [source])
    elif preprocessing:
        first, source = _write_preprocessing(graph, model, shape)
    else:
        first = source = add_activation(
            graph, "input", shape, model.input_scale, model.input_zero_point
        )

    def write(layer, source, shape):
        return write_convolution(
            graph, layer, source, shape, explicit_padding and layer.stride == 2
        )

    source, shape = write(model.stem, source, shape)
    for block in model.blocks:
        shortcut = source
        for layer in block.layers:
            source, shape = write(layer, source, shape)
        if block.add is not None:
            add, pair = block.add, (shortcut, source)
            if swapped_adds:
                names = ("zero_point", "multiplier", "shift", "scale")
                add = replace(
                    add,
                    **{
                        f"{here}_{name}": getattr(add, f"{there}_{name}")
                        for here, there in ("ab", "ba")
                        for name in names
                    },
                )
                pair = source, shortcut
            source = write_add(graph, add, *pair, shape)
    source, shape = write_convolution(graph, model.head, source, shape)
    channels = shape[2]
    if isinstance(model.pool, QuantizedAveragePool):
        source = write_average_pool(graph, model.pool, source, shape)
    elif keep_dimensions:
        source = write_mean(graph, model.pool, source, shape)
    else:
        source = _write_flat_mean(graph, model.pool, source, channels)
    flat = not keep_dimensions and not isinstance(model.pool, QuantizedAveragePool)
    if fully_connected:
        source = source if flat else _reshape(graph, source, (1, channels), "flat")
        source = _write_fully_connected(graph, model.classifier, source)
    else:
        source = _reshape(graph, source, (1, 1, 1, channels), "single pixel") if flat else source
        source, _ = write_convolution(graph, model.classifier, source, (1, 1, channels))
        source = _reshape(graph, source, (1, model.network.classes), "logits")
    if softmax:
        target = graph.tensor(
            "probabilities",
            (1, model.network.classes),
            scales=np.float32(1 / 256),
            zero_points=-128,
        )
        graph.operator("SOFTMAX", [source], [target], "SoftmaxOptions", {"beta": 1.0}, version=2)
        source = target
    if unsigned_ends:
        target = graph.tensor(
            "bytes out",
            (1, model.network.classes),
            np.uint8,
            scales=graph.scale_of(source),
            zero_points=graph.zero_point_of(source) + 128,
        )
        graph.operator("QUANTIZE", [source], [target])
        source = target
    if dequantize:
        target = graph.tensor("real", (1, model.network.classes), np.float32)
        graph.operator("DEQUANTIZE", [source], [target], version=2)
        source = target
    return graph.finish([first], [source])


def _write_flat_mean(graph, mean, source, channels):
    """MEAN to [1, C]."""
    axes = graph.tensor("pool.axes", (2,), np.int32, data=(1, 2))
    target = graph.tensor(
        "pool", (1, channels), scales=mean.output_scale, zero_points=mean.output_zero_point
    )
    graph.operator(
        "MEAN", [source, axes], [target], "ReducerOptions", {"keepDims": False}, version=2
    )
    return target


def _write_fully_connected(graph, layer, source):
    """The classifier as FULLY_CONNECTED, of one weight scale or several."""
    one = np.unique(layer.weight_scales).size == 1
    scales = layer.weight_scales[:1] if one else layer.weight_scales
    weights = graph.tensor(
        "classifier.weights", layer.weights.T.shape, scales=scales, data=layer.weights.T
    )
    bias = graph.tensor(
        "classifier.bias",
        layer.bias.shape,
        np.int32,
        scales=scales * np.float32(layer.input_scale),
        data=layer.bias,
    )
    target = graph.tensor(
        "classifier",
        (1, layer.output_channels),
        scales=layer.output_scale,
        zero_points=layer.output_zero_point,
    )
    graph.operator(
        "FULLY_CONNECTED",
        [source, weights, bias],
        [target],
        "FullyConnectedOptions",
        {"fusedActivationFunction": "NONE"},
        version=4,
    )
    return target


def _write_preprocessing(graph, model, shape):
    """(pixels, image): pixels / 127.5 - 1, then a sum with a constant for each channel."""
    first = add_activation(graph, "pixels", shape, 1.0, -128)
    steps = (
        ("MUL", [127], 1 / 127.5 / 127, 2 / 255, -128),
        ("SUB", [127], 1 / 127, 2 / 255, 0),
        ("ADD", [-30, 20, 90], 0.01, model.input_scale, model.input_zero_point),
    )
    source = first
    for kind, data, step, scale, zero in steps:
        constant = graph.tensor(f"{kind} by", (len(data),), scales=step, data=data)
        name = "input" if kind == "ADD" else f"after {kind}"
        target = add_activation(graph, name, shape, scale, zero)
        graph.operator(
            kind,
            [source, constant] if kind != "ADD" else [constant, source],
            [target],
            f"{kind.capitalize()}Options",
            version=2,
        )
        source = target
    return first, source
