"""The layers in Triton: products of int8 in int32, requantised before they leave the registers.

Every kernel takes maps [N, H, W, C], weights, and by output channel what makes a sum of
input * weight the accumulator (`correction`), `multiplier` and `shift`. Inputs of 16 bits are two
halves of int8, x = 256 * high + low + 128, each multiplied alone; the 128 is in the correction,
which is int64 then, as the sums are.
"""

import triton
import triton.language as tl

from mnv2.golden.gpu.epilogue import INPUT_ZERO, LEAST, MOST, add, count, fit, requantize

#: Arguments by whose values no kernel is compiled anew: sizes of batches and maps, and paddings.
_ANY_SIZE = ["pixels", "height", "width", "rows", "columns", "stride", "top", "left_padding"]
#: Taps times channels of a stem's window, 3 x 3 x 3, rounded up to what a product takes.
STEM_INNER = 32


@triton.jit
def _multiply(left, right, low_sums, high_sums, WIDE: tl.constexpr):
    """Products of int8, or of int16 in two halves, added to int32 sums of each half."""
    if WIDE:
        high = (left >> 8).to(tl.int8)
        low = ((left & 255) - 128).to(tl.int8)
        high_sums = tl.dot(high, right, high_sums, out_dtype=tl.int32)
        low_sums = tl.dot(low, right, low_sums, out_dtype=tl.int32)
    else:
        low_sums = tl.dot(left, right, low_sums, out_dtype=tl.int32)
    return low_sums, high_sums


@triton.jit
def _join(low_sums, high_sums, correction, WIDE: tl.constexpr):
    """Sums of both halves and the correction: int64, or int32 of one half."""
    if WIDE:
        sums = high_sums.to(tl.int64) * 256 + low_sums.to(tl.int64) + correction
    else:
        sums = low_sums + correction
    return sums


@triton.jit(do_not_specialize=["pixels"])
def pointwise(
    x, weights, correction, multiplier, shift, out, shortcut, counts, numbers,
    pixels, inner, channels,
    ADD: tl.constexpr, RAW: tl.constexpr, WIDE: tl.constexpr,
    BP: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    """Out [P, N] of x [P, K] and weights int8 [K, N].

    With ADD, plus the shortcut [P, N]; with RAW, the accumulators int32 themselves.
    """
    parts = tl.cdiv(channels, BN)
    rows = (tl.program_id(0) // parts).to(tl.int64) * BP + tl.arange(0, BP)
    columns = tl.program_id(0) % parts * BN + tl.arange(0, BN)
    real = columns < channels
    low_sums, high_sums = tl.zeros((BP, BN), tl.int32), tl.zeros((BP, BN), tl.int32)
    for start in range(0, inner, BK):
        taps = start + tl.arange(0, BK)
        left = tl.load(
            x + rows[:, None] * inner + taps[None, :],
            mask=(rows[:, None] < pixels) & (taps[None, :] < inner),
            other=0,
        )
        right = tl.load(
            weights + taps[:, None] * channels + columns[None, :],
            mask=(taps[:, None] < inner) & real[None, :],
            other=0,
        )
        low_sums, high_sums = _multiply(left, right, low_sums, high_sums, WIDE)
    sums = _join(
        low_sums, high_sums, tl.load(correction + columns, mask=real, other=0)[None, :], WIDE
    )
    inside = (rows[:, None] < pixels) & real[None, :]
    place = rows[:, None] * channels + columns[None, :]
    value = fit(sums, inside, numbers, counts)
    if not RAW:
        value = requantize(
            value,
            tl.load(multiplier + columns, mask=real, other=0)[None, :],
            tl.load(shift + columns, mask=real, other=0)[None, :],
            numbers,
        )
    if ADD:
        value = add(tl.load(shortcut + place, mask=inside, other=0), value, numbers)
    tl.store(out + place, value.to(out.dtype.element_ty), mask=inside)


@triton.jit(do_not_specialize=["pixels"])
def saturating_pointwise(
    x, weights, bias, multiplier, shift, out, counts, numbers,
    pixels, inner, channels,
    RAW: tl.constexpr, BP: tl.constexpr, BN: tl.constexpr,
):  # fmt: skip
    """As `pointwise`, each addition clamped, in the order of x's channels; bias int32 [N]."""
    parts = tl.cdiv(channels, BN)
    rows = (tl.program_id(0) // parts).to(tl.int64) * BP + tl.arange(0, BP)
    columns = tl.program_id(0) % parts * BN + tl.arange(0, BN)
    real = columns < channels
    least, most = tl.load(numbers + LEAST), tl.load(numbers + MOST)
    zero = tl.load(numbers + INPUT_ZERO)
    total = tl.zeros((BP, BN), tl.int32) + tl.load(bias + columns, mask=real, other=0)[None, :]
    left = ((total < least) | (total > most)).to(tl.int32)
    total = tl.minimum(tl.maximum(total, least), most)
    for place in range(0, inner):
        seen = tl.load(x + rows * inner + place, mask=rows < pixels, other=0).to(tl.int32) - zero
        row = tl.load(weights + place * channels + columns, mask=real, other=0).to(tl.int32)
        total += seen[:, None] * row[None, :]
        left |= ((total < least) | (total > most)).to(tl.int32)
        total = tl.minimum(tl.maximum(total, least), most)
    inside = (rows[:, None] < pixels) & real[None, :]
    count((left != 0) & inside, numbers, counts)
    if not RAW:
        total = requantize(
            total,
            tl.load(multiplier + columns, mask=real, other=0)[None, :],
            tl.load(shift + columns, mask=real, other=0)[None, :],
            numbers,
        )
    where = rows[:, None] * channels + columns[None, :]
    tl.store(out + where, total.to(out.dtype.element_ty), mask=inside)


@triton.jit(do_not_specialize=_ANY_SIZE)
def depthwise(
    x, weights, correction, multiplier, shift, out, counts, numbers,
    pixels, height, width, channels, rows, columns, stride, top, left_padding,
    SATURATE: tl.constexpr, WIDE: tl.constexpr, BP: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    """Out [N, R, Q, C] of x [N, H, W, C] and weights int8 [9, C]; P = N * R * Q.

    With SATURATE each addition is clamped, and the correction is the bias alone.
    """
    parts = tl.cdiv(channels, BC)
    pixel = tl.program_id(0) // parts * BP + tl.arange(0, BP)
    channel = tl.program_id(0) % parts * BC + tl.arange(0, BC)
    real = channel < channels
    image, rest = pixel // (rows * columns), pixel % (rows * columns)
    row, column = rest // columns * stride - top, rest % columns * stride - left_padding
    zero = tl.load(numbers + INPUT_ZERO)
    least, most = tl.load(numbers + LEAST), tl.load(numbers + MOST)
    start = tl.load(correction + channel, mask=real, other=0)[None, :]
    total = tl.zeros((BP, BC), tl.int32)
    escaped = tl.zeros((BP, BC), tl.int32)
    if SATURATE:
        total += start
        escaped |= ((total < least) | (total > most)).to(tl.int32)
        total = tl.minimum(tl.maximum(total, least), most)
    for tap in tl.static_range(9):
        y, z = row + tap // 3, column + tap % 3
        seen_at = (y >= 0) & (y < height) & (z >= 0) & (z < width) & (pixel < pixels)
        base = ((image * height + y) * width + z).to(tl.int64) * channels
        seen = tl.load(
            x + base[:, None] + channel[None, :], mask=seen_at[:, None] & real[None, :], other=0
        ).to(tl.int32)
        seen = tl.where(seen_at[:, None], seen, zero)
        weight = tl.load(weights + tap * channels + channel, mask=real, other=0).to(tl.int32)
        if SATURATE:
            total += (seen - zero) * weight[None, :]
            escaped |= ((total < least) | (total > most)).to(tl.int32)
            total = tl.minimum(tl.maximum(total, least), most)
        else:
            total += seen * weight[None, :]
    inside = (pixel < pixels)[:, None] & real[None, :]
    if SATURATE:
        count((escaped != 0) & inside, numbers, counts)
    elif WIDE:
        total = fit(total.to(tl.int64) + start, inside, numbers, counts)
    else:
        total = fit(total + start, inside, numbers, counts)
    value = requantize(
        total,
        tl.load(multiplier + channel, mask=real, other=0)[None, :],
        tl.load(shift + channel, mask=real, other=0)[None, :],
        numbers,
    )
    place = pixel.to(tl.int64)[:, None] * channels + channel[None, :]
    tl.store(out + place, value.to(out.dtype.element_ty), mask=inside)


@triton.jit(do_not_specialize=_ANY_SIZE)
def stem(
    x, weights, correction, multiplier, shift, out, counts, numbers,
    pixels, height, width, channels, rows, columns, stride, top, left_padding,
    WIDE: tl.constexpr, INNER: tl.constexpr, BP: tl.constexpr, BN: tl.constexpr,
):  # fmt: skip
    """Out [N, R, Q, M] of images [N, H, W, 3] and weights int8 [INNER, M], zero from row 27 on."""
    parts = tl.cdiv(channels, BN)
    pixel = tl.program_id(0) // parts * BP + tl.arange(0, BP)
    channel = tl.program_id(0) % parts * BN + tl.arange(0, BN)
    real = channel < channels
    inner = tl.arange(0, INNER)
    tap, color = inner // 3, inner % 3
    image, rest = pixel // (rows * columns), pixel % (rows * columns)
    y = (rest // columns * stride - top)[:, None] + (tap // 3)[None, :]
    z = (rest % columns * stride - left_padding)[:, None] + (tap % 3)[None, :]
    seen_at = (y >= 0) & (y < height) & (z >= 0) & (z < width)
    seen_at = seen_at & (pixel < pixels)[:, None] & (inner < 27)[None, :]
    place = ((image[:, None] * height + y) * width + z).to(tl.int64) * 3 + color[None, :]
    seen = tl.load(x + place, mask=seen_at, other=0)
    seen = tl.where(seen_at, seen.to(tl.int32), tl.load(numbers + INPUT_ZERO))
    seen = seen.to(x.dtype.element_ty)
    right = tl.load(
        weights + inner[:, None] * channels + channel[None, :], mask=real[None, :], other=0
    )
    low_sums, high_sums = tl.zeros((BP, BN), tl.int32), tl.zeros((BP, BN), tl.int32)
    low_sums, high_sums = _multiply(seen, right, low_sums, high_sums, WIDE)
    sums = _join(
        low_sums, high_sums, tl.load(correction + channel, mask=real, other=0)[None, :], WIDE
    )
    inside = (pixel < pixels)[:, None] & real[None, :]
    value = requantize(
        fit(sums, inside, numbers, counts),
        tl.load(multiplier + channel, mask=real, other=0)[None, :],
        tl.load(shift + channel, mask=real, other=0)[None, :],
        numbers,
    )
    where = pixel.to(tl.int64)[:, None] * channels + channel[None, :]
    tl.store(out + where, value.to(out.dtype.element_ty), mask=inside)


@triton.jit(do_not_specialize=["items"])
def look_up(pixels, table, out, items, BLOCK: tl.constexpr):
    """Out [items] of uint8 pixels, by table [256, 3]: three channels take turns."""
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = place < items
    pixel = tl.load(pixels + place, mask=inside, other=0).to(tl.int32)
    tl.store(out + place, tl.load(table + pixel * 3 + (place % 3).to(tl.int32)), mask=inside)
