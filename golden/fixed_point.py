"""Every rounding and saturation of the integer model, once.

The arithmetic is gemmlowp's as LiteRT's reference kernels use it, with two roundings in a
requantisation. A shift is a net RIGHT shift here; LiteRT's exponent has the opposite sign.

Ref: gemmlowp `fixedpoint/fixedpoint.h` (SaturatingRoundingDoublingHighMul, RoundingDivideByPOT);
LiteRT `tflite/kernels/internal/common.h` (MultiplyByQuantizedMultiplier) and
`tflite/kernels/internal/quantization_util.cc` (QuantizeMultiplier).
"""

import math

import numpy as np

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
#: Bits by which LiteRT lifts the inputs of an int8 (int16) ADD before it rescales them.
ADD_LEFT_SHIFT, ADD_LEFT_SHIFT_16 = 20, 15


def signed_range(bits: int) -> tuple[int, int]:
    """(minimum, maximum) of a two's complement integer of a number of bits."""
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def activation_type(bits):
    """The array type of activations: int8 up to 8 bits, int16 above."""
    return np.int8 if bits <= 8 else np.int16


def add_left_shift(bits: int) -> int:
    """Bits by which an addition lifts its inputs, given their width; the lifted value fits int32.

    Ref: LiteRT `tflite/kernels/add.cc`, Prepare.
    """
    return ADD_LEFT_SHIFT if bits <= 8 else ADD_LEFT_SHIFT_16


def round_half_away(values):
    """Round floats to integers, halves away from zero, as C's `round`.

    Returns int64. Above 2**52 a float64 has no fraction and passes unchanged.
    """
    values = np.asarray(values, np.float64)
    whole = np.trunc(values)
    return (whole + np.sign(values) * (np.abs(values - whole) >= 0.5)).astype(np.int64)


def quantize_multiplier(real: float) -> tuple[int, int]:
    """A real factor as (multiplier, shift): real ~ multiplier * 2**(-31 - shift).

    Parameters
    ----------
    real : float
        Not negative; a product of scales, each widened to double before multiplying.

    Returns
    -------
    multiplier : int
        0, or in [2**30, 2**31).
    shift : int
        Net right shift, at most 31; negative shifts left. 0 where the multiplier is 0.

    Ref: LiteRT quantization_util.cc, QuantizeMultiplier.
    """
    real = float(real)
    if not (math.isfinite(real) and real >= 0):
        raise ValueError(f"A requantisation factor must be finite and not negative, not {real!r}")
    fraction, exponent = math.frexp(real)
    multiplier = int(round_half_away(math.ldexp(fraction, 31)))
    if multiplier == 2**31:
        multiplier //= 2
        exponent += 1
    if multiplier == 0 or exponent < -31:
        return 0, 0
    if exponent > 30:
        raise ValueError(f"A requantisation factor must be below 2**30, not {real!r}")
    return multiplier, -exponent


def quantize_multipliers(reals) -> tuple[np.ndarray, np.ndarray]:
    """`quantize_multiplier` of each factor: (int32 [C], int32 [C])."""
    pairs = [quantize_multiplier(real) for real in np.asarray(reals, np.float64).ravel()]
    multipliers, shifts = zip(*pairs, strict=True)
    return np.array(multipliers, np.int32), np.array(shifts, np.int32)


def round_multiplier(multiplier: int, shift: int, bits: int) -> tuple[int, int]:
    """A multiplier rounded to fewer bits, half up, in the same Q31 form.

    Parameters
    ----------
    multiplier : int
        0 or in (0, 2**31); below 2**30 it is normalised first, if bits are dropped at all.
    shift : int
        Net right shift.
    bits : int
        8 to 32, sign included.

    Returns
    -------
    multiplier, shift : int
        The low 32 - bits bits of the multiplier are zero. A carry to 2**31 halves the multiplier
        and lowers the shift by one.
    """
    multiplier, shift = int(multiplier), int(shift)
    dropped = 32 - bits
    if multiplier == 0 or dropped == 0:
        return multiplier, shift
    while multiplier < 2**30 and shift < 31:
        multiplier, shift = 2 * multiplier, shift + 1
    multiplier = (multiplier + (1 << (dropped - 1))) >> dropped << dropped
    if multiplier == 2**31:
        multiplier, shift = 2**30, shift - 1
    return multiplier, shift


def round_multipliers(multiplier, shift, bits) -> tuple[np.ndarray, np.ndarray]:
    """`round_multiplier` of each of int32 [C], int32 [C]."""
    pairs = [round_multiplier(m, s, bits) for m, s in zip(multiplier, shift, strict=True)]
    multipliers, shifts = zip(*pairs, strict=True)
    return np.array(multipliers, np.int32), np.array(shifts, np.int32)


def mean_multiplier(multiplier: int, shift: int, count: int) -> tuple[int, int]:
    """Fold 1/count into a quantised factor as LiteRT's MEAN does.

    It is not the quantised form of factor / count: the division truncates and the exponent is
    lowered by at most floor(log2(count)).

    Ref: LiteRT reference/reduce.h and kernels/reduce.cc, QuantizedMeanOrSum.
    """
    lift = min(count.bit_length() - 1, 32, 31 - shift)
    return (int(multiplier) << lift) // count, int(shift) + lift


def saturating_rounding_doubling_high_mul(a, b):
    """The high word of 2*a*b, rounded: (a*b + 2**30) >> 31, saturated.

    Only MIN * MIN saturates. For either sign this equals gemmlowp's sign-dependent nudge followed
    by a division that truncates.

    Parameters
    ----------
    a, b : integer array
        Values of int32.

    Returns
    -------
    int64 array with values of int32.
    """
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    return np.minimum((product + (1 << 30)) >> 31, INT32_MAX)


def rounding_divide_by_power_of_two(values, exponent):
    """values / 2**exponent, halves rounded away from zero; exponent in 0..31."""
    values = np.asarray(values, np.int64)
    exponent = np.asarray(exponent, np.int64)
    mask = (np.int64(1) << exponent) - 1
    threshold = (mask >> 1) + (values < 0)
    return (values >> exponent) + ((values & mask) > threshold)


def multiply_by_quantized_multiplier(values, multiplier, shift):
    """Scale an int32 by a quantised real factor, with LiteRT's two roundings.

    Parameters
    ----------
    values : integer array
        Values of int32.
    multiplier : integer array
        0 or in [2**30, 2**31), broadcast against values.
    shift : integer array
        Net right shift, -30..31. A left shift happens before the multiplication and wraps in
        int32, as in LiteRT.

    Returns
    -------
    int64 array with values of int32.
    """
    shift = np.asarray(shift, np.int64)
    lifted = wrap_int32(np.asarray(values, np.int64) << np.maximum(-shift, 0))
    high = saturating_rounding_doubling_high_mul(lifted, multiplier)
    return rounding_divide_by_power_of_two(high, np.maximum(shift, 0))


def scale_by_multiplier(values, multiplier, shift, rounding="double"):
    """Scale an int32 by a quantised real factor: value * multiplier / 2**(31 + shift).

    Parameters
    ----------
    values, multiplier, shift : integer array
        As in `multiply_by_quantized_multiplier`.
    rounding : str
        "double": `multiply_by_quantized_multiplier`, to 31 bits below and then half away from
        zero. "single": the 64-bit product, rounded once, half up (towards plus infinity).
        "truncate": the 64-bit product shifted arithmetically, towards minus infinity. "even": the
        64-bit product, rounded once, half to the even neighbour. The latter three wrap nowhere.

    Returns
    -------
    int64 array

    Ref: LiteRT `tflite/kernels/internal/common.cc`, MultiplyByQuantizedMultiplier, for "single"
    its branch TFLITE_SINGLE_ROUNDING; for "even" ONNX `docs/Operators.md`, QuantizeLinear.
    """
    if rounding == "double":
        return multiply_by_quantized_multiplier(values, multiplier, shift)
    product = np.asarray(values, np.int64) * np.asarray(multiplier, np.int64)
    total = 31 + np.asarray(shift, np.int64)
    if rounding in ("single", "even"):
        product = product + (np.int64(1) << (total - 1))
    elif rounding != "truncate":
        raise ValueError(f"A rounding must be double, single, truncate or even, not {rounding!r}")
    result = product >> total
    if rounding == "even":
        tie = (product & ((np.int64(1) << total) - 1)) == 0
        result = result - (result & tie)
    return result


def divide_rounding_half_away(values, divisor):
    """values / divisor for a positive divisor, as C's (v + or - d / 2) / d.

    Ref: LiteRT reference_integer_ops/pooling.h, AveragePool.
    """
    values = np.asarray(values, np.int64)
    half = divisor // 2
    return np.where(values > 0, (values + half) // divisor, -((-values + half) // divisor))


def wrap_int32(values):
    """Values modulo 2**32 as int32: what an int32 accumulator holds."""
    return np.asarray(values, np.int64).astype(np.int32)


def wrap(values, bits):
    """Integers modulo 2**bits, in two's complement, as int64."""
    low, high = signed_range(bits)
    return ((np.asarray(values, np.int64) - low) & (high - low)) + low


def saturate(values, minimum, maximum, kind=np.int8):
    """Clamp to [minimum, maximum] and leave for int8, or the type given."""
    return np.clip(values, minimum, maximum).astype(kind)


def quantize(values, scale, zero_point, minimum=-128, maximum=127):
    """Real values to int8: round_half_away(value / scale) + zero_point, clamped.

    The division is in float32, as in LiteRT's QUANTIZE.

    Ref: LiteRT `tflite/kernels/internal/reference/quantize.h`, AffineQuantize.
    """
    scaled = np.asarray(values, np.float32) / np.float32(scale)
    return saturate(round_half_away(scaled) + zero_point, minimum, maximum)


def dequantize(values, scale, zero_point):
    """Integers to real values: (value - zero_point) * scale, float32."""
    return (np.asarray(values, np.int32) - zero_point).astype(np.float32) * np.float32(scale)
