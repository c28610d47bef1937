"""Two products in one multiplier: two activations side by side in its wider operand.

With ``x0``, ``x1`` unsigned, ``(x1 * 2**field + x0) * w`` holds ``x1 * w`` above ``x0 * w``, and a
sum of such products holds both sums. Of a sum ``p``, the lower ``field`` bits, signed, are the
lower sum, as long as it fits; what lies above is the upper sum, less one where the lower is
negative: ``p >> field`` and the borrow ``p[field - 1]``, which the next adder takes as its carry.

The width of the field, and how many products may be added, follow from the widths of the device's
multiplier and of the factors: :func:`mnv2.hw.config.field_bits` and
:func:`mnv2.hw.config.packed_products`.
"""

from dataclasses import dataclass

from amaranth import *

from .config import OPERAND_BITS, PACKINGS, packed_products

__all__ = ["Term", "add_terms", "check_packing", "columns", "flip_mask", "pack",
           "split"]


@dataclass(frozen=True)
class Term:
    """A summand, or a sum, that may lack a carry.

    Attributes
    ----------
    value : Value
        Signed.
    borrow : Value or None
        One bit to add to ``value``; None if there is nothing to add.
    """

    value:  Value
    borrow: Value | None = None

    def plus(self, other):
        """Complete sum with a signed value: one adder."""
        if self.borrow is None:
            return self.value + other
        # A bit below the two, set in both if there is a borrow, is the adder's carry.
        a, b = (Cat(self.borrow, value).as_signed() for value in (self.value, other))
        return (a + b) >> 1


def check_packing(packing, *, pixels, frames, operand_bits, weight_bits, activation_bits):
    """Refuse a packing that does not exist.

    Raises
    ------
    TypeError, ValueError
        If a choice is unknown, or lanes or widths have no pairs.
    """
    choices = f"{', '.join(map(str, OPERAND_BITS[:-1]))} or {OPERAND_BITS[-1]}"
    if not isinstance(operand_bits, int) or isinstance(operand_bits, bool):
        raise TypeError(f"Operand bits must be {choices}, not {operand_bits!r}")
    if operand_bits not in OPERAND_BITS:
        raise ValueError(f"Operand bits must be {choices}, not {operand_bits!r}")
    if packing not in PACKINGS:
        raise ValueError(f"Packing must be one of {', '.join(PACKINGS)}, not {packing!r}")
    if packing == "frames" and frames != 2:
        raise ValueError(f"Packing can be frames only with 2 frames, not {frames}")
    if packing != "none" and not packed_products(operand_bits, activation_bits, weight_bits):
        raise ValueError(
            f"Packing must be none: a multiplier of {operand_bits} x 18 bits holds no two products "
            f"of {activation_bits}-bit activations with a {weight_bits}-bit weight")


def columns(packing, *, pixels, frames):
    """The pixels that share multipliers: columns of one or two ``(pixel, frame)``, the lower first.

    In ``pixels``, an odd last pixel is alone.
    """
    if packing == "frames":
        return [tuple((pixel, frame) for frame in range(frames)) for pixel in range(pixels)]
    step = 2 if packing == "pixels" else 1
    return [tuple((pixel, frame) for pixel in range(first, min(first + step, pixels)))
            for frame in range(frames) for first in range(0, pixels, step)]


def pack(values, field):
    """One or two values side by side, the second from bit ``field`` on."""
    low = values[0]
    return Cat(low) if len(values) == 1 else Cat(low, C(0, field - len(low)), values[1])


def flip_mask(count, bits, field):
    """Top bits of the values of :func:`pack`: to flip them adds ``2**(bits - 1)`` to each."""
    return sum(1 << bits - 1 + k * field for k in range(count))


def split(total, count, field):
    """Terms of a column of ``count`` pixels from a sum of its products."""
    if count == 1:
        return [Term(total)]
    return [Term(total[:field].as_signed()), Term(total[field:].as_signed(), total[field - 1])]


def add_terms(m, terms, name):
    """Sum of terms in a balanced tree; each adder takes the borrow of one of its two terms.

    Sums within the tree are signals to keep: of a sum of sums Yosys makes carry-save adders, which
    take half as many LUTs again as two adders.

    Parameters
    ----------
    m : Module
        Gets the signals within the tree.
    terms : sequence of Term
        Of one width.
    name : str
        Prefix of the signals' names.

    Returns
    -------
    Term
        As many bits wider as the tree has levels, or more; with the borrow of the last term.
    """
    terms, level = list(terms), 0
    while len(terms) > 1:
        sums = []
        for k, (a, b) in enumerate(zip(terms[::2], terms[1::2], strict=False)):
            value = a.plus(b.value)
            if len(terms) > 2:
                kept = Signal(signed(max(len(a.value), len(b.value)) + 1),
                              name=f"{name}_{level}_{k}", attrs={"keep": 1})
                m.d.comb += kept.eq(value)
                value = kept
            sums.append(Term(value, b.borrow))
        terms, level = sums + terms[len(terms) // 2 * 2:], level + 1
    return terms[0]
