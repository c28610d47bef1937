"""The integer layers in their plain form, one image at a time.

Activations are int8 [H, W, C]; accumulators int32, wrapping where LiteRT's would. These
functions are the definition; `golden.fast_ops` holds quicker forms that equal them.

Ref: LiteRT `tflite/kernels/internal/reference/integer_ops/` conv.h, depthwise_conv.h, add.h,
mean.h, pooling.h.
"""

import numpy as np

from golden.fixed_point import (
    ADD_LEFT_SHIFT,
    divide_rounding_half_away,
    multiply_by_quantized_multiplier,
    saturate,
    wrap_int32,
)


def pad_map(activation, padding, value):
    """Surround int8 [H, W, C] with a constant; padding is ((top, bottom), (left, right))."""
    return np.pad(activation, (*padding, (0, 0)), constant_values=value)


def _taps(activation, zero_point, kernel_shape, stride, padding):
    """Yield (dy, dx, int64 [H', W', C]): the input less its zero point, as each tap sees it."""
    padded = pad_map(activation, padding, zero_point).astype(np.int64) - zero_point
    rows = (padded.shape[0] - kernel_shape[0]) // stride + 1
    columns = (padded.shape[1] - kernel_shape[1]) // stride + 1
    if rows < 1 or columns < 1:
        raise ValueError(f"A kernel of {kernel_shape} must fit the padded map, "
                         f"not {padded.shape[:2]!r}")
    for dy in range(kernel_shape[0]):
        for dx in range(kernel_shape[1]):
            yield dy, dx, padded[dy:dy + (rows - 1) * stride + 1:stride,
                                 dx:dx + (columns - 1) * stride + 1:stride]


def conv2d(activation, weights, bias, input_zero_point, stride, padding):
    """Accumulators of a convolution.

    Parameters
    ----------
    activation : int8 [H, W, C]
    weights : int8 [K, K, C, M]
    bias : int32 [M]
    input_zero_point, stride : int
    padding : ((top, bottom), (left, right))
        Pixels outside the image count as real zero.

    Returns
    -------
    int32 [H', W', M]
    """
    acc = bias.astype(np.int64)
    for dy, dx, seen in _taps(activation, input_zero_point, weights.shape[:2], stride, padding):
        acc = acc + seen @ weights[dy, dx].astype(np.int64)
    return wrap_int32(acc)


def depthwise_conv2d(activation, weights, bias, input_zero_point, stride, padding):
    """Accumulators of a depthwise convolution: as `conv2d`, weights int8 [K, K, C]."""
    acc = bias.astype(np.int64)
    for dy, dx, seen in _taps(activation, input_zero_point, weights.shape[:2], stride, padding):
        acc = acc + seen * weights[dy, dx].astype(np.int64)
    return wrap_int32(acc)


def pointwise_conv2d(activation, weights, bias, input_zero_point):
    """Accumulators of a 1x1 convolution: weights int8 [C, M], result int32 [H, W, M]."""
    centred = activation.astype(np.int64) - input_zero_point
    return wrap_int32(centred @ weights.astype(np.int64) + bias)


def requantize(accumulator, multiplier, shift, zero_point, minimum, maximum):
    """Accumulators int32 [..., M] to int8: scale, add the zero point, clamp.

    The zero point is added in more than 32 bits: where LiteRT's int32 sum would overflow, which
    C leaves undefined, the result clamps.
    """
    scaled = multiply_by_quantized_multiplier(accumulator, multiplier, shift)
    return saturate(scaled + zero_point, minimum, maximum)


def add(a, b, a_parameters, b_parameters, multiplier, shift, zero_point, minimum, maximum):
    """Residual addition of two int8 [H, W, C] with scales of their own.

    Parameters
    ----------
    a_parameters, b_parameters : (zero_point, multiplier, shift)
        Bring each input, lifted by 20 bits, to the common scale.
    multiplier, shift : int
        Bring the sum to the output's scale.
    """
    total = np.int64(0)
    for values, (input_zero, factor, right) in ((a, a_parameters), (b, b_parameters)):
        lifted = (values.astype(np.int64) - input_zero) << ADD_LEFT_SHIFT
        total = total + multiply_by_quantized_multiplier(lifted, factor, right)
    scaled = multiply_by_quantized_multiplier(wrap_int32(total), multiplier, shift)
    return saturate(scaled + zero_point, minimum, maximum)


def sum_pixels(activation, input_zero_point):
    """Sum of (x - zero_point) over rows and columns: int32 [1, 1, C]."""
    centred = activation.astype(np.int64) - input_zero_point
    return wrap_int32(centred.sum(axis=(0, 1), keepdims=True))


def mean(activation, input_zero_point, multiplier, shift, zero_point, minimum, maximum):
    """Mean over rows and columns, int8 [1, 1, C]; the multiplier holds the 1/N."""
    total = sum_pixels(activation, input_zero_point)
    return requantize(total, multiplier, shift, zero_point, minimum, maximum)


def average_pool2d(activation, kernel_shape, stride, padding, minimum=-128, maximum=127):
    """AVERAGE_POOL_2D: the mean of the taps inside the image, in the input's own scale."""
    inside = np.ones((*activation.shape[:2], 1), np.int8)
    total = sum(seen for _, _, seen in _taps(activation, 0, kernel_shape, stride, padding))
    count = sum(seen for _, _, seen in _taps(inside, 0, kernel_shape, stride, padding))
    return saturate(divide_rounding_half_away(total, count), minimum, maximum)
