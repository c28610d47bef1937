"""The integer layers in their plain form, one image at a time.

Activations are int8 or int16 [H, W, C]; accumulators int32, of as many bits as the arithmetic
has, which wrap or saturate as it says. These functions are the definition; `mnv2.golden.fast.ops`
and `mnv2.golden.fast.batch` hold quicker forms that equal them.

An accumulator starts from the bias and adds (x - zero_point) * weight tap by tap, row by row, and
within a tap by input channel. One that wraps may do so at any point: only the last sum counts as
an overflow. One that saturates clamps the bias and every sum after it, so the order matters, and
each of them counts. Functions take a list `overflows`, to which they append bool [H', W', M]:
the outputs whose accumulator left its range.

Ref: LiteRT `tflite/kernels/internal/reference/integer_ops/` conv.h, depthwise_conv.h, add.h,
mean.h, pooling.h.
"""

import numpy as np

from mnv2.golden.arithmetic import LITERT
from mnv2.golden.fixed_point import (
    ADD_LEFT_SHIFT,
    saturate,
    scale_by_multiplier,
    signed_range,
    wrap,
    wrap_int32,
)


def pad_map(activation, padding, value):
    """Surround integers [H, W, C] with a constant; padding is ((top, bottom), (left, right))."""
    return np.pad(activation, (*padding, (0, 0)), constant_values=value)


def _taps(activation, zero_point, kernel_shape, stride, padding):
    """Yield (dy, dx, int64 [H', W', C]): the input less its zero point, as each tap sees it."""
    padded = pad_map(activation, padding, zero_point).astype(np.int64) - zero_point
    rows = (padded.shape[0] - kernel_shape[0]) // stride + 1
    columns = (padded.shape[1] - kernel_shape[1]) // stride + 1
    if rows < 1 or columns < 1:
        raise ValueError(
            f"A kernel of {kernel_shape} must fit the padded map, not {padded.shape[:2]!r}"
        )
    for dy in range(kernel_shape[0]):
        for dx in range(kernel_shape[1]):
            yield (
                dy,
                dx,
                padded[
                    dy : dy + (rows - 1) * stride + 1 : stride,
                    dx : dx + (columns - 1) * stride + 1 : stride,
                ],
            )


def wrap_sums(sums, arithmetic, overflows=None):
    """Exact sums int64 as accumulators int32 that wrap."""
    if overflows is not None:
        low, high = signed_range(arithmetic.accumulator_bits)
        overflows.append((sums < low) | (sums > high))
    return wrap(sums, arithmetic.accumulator_bits).astype(np.int32)


def add_saturating(bias, products, arithmetic, overflows=None):
    """Accumulators int32 that saturate: bias, then each of the products int64, in order."""
    low, high = signed_range(arithmetic.accumulator_bits)
    total = bias.astype(np.int64)
    left = (total < low) | (total > high)
    total = np.clip(total, low, high)
    for product in products:
        total = total + product
        left = left | (total < low) | (total > high)
        total = np.clip(total, low, high)
    if overflows is not None:
        overflows.append(left)
    return total.astype(np.int32)


def conv2d(
    activation, weights, bias, input_zero_point, stride, padding, arithmetic=LITERT, overflows=None
):
    """Accumulators of a convolution.

    Parameters
    ----------
    activation : int8 or int16 [H, W, C]
    weights : int8 [K, K, C, M]
    bias : int32 [M]
    input_zero_point, stride : int
    padding : ((top, bottom), (left, right))
        Pixels outside the image count as real zero.
    arithmetic : mnv2.golden.arithmetic.Arithmetic
        Its accumulator.
    overflows : list, optional
        A bool [H', W', M] is appended: which accumulators left their range.

    Returns
    -------
    int32 [H', W', M]
    """
    wide = weights.astype(np.int64)
    taps = _taps(activation, input_zero_point, weights.shape[:2], stride, padding)
    if arithmetic.overflow == "saturate":
        products = (
            seen[..., channel, None] * wide[dy, dx, channel]
            for dy, dx, seen in taps
            for channel in range(weights.shape[2])
        )
        return add_saturating(bias, products, arithmetic, overflows)
    acc = bias.astype(np.int64)
    for dy, dx, seen in taps:
        acc = acc + seen @ wide[dy, dx]
    return wrap_sums(acc, arithmetic, overflows)


def depthwise_conv2d(
    activation, weights, bias, input_zero_point, stride, padding, arithmetic=LITERT, overflows=None
):
    """Accumulators of a depthwise convolution: as `conv2d`, weights int8 [K, K, C]."""
    wide = weights.astype(np.int64)
    products = (
        seen * wide[dy, dx]
        for dy, dx, seen in _taps(activation, input_zero_point, weights.shape[:2], stride, padding)
    )
    if arithmetic.overflow == "saturate":
        return add_saturating(bias, products, arithmetic, overflows)
    return wrap_sums(sum(products, start=bias.astype(np.int64)), arithmetic, overflows)


def pointwise_conv2d(
    activation, weights, bias, input_zero_point, arithmetic=LITERT, overflows=None
):
    """Accumulators of a 1x1 convolution: weights int8 [C, M], result int32 [H, W, M]."""
    centred, wide = activation.astype(np.int64) - input_zero_point, weights.astype(np.int64)
    if arithmetic.overflow == "saturate":
        products = (centred[..., channel, None] * wide[channel] for channel in range(len(wide)))
        start = np.broadcast_to(bias, (*activation.shape[:-1], len(bias)))
        return add_saturating(start, products, arithmetic, overflows)
    return wrap_sums(centred @ wide + bias, arithmetic, overflows)


def requantize(
    accumulator, multiplier, shift, zero_point, minimum, maximum, rounding="double", kind=np.int8
):
    """Accumulators int32 [..., M] to int8 (or int16): scale, add the zero point, clamp.

    The zero point is added in more than 32 bits: where LiteRT's int32 sum would overflow, which
    C leaves undefined, the result clamps.
    """
    scaled = scale_by_multiplier(accumulator, multiplier, shift, rounding)
    return saturate(scaled + zero_point, minimum, maximum, kind)


def add(
    a,
    b,
    a_parameters,
    b_parameters,
    multiplier,
    shift,
    zero_point,
    minimum,
    maximum,
    rounding="double",
    left_shift=ADD_LEFT_SHIFT,
    kind=np.int8,
):
    """Residual addition of two int8 (or int16) [H, W, C] with scales of their own.

    Parameters
    ----------
    a_parameters, b_parameters : (zero_point, multiplier, shift)
        Bring each input, lifted by left_shift bits, to the common scale.
    multiplier, shift : int
        Bring the sum to the output's scale.
    """
    total = np.int64(0)
    for values, (input_zero, factor, right) in ((a, a_parameters), (b, b_parameters)):
        lifted = (values.astype(np.int64) - input_zero) << left_shift
        total = total + scale_by_multiplier(lifted, factor, right, rounding)
    scaled = scale_by_multiplier(wrap_int32(total), multiplier, shift, rounding)
    return saturate(scaled + zero_point, minimum, maximum, kind)


def sum_pixels(activation, input_zero_point):
    """Sum of (x - zero_point) over rows and columns: int32 [1, 1, C]."""
    centred = activation.astype(np.int64) - input_zero_point
    return wrap_int32(centred.sum(axis=(0, 1), keepdims=True))


def mean(
    activation,
    input_zero_point,
    multiplier,
    shift,
    zero_point,
    minimum,
    maximum,
    rounding="double",
    kind=np.int8,
):
    """Mean over rows and columns, int8 (or int16) [1, 1, C]; the multiplier holds the 1/N."""
    total = sum_pixels(activation, input_zero_point)
    return requantize(total, multiplier, shift, zero_point, minimum, maximum, rounding, kind)
