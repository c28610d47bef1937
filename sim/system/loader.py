"""The SoC without a CPU: made by LiteX once for each content, for a ULX3S or for a simulation."""

import hashlib
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnv2.hw.accelerator import Accelerator
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.dram.core import ask_litex, core_request, litedram_versions
from mnv2.sim.jobs.cache import cache_folder
from mnv2.sim.jobs.files import write_whole
from mnv2.sim.rtl.verilog import generate
from mnv2.sim.system.litex_files import litex_files

__all__ = ["MEMORY", "TOP", "Loader", "make_loader"]

#: The memory of a ULX3S, as `mnv2.sim.dram.chips` names it.
MEMORY = "sdr-133x16"

#: Name of the SoC's module, that of ``make_loader.py``.
TOP = "loader"

_FOLDER = Path(__file__).parent
_PROGRAMS = ("make_loader.py", "ulx3s.py")

#: More rows than any chip has: the board's memory is there as a whole.
_ALL_BYTES = 1 << 40


@dataclass(frozen=True)
class Loader:
    """A SoC of a bridge from a serial line, LiteDRAM and the accelerator.

    Attributes
    ----------
    verilog : str
        Module ``loader``.
    accelerator : str
        Verilog of the accelerator in it.
    constraints : str
        Of the board's pins, as nextpnr reads them; empty for a simulation.
    system : dict
        What a host must know of it, as of ``make_loader.py``: the content of ``system.json``.
    """

    verilog: str
    accelerator: str
    constraints: str
    system: dict[str, Any]


def make_loader(
    config: AcceleratorConfig,
    clock_hz: float,
    baud: float,
    *,
    memory_bytes: int | None = None,
) -> Loader:
    """Let LiteX make the SoC of an accelerator, or find what it made.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    clock_hz : float
        Clock of the SoC, which is the memory's too.
    baud : float
        Bits a second of the serial line.
    memory_bytes : int, optional
        Bytes of the memory of a simulation, at least; else it is made for the board's pins.

    Returns
    -------
    Loader

    Raises
    ------
    UserError
        If a package is missing.
    SimulationError
        If LiteX makes no RTL.
    """
    versions = litedram_versions()
    request = {
        **core_request(MEMORY, config.data_bits, memory_bytes or _ALL_BYTES),
        "clock_hz": clock_hz,
        "baud": baud,
        "board": memory_bytes is None,
    }
    files = {
        "accelerator.v": generate(Accelerator, name="accelerator", config=config),
        **litex_files(config),
    }
    programs = [(_FOLDER / name).read_text() for name in _PROGRAMS]
    state = [request, versions, programs, files, sys.version]
    key = hashlib.sha256(json.dumps(state).encode()).hexdigest()[:20]
    path = cache_folder("litex") / f"{TOP}-{key}.json"
    try:
        made = json.loads(path.read_text())
    except (OSError, ValueError):
        with tempfile.TemporaryDirectory(prefix="mnv2-") as folder:
            for name, text in files.items():
                Path(folder, name).write_text(text, encoding="utf-8")
            made = ask_litex(_FOLDER / _PROGRAMS[0], {**request, "folder": folder})
        write_whole(path, json.dumps(made).encode())
    return Loader(accelerator=files["accelerator.v"], **made)
