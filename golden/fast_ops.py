"""Quick forms of `golden.ops`, equal to it in every element.

Products go through BLAS in float32 or float64. A sum of integers is exact there, in any order and
with or without fused steps, while no partial sum can pass the mantissa; the bound is computed from
the weights themselves, and the wider type is taken where the narrower does not hold.
"""

import numpy as np

from golden.fixed_point import wrap_int32
from golden.ops import pad_map

#: Largest integer below which every integer is a float32 (float64).
FLOAT32_EXACT, FLOAT64_EXACT = 2**24, 2**53


def _exact_type(weights, axis):
    """The float type in which sums of int8 * weights along an axis are exact."""
    bound = 128 * int(np.abs(weights.astype(np.int64)).sum(axis=axis).max(initial=0))
    if bound < FLOAT32_EXACT:
        return np.float32
    if bound < FLOAT64_EXACT:
        return np.float64
    raise ValueError(f"A sum must stay below 2**53 to be exact, not {bound!r}")


def _finish(products, weights, axis, bias, zero_point):
    """Bias and the input's zero point: sum((x - z) * w) = sum(x * w) - z * sum(w)."""
    offset = bias.astype(np.int64) - zero_point * weights.astype(np.int64).sum(axis=axis)
    if np.abs(offset).max(initial=0) + FLOAT32_EXACT < 2**31 and products.dtype == np.float32:
        acc = products.astype(np.int32)
        acc += offset.astype(np.int32)
        return acc
    return wrap_int32(products.astype(np.int64) + offset)


def pointwise_conv2d(activation, weights, bias, input_zero_point):
    """As `ops.pointwise_conv2d`; any axes before the channels."""
    kind = _exact_type(weights, 0)
    flat = activation.reshape(-1, activation.shape[-1]).astype(kind)
    products = flat @ weights.astype(kind)
    acc = _finish(products, weights, 0, bias, input_zero_point)
    return acc.reshape(*activation.shape[:-1], weights.shape[1])


def _output_shape(padded, kernel_shape, stride):
    rows = (padded.shape[0] - kernel_shape[0]) // stride + 1
    columns = (padded.shape[1] - kernel_shape[1]) // stride + 1
    if rows < 1 or columns < 1:
        raise ValueError(f"A kernel of {kernel_shape} must fit the padded map, "
                         f"not {padded.shape[:2]!r}")
    return rows, columns


def conv2d(activation, weights, bias, input_zero_point, stride, padding):
    """As `ops.conv2d`, through one matrix product over gathered windows."""
    kernel_rows, kernel_columns, _, channels = weights.shape
    padded = pad_map(activation, padding, input_zero_point)
    rows, columns = _output_shape(padded, weights.shape[:2], stride)
    windows = np.lib.stride_tricks.sliding_window_view(
        padded, (kernel_rows, kernel_columns), axis=(0, 1))
    windows = windows[::stride, ::stride][:rows, :columns].transpose(0, 1, 3, 4, 2)
    matrix = weights.reshape(-1, channels)
    flat = windows.reshape(rows, columns, matrix.shape[0])
    return pointwise_conv2d(flat, matrix, bias, input_zero_point)


def depthwise_conv2d(activation, weights, bias, input_zero_point, stride, padding):
    """As `ops.depthwise_conv2d`, in bands of rows that stay in the cache."""
    kind = _exact_type(weights, (0, 1))
    padded = pad_map(activation, padding, input_zero_point)
    rows, columns = _output_shape(padded, weights.shape[:2], stride)
    kernel_rows, kernel_columns, channels = weights.shape
    taps = weights.astype(kind)
    acc = np.empty((rows, columns, channels), np.int32)
    band = max(1, 2**15 // max(1, columns * channels))
    for top in range(0, rows, band):
        count = min(band, rows - top)
        source = padded[top * stride:(top + count - 1) * stride + kernel_rows].astype(kind)
        total = np.zeros((count, columns, channels), kind)
        term = np.empty_like(total)
        for dy in range(kernel_rows):
            for dx in range(kernel_columns):
                seen = source[dy:dy + (count - 1) * stride + 1:stride,
                              dx:dx + (columns - 1) * stride + 1:stride]
                np.multiply(seen, taps[dy, dx], out=term)
                total += term
        acc[top:top + count] = _finish(total, weights, (0, 1), bias, input_zero_point)
    return acc


def requantize(accumulator, multiplier, shift, zero_point, minimum, maximum):
    """As `ops.requantize`, in chunks that stay in the cache and in place.

    Halves round away from zero: (v + half - (v < 0)) >> n for n > 0. The zero point goes in before
    that shift, as zero_point << n. The high product needs no saturation here: a multiplier is
    never -2**31.
    """
    channels = accumulator.shape[-1]
    flat = accumulator.reshape(-1, channels)
    left = np.maximum(-shift, 0).astype(np.int32)
    right = np.maximum(shift, 0).astype(np.int64)
    half = np.where(right > 0, np.int64(1) << np.maximum(right - 1, 0), 0)
    offset = half + (np.int64(zero_point) << right)
    factor = np.asarray(multiplier, np.int64)
    lifts, drops = bool(left.any()), bool((right > 0).all())
    result = np.empty(flat.shape, np.int8)
    band = max(1, 2**14 // max(1, channels))
    wide = np.empty((min(band, flat.shape[0]), channels), np.int64)
    sign = np.empty_like(wide)
    for start in range(0, flat.shape[0], band):
        values = flat[start:start + band]
        if lifts:
            values = values << left
        wide, sign = wide[:len(values)], sign[:len(values)]
        np.multiply(values, factor, out=wide)
        wide += 1 << 30
        wide >>= 31
        np.right_shift(wide, 63, out=sign)
        if not drops:                                  # a shift of 0 rounds nothing
            sign[:, right == 0] = 0
        wide += sign
        wide += offset
        wide >>= right
        np.maximum(wide, minimum, out=wide)
        np.minimum(wide, maximum, out=wide)
        result[start:start + band] = wide
    return result.reshape(accumulator.shape)
