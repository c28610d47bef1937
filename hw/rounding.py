"""LiteRT's double rounding, and a single one, as a shift and one carry.

``MultiplyByQuantizedMultiplier(a, M, n)`` is ``RDBPOT(SRDHM(a, M), n)``:

* ``x = SRDHM(a, M) = floor((a*M + 2**30) / 2**31)``: to nearest, halves upwards;
* ``RDBPOT(x, n)``: ``x / 2**n`` to nearest, halves away from zero.

Of the product only what lies above its last 30 bits matters: with ``h = floor(a*M / 2**30)``,
``x = floor((h + 1) / 2)``. The result is ``floor(h / 2**(n+1))`` or one more. With ``half`` the bit
``n`` of ``h``, ``rest`` the bits below it, and all ties included, it is one more where

=========  ==================================================================
``n = 0``  ``half``
``h >= 0`` ``half``, or all of ``rest`` are ones: ``x`` is rounded up to a half
``h < 0``  ``half``, and not all of ``rest`` are zeros: that is a tie of ``x``
=========  ==================================================================

So all that is to be known of ``rest`` is whether it is *solid*: whether each of its bits differs
from the sign. (``h = -1`` gives ``x = 0``, which has no tie; its ``rest`` is not solid.)

A single rounding is ``floor((a*M + 2**(30+n)) / 2**(31+n))``: one more where ``half``.

Ref: gemmlowp, fixedpoint/fixedpoint.h, SaturatingRoundingDoublingHighMul and RoundingDivideByPOT;
     LiteRT, kernels/internal/common.h, MultiplyByQuantizedMultiplier.
"""

from amaranth import *
from amaranth.lib import data

__all__ = ["FACTOR_BITS", "add_offset", "clamp", "round_shifted", "shift_right", "start_shift"]

#: Bits of a Q31 multiplier that are multiplied, the highest ones; the others are zero.
FACTOR_BITS = {"double": 31, "single": 16}


def shifted_layout(bits):
    """Layout of a value while it is shifted.

    Members
    -------
    value
        What is left of it, signed; its last bit will be the half.
    negative
        Its sign.
    beyond
        It does not fit ``value`` any more.
    solid
        Each bit that was shifted out differs from the sign; low if there was none.
    """
    return data.StructLayout({"value": signed(bits), "negative": 1, "beyond": 1, "solid": 1})


def start_shift(m, high, shift, name):
    """A value about to be shifted.

    Parameters
    ----------
    m : Module
    high : Value
        Signed ``h`` of the module's text; read several times.
    shift : Value
        Bits by which it will be shifted.
    name : str
        Of the signal.

    Returns
    -------
    View
        Of :func:`shifted_layout`.
    """
    start = Signal(shifted_layout(len(high)), name=name)
    m.d.comb += [
        start.value.eq(high),
        start.negative.eq(high[-1]),
        start.solid.eq(shift.any()),
    ]
    return start


def shift_right(m, item, amount, unit, bits, name):
    """Shift right by ``amount * unit`` bits.

    Parameters
    ----------
    m : Module
    item : View
        As of :func:`start_shift`.
    amount : Value
        Not signed; of few bits, as each of its values is a way of its own.
    unit : int
        Bits of a step.
    bits : int
        Bits of the value to keep; the others are only looked at.
    name : str
        Of the signal.

    Returns
    -------
    View
        Of :func:`shifted_layout`.
    """
    value, negative = item.value, item.negative
    width  = len(value)
    bits   = min(bits, width)
    result = Signal(shifted_layout(bits), name=name)

    def choose(ways):
        for bit in amount:
            ways = [Mux(bit, high, low) for low, high in zip(ways[::2], ways[1::2], strict=True)]
        return ways[0]

    ways, beyond, solid = [], [], []
    for step in range(0, unit << len(amount), unit):
        ways.append((value >> step)[:bits])
        lost = value[bits - 1 + step:]
        beyond.append(Mux(negative, ~lost.all(), lost.any()) if bits + step < width else C(0, 1))
        gone = value[:step]
        solid.append(Mux(negative, ~gone.any(), gone.all()) if step else C(1, 1))
    m.d.comb += [
        result.value.eq(choose(ways)),
        result.negative.eq(negative),
        result.beyond.eq(item.beyond | choose(beyond)),
        result.solid.eq(item.solid & choose(solid)),
    ]
    return result


def round_shifted(item, rounding):
    """The shifted value, saturated, with a last bit that says whether to add one to the others.

    Parameters
    ----------
    item : View
        Of :func:`shifted_layout`.
    rounding : str
        ``"double"`` or ``"single"``.

    Returns
    -------
    Value
        Signed, for :func:`add_offset`. Where it is saturated the last bit
        may be either.
    """
    half = item.value[0]
    if rounding == "double":
        half = Mux(item.negative, half & ~item.solid, half | item.solid)
    limit = Cat((~item.negative).replicate(len(item.value) - 2), item.negative)
    return Cat(half, Mux(item.beyond, limit, item.value[1:])).as_signed()


def add_offset(value, offset):
    """Sum of a signed ``offset`` and ``floor((value + 1) / 2)``, in one adder."""
    return (Cat(C(1, 1), offset).as_signed() + value) >> 1


def clamp(value, minimum, maximum):
    """Nearest value in a range, both ends included; ``value`` is read several times."""
    return Mux(value < minimum, minimum, Mux(value > maximum, maximum, value))
