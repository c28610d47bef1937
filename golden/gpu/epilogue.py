"""The end of every kernel, in Triton: from an accumulator to an output, and to a residual sum.

All of it reads the format's numbers from memory (`mnv2.golden.gpu.numbers`): a branch on a number
that all threads share costs next to nothing, and no format is compiled twice.
"""

import triton
import triton.language as tl

from mnv2.golden.gpu.numbers import FIELDS

INPUT_ZERO = tl.constexpr(FIELDS.index("input_zero"))
_OUTPUT_ZERO = tl.constexpr(FIELDS.index("output_zero"))
_MINIMUM = tl.constexpr(FIELDS.index("minimum"))
_MAXIMUM = tl.constexpr(FIELDS.index("maximum"))
_ROUNDING = tl.constexpr(FIELDS.index("rounding"))
_UNUSED_BITS = tl.constexpr(FIELDS.index("unused_bits"))
LEAST = tl.constexpr(FIELDS.index("least"))
MOST = tl.constexpr(FIELDS.index("most"))
_COUNTED = tl.constexpr(FIELDS.index("counted"))
_PLACE = tl.constexpr(FIELDS.index("place"))
_A_ZERO = tl.constexpr(FIELDS.index("a_zero"))
_B_ZERO = tl.constexpr(FIELDS.index("b_zero"))
_SUM_MULTIPLIER = tl.constexpr(FIELDS.index("sum_multiplier"))
_SUM_ZERO = tl.constexpr(FIELDS.index("sum_zero"))
_LIFT = tl.constexpr(FIELDS.index("lift"))
_DOUBLE = tl.constexpr(0)
_SINGLE = tl.constexpr(1)
_EVEN = tl.constexpr(3)
_INT32_MIN = tl.constexpr(-(2**31))
_INT32_MAX = tl.constexpr(2**31 - 1)


@triton.jit
def _scale(values, multiplier, shift, rounding, SATURATE: tl.constexpr):
    """int32 of int32: `mnv2.golden.fixed_point.scale_by_multiplier`.

    A result beyond 32 bits, which one rounding or none can have, wraps, or saturates.
    """
    if rounding == _DOUBLE:
        lifted = values << tl.maximum(-shift, 0)
        right = tl.maximum(shift, 0)
        high = ((lifted.to(tl.int64) * multiplier.to(tl.int64) + (1 << 30)) >> 31).to(tl.int32)
        mask = (tl.full(right.shape, 1, tl.int32) << right) - 1
        threshold = (mask >> 1) + (high < 0).to(tl.int32)
        result = (high >> right) + ((high & mask) > threshold).to(tl.int32)
    else:
        total = (shift + 31).to(tl.int64)
        one = tl.full(total.shape, 1, tl.int64)
        even = (rounding == _EVEN).to(tl.int64)
        half = (one << (total - 1)) * ((rounding == _SINGLE).to(tl.int64) + even)
        product = values.to(tl.int64) * multiplier.to(tl.int64) + half
        wide = product >> total
        wide -= wide & ((product & ((one << total) - 1)) == 0).to(tl.int64) & even
        if SATURATE:
            wide = tl.minimum(tl.maximum(wide, _INT32_MIN), _INT32_MAX)
        result = wide.to(tl.int32)
    return result


@triton.jit
def _clamp(values, zero, minimum, maximum):
    """int32 values + zero between two ends, without overflow on the way."""
    return tl.minimum(tl.maximum(values, minimum - zero), maximum - zero) + zero


@triton.jit
def count(left, numbers, counts):
    """Add the number of accumulators that left their range to the layer's count."""
    if tl.load(numbers + _COUNTED) != 0:
        found = tl.sum(tl.sum(left.to(tl.int32), 1), 0).to(tl.int64)
        tl.atomic_add(counts + tl.load(numbers + _PLACE), found)


@triton.jit
def fit(sums, inside, numbers, counts):
    """Accumulators int32 in the width that they have, of sums int32 or int64.

    Those inside the tensor that left their range are counted: the sums must be exact then.
    """
    left = (sums < tl.load(numbers + LEAST)) | (sums > tl.load(numbers + MOST))
    count(left & inside, numbers, counts)
    unused = tl.load(numbers + _UNUSED_BITS)
    return (sums.to(tl.int32) << unused) >> unused


@triton.jit
def requantize(accumulators, multiplier, shift, numbers):
    """Outputs, as int32, of accumulators int32 [P, N]; multiplier and shift int32 [1, N]."""
    scaled = _scale(accumulators, multiplier, shift, tl.load(numbers + _ROUNDING), True)
    return _clamp(
        scaled,
        tl.load(numbers + _OUTPUT_ZERO),
        tl.load(numbers + _MINIMUM),
        tl.load(numbers + _MAXIMUM),
    )


@triton.jit
def _lifted(values, numbers, PLACE: tl.constexpr):
    """One side of an addition, int32, at the common scale; its three numbers are at a place."""
    lifted = (values.to(tl.int32) - tl.load(numbers + PLACE)) << tl.load(numbers + _LIFT)
    multiplier, shift = tl.load(numbers + PLACE + 1), tl.load(numbers + PLACE + 2)
    zeros = tl.zeros(values.shape, tl.int32)
    rounding = tl.load(numbers + _ROUNDING)
    return _scale(lifted, zeros + multiplier, zeros + shift, rounding, False)


@triton.jit
def add(a, b, numbers):
    """Outputs, as int32, of a residual addition of two tensors of one shape."""
    total = _lifted(a, numbers, _A_ZERO) + _lifted(b, numbers, _B_ZERO)
    zeros = tl.zeros(total.shape, tl.int32)
    scaled = _scale(
        total,
        zeros + tl.load(numbers + _SUM_MULTIPLIER),
        zeros + tl.load(numbers + _SUM_MULTIPLIER + 1),
        tl.load(numbers + _ROUNDING),
        True,
    )
    return _clamp(
        scaled,
        tl.load(numbers + _SUM_ZERO),
        tl.load(numbers + _SUM_ZERO + 1),
        tl.load(numbers + _SUM_ZERO + 2),
    )
