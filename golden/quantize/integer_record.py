"""From scales and float weights to the records of the integer model.

Ref: LiteRT `tflite/kernels/kernel_util.cc` (PopulateConvolutionQuantizationParams),
`tflite/kernels/add.cc`, `tflite/kernels/reduce.cc`.
"""

import numpy as np

from mnv2.golden.arithmetic import LITERT
from mnv2.golden.fixed_point import (
    add_left_shift,
    mean_multiplier,
    quantize_multiplier,
    quantize_multipliers,
    round_half_away,
    signed_range,
)
from mnv2.golden.quantize.scales import nearest_integers, relu6_clamp, weight_scales
from mnv2.golden.quantized_layer import QuantizedAdd, QuantizedLayer, QuantizedMean, with_arithmetic


def layer_record(
    layer,
    weights,
    bias,
    source,
    target,
    weight_bits=8,
    activation_bits=8,
    scales=None,
    integers=None,
    ceiling=6.0,
    arithmetic=LITERT,
):
    """The QuantizedLayer of a convolution with float weights.

    Parameters
    ----------
    layer : mnv2.golden.network.Layer
    weights, bias : float32
        Normalisation folded; axes as in QuantizedLayer.
    source, target : (scale, zero_point)
        Of the input and of the output.
    scales : float32 [Cout], optional
        Weight scales; by default those of `weight_scales`.
    integers : int8, optional
        The weights at those scales, rounded; by default to nearest.
    ceiling : float
        Where the layer's ReLU clips, if it has one.
    arithmetic : mnv2.golden.arithmetic.Arithmetic
    """
    if scales is None:
        scales = weight_scales(weights, bias, source[0], weight_bits)
    if integers is None:
        integers = nearest_integers(weights, scales, weight_bits)
    product = np.float64(np.float32(source[0])) * scales.astype(np.float64)
    multiplier, shift = quantize_multipliers(product / np.float64(np.float32(target[0])))
    clamp = signed_range(activation_bits)
    if layer.relu6:
        clamp = relu6_clamp(target[0], target[1], activation_bits, ceiling)
    record = QuantizedLayer(
        name=layer.name,
        kind=layer.kind,
        weights=integers,
        bias=round_half_away(bias / product).astype(np.int32),
        multiplier=multiplier,
        shift=shift,
        input_scale=float(source[0]),
        input_zero_point=int(source[1]),
        weight_scales=scales,
        output_scale=float(target[0]),
        output_zero_point=int(target[1]),
        minimum=clamp[0],
        maximum=clamp[1],
        stride=layer.stride,
        padding=layer.padding,
        weight_bits=weight_bits,
        activation_bits=activation_bits,
    )
    return record if arithmetic == LITERT else with_arithmetic(record, arithmetic)


def add_record(
    name,
    a_scale,
    a_zero_point,
    b_scale,
    b_zero_point,
    output_scale,
    output_zero_point,
    minimum,
    maximum,
    activation_bits=8,
):
    """The QuantizedAdd that LiteRT's ADD would prepare from these scales.

    Ref: LiteRT add.cc, Prepare, int8 branch.
    """
    a, b, out = (np.float64(np.float32(s)) for s in (a_scale, b_scale, output_scale))
    twice, lift = 2 * max(a, b), add_left_shift(activation_bits)
    a_multiplier, a_shift = quantize_multiplier(a / twice)
    b_multiplier, b_shift = quantize_multiplier(b / twice)
    multiplier, shift = quantize_multiplier(twice / ((1 << lift) * out))
    if multiplier and shift < 0:
        raise ValueError(
            f"The output scale of {name} must be above {twice / 2**lift!r}, not {output_scale!r}"
        )
    return QuantizedAdd(
        name,
        int(a_zero_point),
        int(b_zero_point),
        a_multiplier,
        a_shift,
        b_multiplier,
        b_shift,
        multiplier,
        shift,
        int(output_zero_point),
        float(out),
        int(minimum),
        int(maximum),
        float(a),
        float(b),
        activation_bits,
    )


def mean_record(
    name,
    count,
    input_scale,
    input_zero_point,
    output_scale,
    output_zero_point,
    minimum=-128,
    maximum=127,
    activation_bits=8,
):
    """The QuantizedMean that LiteRT's MEAN would prepare for `count` pixels."""
    source, out = np.float64(np.float32(input_scale)), np.float64(np.float32(output_scale))
    multiplier, shift = mean_multiplier(*quantize_multiplier(source / out), count)
    return QuantizedMean(
        name,
        int(count),
        multiplier,
        shift,
        float(source),
        int(input_zero_point),
        float(out),
        int(output_zero_point),
        int(minimum),
        int(maximum),
        activation_bits,
    )
