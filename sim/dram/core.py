"""LiteDRAM's RTL of a part as Verilog, made once for each content, and the testbench's memory."""

import hashlib
import importlib.metadata
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnv2.sim.dram.chips import find_chip
from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.jobs.cache import cache_folder
from mnv2.sim.jobs.files import write_whole
from mnv2.sim.memory.parts import find_part

__all__ = [
    "Core",
    "ask_litex",
    "core_request",
    "litedram_versions",
    "make_core",
    "memory_sources",
]

#: What the RTL is made with, by the name under which it is imported.
PACKAGES = ("litedram", "litex", "migen")

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Core:
    """LiteDRAM's controller, PHY and chips, of a part, at the part's own clock.

    Attributes
    ----------
    part : str
    verilog : str
        Module ``litedram``, with an AXI4 port.
    banks : tuple of str
        Names of the arrays in it that hold a bank each.
    row_bytes, word_bytes, rows : int
        Of a row; of a word of the arrays; rows of a bank that are simulated.
    times, phy : dict of str to int
        Cycles that LiteDRAM keeps of the chip and of the PHY, by its own names.
    """

    part: str
    verilog: str
    banks: tuple[str, ...]
    row_bytes: int
    word_bytes: int
    rows: int
    times: dict[str, int]
    phy: dict[str, int]


def litedram_versions() -> dict[str, str]:
    """Versions of the packages that the RTL is made with.

    Raises
    ------
    UserError
        If one of them is not installed.
    """
    try:
        return {package: importlib.metadata.version(package) for package in PACKAGES}
    except importlib.metadata.PackageNotFoundError as error:
        raise UserError(
            f"The memory litedram needs the package {error.name}: pip install 'mnv2[dram]'"
        ) from None


def make_core(name: str, port_bits: int, memory_bytes: int) -> Core:
    """Make LiteDRAM's RTL of a part, or find what was made.

    Parameters
    ----------
    name : str
        A part that `mnv2.sim.dram.chips` has.
    port_bits : int
        Width of the AXI4 port, the accelerator's.
    memory_bytes : int
        That are simulated at least.

    Returns
    -------
    Core

    Raises
    ------
    UserError
        If the packages are not installed, or the part has fewer bytes.
    SimulationError
        If LiteDRAM makes no RTL, or other chips than the part's.
    """
    part, chip = find_part(name), find_chip(name)
    request = core_request(name, port_bits, memory_bytes)
    program = _FOLDER / "make_core.py"
    state = [request, litedram_versions(), program.read_text(), sys.version]
    key = hashlib.sha256(json.dumps(state).encode()).hexdigest()[:20]
    path = cache_folder("litedram") / f"{part.name}-{key}.json"
    try:
        made = json.loads(path.read_text())
    except (OSError, ValueError):
        made = ask_litex(program, request)
        write_whole(path, json.dumps(made).encode())
    banks = re.findall(r"^reg +\[\d+:0\] (mem(?:_\d+)?)\[0:\d+\];", made["verilog"], re.MULTILINE)
    if len(banks) != part.banks or made["row_bytes"] != part.row_bytes:
        raise SimulationError(
            f"LiteDRAM's {chip.module} must have {part.banks} banks and rows of {part.row_bytes:,} "
            f"bytes, as {part.name}, not {len(banks)} and {made['row_bytes']:,}"
        )
    if made["rows"] * part.banks * part.row_bytes < memory_bytes:
        raise UserError(
            f"The memory {part.name} has {made['rows'] * part.banks * part.row_bytes:,} bytes, and "
            f"the network needs {memory_bytes:,}"
        )
    return Core(part=part.name, banks=tuple(banks), **made)


def core_request(name: str, port_bits: int, memory_bytes: int) -> dict[str, Any]:
    """A request to LiteDRAM's Python about a part, see `mnv2.sim.dram.make_core.describe`."""
    part, chip = find_part(name), find_chip(name)
    return {
        "module": chip.module,
        "grade": chip.grade,
        "phases": chip.phases,
        "clock_hz": chip.clock_hz(part),
        "bits": part.bits,
        "port_bits": port_bits,
        "nanoseconds": {
            "tRP": part.precharge_ns,
            "tRCD": part.activate_ns,
            "tWR": part.write_recovery_ns,
            "tRFC": part.refresh_ns,
        },
        "rows": -(-memory_bytes // (part.row_bytes * part.banks)),
    }


def ask_litex(program: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Let a program of LiteX's Python answer a request, in a process of its own.

    Parameters
    ----------
    program : Path
        Reads the request on its standard input and writes the answer, with ``verilog`` in it.
    request : dict
        With ``module``, LiteDRAM's name of the chip.

    Returns
    -------
    dict

    Raises
    ------
    SimulationError
        If it gives none.
    """
    done = subprocess.run(
        [sys.executable, "-P", str(program)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        # The order of sets, and so of the text, is the same each time.
        env={**os.environ, "PYTHONHASHSEED": "0"},
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise SimulationError(f"LiteDRAM's Python made no RTL of {request['module']}: {last}")
    made = json.loads(done.stdout)
    # Its head and its end have the date.
    dated = r"^//.*(Date|LiteX sha1|LiteX on).*\n"
    made["verilog"] = re.sub(dated, "", made["verilog"], flags=re.MULTILINE)
    return made


def memory_sources(core: Core) -> dict[str, str]:
    """Sources of the testbench's memory that is LiteDRAM's RTL.

    Parameters
    ----------
    core : Core

    Returns
    -------
    dict of str to str
        Texts by file name, with the module ``axi_memory`` of `sim/rtl/axi_memory.sv`'s ports.
    """
    text = (_FOLDER / "litedram_memory.sv").read_text()
    words = core.rows * core.row_bytes // core.word_bytes
    filled = {
        "BANKS": str(len(core.banks)),
        "ROW_BYTES": str(core.row_bytes),
        "WORD_BYTES": str(core.word_bytes),
        "BANK_WORDS": str(words),
        "GET": _cases(core, "{number}: get_word = core.{bank}[index];"),
        "PUT": _cases(core, "{number}: core.{bank}[index] = word;"),
    }
    for name, value in filled.items():
        text = text.replace(f"@{name}@", value)
    # LiteX writes assignments of unequal width, and "<=" where it means a wire.
    waived = "WIDTH", "COMBDLY"
    off, on = (
        "".join(f"/* verilator lint_{way} {one} */\n" for one in waived) for way in ("off", "on")
    )
    return {"litedram.v": f"{off}{core.verilog}\n{on}", "axi_memory.sv": text}


def _cases(core: Core, pattern: str) -> str:
    """A line for each bank."""
    return "\n            ".join(
        pattern.format(number=number, bank=bank) for number, bank in enumerate(core.banks)
    )
