"""Writes LiteDRAM's RTL as Verilog; a program of its own, as migen keeps state in its modules.

It reads a request as JSON on standard input and answers with JSON on standard output.
"""

import json
import sys
from typing import Any

__all__ = ["describe", "main", "make_chip"]


def describe(request: dict[str, Any]) -> dict[str, Any]:
    """Make the core of a request.

    Parameters
    ----------
    request : dict
        ``module``, ``grade`` and ``phases`` of `mnv2.sim.dram.chips.Chip`; ``clock_hz``; ``bits``
        of the data bus; ``port_bits`` of the AXI4 port; ``rows`` of a bank that the chips have at
        least; ``nanoseconds`` of tRP, tRCD, tWR and tRFC, in place of those that LiteDRAM's entry
        of the chip has.

    Returns
    -------
    dict
        ``verilog`` of the module ``litedram``; ``rows`` of a bank, ``row_bytes``, and the
        ``word_bytes`` of its array; and, in cycles, ``times`` that LiteDRAM keeps of the chip and
        ``phy`` with what it keeps of the PHY.
    """
    from litedram.core import LiteDRAMCore
    from litedram.frontend.axi import LiteDRAMAXI2Native, LiteDRAMAXIPort
    from litedram.phy.model import SDRAMPHYModel
    from litex.gen.fhdl import verilog
    from migen import ClockDomain, Module

    chip, settings = make_chip(request)
    top = Module()
    top.clock_domains.cd_sys = ClockDomain("sys")
    top.submodules.phy = phy = SDRAMPHYModel(chip, settings, clk_freq=request["clock_hz"])
    # The controller has its default settings; hardware controls the DFI from reset on.
    top.submodules.core = core = LiteDRAMCore(
        phy, chip.geom_settings, chip.timing_settings, request["clock_hz"]
    )
    port = core.crossbar.get_port(data_width=request["port_bits"])
    axi = LiteDRAMAXIPort(data_width=request["port_bits"], address_width=32, id_width=1)
    top.submodules.axi = LiteDRAMAXI2Native(axi, port)
    signals = {top.cd_sys.clk, top.cd_sys.rst}
    for channel in (axi.aw, axi.w, axi.b, axi.ar, axi.r):
        signals |= set(channel.flatten())
    text = str(verilog.convert(top, signals, name="litedram"))
    return {
        "verilog": text,
        "row_bytes": chip.ncols * request["bits"] // 8,
        "word_bytes": settings.dfi_databits * settings.nphases // 8,
        "rows": chip.nrows,
        "times": _numbers(chip.timing_settings),
        "phy": _numbers(settings),
    }


def make_chip(request: dict[str, Any]) -> tuple[Any, Any]:
    """LiteDRAM's chip of a request, see `describe`, and the settings of a PHY for it."""
    from litedram import modules
    from litedram.phy.model import get_sdram_phy_settings

    known = getattr(modules, request["module"])
    times = vars(known.speedgrade_timings[request["grade"] or "default"])
    given = {**request["nanoseconds"], "tRFC": (None, request["nanoseconds"]["tRFC"])}
    if known.memtype == "DDR4":
        # By mode of refresh, of which the first is every tREFI.
        given["tRFC"] = {"1x": given["tRFC"]}
    grade = modules._SpeedgradeTimings(tFAW=times["tFAW"], tRAS=times["tRAS"], **given)
    # Fewer rows: their number decides on no cycle, and a simulation holds all of them. The column's
    # address takes 11 lines, so as many rows at least.
    rows = min(known.nrows, max(request["rows"], 2048))
    changed = {"nrows": rows, "speedgrade_timings": {"default": grade}}
    chip = type("Chip", (known,), changed)(request["clock_hz"], f"1:{request['phases']}")
    return chip, get_sdram_phy_settings(chip.memtype, request["bits"], request["clock_hz"])


def _numbers(settings: Any) -> dict[str, int]:
    """The integers among settings of LiteDRAM."""
    return {
        name: value
        for name, value in vars(settings).items()
        if isinstance(value, int) and not isinstance(value, bool)
    }


def main() -> None:
    """Answer a request."""
    json.dump(describe(json.load(sys.stdin)), sys.stdout)


if __name__ == "__main__":
    main()
