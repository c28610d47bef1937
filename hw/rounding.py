"""LiteRT's double rounding, cut into steps of one adder or one shifter each.

``MultiplyByQuantizedMultiplier(a, M, n)`` is ``RDBPOT(SRDHM(a, M), n)``:

* ``x = SRDHM(a, M) = floor((a*M + 2**30) / 2**31)``: to nearest, halves upwards;
* ``RDBPOT(x, n)``: ``x / 2**n`` to nearest, halves away from zero.

Of the product only what lies above its last 30 bits matters: with ``h = floor(a*M / 2**30)``,
``x = floor((h + 1) / 2)``. For an integer ``x``, subtracting a half from a negative numerator turns
"halves upwards" into "halves away from zero", for every ``n`` including 0:
``RDBPOT(x, n) = floor((floor(z / 2**n) + 1) / 2)`` with ``z = 2*x - (x < 0)``. In terms of ``h``

=========  =========  ==========
``h``      even       odd
=========  =========  ==========
``>= 0``   ``z = h``  ``z = h+1``
``< 0``    ``h - 1``  ``h``
=========  =========  ==========

(``h = -1`` gives ``x = 0`` and should give ``z = 0``; the table gives -1, which rounds to 0 too.)
So the chain is a multiplier, one add of -1, 0 or 1 (:func:`settle_half`), one shifter, and a last
``+ 1`` (:func:`round_half`) that may share an adder with what follows (:func:`add_offset`).

Ref: gemmlowp, fixedpoint/fixedpoint.h, SaturatingRoundingDoublingHighMul and RoundingDivideByPOT;
     LiteRT, kernels/internal/common.h, MultiplyByQuantizedMultiplier (double rounding).
"""

from amaranth import *

__all__ = ["add_offset", "clamp", "keep_half", "round_half", "saturate", "settle_half"]


def keep_half(product, bits):
    """Drop all but one of the last ``bits`` bits of a signed product: keep one fraction bit."""
    return product[bits - 1:].as_signed()


def settle_half(high):
    """Move a value with one fraction bit off the ties that the two roundings treat differently.

    Parameters
    ----------
    high : Value
        Signed ``h`` of the module's text, at most ``2**(len(h) - 1) - 2``; a Signal, as it is read
        several times.

    Returns
    -------
    Value
        Signed ``z``, as wide as ``high``.
    """
    negative, odd = high[-1], high[0]
    step = Cat(odd ^ negative, ~odd & negative).as_signed()         # -1, 0 or 1
    return (high + step)[:len(high)].as_signed()


def round_half(value):
    """Drop the fraction bit, halves upwards: ``floor((value + 1) / 2)``, as wide as ``value``."""
    return (value + 1) >> 1


def saturate(value, bits):
    """Nearest value to a signed ``value`` that ``bits`` bits can hold, signed.

    ``value`` is read several times: give it a Signal, not an expression.
    """
    excess = value[bits - 1:]
    fits   = excess.all() | ~excess.any()
    limit  = Mux(value[-1], C(-(1 << bits - 1), bits), C((1 << bits - 1) - 1, bits))
    return Mux(fits, value[:bits], limit).as_signed()


def add_offset(value, offset):
    """Sum of a signed ``offset`` and ``round_half(value)``, in one adder."""
    return (value + Cat(C(1, 1), offset).as_signed()) >> 1


def clamp(value, minimum, maximum):
    """Nearest value in a range, both ends included; ``value`` is read several times."""
    return Mux(value < minimum, minimum, Mux(value > maximum, maximum, value))
