"""The ULX3S with an ECP5-85, as LiteX takes a board: its pins, its clocks, its memory's PHY.

It is imported by ``make_loader.py`` alone, in whose process LiteX is.

Ref: ULX3S, doc/constraints/ulx3s_v20.lpf, for the sites of the pins; Lattice FPGA-TN-02200, for
what the PLL makes of 25 MHz.
"""

from typing import Any

__all__ = ["CLOCK", "CLOCK_IN_HZ", "DEVICE", "make_clocks", "make_phy", "make_platform"]

#: LiteX's name of the device, with its speed grade, package and temperatures.
DEVICE = "LFE5U-85F-6BG381C"
#: Pin and rate of the board's oscillator.
CLOCK, CLOCK_IN_HZ = "clk25", 25e6

#: Degrees by which the memory's clock is late: it samples commands in the middle of their time.
_MEMORY_PHASE = 90

#: Sites of the pins. The USB chip is called by what it receives and sends.
_CLOCK_SITE, _SERIAL_TX, _SERIAL_RX, _WIRELESS_BOOT = "G2", "L4", "M1", "L2"
_MEMORY_CLOCK = "F19"
_MEMORY = {
    "a": "M20 M19 L20 L19 K20 K19 K18 J20 J19 H20 N19 G20 G19",
    "ba": "P19 N20",
    "dq": "J16 L18 M18 N18 P18 T18 T17 U20 E19 D20 D19 C20 E18 F18 J18 J17",
    "dm": "U19 E20",
    "cs_n": "P20",
    "cke": "F20",
    "ras_n": "R20",
    "cas_n": "T19",
    "we_n": "T20",
}


def make_platform() -> Any:
    """The board as LiteX's platform, with the pins that are used."""
    from litex.build.generic_platform import IOStandard, Misc, Pins, Subsignal
    from litex.build.lattice import LatticeECP5Platform

    level, weak, fast = IOStandard("LVCMOS33"), Misc("DRIVE=4"), Misc("SLEWRATE=FAST")
    memory = [Subsignal(name, Pins(sites)) for name, sites in _MEMORY.items()]
    pads = [
        (CLOCK, 0, Pins(_CLOCK_SITE), level),
        (
            "serial",
            0,
            Subsignal("tx", Pins(_SERIAL_TX)),
            Subsignal("rx", Pins(_SERIAL_RX), Misc("PULLMODE=UP")),
            level,
        ),
        ("wireless_boot", 0, Pins(_WIRELESS_BOOT), level, weak),
        ("sdram_clock", 0, Pins(_MEMORY_CLOCK), level, weak, fast),
        ("sdram", 0, *memory, level, weak, fast),
    ]
    return LatticeECP5Platform(DEVICE, pads, toolchain="trellis")


def make_clocks(platform: Any, clock_hz: float) -> Any:
    """LiteX's clocks of the board: ``sys``, and the memory's, which leaves by its pin.

    Parameters
    ----------
    platform : litex.build.generic_platform.GenericPlatform
        Of `make_platform`.
    clock_hz : float
        That the PLL makes exactly.
    """
    from litex.build.io import DDROutput
    from litex.gen import ClockDomain, ClockSignal, LiteXModule
    from litex.soc.cores.clock import ECP5PLL
    from migen import Signal

    clock_in = platform.request(CLOCK)

    class Clocks(LiteXModule):
        def __init__(self) -> None:
            # The SoC's controller asks for a reset by it.
            self.rst = Signal()
            self.cd_sys, self.cd_memory = ClockDomain("sys"), ClockDomain("memory", reset_less=True)
            self.pll = pll = ECP5PLL()
            self.comb += pll.reset.eq(self.rst)
            pll.register_clkin(clock_in, CLOCK_IN_HZ)
            pll.create_clkout(self.cd_sys, clock_hz, margin=0)
            pll.create_clkout(
                self.cd_memory, clock_hz, margin=0, phase=_MEMORY_PHASE, with_reset=False
            )
            pin = platform.request("sdram_clock")
            self.specials += DDROutput(1, 0, pin, ClockSignal("memory"))
            # Low, it would let the board's other processor start over.
            self.comb += platform.request("wireless_boot").eq(1)

    return Clocks()


def make_phy(platform: Any, clock_hz: float) -> Any:
    """LiteDRAM's PHY of the board's memory."""
    from litedram.phy import GENSDRPHY

    return GENSDRPHY(platform.request("sdram"), clock_hz)
