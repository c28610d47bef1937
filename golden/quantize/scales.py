"""Scale and zero point of a real range; scales and integers of weights.

Ref: LiteRT `tflite/kernels/kernel_util.cc` (CalculateActivationRangeQuantized); LiteRT's 8-bit
quantization specification; for powers of two, AMD's Vitis AI User Guide (UG1414) 3.5, "Quantizing
with Float Scale": the DPU's quantisers are power-of-2, symmetric and per tensor.
"""

import numpy as np

from mnv2.golden.fixed_point import round_half_away, signed_range

#: Largest bias a weight scale may lead to: half of int32, so that accumulators have room.
MAXIMUM_BIAS = 2**30
#: Ends of a weight range that "least-squares" tries, as fractions of the largest weight.
WEIGHT_FRACTIONS = np.linspace(1, 0.3, 36)
#: Smallest exponent of a power-of-two scale: a float32 that is not subnormal.
SMALLEST_EXPONENT = -126


def affine_parameters(minimum: float, maximum: float, bits: int = 8) -> tuple[float, int]:
    """(scale, zero_point) of an asymmetric integer range that covers [minimum, maximum] and 0.

    Returns
    -------
    scale : float
        A value of float32, positive.
    zero_point : int
        Within the signed range of ``bits``.
    """
    minimum, maximum = _checked_range(minimum, maximum)
    low, high = signed_range(bits)
    scale = float(np.float32((maximum - minimum) / (high - low)))
    if scale < np.finfo(np.float32).tiny:
        return 1.0, 0
    zero_point = int(round_half_away(low - minimum / scale))
    return scale, min(max(zero_point, low), high)


def tensor_parameters(
    minimum: float, maximum: float, bits: int = 8, scales: str = "real"
) -> tuple[float, int]:
    """(scale, zero_point) of an activation as the options have it.

    Up to 8 bits and with real scales: `affine_parameters`. 16 bits are symmetric, zero point 0
    (Ref: LiteRT's 8-bit quantization specification, "16x8"). Power-of-two scales are symmetric
    too: the smallest power of two at which the range clips by half a step at most.
    """
    if scales == "real" and bits <= 8:
        return affine_parameters(minimum, maximum, bits)
    minimum, maximum = _checked_range(minimum, maximum)
    low, high = signed_range(bits)
    if scales == "real":
        scale = float(np.float32(max(maximum, -minimum) / high))
        return (scale if scale >= np.finfo(np.float32).tiny else 1.0), 0
    needed = max(maximum / (high + 0.5), minimum / (low - 0.5))
    return (float(power_of_two_above(needed)) if needed else 1.0), 0


def power_of_two_above(values):
    """The smallest power of two that is not below each positive float; float64."""
    fraction, exponent = np.frexp(np.asarray(values, np.float64))
    return np.ldexp(1.0, np.maximum(exponent - (fraction == 0.5), SMALLEST_EXPONENT))


def relu6_clamp(
    scale: float, zero_point: int, bits: int = 8, ceiling: float = 6.0
) -> tuple[int, int]:
    """(minimum, maximum) of a layer with ReLU6, or with a ReLU that clips elsewhere.

    Ref: LiteRT kernel_util.cc, CalculateActivationRangeQuantizedImpl: float32, half away.
    """
    low, high = signed_range(bits)
    top = zero_point + int(round_half_away(np.float32(ceiling) / np.float32(scale)))
    return max(low, zero_point), min(high, top)


def weight_scales(
    weights, bias, input_scale, bits=8, granularity="channel", scales="real", range_method="minmax"
):
    """Symmetric scale of each output channel (the last axis), float32 [Cout].

    Parameters
    ----------
    weights : float32 [..., Cout]
    bias : float32 [Cout]
    input_scale : float
    bits : int
    granularity, scales, range_method : str
        As in QuantizationOptions (the latter as `weight_range_method`). Per tensor all are equal.

    Returns
    -------
    float32 [Cout]
        By default max|w| / (2**(bits-1) - 1); larger where the bias would not fit 31 bits at it,
        which happens to nearly dead channels.
    """
    channels, top = weights.shape[-1], 2 ** (bits - 1) - 1
    rows = weights.reshape(-1, channels) if granularity == "channel" else weights.reshape(-1, 1)
    largest = np.abs(rows).max(axis=0).astype(np.float64)
    if scales == "power-of-two":
        fits = power_of_two_above(np.where(largest > 0, largest / (top + 0.5), 1.0))
        candidates = [fits] if range_method == "minmax" else [fits, fits / 2, fits / 4]
    else:
        fractions = WEIGHT_FRACTIONS if range_method == "least-squares" else (1.0,)
        candidates = [largest * fraction / top for fraction in fractions]
    chosen = candidates[0] if len(candidates) == 1 else _least_squares(rows, candidates, top)
    needed = np.abs(np.asarray(bias, np.float64)) / (np.float64(input_scale) * MAXIMUM_BIAS)
    if granularity == "tensor":
        needed = needed.max(initial=0.0)
    if scales == "power-of-two":
        needed = np.where(needed > 0, power_of_two_above(np.where(needed > 0, needed, 1.0)), 0.0)
    chosen = np.broadcast_to(np.maximum(chosen, needed), (channels,))
    return np.where(chosen < np.finfo(np.float32).tiny, 1.0, chosen).astype(np.float32)


def _least_squares(rows, candidates, top):
    """The scale [columns] of several with the least squared error; the first of ties."""
    best, least = candidates[0], np.full(rows.shape[1], np.inf)
    for scale in candidates:
        step = np.where(scale > 0, scale, 1.0).astype(np.float32)
        error = np.clip(np.rint(rows / step), -top, top)
        error *= step
        error -= rows
        total = np.einsum("ij,ij->j", error, error, dtype=np.float64)
        best, least = np.where(total < least, scale, best), np.minimum(total, least)
    return best


def nearest_integers(weights, scales, bits=8):
    """Weights at their scales, rounded to nearest, halves away: int8 of symmetric range."""
    top = 2 ** (bits - 1) - 1
    return np.clip(round_half_away(weights / np.asarray(scales, np.float64)), -top, top).astype(
        np.int8
    )


def _checked_range(minimum: float, maximum: float) -> tuple[float, float]:
    """The range as floats, widened to hold zero."""
    if not (np.isfinite(minimum) and np.isfinite(maximum) and minimum <= maximum):
        raise ValueError(f"A range must be finite and ordered, not {(minimum, maximum)!r}")
    return min(float(minimum), 0.0), max(float(maximum), 0.0)
