"""LiteRT's derivations from a graph's scales and options: factors, clamps, paddings.

Ref: LiteRT `tflite/kernels/kernel_util.cc` (PopulateConvolutionQuantizationParams,
CalculateActivationRangeQuantizedImpl) and `tflite/kernels/padding.h`.
"""

import numpy as np

from mnv2.golden.fixed_point import INT32_MIN, round_half_away, wrap_int32

#: Elements and axes that one tensor may have, and channels that weights may have: bounds on memory
#: and time.
MAXIMUM_ELEMENTS, MAXIMUM_AXES, MAXIMUM_CHANNELS = 2**24, 8, 2**17
#: (minimum, maximum) of the types that activations may have.
RANGES = {"int8": (-128, 127), "uint8": (0, 255)}
#: Real ends of the fused activations, None where the type's range is the end.
_ACTIVATION_ENDS = {
    "NONE": (None, None),
    "RELU": (0, None),
    "RELU_N1_TO_1": (-1, 1),
    "RELU6": (0, 6),
}


def require_type(tensor, *types):
    """Refuse a tensor of another type."""
    if tensor.dtype not in types:
        raise ValueError(f"{tensor.label} must be {' or '.join(types)}, not {tensor.dtype}")


def require_scales(tensor, counts=(1,), zero=False):
    """Refuse a tensor whose scales are not positive and finite, or not of these counts.

    With ``zero`` they may be 0 as well: of weights, a channel that is dead.
    """
    if tensor.scales.size not in counts:
        raise ValueError(
            f"{tensor.label} must have {' or '.join(map(str, counts))} scales, "
            f"not {tensor.scales.size}"
        )
    wrong = ~(np.isfinite(tensor.scales) & (tensor.scales > 0))
    if zero:
        wrong &= tensor.scales != 0
    if wrong.any():
        raise ValueError(
            f"The scales of {tensor.label} must be positive and finite, "
            f"not {float(tensor.scales[wrong][0])!r}"
        )


def require_quantized(tensor, *types):
    """Refuse a tensor unless it is an activation of these types with one scale and a zero point."""
    require_type(tensor, *types)
    require_scales(tensor)
    low, high = RANGES[tensor.dtype]
    if not low <= tensor.zero_point <= high:
        raise ValueError(
            f"The zero point of {tensor.label} must lie in {low}..{high}, not {tensor.zero_point}"
        )


def require_constant(tensor, what):
    """The contents of a tensor that must be constant."""
    if tensor.data is None:
        raise ValueError(f"{what}, {tensor.label}, must be constant")
    return tensor.data


def require_axes(tensor, count):
    """Refuse a tensor with another number of axes."""
    if len(tensor.shape) != count:
        raise ValueError(
            f"{tensor.label} must have {count} axes, not the shape {list(tensor.shape)}"
        )


def require_symmetric_weights(tensor, axis, channels):
    """Refuse weights that are not constant int8, symmetric, with one scale or one a channel."""
    require_constant(tensor, "The weights")
    require_type(tensor, "int8")
    if channels > MAXIMUM_CHANNELS:
        raise ValueError(
            f"The weights {tensor.label} must have at most {MAXIMUM_CHANNELS:,} "
            f"channels, not {channels:,}"
        )
    require_scales(tensor, (1, channels) if channels > 1 else (1,), zero=True)
    if tensor.zero_points.any():
        wrong = tensor.zero_points[tensor.zero_points != 0][0]
        raise ValueError(
            f"The weights {tensor.label} must be symmetric, with zero points of 0, not {wrong}"
        )
    if tensor.scales.size > 1 and tensor.axis != axis:
        raise ValueError(
            f"The scales of the weights {tensor.label} must belong to axis {axis}, "
            f"not {tensor.axis}"
        )


def bias_values(tensor, channels):
    """int32 [channels] of a bias tensor, or zeros if there is none.

    Its own scale is not looked at: LiteRT takes a bias as steps of input scale * weight scale.
    """
    if tensor is None:
        return np.zeros(channels, np.int32)
    values = require_constant(tensor, "The bias")
    require_type(tensor, "int32")
    if values.size != channels:
        raise ValueError(
            f"The bias {tensor.label} must have {channels} elements, not {values.size}"
        )
    if tensor.zero_points.any():
        raise ValueError(f"The bias {tensor.label} must have a zero point of 0")
    return values.reshape(-1)


def real_factors(source, weights, target, channels):
    """input scale * weight scale / output scale, float64 [channels], in LiteRT's order."""
    scales = np.broadcast_to(weights.scales.astype(np.float64), channels)
    return np.float64(source.scale) * scales / np.float64(target.scale)


def activation_clamp(tensor, activation) -> tuple[int, int]:
    """(minimum, maximum) of an output under a fused activation: float32 division, half away."""
    low, high = RANGES[tensor.dtype]
    ends = []
    for end, limit in zip(_ACTIVATION_ENDS[activation], (low, high), strict=True):
        if end is None:
            ends.append(limit)
            continue
        with np.errstate(over="ignore"):
            steps = np.float32(end) / np.float32(tensor.scale)
        if not abs(steps) < 2**31:
            raise ValueError(
                f"The scale of {tensor.label} must keep the ends of {activation} "
                f"inside 32 bits, not {tensor.scale!r}"
            )
        ends.append(int(round_half_away(steps)) + tensor.zero_point)
    return max(low, ends[0]), min(high, ends[1])


def window_geometry(size, kernel, stride, dilation, padding):
    """(outputs, (before, after)) of a window that slides along one axis.

    `before` and `after` are the pixels outside the image that windows see; the odd one lies
    after.

    Parameters
    ----------
    size, kernel, stride, dilation : int
        Pixels; all positive.
    padding : "SAME" or "VALID"

    Returns
    -------
    outputs : int
        0 where no window fits.
    """
    reach = (kernel - 1) * dilation + 1
    if padding == "SAME":
        outputs = -(-size // stride)
    else:
        outputs = max(0, (size - reach) // stride + 1)
    total = max((outputs - 1) * stride + reach - size, 0) if outputs else 0
    return outputs, (total // 2, total - total // 2)


def convert_to_int32(values):
    """Rounded floats to int32 as x86-64 converts them: what does not fit, NaN too, is -2**31.

    C leaves this undefined; it is what LiteRT gives on that machine.

    Ref: Intel 64 and IA-32 manual, CVTTSD2SI: the integer indefinite value.
    """
    values = np.asarray(values, np.float64)
    fits = np.abs(values) < 2**31  # false for NaN
    return round_half_away(np.where(fits, values, INT32_MIN))


def offset_and_clamp(values, zero_point, minimum, maximum):
    """Add a zero point in int32, wrapping, and clamp: values of int64."""
    return np.clip(wrap_int32(values + zero_point), minimum, maximum)
