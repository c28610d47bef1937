"""Families of devices, and the differences in their logic."""

from dataclasses import dataclass

from mnv2.hw.config import OPERAND_BITS
from mnv2.sim.cost.multiplier import HardMultiplier

__all__ = ["FAMILIES", "Family"]


@dataclass(frozen=True)
class Family:
    """A family of devices.

    Attributes
    ----------
    title : str
    calibrated_as : str
        Family whose LUT and flip-flop coefficients it uses: itself where it was calibrated, else
        one with LUTs of as many inputs.
    pieces_as : str
        Family whose gearboxes were measured for it: one with LUTs of as many inputs.
    multiplier : HardMultiplier
        Of its DSPs.
    ultra_ram : bool
        Whether its devices may have UltraRAM.
    """

    title: str
    calibrated_as: str
    pieces_as: str
    multiplier: HardMultiplier
    ultra_ram: bool = False

    @property
    def operand_bits(self) -> int:
        """The option of a configuration for it: the widest operand that its multiplier has."""
        fitting = [bits for bits in OPERAND_BITS if bits <= self.multiplier.operand_bits]
        return max(fitting, default=min(OPERAND_BITS))


FAMILIES = {
    # DSP48E2, DSP48E1: Yosys cuts into slices of 18 bits, for which there is a cascade.
    "xcup": Family(
        "AMD UltraScale+", "xcup", "xcup", HardMultiplier(27, 18, 18, True, 2, 9), ultra_ram=True
    ),
    "xc7": Family("AMD 7 series", "xc7", "xcup", HardMultiplier(25, 18, 18, True, 2, 9)),
    # MULT18X18D, SB_MAC16.
    "ecp5": Family("Lattice ECP5", "ecp5", "ecp5", HardMultiplier(18, 18, 18, False)),
    "ice40": Family(
        "Lattice iCE40 UltraPlus", "ecp5", "ecp5", HardMultiplier(16, 16, 16, False, 2, 11)
    ),
}
