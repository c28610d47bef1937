"""The mean over a map, quantised as a training has it, as a sum that a multiplier scales.

The exact mean is a fraction of the count of pixels, which no multiplier has. Where halves go to
even, the sum is divided; for other roundings each sum that the map can have is tried with the
multipliers next to the fraction.
"""

import numpy as np

from mnv2.golden.arithmetic import Arithmetic
from mnv2.golden.exact_mean import RATIO_BITS, QuantizedExactMean
from mnv2.golden.fixed_point import quantize_multiplier, scale_by_multiplier
from mnv2.golden.quantized_layer import QuantizedMean

#: golden's roundings for those of QONNX that are not to even, the first that serves. HALF_UP goes
#: away from zero.
_ROUNDINGS = {"FLOOR": ("truncate",), "HALF_UP": ("double", "single")}


def find_mean(count, source, target, factor):
    """The QuantizedExactMean or QuantizedMean that rounds means as the file's quantiser does.

    Parameters
    ----------
    count : int
        Pixels.
    source, target : mnv2.golden.importers.onnx_integers.Steps
        Of the map and of its mean.
    factor : fractions.Fraction
        Source's scale over target's.

    Raises
    ------
    ValueError
        If no multiplier does, or the scales lie too far apart.
    """
    ratio = factor / count
    if max(ratio.numerator.bit_length(), ratio.denominator.bit_length()) > RATIO_BITS:
        raise ValueError(
            f"The scales of the pool's input and output must not lie so far apart: "
            f"{source.scale:g} and {target.scale:g}"
        )
    if target.grid.rounding not in _ROUNDINGS:
        parameters = ratio.numerator, ratio.denominator
        return _record(QuantizedExactMean, count, source, target, parameters, "even")
    for rounding in _ROUNDINGS[target.grid.rounding]:
        nearest, shift = quantize_multiplier(float(ratio))
        candidates = [(nearest + step, shift) for step in (0, 1, -1)]
        # Just below a power of two the first of two roundings leaves the sum as it is.
        for parameters in (*candidates, (2**31 - 1, shift + 1)):
            if not 2**30 <= parameters[0] < 2**31 or parameters[1] > 31:
                continue
            made = _record(QuantizedMean, count, source, target, parameters, rounding)
            if _serves(made, source, target, ratio):
                return made
    raise ValueError(
        f"The mean of {count} pixels must be quantised to steps that its map has: from "
        f"{source.scale:g} to {target.scale:g} halves occur that no multiplier rounds as "
        f"{target.grid.rounding} does"
    )


def _record(kind, count, source, target, parameters, rounding):
    return kind(
        "pool",
        count,
        *parameters,
        source.scale,
        source.zero_point,
        target.scale,
        target.zero_point,
        target.minimum,
        target.maximum,
        target.bits,
        Arithmetic(rounding=rounding),
    )


def _serves(record, source, target, ratio):
    """Whether a record rounds every sum as the file's quantiser rounds its mean."""
    low, high = (
        record.count * (end - source.zero_point) for end in (source.minimum, source.maximum)
    )
    sums = np.arange(low, high + 1, dtype=np.int64)
    scaled = scale_by_multiplier(sums, record.multiplier, record.shift, record.arithmetic.rounding)
    want = _rounded(sums, ratio, target.grid.rounding)
    ends = target.minimum - target.zero_point, target.maximum - target.zero_point
    return np.array_equal(np.clip(scaled, *ends), np.clip(want, *ends))


def _rounded(sums, ratio, rounding):
    """int64 of sums times an exact ratio, rounded as QONNX's mode says."""
    top, bottom = sums * ratio.numerator, ratio.denominator
    whole, rest = np.divmod(top, bottom)
    if rounding == "FLOOR":
        return whole
    above, tie = 2 * rest > bottom, 2 * rest == bottom
    upward = (sums > 0) if rounding == "HALF_UP" else (whole % 2 == 1)
    return whole + (above | (tie & upward))
