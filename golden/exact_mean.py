"""The global average pool with an exact division, its halves to even.

What a quantisation-aware training computes: the mean of the map in floats, rounded to the grid of
the pool's output. No multiplier is an exact 1 / count, and with an even count halves do occur; so
the sum is divided here.

Ref: ONNX `docs/Operators.md`, GlobalAveragePool, QuantizeLinear.
"""

from dataclasses import dataclass

import numpy as np

from mnv2.golden.arithmetic import Arithmetic
from mnv2.golden.fixed_point import quantize_multiplier, saturate
from mnv2.golden.ops import sum_pixels
from mnv2.golden.summary import short_repr

#: Bits of numerator and denominator: sums of pixels times either stay far below 63.
RATIO_BITS = 36


def divide_to_even(values, numerator, denominator):
    """int64 of values * numerator / denominator, rounded once, half to the even neighbour."""
    whole, rest = np.divmod(np.asarray(values, np.int64) * numerator, denominator)
    return whole + ((2 * rest > denominator) | ((2 * rest == denominator) & (whole % 2 == 1)))


@dataclass(frozen=True, eq=False)
class QuantizedExactMean:
    """A sum over `count` pixels times numerator / denominator, which hold 1 / count and the scales.

    The alternative to `mnv2.golden.quantized_layer.QuantizedMean`; the hardware does not have it.
    """

    name: str
    count: int
    numerator: int
    denominator: int
    input_scale: float
    input_zero_point: int
    output_scale: float
    output_zero_point: int
    minimum: int = -128
    maximum: int = 127
    activation_bits: int = 8
    arithmetic: Arithmetic = Arithmetic(rounding="even")

    __repr__ = short_repr

    def __post_init__(self):
        if self.arithmetic.rounding != "even" or self.activation_bits > 8:
            raise ValueError(
                f"The mean of {self.name} must round to even, to at most 8 bits, not "
                f"{self.activation_bits} bits in {self.arithmetic!r}"
            )
        for what in ("numerator", "denominator"):
            value = getattr(self, what)
            if not 0 < value < 2**RATIO_BITS:
                raise ValueError(
                    f"The {what} of {self.name} must be from 1 to 2**{RATIO_BITS} - 1, not {value}"
                )
        if not -128 <= self.minimum <= self.maximum <= 127:
            raise ValueError(
                f"The clamp of {self.name} must lie in -128..127, "
                f"not {(self.minimum, self.maximum)!r}"
            )

    @property
    def sum_bias(self):
        """The number that is added to the sum of a channel's pixels before it is scaled."""
        return -self.count * self.input_zero_point

    @property
    def offset(self):
        """The number that is added after the scaling."""
        return self.output_zero_point

    @property
    def multiplier(self):
        """The nearest multiplier, with `shift`, for what needs no exact result."""
        return quantize_multiplier(self.numerator / self.denominator)[0]

    @property
    def shift(self):
        return quantize_multiplier(self.numerator / self.denominator)[1]

    def run(self, activation):
        """int8 [1, 1, C] of [H, W, C] with H * W = count."""
        if activation.shape[0] * activation.shape[1] != self.count:
            raise ValueError(
                f"The input of {self.name} must have {self.count} pixels, not {activation.shape!r}"
            )
        return self.requantize(sum_pixels(activation, self.input_zero_point))

    def requantize(self, total):
        """Means int8 [..., C] of int32 sums of (x - zero_point) over `count` pixels."""
        scaled = divide_to_even(total, self.numerator, self.denominator)
        return saturate(scaled + self.output_zero_point, self.minimum, self.maximum)
