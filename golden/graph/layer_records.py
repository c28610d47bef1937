"""From one operator of a graph to a record of the integer model, its arithmetic derived.

Every function raises ValueError, naming the operator, where the record cannot hold it.

Ref: LiteRT `tflite/kernels/kernel_util.cc` (PopulateConvolutionQuantizationParams,
CalculateActivationRangeQuantized).
"""

import numpy as np

from golden.average_pool import QuantizedAveragePool
from golden.fixed_point import quantize_multipliers, round_half_away
from golden.model import QuantizedLayer
from golden.network import Layer, output_size, stride_padding
from golden.quantize import add_record, mean_record, relu6_clamp

NO_PADDING = ((0, 0), (0, 0))


def refuse(operator, expected):
    """ValueError for an operator that stands where another was expected."""
    return ValueError(f"The {operator.label} does not fit a network of the MobileNetV2 family: "
                      f"expected {expected}")


def affine(graph, index, operator):
    """(scale, zero_point) of an int8 activation that an operator reads or writes."""
    tensor = graph.tensors[index]
    if tensor.dtype != "int8" or len(tensor.scales) != 1:
        raise refuse(operator, f"{tensor.label} to be int8 with one scale, not {tensor.dtype} "
                               f"with {len(tensor.scales)}")
    return tensor.scale, tensor.zero_point


def map_shape(graph, index, operator):
    """(rows, columns, channels) of a tensor [1, H, W, C], or of [1, C], a single pixel."""
    tensor = graph.tensors[index]
    shape = tensor.shape
    if len(shape) == 2:
        shape = (shape[0], 1, 1, shape[1])
    if len(shape) != 4 or shape[0] != 1 or 0 in shape:
        raise refuse(operator, f"{tensor.label} to be of a batch of one image, [1, H, W, C], not "
                               f"{list(tensor.shape)}")
    return shape[1:]


def clamp(activation, scale, zero_point):
    """(minimum, maximum) that a fused activation leaves."""
    if activation == "NONE":
        return -128, 127
    if activation == "RELU6":
        return relu6_clamp(scale, zero_point)
    one = int(round_half_away(np.float32(1) / np.float32(scale)))
    low, high = {"RELU": (zero_point, 127),
                 "RELU_N1_TO_1": (zero_point - one, zero_point + one)}[activation]
    return max(-128, low), min(127, high)


def _constant(graph, operator, position, what, dtypes):
    """Contents of a constant input."""
    index = operator.input(position)
    tensor = graph.tensors[index] if index >= 0 else None
    if tensor is None or tensor.data is None or tensor.dtype not in dtypes:
        found = ("none" if tensor is None else
                 f"{tensor.label}, {tensor.dtype}{'' if tensor.data is not None else ', computed'}")
        raise refuse(operator, f"{what} to be constants of {' or '.join(dtypes)}, not {found}")
    return tensor


def pad_amounts(graph, operator):
    """((top, bottom), (left, right)) of a PAD or PADV2 of real zeros."""
    amounts = _constant(graph, operator, 1, "the paddings", ("int32", "int64")).data
    source, target = (affine(graph, index, operator)
                      for index in (operator.input(0), operator.output))
    if source != target:
        raise refuse(operator, "the scale and zero point to be those of its input")
    if operator.kind == "PADV2":
        value = _constant(graph, operator, 2, "the value", ("int8",)).data
        if int(value.reshape(-1)[0]) != source[1]:
            raise refuse(operator, f"the zero point {source[1]} as value, not "
                                   f"{int(value.reshape(-1)[0])}")
    if amounts.shape != (4, 2) or amounts[[0, 3]].any() or (amounts < 0).any():
        raise refuse(operator, f"padding of rows and columns alone, not {amounts.tolist()}")
    return tuple(tuple(int(n) for n in pair) for pair in amounts[1:3])


def _weights(graph, operator, output_axis):
    """(int8 weights, float32 scales [M]): symmetric, a scale for each output or one for all."""
    tensor = _constant(graph, operator, 1, "the weights", ("int8",))
    outputs = tensor.shape[output_axis]
    several = len(tensor.scales) == outputs and (outputs == 1 or tensor.axis == output_axis)
    if tensor.zero_points.any() or not (len(tensor.scales) == 1 or several):
        raise refuse(operator, f"{tensor.label} to be symmetric, with one scale or one for each "
                               "of its outputs")
    return tensor.data, np.broadcast_to(tensor.scales, (outputs,)).copy()


def _bias(graph, operator, channels):
    if operator.input(2) < 0:
        return np.zeros(channels, np.int32)
    return _constant(graph, operator, 2, "the bias", ("int32",)).data.reshape(-1)


def _padding(operator, padded, source_shape, kernel, stride):
    """The padding of a convolution, its own or that of a PAD before it."""
    sizes = source_shape[:2]
    if operator.options.padding == "SAME":
        if padded is not None:
            raise refuse(operator, "VALID padding behind a PAD")
        return tuple((0, 0) if kernel == 1 else stride_padding(size, stride, "tensorflow")
                     for size in sizes)
    padding = padded or NO_PADDING
    for size, pads in zip(sizes, padding, strict=True):
        starts = {0} if kernel == 1 else {stride_padding(size, stride, way)[0]
                                          for way in ("tensorflow", "pytorch")}
        if pads[0] not in starts or (size + sum(pads) - kernel) // stride + 1 \
                != output_size(size, stride):
            raise refuse(operator, f"a padding that keeps {output_size(size, stride)} of {size} "
                                   f"pixels at stride {stride}, SAME or a PAD of 1, not {pads}")
    return padding


def convolution(graph, operator, name, kind, block=0, padded=None):
    """A convolution, or a FULLY_CONNECTED, in its integer form.

    Parameters
    ----------
    graph : golden.graph.Graph
    operator : golden.graph.records.Operator
    name, kind, block
        As in `golden.network.Layer`.
    padded : (source index, padding), optional
        The tensor before the PAD that the operator reads, and its amounts.

    Returns
    -------
    (golden.network.Layer, golden.model.QuantizedLayer)
    """
    kernel = 3 if kind in ("stem", "depthwise") else 1
    source = operator.input(0) if padded is None else padded[0]
    input_shape = map_shape(graph, source, operator)
    depthwise = operator.kind == "DEPTHWISE_CONV_2D"
    data, scales = _weights(graph, operator, data_axis(operator))
    if operator.kind == "FULLY_CONNECTED":
        stride, padding, weights = 1, NO_PADDING, data.T
    else:
        options = operator.options
        if data.ndim != 4 or data.shape[1:3] != (kernel, kernel):
            raise refuse(operator, f"a kernel of {kernel}x{kernel}, not "
                                   f"{'x'.join(map(str, data.shape[1:3]))}")
        if options.dilation != (1, 1) or options.stride not in ((1, 1), (2, 2)) \
                or (kernel == 1 and options.stride != (1, 1)) or options.depth_multiplier != 1:
            raise refuse(operator, f"stride {'1 or 2' if kernel == 3 else '1'} and neither "
                                   "dilation nor depth multiplier")
        stride = options.stride[0]
        padding = _padding(operator, padded and padded[1], input_shape, kernel, stride)
        weights = data[0] if depthwise else data.transpose(1, 2, 3, 0)
        weights = weights if kernel == 3 else weights[0, 0]
    output_shape = map_shape(graph, operator.output, operator)
    channels = output_shape[2:] if depthwise else (input_shape[2], output_shape[2])
    window = (3, 3) if kernel == 3 else ()
    if weights.shape != (*window, *channels) or (depthwise and input_shape[2:] != channels):
        raise refuse(operator, f"weights from {input_shape[2]} channels to {output_shape[2]}, not "
                               f"{'x'.join(map(str, data.shape))}")
    input_scale, input_zero_point = affine(graph, source, operator)
    scale, zero_point = affine(graph, operator.output, operator)
    multiplier, shift = quantize_multipliers(
        np.float64(input_scale) * scales.astype(np.float64) / np.float64(scale))
    minimum, maximum = clamp(operator.options.activation, scale, zero_point)
    layer = Layer(name, kind, block, input_shape, output_shape, (kernel, kernel), stride, padding)
    return layer, QuantizedLayer(
        name=name, kind=kind, weights=np.ascontiguousarray(weights),
        bias=_bias(graph, operator, output_shape[2]), multiplier=multiplier, shift=shift,
        input_scale=input_scale, input_zero_point=input_zero_point, weight_scales=scales,
        output_scale=scale, output_zero_point=zero_point, minimum=minimum, maximum=maximum,
        stride=stride, padding=padding)


def data_axis(operator):
    """Axis of the outputs in the weights of an operator."""
    return 3 if operator.kind == "DEPTHWISE_CONV_2D" else 0


def residual(graph, operator, name, shortcut, other):
    """The QuantizedAdd of an ADD of a block's input and its project output."""
    shapes = {map_shape(graph, index, operator) for index in (shortcut, other, operator.output)}
    if len(shapes) != 1:
        raise refuse(operator, "two inputs of one shape")
    target = affine(graph, operator.output, operator)
    try:
        return add_record(name, *affine(graph, shortcut, operator), *affine(graph, other, operator),
                          *target, *clamp(operator.options.activation, *target))
    except ValueError as error:
        raise ValueError(f"The {operator.label} cannot be computed: {error}") from None


def pool(graph, operator):
    """The QuantizedMean of a MEAN, or the QuantizedAveragePool of an AVERAGE_POOL_2D."""
    rows, columns, channels = map_shape(graph, operator.input(0), operator)
    source = affine(graph, operator.input(0), operator)
    target = affine(graph, operator.output, operator)
    if map_shape(graph, operator.output, operator) != (1, 1, channels):
        raise refuse(operator, "an average over all rows and columns")
    if operator.kind == "MEAN":
        axes = _constant(graph, operator, 1, "the axes", ("int32",)).data
        if {int(axis) % 4 for axis in axes.reshape(-1)} != {1, 2}:
            raise refuse(operator, f"the axes 1 and 2, not {axes.reshape(-1).tolist()}")
        return mean_record("pool", rows * columns, *source, *target)
    if operator.options.kernel != (rows, columns):
        raise refuse(operator, f"a kernel of the whole map, {rows}x{columns}, not "
                               f"{'x'.join(map(str, operator.options.kernel))}")
    if source != target:
        raise refuse(operator, "the scale and zero point to be those of its input")
    try:
        return QuantizedAveragePool("pool", rows * columns, *target,
                                    *clamp(operator.options.activation, *target))
    except ValueError as error:
        raise ValueError(f"The {operator.label} cannot be computed: {error}") from None
