"""Families of devices, and the differences in their logic."""

from dataclasses import dataclass

__all__ = ["FAMILIES", "Family"]

#: Products of fewer bits are made of LUTs on AMD's devices.
#: Ref: Yosys 0.70, techlibs/xilinx/synth_xilinx.cc, DSP_Y_MINWIDTH.
SMALLEST_AMD_PRODUCT = 9


@dataclass(frozen=True)
class Family:
    """A family of devices.

    Attributes
    ----------
    title : str
    calibrated_as : str
        Family whose LUT and flip-flop coefficients it uses: itself where it was calibrated, else
        one with LUTs of as many inputs. For the 7 series that is too many flip-flops, since Yosys
        moves registers into a DSP48E1 and not into a DSP48E2.
    soft_below : int
        Bits of a product below which it is made of LUTs.
    packs : bool
        Whether a DSP can take two 8-bit products with a common factor, and the device may have
        UltraRAM.
    """

    title: str
    calibrated_as: str
    soft_below: int = 0
    packs: bool = False


FAMILIES = {
    "xcup": Family("AMD UltraScale+", "xcup", SMALLEST_AMD_PRODUCT, packs=True),
    "xc7": Family("AMD 7 series", "xcup", SMALLEST_AMD_PRODUCT),
    "ecp5": Family("Lattice ECP5", "ecp5"),
    "ice40": Family("Lattice iCE40 UltraPlus", "ecp5"),
}
