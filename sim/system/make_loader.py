"""Writes a SoC without a CPU, whose host is at the other end of a serial line; LiteX's Python.

It is a program of its own, as LiteX keeps state: it reads a request as JSON on standard input and
answers with JSON on standard output.
"""

import contextlib
import importlib
import json
import sys
from typing import Any

__all__ = ["describe", "main"]

#: Name of the SoC's module.
TOP = "loader"

#: Address of LiteX's own registers.
_OWN_REGISTERS = 0xF0000000

#: LiteDRAM's bits of its registers, by the names of its sequences.
_BITS = {
    "DFII_CONTROL_SEL": 1,
    "DFII_CONTROL_CKE": 2,
    "DFII_CONTROL_ODT": 4,
    "DFII_CONTROL_RESET_N": 8,
    "DFII_COMMAND_CS": 1,
    "DFII_COMMAND_WE": 2,
    "DFII_COMMAND_CAS": 4,
    "DFII_COMMAND_RAS": 8,
}


def describe(request: dict[str, Any]) -> dict[str, Any]:
    """Make the SoC of a request: a bridge from a serial line, LiteDRAM, and the accelerator.

    Parameters
    ----------
    request : dict
        That of `mnv2.sim.dram.make_core.describe`, at the SoC's own clock; ``folder`` with the
        files of ``mnv2 verilog --litex``; ``baud`` of the serial line; ``board``, whether it is for
        the pins of a ULX3S, else for a simulation with LiteDRAM's PHY and chips.

    Returns
    -------
    dict
        ``verilog`` of the module ``loader``; ``constraints`` of the pins for nextpnr, empty for a
        simulation; ``system``, what a host must know: ``clock_hz``, ``baud``, ``registers``, the
        address of the accelerator's, ``memory`` and ``memory_bytes``, and ``initialization``, what
        is written before the memory is used: rows of address, value, and clocks to wait after it.
    """
    from litedram.phy.model import SDRAMPHYModel
    from litex.build.generic_platform import Pins, Subsignal
    from litex.build.io import CRG
    from litex.build.sim import SimPlatform
    from litex.soc.integration.soc_core import SoCCore

    from mnv2.sim.dram.make_core import make_chip
    from mnv2.sim.system import ulx3s

    clock_hz = request["clock_hz"]
    chip, settings = make_chip(request)
    if request["board"]:
        platform = ulx3s.make_platform()
        clocks, phy = ulx3s.make_clocks(platform, clock_hz), ulx3s.make_phy(platform, clock_hz)
    else:
        serial = (Subsignal(name, Pins(1)) for name in ("tx", "rx"))
        pads = [("sys_clk", 0, Pins(1)), ("serial", 0, *serial)]
        platform = SimPlatform("SIM", pads, name=TOP)
        clocks = CRG(platform.request("sys_clk"))
        phy = SDRAMPHYModel(chip, settings, clk_freq=clock_hz)
    soc = SoCCore(
        platform,
        clk_freq=clock_hz,
        cpu_type=None,
        integrated_sram_size=0,
        with_uart=False,
        with_timer=False,
        ident="",
    )
    # Without a CPU LiteX's own registers would be at 0, where the accelerator's are put.
    soc.mem_map["csr"] = _OWN_REGISTERS
    soc.crg, soc.sdrphy = clocks, phy
    soc.add_uartbone(baudrate=request["baud"])
    soc.add_sdram("sdram", phy=phy, module=chip, l2_cache_size=0)
    sys.path.insert(0, request["folder"])
    importlib.import_module("mnv2_litex").add_accelerator(soc)
    soc.finalize()
    made = platform.get_verilog(soc, name=TOP)
    return {
        "verilog": made.main_source,
        "constraints": _constraints(platform, made.ns) if request["board"] else "",
        "system": {
            "clock_hz": clock_hz,
            "baud": request["baud"],
            "registers": soc.bus.regions["accelerator"].origin,
            "memory": soc.bus.regions["main_ram"].origin,
            "memory_bytes": soc.bus.regions["main_ram"].size,
            "initialization": _initialization(soc, chip),
        },
    }


def _constraints(platform: Any, names: Any) -> str:
    """Sites and standards of the pins, and the clock that comes in, as nextpnr reads them."""
    from mnv2.sim.system import ulx3s

    lines = [f'FREQUENCY PORT "{ulx3s.CLOCK}" {ulx3s.CLOCK_IN_HZ / 1e6} MHZ;']
    pins, _ = platform.resolve_signals(names)
    for name, sites, others, _ in pins:
        # LiteX's standards have a name, what else is said of a pin has words.
        words = [f"IO_TYPE={one.name}" if hasattr(one, "name") else one.misc for one in others]
        for index, site in enumerate(sites):
            port = f"{name}[{index}]" if len(sites) > 1 else name
            lines.append(f'LOCATE COMP "{port}" SITE "{site}";')
            lines.append(f'IOBUF PORT "{port}" {" ".join(words)};')
    return "".join(f"{line}\n" for line in lines)


def _initialization(soc: Any, chip: Any) -> list[list[int]]:
    """LiteDRAM's sequence that wakes the memory, as writes to its registers."""
    from litedram.init import get_sdram_phy_init_sequence
    from litex.soc.integration import export

    listing = json.loads(export.get_csr_json(soc.csr_regions))["csr_registers"]

    def write(register: str, value: int, clocks: int = 0) -> list[int]:
        return [listing[f"sdram_dfii_{register}"]["addr"], value, clocks]

    def bits(names: str) -> int:
        return sum(_BITS[name] for name in names.split("|"))

    sequence, _ = get_sdram_phy_init_sequence(soc.sdrphy.settings, chip.timing_settings)
    rows = [write("control", bits("DFII_CONTROL_CKE|DFII_CONTROL_ODT|DFII_CONTROL_RESET_N"))]
    for _, address, bank, command, clocks in sequence:
        rows += [write("pi0_address", address), write("pi0_baddress", bank)]
        if command.startswith("DFII_CONTROL"):
            rows.append(write("control", bits(command), clocks))
        else:
            rows.append(write("pi0_command", bits(command)))
            rows.append(write("pi0_command_issue", 1, clocks))
    return [*rows, write("control", bits("DFII_CONTROL_SEL"))]


def main() -> None:
    """Answer a request."""
    request = json.load(sys.stdin)
    # LiteX tells what it does.
    with contextlib.redirect_stdout(sys.stderr):
        made = describe(request)
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main()
