"""The simulated SoC: made by LiteX once for each content, and built with Verilator."""

import hashlib
import importlib.metadata
import importlib.util
import json
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnv2.hw.accelerator import Accelerator
from mnv2.sim.dram.chips import find_chip
from mnv2.sim.dram.core import ask_litex, core_request, litedram_versions
from mnv2.sim.errors import UserError
from mnv2.sim.jobs.cache import cache_folder
from mnv2.sim.jobs.files import write_whole
from mnv2.sim.memory.parts import find_part
from mnv2.sim.rtl.build import Build, build_simulation
from mnv2.sim.rtl.verilog import generate
from mnv2.sim.system.litex_files import litex_files

__all__ = ["CPU_PACKAGE", "FOREIGN_WARNINGS", "Soc", "bank_files", "build_soc", "make_soc"]

#: The package with VexRiscv's Verilog, as it is installed and as it is imported.
CPU_PACKAGE, _CPU_MODULE = "pythondata-cpu-vexriscv", "pythondata_cpu_vexriscv"

#: LiteX and VexRiscv's generator write wires of unequal width, and "<=" where they mean a wire.
FOREIGN_WARNINGS = ("WIDTH", "COMBDLY", "CASEOVERLAP", "UNOPTFLAT")

_FOLDER = Path(__file__).parent
_TOP = "system_bench"


@dataclass(frozen=True)
class Soc:
    """A SoC of VexRiscv, LiteDRAM, a UART and the accelerator.

    Attributes
    ----------
    verilog : str
        Module ``system``.
    accelerator : str
        Verilog of the accelerator in it.
    cpu : str
        Name of the file with VexRiscv's Verilog.
    generated : dict of str to str
        LiteX's headers and the linker's regions, by file name.
    options : tuple of str
        The C compiler's, for the CPU.
    memory_bytes, row_bytes, word_bytes : int
        Of the memory, of a row of its chips, and of a word of their arrays.
    """

    verilog: str
    accelerator: str
    cpu: str
    generated: dict[str, str]
    options: tuple[str, ...]
    memory_bytes: int
    row_bytes: int
    word_bytes: int

    @property
    def cpu_verilog(self) -> Path:
        """File with VexRiscv's Verilog."""
        return package_folder(_CPU_MODULE) / "verilog" / self.cpu

    @property
    def memory_files(self) -> tuple[str, ...]:
        """Names of all files that memories are read from when a simulation begins."""
        return tuple(re.findall(r'\$readmemh\("([^"]+)"', self.verilog))

    @property
    def rom_file(self) -> str:
        """Name of the file that the SoC's ROM is read from, words in hexadecimal."""
        (name,) = re.findall(r'\$readmemh\("([^"]+)", rom\);', self.verilog)
        return name

    @property
    def bank_files(self) -> tuple[str, ...]:
        """Names of the files that the memory's banks are read from, in their order."""
        return tuple(re.findall(r'\$readmemh\("([^"]+)", mem(?:_\d+)?\);', self.verilog))


def package_folder(module: str) -> Path:
    """Folder of an installed package, which is not imported."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise UserError(f"The package {module} must be installed: pip install 'mnv2[litex]'")
    return Path(next(iter(spec.submodule_search_locations)))


def _versions() -> dict[str, str]:
    """Versions of the packages that the SoC is made with.

    Raises
    ------
    UserError
        If one of them is not installed.
    """
    try:
        cpu = importlib.metadata.version(CPU_PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        raise UserError(
            f"The simulated SoC needs the package {CPU_PACKAGE}: pip install 'mnv2[litex]'"
        ) from None
    return {**litedram_versions(), CPU_PACKAGE: cpu}


def make_soc(config, part: str, memory_bytes: int) -> Soc:
    """Let LiteX make the SoC of an accelerator, or find what it made.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    part : str
        Of the memory, one that `mnv2.sim.dram.chips` has.
    memory_bytes : int
        That are needed.

    Returns
    -------
    Soc

    Raises
    ------
    UserError
        If a package is missing, the part has fewer bytes, LiteDRAM has no such part, or the
        accelerator's port is narrower than a word of its controller.
    SimulationError
        If LiteX makes no RTL.
    """
    versions = _versions()
    _check_width(config, part)
    request = core_request(part, config.data_bits, memory_bytes)
    files = {
        "accelerator.v": generate(Accelerator, name="accelerator", config=config),
        **litex_files(config),
    }
    program = _FOLDER / "make_system.py"
    state = [request, versions, program.read_text(), files, sys.version]
    key = hashlib.sha256(json.dumps(state).encode()).hexdigest()[:20]
    path = cache_folder("litex") / f"{part}-{key}.json"
    try:
        made = json.loads(path.read_text())
    except (OSError, ValueError):
        with tempfile.TemporaryDirectory(prefix="mnv2-") as folder:
            for name, text in files.items():
                Path(folder, name).write_text(text, encoding="utf-8")
            made = ask_litex(program, {**request, "folder": folder})
        write_whole(path, json.dumps(made).encode())
    soc = Soc(
        verilog=made["verilog"],
        accelerator=files["accelerator.v"],
        cpu=made["cpu"],
        generated=made["generated"],
        options=tuple(made["options"]),
        memory_bytes=made["memory_bytes"],
        row_bytes=made["row_bytes"],
        word_bytes=made["word_bytes"],
    )
    if soc.memory_bytes < memory_bytes:
        raise UserError(
            f"The memory {part} has {soc.memory_bytes:,} bytes, and program and pictures "
            f"need {memory_bytes:,}"
        )
    return soc


def _check_width(config, part: str) -> None:
    """Refuse a port that is narrower than a word of the memory's controller.

    ``mnv2_litex.py`` refuses it too, when a SoC is made.
    """
    phases = find_chip(part).phases
    word_bits = find_part(part).bits * (1 if phases == 1 else 2 * phases)
    if config.data_bits < word_bits:
        raise UserError(
            f"data_bits must be {word_bits} or more in a SoC of LiteX with the memory {part}, not "
            f"{config.data_bits}"
        )


def build_soc(soc: Soc, *, fast=False, building=None) -> Build:
    """Build the simulation of a SoC, or find it.

    Parameters
    ----------
    soc : Soc
    fast, building
        See `mnv2.sim.rtl.build.build_simulation`.
    """
    off, on = (
        "".join(f"/* verilator lint_{way} {one} */\n" for one in FOREIGN_WARNINGS)
        for way in ("off", "on")
    )
    sources = {"VexRiscv.v": soc.cpu_verilog.read_text(), "system.v": soc.verilog}
    return build_simulation(
        {
            **{name: f"{off}{text}\n{on}" for name, text in sources.items()},
            "accelerator.v": soc.accelerator,
            "bench.sv": (_FOLDER / "bench.sv").read_text(),
        },
        _TOP,
        main=(_FOLDER / "bench.cpp").read_text(),
        asserts=False,
        fast=fast,
        building=building,
        cocotb=False,
    )


def bank_files(soc: Soc, image: np.ndarray) -> dict[str, str]:
    """Texts of the files that the memory's banks are read from.

    Parameters
    ----------
    soc : Soc
    image : uint8 array
        Of the memory, from its first byte on.

    Returns
    -------
    dict of str to str
        By file name: a line for each word, most significant byte first.
    """
    names = soc.bank_files
    stripe = soc.row_bytes * len(names)
    padded = np.pad(image, (0, -len(image) % stripe))
    # Row n of the memory is row n / banks of bank n mod banks.
    rows = padded.reshape(-1, len(names), soc.row_bytes // soc.word_bytes, soc.word_bytes)
    files = {}
    for bank, name in enumerate(names):
        words = rows[:, bank].reshape(-1, soc.word_bytes)[:, ::-1]
        text = np.ascontiguousarray(words).tobytes().hex()
        digits = 2 * soc.word_bytes
        files[name] = "".join(f"{text[k : k + digits]}\n" for k in range(0, len(text), digits))
    return files
