"""AVERAGE_POOL_2D over a whole map, as a sum that is scaled: what the hardware's pool does.

LiteRT divides the sum of the raw integers by the count and rounds halves away from zero, which no
multiplier does by itself: the second of two roundings sees what the first has rounded. With all
sums lifted above zero, half a step less before the scaling makes up for it. Whether it does is not
argued here but tried, on every sum that a count of pixels can have.

Ref: LiteRT `tflite/kernels/internal/reference/integer_ops/pooling.h`, AveragePool.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from mnv2.golden.arithmetic import LITERT, Arithmetic
from mnv2.golden.fixed_point import (
    divide_rounding_half_away,
    multiply_by_quantized_multiplier,
    saturate,
)
from mnv2.golden.summary import short_repr

#: Sums that are tried at a time.
_PART = 1 << 18


@cache
def average_parameters(count):
    """Integers that divide any sum of `count` int8 as AVERAGE_POOL_2D does.

    Parameters
    ----------
    count : int
        Pixels, positive.

    Returns
    -------
    sum_bias, multiplier, shift, offset : int
        The average is MBQM(sum + sum_bias, multiplier, shift) + offset, saturated to int8.

    Raises
    ------
    ValueError
        If none of the candidates gives LiteRT's average for each of the 255 * count + 1 sums.
    """
    shift = count.bit_length() - 1
    factor = (1 << (31 + shift)) // count
    lifted = 128 * count
    for sum_bias, offset in ((0, 0), (lifted - 1, -128), (lifted, -128)):
        for multiplier in (factor, factor + 1):
            multiplier = min(multiplier, 2**31 - 1)
            if _is_average(count, sum_bias, multiplier, shift, offset):
                return sum_bias, multiplier, shift, offset
    raise ValueError(
        f"An average over {count} pixels must be one that a multiplier reproduces, "
        "and none was found"
    )


def _is_average(count, sum_bias, multiplier, shift, offset):
    """Whether the parameters give the average of every sum."""
    for begin in range(-128 * count, 127 * count + 1, _PART):
        sums = np.arange(begin, min(begin + _PART, 127 * count + 1))
        scaled = multiply_by_quantized_multiplier(sums + sum_bias, multiplier, shift)
        found = saturate(scaled + offset, -128, 127)
        if not np.array_equal(found, divide_rounding_half_away(sums, count)):
            return False
    return True


@dataclass(frozen=True)
class QuantizedAveragePool:
    """The global average pool as AVERAGE_POOL_2D rounds it; input and output share their scale.

    The alternative to `mnv2.golden.quantized_layer.QuantizedMean`; the hardware computes either.

    Attributes
    ----------
    name : str
    count : int
        Pixels of the map.
    output_scale, output_zero_point
        Of the input too.
    minimum, maximum : int
        Clamp of the output, both ends included.
    activation_bits, arithmetic
        8 and LiteRT's: the proof is for these.
    """

    name: str
    count: int
    output_scale: float
    output_zero_point: int
    minimum: int = -128
    maximum: int = 127
    activation_bits: int = 8
    arithmetic: Arithmetic = LITERT

    __repr__ = short_repr

    def __post_init__(self):
        if self.activation_bits != 8 or self.arithmetic != LITERT:
            raise ValueError(
                f"The average of {self.name} must be int8 in LiteRT's arithmetic, not "
                f"{self.activation_bits} bits in {self.arithmetic!r}"
            )
        if not -128 <= self.minimum <= self.maximum <= 127:
            raise ValueError(
                f"The clamp of {self.name} must lie in -128..127, "
                f"not {(self.minimum, self.maximum)!r}"
            )
        average_parameters(self.count)

    @property
    def sum_bias(self):
        """The number that is added to the sum of a channel's pixels before it is scaled."""
        return average_parameters(self.count)[0]

    @property
    def multiplier(self):
        return average_parameters(self.count)[1]

    @property
    def shift(self):
        return average_parameters(self.count)[2]

    @property
    def offset(self):
        """The number that is added after the scaling."""
        return average_parameters(self.count)[3]

    def requantize(self, sums):
        """int8 of sums with `sum_bias`, any axes."""
        scaled = multiply_by_quantized_multiplier(sums, self.multiplier, self.shift)
        return saturate(scaled + self.offset, self.minimum, self.maximum)

    def run(self, activation):
        """int8 [1, 1, C] of int8 [H, W, C] with H * W = count."""
        if activation.shape[0] * activation.shape[1] != self.count:
            raise ValueError(
                f"The input of {self.name} must have {self.count} pixels, not {activation.shape!r}"
            )
        sums = activation.astype(np.int64).sum(axis=(0, 1), keepdims=True)
        return self.requantize(sums + self.sum_bias)
