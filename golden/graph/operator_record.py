"""From one operator of a graph, made ready to run, to a record of the integer model.

Integers are those that the graph has derived; here they are only held to what the records can say.
Every function raises ValueError, naming the operator and what was expected of it.
"""

from dataclasses import replace

from mnv2.golden.average_pool import QuantizedAveragePool
from mnv2.golden.graph.fully_connected import FullyConnected
from mnv2.golden.network import Layer, output_size, stride_padding
from mnv2.golden.quantized_layer import QuantizedLayer, QuantizedMean

NO_PADDING = ((0, 0), (0, 0))


def refuse(operator, expected):
    """ValueError for an operator that stands where another was expected."""
    return ValueError(
        f"The {operator.label} does not fit a network of the MobileNetV2 family: "
        f"expected {expected}"
    )


def map_shape(graph, index, operator):
    """(rows, columns, channels) of a tensor [1, H, W, C], or of [1, C], a single pixel."""
    tensor = graph.tensors[index]
    shape = tensor.shape
    if len(shape) == 2:
        shape = (shape[0], 1, 1, shape[1])
    if len(shape) != 4 or shape[0] != 1:
        raise refuse(
            operator, f"{tensor.label} to be of one image, [1, H, W, C], not {list(tensor.shape)}"
        )
    return shape[1:]


def pad_amounts(graph, operator):
    """((top, bottom), (left, right)) of a PAD of rows and columns by real zeros."""
    kernel, target = graph.kernels[operator.index], graph.tensors[operator.output]
    map_shape(graph, operator.inputs[0], operator)
    if len(kernel.padding) != 4 or kernel.padding[0] != (0, 0) or kernel.padding[3] != (0, 0):
        raise refuse(operator, f"padding of rows and columns alone, not {list(kernel.padding)}")
    if kernel.value != target.zero_point:
        raise refuse(operator, f"the zero point {target.zero_point} as value, not {kernel.value}")
    return kernel.padding[1:3]


def _padding(operator, own, amounts, sizes, window, stride):
    """The padding of a convolution, its own or that of a PAD before it."""
    if amounts is not None and own != NO_PADDING:
        raise refuse(operator, "VALID padding after a PAD")
    padding = amounts or own
    for size, pads in zip(sizes, padding, strict=True):
        starts = (
            {0}
            if window == 1
            else {stride_padding(size, stride, way)[0] for way in ("tensorflow", "pytorch")}
        )
        outputs = (size + sum(pads) - window) // stride + 1
        if pads[0] not in starts or outputs != output_size(size, stride):
            raise refuse(
                operator,
                f"SAME padding or a PAD of 1, that makes "
                f"{output_size(size, stride)} of {size} pixels, not {pads}",
            )
    return padding


def convolution(graph, operator, name, kind, block=0, padded=None):
    """A convolution, or a FULLY_CONNECTED in its integer form.

    Parameters
    ----------
    graph : mnv2.golden.graph.graph.Graph
    operator : mnv2.golden.graph.schema.Operator
    name, kind, block
        As in `mnv2.golden.network.Layer`.
    padded : (source index, amounts), optional
        The tensor before the PAD that the operator reads, and what it pads.

    Returns
    -------
    (mnv2.golden.network.Layer, mnv2.golden.quantized_layer.QuantizedLayer)
    """
    kernel, window = graph.kernels[operator.index], 3 if kind in ("stem", "depthwise") else 1
    source, amounts = padded or (operator.inputs[0], None)
    input_shape = map_shape(graph, source, operator)
    output_shape = map_shape(graph, operator.output, operator)
    weights, stride, padding = kernel.weights, 1, NO_PADDING
    if not isinstance(kernel, FullyConnected):
        if weights.shape[:2] != (window, window):
            raise refuse(
                operator,
                f"a kernel of {window}x{window} for {name}, not "
                f"{'x'.join(map(str, weights.shape[:2]))}",
            )
        strides = ((1, 1), (2, 2)) if window == 3 else ((1, 1),)
        if kernel.stride not in strides or kernel.dilation != (1, 1) or kernel.groups != 1:
            raise refuse(
                operator,
                f"stride {' or '.join(str(n) for n, _ in strides)} in both "
                f"directions, no dilation and no groups for {name}",
            )
        stride = kernel.stride[0]
        padding = _padding(operator, kernel.padding, amounts, input_shape[:2], window, stride)
        weights = weights if window == 3 else weights[0, 0]
    channels = input_shape[2]
    if kind == "depthwise" and output_shape[2] != channels:
        raise refuse(operator, f"one output for each of {channels} channels, not {output_shape[2]}")
    if kind != "depthwise" and weights.shape[-2] != channels:
        raise refuse(operator, f"weights for {channels} channels, not {weights.shape[-2]}")
    tensors = graph.tensors
    scales, target = tensors[operator.inputs[1]].scales, tensors[operator.output]
    layer = Layer(
        name,
        kind,
        block,
        input_shape,
        output_shape,
        (window, window),
        stride,
        padding,
        rectified=kind == "project" and operator.options.activation == "RELU6",
    )
    return layer, QuantizedLayer(
        name=name,
        kind=kind,
        weights=weights.copy(),
        bias=kernel.bias.astype("int32"),
        multiplier=kernel.multiplier,
        shift=kernel.shift,
        input_scale=tensors[operator.inputs[0]].scale,
        input_zero_point=kernel.input_zero_point,
        weight_scales=scales.repeat(output_shape[2] // scales.size),
        output_scale=target.scale,
        output_zero_point=kernel.output_zero_point,
        minimum=kernel.minimum,
        maximum=kernel.maximum,
        stride=stride,
        padding=padding,
    )


def residual(graph, operator, name, shortcut, project):
    """The QuantizedAdd of an ADD of a block's input and its project output."""
    if sorted(operator.inputs) != sorted((shortcut, project)):
        raise refuse(
            operator,
            f"an ADD of {graph.tensors[shortcut].label}, the input, and "
            f"{graph.tensors[project].label}",
        )
    shapes = {map_shape(graph, index, operator) for index in (shortcut, project)}
    if len(shapes) != 1:
        raise refuse(operator, "two inputs of one shape")
    add = replace(graph.kernels[operator.index].record, name=name)
    if operator.inputs[0] == shortcut:
        return add
    # The sum is the same either way; in the records the block's input comes first.
    pairs = ("zero_point", "multiplier", "shift", "scale")
    return replace(
        add,
        **{
            f"{here}_{field}": getattr(add, f"{there}_{field}")
            for here, there in ("ab", "ba")
            for field in pairs
        },
    )


def pool(graph, operator):
    """The QuantizedMean of a MEAN, or the QuantizedAveragePool of an AVERAGE_POOL_2D."""
    rows, columns, channels = map_shape(graph, operator.inputs[0], operator)
    kernel = graph.kernels[operator.index]
    source, target = (graph.tensors[index] for index in (operator.inputs[0], operator.output))
    if map_shape(graph, operator.output, operator) != (1, 1, channels):
        raise refuse(
            operator,
            f"an average over all {rows}x{columns} pixels, not the output {list(target.shape)}",
        )
    if operator.kind == "MEAN":
        if set(kernel.axes) != {1, 2}:
            raise refuse(operator, f"an average over the axes 1 and 2, not {list(kernel.axes)}")
        return QuantizedMean(
            "pool",
            kernel.count,
            kernel.multiplier,
            kernel.shift,
            source.scale,
            source.zero_point,
            target.scale,
            target.zero_point,
        )
    ((top,), (bottom,)), ((left,), (right,)) = kernel.rows, kernel.columns
    if (top, bottom, left, right) != (0, rows, 0, columns):
        raise refuse(
            operator,
            f"a window of all {rows}x{columns} pixels, not "
            f"{'x'.join(map(str, operator.options.kernel))}",
        )
    try:
        return QuantizedAveragePool(
            "pool", rows * columns, target.scale, target.zero_point, kernel.minimum, kernel.maximum
        )
    except ValueError as error:
        raise refuse(operator, f"an average that the hardware can compute ({error})") from None
