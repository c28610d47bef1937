"""The numbers of a format that a kernel reads from memory, so that no format compiles it anew.

A kernel's arguments are shapes and addresses; zero points, clamps, widths, roundings and the
parameters of an addition lie in one int32 array for each layer, at the places below.
"""

import numpy as np

from mnv2.golden.arithmetic import ROUNDINGS
from mnv2.golden.fixed_point import signed_range

#: Places of a layer's numbers.
FIELDS = (
    "input_zero",
    "output_zero",
    "minimum",
    "maximum",
    "rounding",  # place in `mnv2.golden.arithmetic.ROUNDINGS`
    "unused_bits",  # of 32, that the accumulator does not have
    "least",  # ends of the accumulator's range
    "most",
    "counted",  # 1 where accumulators may leave it, and are counted
    "place",  # ... in the array of counts
    "a_zero",  # the residual addition, if the kernel does it
    "a_multiplier",
    "a_shift",
    "b_zero",
    "b_multiplier",
    "b_shift",
    "sum_multiplier",
    "sum_shift",
    "sum_zero",
    "sum_minimum",
    "sum_maximum",
    "lift",
)


def layer_numbers(layer, add, overflows, place):
    """int32 [len(FIELDS)] of a layer.

    Parameters
    ----------
    layer : mnv2.golden.quantized_layer.QuantizedLayer
    add : mnv2.golden.quantized_layer.QuantizedAdd or None
        The addition that follows it.
    overflows : bool
        Whether accumulators may leave their range.
    place : int
        Of the layer in the array of counts.
    """
    bits = layer.arithmetic.accumulator_bits
    least, most = signed_range(bits)
    values = {
        "input_zero": layer.input_zero_point,
        "output_zero": layer.output_zero_point,
        "minimum": layer.minimum,
        "maximum": layer.maximum,
        "rounding": ROUNDINGS.index(layer.arithmetic.rounding),
        "unused_bits": 32 - bits,
        "least": least,
        "most": most,
        "counted": int(overflows),
        "place": place,
    }
    if add is not None:
        values |= {
            "a_zero": add.a_zero_point,
            "a_multiplier": add.a_multiplier,
            "a_shift": add.a_shift,
            "b_zero": add.b_zero_point,
            "b_multiplier": add.b_multiplier,
            "b_shift": add.b_shift,
            "sum_multiplier": add.multiplier,
            "sum_shift": add.shift,
            "sum_zero": add.output_zero_point,
            "sum_minimum": add.minimum,
            "sum_maximum": add.maximum,
            "lift": add.left_shift,
        }
    return np.array([int(values.get(field, 0)) for field in FIELDS], np.int32)
