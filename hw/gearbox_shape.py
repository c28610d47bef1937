"""Widths of a gearbox in whole units, and how it holds what is on its way; plain Python."""

from dataclasses import dataclass
from math import gcd

__all__ = ["GearboxShape", "gearbox_shape"]

#: Registers of a ring, as a multiple of what is ever held, that are cheaper than shifting.
_RING = 3


@dataclass(frozen=True)
class GearboxShape:
    """Everything in a gearbox moves by whole units.

    Attributes
    ----------
    unit_bits : int
        Greatest common divisor of both widths.
    taken, given : int
        Units of an input and of an output.
    """

    unit_bits: int
    taken:     int
    given:     int

    @property
    def capacity(self) -> int:
        """Units that are ever held.

        The least that keeps the narrower side busy while inputs are taken by the units held alone:
        widening, a full word less one unit waits in addition to two inputs; narrowing, two outputs
        do.
        """
        return self.taken + self.given + min(self.taken, self.given) - 1

    @property
    def storage(self) -> str:
        """How they are held, the cheapest first.

        ``"place"``: inputs are placed in an output; ``"part"``: an input is given in parts;
        ``"ring"``: both are places of a ring of whole inputs and outputs; ``"shift"``: inputs are
        shifted to where the last one ends.
        """
        if self.taken == 1:
            return "place"
        if self.given == 1:
            return "part"
        return "ring" if self.taken * self.given <= _RING * self.capacity else "shift"

    @property
    def register_bits(self) -> int:
        """Bits of registers that hold them."""
        units = self.taken * self.given if self.storage == "ring" else self.capacity
        return units * self.unit_bits


def gearbox_shape(input_bits: int, output_bits: int) -> GearboxShape:
    """Shape of the gearbox between two widths."""
    unit = gcd(input_bits, output_bits)
    return GearboxShape(unit, input_bits // unit, output_bits // unit)
