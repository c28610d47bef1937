"""FULLY_CONNECTED, in LiteRT's floating-point form and in the integer form that hardware runs.

Ref: LiteRT `tflite/kernels/fully_connected.cc` and
`tflite/kernels/internal/reference/integer_ops/fully_connected.h`.
"""

import math
from dataclasses import dataclass

import numpy as np

from mnv2.golden.fast import ops as fast_ops
from mnv2.golden.graph.convolution import CHANNEL_WORK, quantize_factors
from mnv2.golden.graph.derivation import (
    activation_clamp,
    bias_values,
    convert_to_int32,
    offset_and_clamp,
    real_factors,
    require_axes,
    require_quantized,
    require_symmetric_weights,
)
from mnv2.golden.summary import short_repr

#: How accumulators become int8: LiteRT's reference kernel multiplies in double and rounds once;
#: hardware takes an integer multiplier and a shift, as CONV_2D does in LiteRT too.
FORMS = ("litert", "integer")
#: Largest |input scale * weight scale - bias scale| / output scale that LiteRT takes.
BIAS_SCALE_TOLERANCE = 0.02


@dataclass(frozen=True, eq=False)
class FullyConnected:
    """A matrix product ready to run.

    Attributes
    ----------
    weights : int8 [C, M]
        A view of the file's.
    bias, multiplier, shift : int32 [M]
    factors : float64 [M]
        Real factors of the floating-point form.
    input_zero_point, output_zero_point, minimum, maximum : int
    shape : tuple of int
        The output's.
    work : int
        Multiplications.
    """

    weights: np.ndarray
    bias: np.ndarray
    multiplier: np.ndarray
    shift: np.ndarray
    factors: np.ndarray
    input_zero_point: int
    output_zero_point: int
    minimum: int
    maximum: int
    shape: tuple[int, ...]
    work: int

    __repr__ = short_repr

    def accumulate(self, values):
        """Accumulators int32 [rows, M] of int8 with rows * C elements, bias included."""
        rows = values.reshape(1, -1, self.weights.shape[0])
        return fast_ops.pointwise_conv2d(rows, self.weights, self.bias, self.input_zero_point)[0]

    def requantize(self, accumulator, form="litert"):
        """int8 of int32 accumulators [rows, M] in one of FORMS."""
        if form == "integer":
            return fast_ops.requantize(
                accumulator,
                self.multiplier,
                self.shift,
                self.output_zero_point,
                self.minimum,
                self.maximum,
            )
        if form != "litert":
            raise ValueError(
                f"The form of FULLY_CONNECTED must be one of {', '.join(FORMS)}, not {form!r}"
            )
        scaled = convert_to_int32(accumulator * self.factors)
        return offset_and_clamp(scaled, self.output_zero_point, self.minimum, self.maximum).astype(
            np.int8
        )

    def run(self, values, form="litert"):
        """int8 of the output's shape."""
        return self.requantize(self.accumulate(values), form).reshape(self.shape)


def prepare_fully_connected(operator, source, weights, bias, target):
    """The FullyConnected of an operator; `bias` may be None.

    Raises
    ------
    ValueError
        If LiteRT would refuse it or this arithmetic does not cover it.
    """
    for tensor in (source, target):
        require_quantized(tensor, "int8")
    require_axes(weights, 2)
    channels, depth = weights.shape
    require_symmetric_weights(weights, 0, channels)
    elements = math.prod(source.shape)
    if not source.shape or elements % depth:
        raise ValueError(
            f"{source.label} must hold rows of the {depth} inputs of "
            f"{weights.label}, not the shape {list(source.shape)}"
        )
    if operator.options.keep_dimensions:
        if source.shape[-1] != depth:
            raise ValueError(
                f"The last axis of {source.label} must have the {depth} inputs of "
                f"{weights.label}, not the shape {list(source.shape)}"
            )
        shape = (*source.shape[:-1], channels)
    else:
        shape = (elements // depth, channels)
    if bias is not None and weights.scales.size == 1:
        product = np.float64(source.scale) * np.float64(weights.scale)
        own = np.float64(bias.scale if bias.scales.size == 1 else 0)
        if not abs(product - own) / np.float64(target.scale) <= BIAS_SCALE_TOLERANCE:
            raise ValueError(
                f"The scale of the bias {bias.label} must be near input scale * "
                f"weight scale, {float(product)!r}, not {float(own)!r}"
            )
    factors = real_factors(source, weights, target, channels)
    multiplier, shift = quantize_factors(factors)
    minimum, maximum = activation_clamp(target, operator.options.activation)
    return FullyConnected(
        weights=weights.data.T,
        bias=bias_values(bias, channels),
        multiplier=multiplier,
        shift=shift,
        factors=factors,
        input_zero_point=source.zero_point,
        output_zero_point=target.zero_point,
        minimum=minimum,
        maximum=maximum,
        shape=shape,
        work=elements * channels + CHANNEL_WORK * channels,
    )
