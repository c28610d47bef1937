"""The roundings of the integer model, of integers and of hardware's values alike.

A test compares them with ``mnv2.golden`` on integers; the proofs compare the hardware with them.
Each begins after the multiplication, with ``high = floor(value * multiplier / 2**30)``: nothing
else of the product matters, since its rounding to 31 bits is ``floor((high + 1) / 2)``.
"""

__all__ = ["clamped", "rescaled"]


def rescaled(high, shift, one, negative, *, rounding):
    """A scaled value, from its product.

    Parameters
    ----------
    high : int or Value
        Of any width.
    shift : int or Value
        0 to 31, to the right.
    one : int or Value
        1, wide enough to be shifted by 31.
    negative : function of (int or Value)
        Whether a number is negative, as 0 or 1.
    rounding : str
        ``"double"`` or ``"single"``.

    Returns
    -------
    int or Value

    Ref: gemmlowp, fixedpoint/fixedpoint.h, SaturatingRoundingDoublingHighMul, RoundingDivideByPOT;
         LiteRT, kernels/internal/common.cc, for a single rounding TFLITE_SINGLE_ROUNDING.
    """
    if rounding == "single":
        return ((high + (one << shift)) >> shift) >> 1
    value = (high + 1) >> 1
    mask = (one << shift) - 1
    threshold = (mask >> 1) + negative(value)
    return (value >> shift) + ((value & mask) > threshold)


def clamped(value, minimum, maximum, choose):
    """The nearest value in a range; ``choose(condition, a, b)`` is ``a if condition else b``."""
    return choose(value < minimum, minimum, choose(value > maximum, maximum, value))
