"""Writes a LiteX SoC with the accelerator as Verilog; a program of its own, as LiteX keeps state.

It reads a request as JSON on standard input and answers with JSON on standard output.
"""

import contextlib
import importlib
import json
import sys
from pathlib import Path
from typing import Any

__all__ = ["describe", "main"]

#: Bytes of the memory with the program of the CPU, and of its own memory.
ROM_BYTES, SRAM_BYTES = 128 << 10, 16 << 10
#: Name of the SoC's module.
TOP = "system"


def describe(request: dict[str, Any]) -> dict[str, Any]:
    """Make the SoC of a request: VexRiscv, LiteDRAM, the accelerator, and a UART.

    Parameters
    ----------
    request : dict
        That of `mnv2.sim.dram.make_core.describe`, and ``folder`` with the files of
        ``mnv2 verilog --litex``.

    Returns
    -------
    dict
        ``verilog`` of the module ``system``; ``cpu``, the name of the file with VexRiscv's Verilog;
        ``generated``, LiteX's ``csr.h``, ``mem.h``, ``soc.h`` and ``regions.ld``; ``options``, the
        C compiler's for the CPU; ``memory_bytes``; ``word_bytes`` of a bank's array and
        ``row_bytes``.
    """
    from litedram.phy.model import SDRAMPHYModel
    from litex.build.generic_platform import Pins, Subsignal
    from litex.build.io import CRG
    from litex.build.sim import SimPlatform
    from litex.soc.integration import export
    from litex.soc.integration.soc_core import SoCCore

    from mnv2.sim.dram.make_core import make_chip

    chip, settings = make_chip(request)
    serial = [
        Subsignal(f"{end}_{name}", Pins(bits))
        for end in ("source", "sink")
        for name, bits in (("valid", 1), ("ready", 1), ("data", 8))
    ]
    pads = [("sys_clk", 0, Pins(1)), ("serial", 0, *serial)]
    platform = SimPlatform("SIM", pads, name=TOP)
    soc = SoCCore(
        platform,
        clk_freq=request["clock_hz"],
        cpu_type="vexriscv",
        integrated_rom_size=ROM_BYTES,
        # The words are read when a simulation begins, from a file next to it.
        integrated_rom_init=[0],
        integrated_sram_size=SRAM_BYTES,
        uart_name="sim",
        timer_uptime=True,
        ident="",
    )
    soc.crg = CRG(platform.request("sys_clk"))
    soc.sdrphy = SDRAMPHYModel(chip, settings, clk_freq=request["clock_hz"], init=[0])
    # The accelerator and the CPU see the same memory: no write-back cache is between.
    soc.add_sdram("sdram", phy=soc.sdrphy, module=chip, l2_cache_size=0)
    sys.path.insert(0, request["folder"])
    importlib.import_module("mnv2_litex").add_accelerator(soc)
    soc.finalize()
    made = platform.get_verilog(soc, name=TOP)
    # The accelerator's is known to who asks.
    (cpu,) = (Path(path) for path, *_ in platform.sources if Path(path).stem != "accelerator")
    generated = {
        "csr.h": export.get_csr_header(soc.csr_regions, soc.constants),
        "mem.h": export.get_mem_header(soc.mem_regions),
        "soc.h": export.get_soc_header(soc.constants),
        "regions.ld": export.get_linker_regions(soc.mem_regions),
    }
    return {
        "verilog": made.main_source,
        "cpu": cpu.name,
        "generated": generated,
        "options": soc.cpu.gcc_flags.split(),
        "memory_bytes": soc.mem_regions["main_ram"].size,
        "row_bytes": chip.ncols * request["bits"] // 8,
        "word_bytes": settings.dfi_databits * settings.nphases // 8,
    }


def main() -> None:
    """Answer a request."""
    request = json.load(sys.stdin)
    # LiteX tells what it does.
    with contextlib.redirect_stdout(sys.stderr):
        made = describe(request)
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main()
