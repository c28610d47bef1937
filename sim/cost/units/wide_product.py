"""Multipliers, LUTs and registers of a product of wide operands: see hw/multiply.py."""

from dataclasses import dataclass

from mnv2.sim.cost.unit_cost import Product

__all__ = ["Term", "WideProduct", "cut_product"]

#: Bits of a multiplier's narrower operand; bits of a wider one that become rows of LUTs; rows that
#: are added in one cycle.
_NARROW_BITS, _ROW_BITS, _ROWS = 18, 7, 4


@dataclass(frozen=True)
class Term:
    """A summand of a product.

    Attributes
    ----------
    position, bits : int
        Its lowest bit in the product, and its width.
    product : Product or None
        The multiplication that it is, if it is not made of rows.
    row_bits : int
        Bits of the rows that it is added up from.
    """

    position: int
    bits: int
    product: Product | None = None
    row_bits: int = 0


@dataclass(frozen=True)
class WideProduct:
    """A product that is a sum of terms; of lower ones only what lies above the next is kept.

    Attributes
    ----------
    terms : tuple of Term
        The lowest position first.
    """

    terms: tuple[Term, ...]

    def products(self, count: int) -> tuple[Product, ...]:
        """Multiplications of as many such products."""
        return tuple(
            Product(count, term.product.first_bits, term.product.second_bits)
            for term in self.terms
            if term.product
        )

    @property
    def row_bits(self) -> int:
        """Bits of all rows."""
        return sum(term.row_bits for term in self.terms)

    @property
    def registers(self) -> int:
        """Bits of the terms, without those that lie below the next term."""
        ends = [*(after.position - term.position for term, after in self._steps), 0]
        return sum(
            term.bits - min(end, term.bits) for term, end in zip(self.terms, ends, strict=True)
        )

    @property
    def adder_bits(self) -> int:
        """Bits of the adders that join the terms."""
        return sum(self._sums[1:])

    @property
    def low_bits(self) -> int:
        """Bits of the sum of all terms but the last, without those that lie below it."""
        if len(self.terms) == 1:
            return 0
        return self._sums[-2] - (self.terms[-1].position - self.terms[-2].position)

    @property
    def _sums(self) -> list[int]:
        """Bits of the first term, and of the sum with each further one."""
        sums = [self.terms[0].bits]
        for term, after in self._steps:
            sums.append(max(sums[-1] - (after.position - term.position), after.bits) + 1)
        return sums

    @property
    def _steps(self) -> list[tuple[Term, Term]]:
        """Each term with the next one."""
        return list(zip(self.terms, self.terms[1:], strict=False))


def cut_product(
    wide: int,
    narrow: int,
    operand_bits: int,
    *,
    wide_signed: bool = True,
    narrow_signed: bool = False,
    in_luts: bool = False,
) -> WideProduct:
    """Terms of a product as the hardware writes it.

    Parameters
    ----------
    wide, narrow : int
        Bits of the operands, without a zero as their sign.
    operand_bits : int
        Wider operand of a multiplier.
    wide_signed, narrow_signed : bool
        Whether they are signed.
    in_luts : bool
        Whether it takes no multipliers.
    """
    if in_luts:
        return WideProduct(tuple(_rows(wide, wide_signed, narrow)))
    terms = []
    rest = wide - (operand_bits if wide_signed else operand_bits - 1)
    if 0 < rest <= _ROW_BITS:
        terms += _rows(narrow, narrow_signed, rest)
        pieces = [(rest, operand_bits)]
    else:
        pieces = _cut(wide, wide_signed, operand_bits)
    for place, bits in pieces:
        for position, factor in _cut(narrow, narrow_signed, _NARROW_BITS):
            # A bit less than both have, since one of them is not negative, or both are.
            terms.append(Term(place + position, bits + factor - 1, Product(1, bits, factor)))
    return WideProduct(tuple(sorted(terms, key=lambda term: term.position)))


def _cut(bits: int, signed: bool, most: int) -> list[tuple[int, int]]:
    """Position and bits, sign included, of each piece of an operand."""
    pieces, position = [], 0
    while bits > (most if signed else most - 1):
        pieces.append((position, most))
        bits -= most - 1
        position += most - 1
    return [*pieces, (position, bits if signed else bits + 1)]


def _rows(bits: int, signed: bool, multiplier_bits: int) -> list[Term]:
    """Terms of a product without multipliers: each a sum of a few rows, two bits at a time."""
    width = bits + (1 if signed else 2)
    digits = multiplier_bits // 2 + 1
    terms = []
    for first in range(0, digits, _ROWS):
        position = max(2 * (first - 1), 0)
        total = row_bits = width + (2 if first else 0)
        for digit in range(first + 1, min(first + _ROWS, digits)):
            low = 2 * (digit - 1) - position
            above = max(total - low, width + 2) + 1
            row_bits += above
            total = low + above
        terms.append(Term(position, total, None, row_bits))
    return terms
