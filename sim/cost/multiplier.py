"""Hard multipliers of a family of devices, and how Yosys cuts a product into them.

A product whose operands are too wide is a sum of narrower ones: the wider operand is cut into
slices until the last one fits, then the other operand of each. A slice but the last is not
negative, and where the multiplier takes signed operands alone, one of its bits is the zero that
says so. A product that is too small is made of LUTs.

Ref: Yosys 0.68, techlibs/common/mul2dsp.v; techlibs/xilinx/synth_xilinx.cc, map_dsp;
     techlibs/lattice/synth_lattice.cc, dsp_rules_ecp5; techlibs/ice40/synth_ice40.cc, coarse.
"""

from dataclasses import dataclass

__all__ = ["HardMultiplier"]


@dataclass(frozen=True)
class HardMultiplier:
    """The multiplier of a DSP.

    Attributes
    ----------
    operand_bits : int
        Bits of its wider operand, sign included.
    other_bits : int
        Bits of the other one.
    slice_bits : int
        Bits of a slice of a wider operand that is cut, its zero included.
    signed_alone : bool
        Whether both operands are signed, always.
    least_operand_bits, least_product_bits : int
        Bits below which a product is made of LUTs.
    """

    operand_bits: int
    other_bits: int
    slice_bits: int
    signed_alone: bool
    least_operand_bits: int = 2
    least_product_bits: int = 0

    def count(self, first_bits: int, second_bits: int, product_bits: int | None = None) -> int:
        """Number of multipliers that a product takes.

        Parameters
        ----------
        first_bits, second_bits : int
            Bits of the signed operands; one that is not negative has a zero as its sign.
        product_bits : int, optional
            Bits of the product that are used; default all.

        Returns
        -------
        int
            0 for a product that is made of LUTs.
        """
        wide, narrow = max(first_bits, second_bits), min(first_bits, second_bits)
        return self._count(wide, narrow, product_bits or wide + narrow)

    def _count(self, first: int, second: int, product: int) -> int:
        """Multipliers of a product or of a slice of one, whose order stays as it is."""
        if min(first, second) < self.least_operand_bits or product < self.least_product_bits:
            return 0
        if first > self.operand_bits:
            slices, last = self._cut(first, self.operand_bits, self.slice_bits)
            whole = self._count(self.slice_bits, second, min(product, second + self.slice_bits))
            return slices * whole + self._count(last, second, last + second)
        if second > self.other_bits:
            slices, last = self._cut(second, self.other_bits, self.other_bits)
            whole = self._count(first, self.other_bits, min(product, first + self.other_bits))
            return slices * whole + self._count(first, last, first + last)
        return 1

    def _cut(self, bits: int, most: int, slice_bits: int) -> tuple[int, int]:
        """Slices but the last of an operand of which ``most`` bits would fit; bits of the last."""
        step = slice_bits - self.signed_alone
        slices = -(-(bits - most) // step)
        return slices, bits - slices * step
