"""Proofs from a layer's weights about every accumulator that its inputs can make."""

from dataclasses import dataclass

import numpy as np

from mnv2.golden.fast import ops as fast_ops
from mnv2.golden.fixed_point import signed_range
from mnv2.golden.summary import short_repr


@dataclass(frozen=True, eq=False)
class Accumulators:
    """Known facts of a layer's accumulators, for inputs in a range.

    Attributes
    ----------
    correction : int64 [M]
        As `mnv2.golden.fast.ops.corrections`.
    exact : type
        float32, or float64 where float32 does not hold the sums of products.
    overflows : bool
        Whether some could leave the range that the arithmetic gives them.
    fits_32 : bool
        Whether all of them, bias included, are integers of 32 bits.
    """

    correction: np.ndarray
    exact: type
    overflows: bool
    fits_32: bool

    __repr__ = short_repr


def find_accumulators(layer, low, high):
    """The Accumulators of a QuantizedLayer for inputs in low..high."""
    zero = layer.input_zero_point
    low, high = min(low, zero), max(high, zero)  # padding holds the zero point
    lowest, highest = fast_ops.sum_bounds(layer.weights, low - zero, high - zero)
    bias = layer.bias.astype(np.int64)
    least = int((bias + lowest).min(initial=0))
    most = int((bias + highest).max(initial=0))

    def leaves(bits):
        smallest, largest = signed_range(bits)
        return least < smallest or most > largest

    return Accumulators(
        fast_ops.corrections(layer.weights, layer.bias, zero),
        fast_ops.exact_type(layer.weights, low, high),
        leaves(layer.arithmetic.accumulator_bits),
        not leaves(32),
    )
