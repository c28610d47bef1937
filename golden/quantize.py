"""From real ranges and weights to the records of the integer model.

Ref: LiteRT `tflite/kernels/kernel_util.cc` (PopulateConvolutionQuantizationParams,
CalculateActivationRangeQuantized), `tflite/kernels/add.cc`, `tflite/kernels/reduce.cc`; LiteRT's
8-bit quantization specification.
"""

import numpy as np

from golden.fixed_point import (
    ADD_LEFT_SHIFT,
    mean_multiplier,
    quantize_multiplier,
)
from golden.model import QuantizedAdd, QuantizedMean


def add_record(name, a_scale, a_zero_point, b_scale, b_zero_point, output_scale,
               output_zero_point, minimum, maximum, activation_bits=8):
    """The QuantizedAdd that LiteRT's ADD would prepare from these scales.

    Ref: LiteRT add.cc, Prepare, int8 branch.
    """
    a, b, out = (np.float64(np.float32(s)) for s in (a_scale, b_scale, output_scale))
    twice = 2 * max(a, b)
    a_multiplier, a_shift = quantize_multiplier(a / twice)
    b_multiplier, b_shift = quantize_multiplier(b / twice)
    multiplier, shift = quantize_multiplier(twice / ((1 << ADD_LEFT_SHIFT) * out))
    if multiplier and shift < 0:
        raise ValueError(f"The output scale of {name} must be above {twice / 2**ADD_LEFT_SHIFT!r},"
                         f" not {output_scale!r}")
    return QuantizedAdd(
        name, int(a_zero_point), int(b_zero_point), a_multiplier, a_shift, b_multiplier, b_shift,
        multiplier, shift, int(output_zero_point), float(out), int(minimum), int(maximum),
        float(a), float(b), activation_bits)


def mean_record(name, count, input_scale, input_zero_point, output_scale, output_zero_point,
                minimum=-128, maximum=127, activation_bits=8):
    """The QuantizedMean that LiteRT's MEAN would prepare for `count` pixels."""
    source, out = np.float64(np.float32(input_scale)), np.float64(np.float32(output_scale))
    multiplier, shift = mean_multiplier(*quantize_multiplier(source / out), count)
    return QuantizedMean(name, int(count), multiplier, shift, float(source),
                         int(input_zero_point), float(out), int(output_zero_point), int(minimum),
                         int(maximum), activation_bits)
