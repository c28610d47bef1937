"""SOFTMAX over the last axis, in gemmlowp's fixed point.

A Qm.n number is an int32 with m integer and n fractional bits; raw values are held in int64.

Ref: LiteRT `tflite/kernels/internal/reference/softmax.h`, `tflite/kernels/activations.cc`
(SoftmaxPrepare), `tflite/kernels/internal/quantization_util.cc` (PreprocessSoftmaxScaling,
CalculateInputRadius); gemmlowp `fixedpoint/fixedpoint.h` (exp_on_negative_values,
one_over_one_plus_x_for_x_in_0_1).
"""

import math
from dataclasses import dataclass

import numpy as np

from mnv2.golden.fixed_point import (
    INT32_MAX,
    INT32_MIN,
    quantize_multiplier,
    rounding_divide_by_power_of_two,
    saturating_rounding_doubling_high_mul,
)
from mnv2.golden.graph.derivation import require_quantized

#: Integer bits of the differences that are exponentiated, and of their sum.
DIFFERENCE_BITS, SUM_BITS = 5, 12
#: exp(-2**k) in Q0.31 for k = -2 to 4.
EXPONENTIALS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
#: exp(-1/8) and 1/3 in Q0.31; 48/17 and -32/17 in Q2.29.
EXP_MINUS_EIGHTH, ONE_THIRD = 1895147668, 715827883
RECIPROCAL_START, RECIPROCAL_SLOPE = 1515870810, -1010580540
OUTPUT_ZERO_POINT, OUTPUT_SCALE = -128, 1 / 256
#: Elements that are worked on at a time, and the largest row.
BAND_ELEMENTS = 2**20


def _shift_left_saturating(values, bits):
    return np.clip(values << bits, INT32_MIN, INT32_MAX)


def exponential(values):
    """exp of Q5.26 values that are not positive, as Q0.31; exp(0) is 2**31 - 1."""
    multiply = saturating_rounding_doubling_high_mul
    values = np.asarray(values, np.int64)
    fraction_bits = 31 - DIFFERENCE_BITS
    quarter = 1 << (fraction_bits - 2)
    reduced = (values & (quarter - 1)) - quarter  # in [-1/4, 0)
    x = _shift_left_saturating(reduced, DIFFERENCE_BITS) + (1 << 28)  # Q0.31, plus 1/8
    x2 = multiply(x, x)
    x3, x4 = multiply(x2, x), multiply(x2, x2)
    inner = multiply(rounding_divide_by_power_of_two(x4, 2) + x3, ONE_THIRD) + x2
    series = rounding_divide_by_power_of_two(inner, 1)  # x^4/24 + x^3/6 + x^2/2
    result = EXP_MINUS_EIGHTH + multiply(EXP_MINUS_EIGHTH, x + series)
    remainder = reduced - values
    for place, factor in enumerate(EXPONENTIALS):
        bit = 1 << (fraction_bits - 2 + place)
        result = np.where(remainder & bit, multiply(result, factor), result)
    return np.where(values == 0, INT32_MAX, result)


def reciprocal_of_one_plus(values):
    """1 / (1 + x) of Q0.31 values in [0, 1), as Q0.31, by three Newton steps."""
    multiply = saturating_rounding_doubling_high_mul
    half_denominator = (np.asarray(values, np.int64) + INT32_MAX + 1) // 2
    x = RECIPROCAL_START + multiply(half_denominator, RECIPROCAL_SLOPE)
    for _ in range(3):
        error = (1 << 29) - multiply(half_denominator, x)
        x = x + _shift_left_saturating(multiply(x, error), 2)
    return _shift_left_saturating(x, 1)


@dataclass(frozen=True)
class Softmax:
    """A softmax ready to run.

    Attributes
    ----------
    multiplier, shift : int
        Bring a difference of int8 to Q5.26; the shift is a net right one, so not positive.
    radius : int
        Differences below -radius give probability 0.
    label : str
        The input's, for messages.
    shape : tuple of int
    """

    multiplier: int
    shift: int
    radius: int
    label: str
    shape: tuple[int, ...]
    work: int = 0

    def run(self, values):
        """int8 of the input's shape: steps of 1/256 from -128 up.

        Where the exponentials of a row add up to 512 or more, LiteRT stops the process; this goes
        on with the same formula, up to 4096.

        Raises
        ------
        ValueError
            If they add up to 4096 or more.
        """
        rows = values.reshape(-1, self.shape[-1])
        band = max(1, BAND_ELEMENTS // self.shape[-1])
        result = [self._run_rows(rows[top : top + band]) for top in range(0, len(rows), band)]
        return np.concatenate(result).reshape(self.shape)

    def _run_rows(self, rows):
        values = rows.astype(np.int64)
        difference = values - values.max(axis=-1, keepdims=True)
        seen = difference >= -self.radius
        rescaled = saturating_rounding_doubling_high_mul(
            np.where(seen, difference, 0) << -self.shift, self.multiplier
        )
        powers = exponential(rescaled)
        terms = np.where(seen, rounding_divide_by_power_of_two(powers, SUM_BITS), 0)
        total = terms.sum(axis=-1, keepdims=True)
        if (total > INT32_MAX).any():
            raise ValueError(
                f"The exponentials of {self.label} must add up to less than 4096, "
                f"not {int(total.max()) >> 19}"
            )
        headroom = 32 - np.frexp(total.astype(np.float64))[1].astype(np.int64)
        scale = reciprocal_of_one_plus((total << headroom) - (1 << 31))
        exponent = SUM_BITS - headroom + 31 - 8
        probability = rounding_divide_by_power_of_two(
            saturating_rounding_doubling_high_mul(scale, powers), exponent
        )
        result = np.minimum(probability + OUTPUT_ZERO_POINT, 127)
        return np.where(seen, result, OUTPUT_ZERO_POINT).astype(np.int8)


def prepare_softmax(operator, source, target):
    """The Softmax of an operator.

    Raises
    ------
    ValueError
        If LiteRT would refuse it: the output must have scale 1/256 and zero point -128, and
        beta * input scale must be above 2**-26.
    """
    for tensor in (source, target):
        require_quantized(tensor, "int8")
    if not source.shape or source.shape[-1] > BAND_ELEMENTS:
        raise ValueError(
            f"{source.label} must have rows of 1 to {BAND_ELEMENTS} elements, not "
            f"the shape {list(source.shape)}"
        )
    if (
        target.zero_point != OUTPUT_ZERO_POINT
        or abs(target.scale - OUTPUT_SCALE) > 0.001 * OUTPUT_SCALE
    ):
        raise ValueError(
            f"{target.label} must have the scale 1/256 and the zero point -128, "
            f"not {target.scale!r} and {target.zero_point}"
        )
    beta = float(np.float32(operator.options.beta))
    real = beta * source.scale * (1 << (31 - DIFFERENCE_BITS))
    if not (math.isfinite(beta) and real > 1):
        raise ValueError(
            f"beta times the scale of {source.label} must be above 2**-26, "
            f"not {beta!r} times {source.scale!r}"
        )
    # Half the factor, and one place more to the left: the derivation takes factors below 2**30.
    multiplier, shift = quantize_multiplier(min(real, INT32_MAX) / 2)
    shift -= 1
    radius = math.floor(((1 << DIFFERENCE_BITS) - 1) * 2.0 ** (31 - DIFFERENCE_BITS + shift))
    return Softmax(multiplier, shift, radius, source.label, source.shape)
