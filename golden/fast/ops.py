"""Quick forms of `mnv2.golden.ops`, equal to it in every element.

Products go through BLAS in float32 or float64. A sum of integers is exact there, in any order and
with or without fused steps, while no partial sum can pass the mantissa; the bound is computed from
the weights themselves, and the wider type is taken where the narrower does not hold.

An accumulator that saturates is a plain sum wherever no sum on its way can leave the range; only
the others are added up one by one.
"""

import math

import numpy as np

from mnv2.golden import ops
from mnv2.golden.arithmetic import LITERT
from mnv2.golden.fixed_point import signed_range
from mnv2.golden.ops import add_saturating, pad_map, wrap_sums

#: Largest integer below which every integer is a float32 (float64).
FLOAT32_EXACT, FLOAT64_EXACT = 2**24, 2**53
#: Share of accumulators that may saturate from which all are added up one by one.
_DENSE_SHARE = 0.2


def sum_bounds(weights, low, high):
    """Range of sums of weight * x over all axes but the last, for every x in [low, high] or 0.

    Partial sums in any order, and sums over some of the taps, stay within as well.

    Parameters
    ----------
    weights : int8 [..., M]
    low, high : int

    Returns
    -------
    lowest, highest : int64 [M]
    """
    wide = weights.astype(np.int64).reshape(-1, weights.shape[-1])
    ends = np.stack([wide * low, wide * high, np.zeros_like(wide)])
    return ends.min(axis=0).sum(axis=0), ends.max(axis=0).sum(axis=0)


def exact_type(weights, low, high):
    """The float type in which sums of weight * x are exact for x in [low, high]."""
    lowest, highest = sum_bounds(weights, low, high)
    bound = max(-int(lowest.min(initial=0)), int(highest.max(initial=0)))
    if bound < FLOAT32_EXACT:
        return np.float32
    if bound < FLOAT64_EXACT:
        return np.float64
    raise ValueError(f"A sum must stay below 2**53 to be exact, not {bound!r}")


def _type_range(activation):
    limits = np.iinfo(activation.dtype)
    return limits.min, limits.max


def corrections(weights, bias, zero_point):
    """int64 [M]: bias and the input's zero point: sum((x - z) * w) = sum(x * w) - z * sum(w)."""
    axes = tuple(range(weights.ndim - 1))
    return bias.astype(np.int64) - zero_point * weights.astype(np.int64).sum(axis=axes)


def _finish(products, correction, arithmetic, overflows):
    """Accumulators that wrap, of exact floating-point sums."""
    if (
        arithmetic.accumulator_bits == 32
        and overflows is None
        and products.dtype == np.float32
        and np.abs(correction).max(initial=0) + FLOAT32_EXACT < 2**31
    ):
        acc = products.astype(np.int32)
        acc += correction.astype(np.int32)
        return acc
    return wrap_sums(products.astype(np.int64) + correction, arithmetic, overflows)


def _may_saturate(activation, weights, bias, zero_point, arithmetic):
    """Whether an accumulator could leave its range on the way, for some input of this type."""
    if arithmetic.overflow != "saturate":
        return False
    low, high = (end - zero_point for end in _type_range(activation))
    lowest, highest = sum_bounds(weights, low, high)
    least, most = signed_range(arithmetic.accumulator_bits)
    start = bias.astype(np.int64)
    return bool(((start + lowest < least) | (start + highest > most)).any())


def _pointwise_saturating(flat, weights, bias, zero_point, arithmetic, overflows):
    """Accumulators int32 [P, M] of int8 or int16 [P, C], additions in the order of channels.

    The positive products alone and the negative ones alone bound every sum on the way.
    """
    low, high = signed_range(arithmetic.accumulator_bits)
    start = np.clip(bias.astype(np.int64), low, high)
    centred = flat.astype(np.float64) - zero_point
    signed = weights.astype(np.float64)
    exact = (centred @ signed).astype(np.int64)
    absolute = (np.abs(centred) @ np.abs(signed)).astype(np.int64)
    risky = (start + (absolute + exact) // 2 > high) | (start - (absolute - exact) // 2 < low)
    acc = (exact + start).astype(np.int32)
    left = np.broadcast_to((bias < low) | (bias > high), acc.shape).copy()
    pixels, columns = np.nonzero(risky)
    x, wide = (flat.astype(np.int64) - zero_point).T.copy(), weights.astype(np.int64)
    found: list[np.ndarray] = []
    if len(pixels) > _DENSE_SHARE * risky.size:
        return add_saturating(
            np.broadcast_to(bias, acc.shape),
            (x[k, :, None] * wide[k] for k in range(len(wide))),
            arithmetic,
            found if overflows is None else overflows,
        )
    if len(pixels):
        acc[pixels, columns] = add_saturating(
            bias[columns],
            (x[k][pixels] * wide[k][columns] for k in range(len(wide))),
            arithmetic,
            found,
        )
        left[pixels, columns] = found[0]
    if overflows is not None:
        overflows.append(left)
    return acc


def pointwise_conv2d(
    activation, weights, bias, input_zero_point, arithmetic=LITERT, overflows=None
):
    """As `ops.pointwise_conv2d`; any axes before the channels."""
    flat = activation.reshape(-1, activation.shape[-1])
    shape = (*activation.shape[:-1], weights.shape[1])
    if _may_saturate(activation, weights, bias, input_zero_point, arithmetic):
        found: list[np.ndarray] = []
        acc = _pointwise_saturating(flat, weights, bias, input_zero_point, arithmetic, found)
        if overflows is not None:
            overflows.append(found[0].reshape(shape))
        return acc.reshape(shape)
    kind = exact_type(weights, *_type_range(activation))
    products = (flat.astype(kind) @ weights.astype(kind)).reshape(shape)
    return _finish(products, corrections(weights, bias, input_zero_point), arithmetic, overflows)


def output_shape(padded_shape, kernel_shape, stride):
    """(rows, columns) of a convolution over a padded map."""
    rows = (padded_shape[0] - kernel_shape[0]) // stride + 1
    columns = (padded_shape[1] - kernel_shape[1]) // stride + 1
    if rows < 1 or columns < 1:
        raise ValueError(
            f"A kernel of {kernel_shape} must fit the padded map, not {tuple(padded_shape[:2])!r}"
        )
    return rows, columns


def conv2d(
    activation, weights, bias, input_zero_point, stride, padding, arithmetic=LITERT, overflows=None
):
    """As `ops.conv2d`, through one matrix product over gathered windows."""
    kernel_rows, kernel_columns, _, channels = weights.shape
    padded = pad_map(activation, padding, input_zero_point)
    rows, columns = output_shape(padded.shape, weights.shape[:2], stride)
    windows = np.lib.stride_tricks.sliding_window_view(
        padded, (kernel_rows, kernel_columns), axis=(0, 1)
    )
    windows = windows[::stride, ::stride][:rows, :columns].transpose(0, 1, 3, 4, 2)
    matrix = weights.reshape(-1, channels)
    flat = windows.reshape(rows, columns, matrix.shape[0])
    return pointwise_conv2d(flat, matrix, bias, input_zero_point, arithmetic, overflows)


def depthwise_sums(padded, weights, stride, out):
    """Sums of weight * x of each 3x3 (or other) window, in floats that hold them exactly.

    Parameters
    ----------
    padded : float32 or float64 [N, H, W, C]
        Each row contiguous.
    weights : of the same type [K, K, C], or [K, K, n, C] at stride 1
        The latter, the same values n times, n a divisor of W', makes inner loops longer.
    stride : int
    out : of the same type [N, H', W', C]
        Contiguous; written.

    einsum multiplies and adds in one pass over memory, the longest axis innermost.
    """
    images, rows, columns, channels = out.shape
    image, line, column, item = padded.strides
    taps = weights.shape[:2]
    if weights.ndim == 4:
        length = weights.shape[2] * channels
        shape = images, rows, columns * channels // length, length
        view = np.lib.stride_tricks.as_strided(
            padded, (*taps, *shape), (line, column, image, line, length * item, item)
        )
        np.einsum("yxnrbj,yxj->nrbj", view, weights.reshape(*taps, length), out=out.reshape(shape))
    else:
        view = np.lib.stride_tricks.as_strided(
            padded, (*taps, *out.shape), (line, column, image, line * stride, column * stride, item)
        )
        np.einsum("yxnrwc,yxc->nrwc", view, weights, out=out)


def depthwise_conv2d(
    activation, weights, bias, input_zero_point, stride, padding, arithmetic=LITERT, overflows=None
):
    """As `ops.depthwise_conv2d`, in bands of rows that stay in the cache."""
    if _may_saturate(activation, weights, bias, input_zero_point, arithmetic):
        return ops.depthwise_conv2d(
            activation, weights, bias, input_zero_point, stride, padding, arithmetic, overflows
        )
    kind = exact_type(weights, *_type_range(activation))
    padded = pad_map(activation, padding, input_zero_point)
    rows, columns = output_shape(padded.shape, weights.shape[:2], stride)
    kernel_rows, _, channels = weights.shape
    taps, correction = weights.astype(kind), corrections(weights, bias, input_zero_point)
    acc = np.empty((rows, columns, channels), np.int32)
    band = max(1, 2**16 // max(1, columns * channels))
    found: list[np.ndarray] = []
    for top in range(0, rows, band):
        count = min(band, rows - top)
        source = padded[top * stride : (top + count - 1) * stride + kernel_rows].astype(kind)
        sums = np.empty((1, count, columns, channels), kind)
        depthwise_sums(source[None], taps, stride, sums)
        acc[top : top + count] = _finish(
            sums[0], correction, arithmetic, None if overflows is None else found
        )
    if overflows is not None:
        overflows.append(np.concatenate(found))
    return acc


def requantize(
    accumulator, multiplier, shift, zero_point, minimum, maximum, rounding="double", kind=np.int8
):
    """As `ops.requantize`, in chunks that stay in the cache and in place.

    With two roundings, halves of the second round away from zero: (v + half - (v < 0)) >> n for
    n > 0. The zero point goes in before the last shift, as zero_point << n. The high product needs
    no saturation here: a multiplier is never -2**31. To even, ties are lowered to their even
    neighbour before the zero point goes in.
    """
    channels = accumulator.shape[-1]
    flat = accumulator.reshape(math.prod(accumulator.shape[:-1]), channels)
    factor, right = np.asarray(multiplier, np.int64), np.asarray(shift, np.int64)
    double = rounding == "double"
    left = np.maximum(-right, 0).astype(np.int32)
    right = np.maximum(right, 0) if double else right + 31
    half = np.where(right > 0, np.int64(1) << np.maximum(right - 1, 0), 0)
    # Where zero_point << n would not fit next to a product of 62 bits, it is added afterwards.
    even = rounding == "even"
    early = double or (bool((right <= 45).all()) and not even)
    offset = (0 if rounding == "truncate" else half) + (
        np.int64(zero_point) << np.where(early, right, 0) if early else 0
    )
    lifts, drops = double and bool(left.any()), bool((right > 0).all())
    result = np.empty(flat.shape, kind)
    band = max(1, 2**14 // max(1, channels))
    wide = np.empty((min(band, flat.shape[0]), channels), np.int64)
    sign = np.empty_like(wide)
    for start in range(0, flat.shape[0], band):
        values = flat[start : start + band]
        if lifts:
            values = values << left
        wide, sign = wide[: len(values)], sign[: len(values)]
        np.multiply(values, factor, out=wide)
        if double:
            wide += 1 << 30
            wide >>= 31
            np.right_shift(wide, 63, out=sign)
            if not drops:  # a shift of 0 rounds nothing
                sign[:, right == 0] = 0
            wide += sign
        wide += offset
        ties = (wide & ((np.int64(1) << right) - 1)) == 0 if even else None
        wide >>= right
        if ties is not None:
            wide -= wide & ties
        if not early:
            wide += zero_point
        np.maximum(wide, minimum, out=wide)
        np.minimum(wide, maximum, out=wide)
        result[start : start + band] = wide
    return result.reshape(accumulator.shape)
