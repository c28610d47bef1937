"""Float networks of the family as .tflite files, in the kinds that converters write."""

import numpy as np

from mnv2.golden.exporters.tflite_graph import GraphWriter

KINDS = ("float32", "float16", "dynamic range")


def float_tflite_bytes(
    model,
    kind="float32",
    *,
    pool="MEAN",
    keep=True,
    dense="FULLY_CONNECTED",
    softmax=False,
    bias=True,
    clamp="RELU6",
    residual_clamp="NONE",
    dilation=1,
    channels=3,
    preprocessing=(),
):
    """(bytes, index of the output) of a folded FloatModel.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    pool : str
        "MEAN", "AVERAGE_POOL_2D" or "MAX_POOL_2D".
    keep : bool
        Whether MEAN keeps its axes.
    dense : str
        "FULLY_CONNECTED" or "CONV_2D".
    bias : bool
        Whether the classifier has one.
    preprocessing : list of (str, list of float)
        Operators on the image, with their constants.
    """
    graph, network = GraphWriter(), model.network
    rows, columns, _ = network.input_shape
    real = np.float32

    def stored(name, value, axis):
        """The index of weights, of DEQUANTIZE's output for float16."""
        if kind == "float32":
            return graph.tensor(name, value.shape, real, data=value)
        if kind == "float16":
            half = graph.tensor(f"{name} half", value.shape, np.float16, data=value)
            whole = graph.tensor(name, value.shape, real)
            graph.operator("DEQUANTIZE", [half], [whole], "DequantizeOptions")
            return whole
        others = tuple(x for x in range(value.ndim) if x != axis)
        scales = (np.abs(value).max(axis=others, keepdims=True) / 127).astype(real)
        integers = np.clip(np.rint(value / scales), -127, 127).astype(np.int8)
        return graph.tensor(name, value.shape, scales=scales.ravel(), axis=axis, data=integers)

    def convolution(x, layer):
        record, depthwise = model.layers[layer.name], layer.kind == "depthwise"
        weights = record.weights
        if depthwise:
            weights, axis = weights[None], 3
        else:
            weights = weights if weights.ndim == 4 else weights[None, None]
            weights, axis = np.ascontiguousarray(weights.transpose(3, 0, 1, 2)), 0
        padding = "SAME"
        if network.padding == "pytorch" and layer.kernel_size == (3, 3):
            amounts = ((0, 0), *layer.padding, (0, 0))
            shape = (
                1,
                *(n + sum(p) for n, p in zip(layer.input_shape, layer.padding, strict=False)),
                layer.input_channels,
            )
            pads = graph.tensor("pads", (4, 2), np.int32, data=amounts)
            padded = graph.tensor(f"{layer.name} padded", shape, real)
            graph.operator("PAD", [x, pads], [padded], "PadOptions")
            x, padding = padded, "VALID"
        constant = graph.tensor("b", record.bias.shape, real, data=record.bias)
        target = graph.tensor(layer.name, (1, *layer.output_shape), real)
        options = {
            "padding": padding,
            "strideH": layer.stride,
            "strideW": layer.stride,
            "dilationHFactor": dilation,
            "dilationWFactor": dilation,
            "fusedActivationFunction": clamp if layer.relu6 else "NONE",
        }
        code, name = "CONV_2D", "Conv2DOptions"
        if depthwise:
            code, name = "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions"
            options["depthMultiplier"] = 1
        inputs = [x, stored(f"{layer.name} weights", weights, axis), constant]
        graph.operator(code, inputs, [target], name, options, version=3)
        return target

    image = x = graph.tensor("image", (1, rows, columns, channels), real)
    for code, values in preprocessing:
        constant = graph.tensor("c", (len(values),), real, data=values)
        target = graph.tensor(f"{code} image", (1, rows, columns, channels), real)
        graph.operator(code, [x, constant], [target], f"{code.capitalize()}Options")
        x = target
    x = convolution(x, network.stem)
    for block in network.blocks:
        shortcut = x
        for layer in block.layers:
            x = convolution(x, layer)
        if block.residual:
            total = graph.tensor(block.add_name, (1, *block.output_shape), real)
            about = {"fusedActivationFunction": residual_clamp}
            graph.operator("ADD", [shortcut, x], [total], "AddOptions", about)
            x = total
    if network.head is not None:
        x = convolution(x, network.head)
    depth, record = network.pool.output_channels, model.layers["classifier"]
    kept = keep or pool != "MEAN"
    pooled = graph.tensor("pool", (1, 1, 1, depth) if kept else (1, depth), real)
    if pool == "MEAN":
        axes = graph.tensor("axes", (2,), np.int32, data=[1, 2])
        graph.operator("MEAN", [x, axes], [pooled], "ReducerOptions", {"keepDims": keep})
    else:
        size = network.pool.kernel_size
        about = {"padding": "VALID", "strideH": 1, "strideW": 1}
        about |= {"filterHeight": size[0], "filterWidth": size[1]}
        graph.operator(pool, [x], [pooled], "Pool2DOptions", about)
    if dense == "CONV_2D":
        x = convolution(pooled, network.classifier)
    else:
        x = pooled
        if kept:
            x = graph.tensor("flat", (1, depth), real)
            shape = graph.tensor("shape", (2,), np.int32, data=[1, depth])
            graph.operator("RESHAPE", [pooled, shape], [x], "ReshapeOptions")
        weights = stored("dense weights", np.ascontiguousarray(record.weights.T), 0)
        constant = graph.tensor("b", record.bias.shape, real, data=record.bias) if bias else -1
        target = graph.tensor("classifier", (1, network.classes), real)
        inputs = [x, weights, constant]
        graph.operator("FULLY_CONNECTED", inputs, [target], "FullyConnectedOptions", version=3)
        x = target
    if softmax:
        target = graph.tensor("probabilities", (1, network.classes), real)
        graph.operator("SOFTMAX", [x], [target], "SoftmaxOptions", {"beta": 1.0})
        x = target
    return graph.finish([image], [x]), x
