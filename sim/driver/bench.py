"""The bench: the driver in C, compiled for this machine, drives the Verilated accelerator."""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import mnv2.sim.rtl
from mnv2.hw.accelerator import Accelerator
from mnv2.sim.driver.program_files import DRIVER, driver_files
from mnv2.sim.errors import SimulationError
from mnv2.sim.rtl.axi_monitor import monitor_arguments, monitor_sources
from mnv2.sim.rtl.build import Build, build_simulation
from mnv2.sim.rtl.simulate import memory_base
from mnv2.sim.rtl.toolchain import find_tool
from mnv2.sim.rtl.verilog import generate

__all__ = ["STRICT", "Step", "build_bench", "compile_host", "run_host"]

#: Options that the driver compiles with, without a warning.
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")

_FOLDER = Path(__file__).parent
_TOP = "driver_bench"


@dataclass(frozen=True)
class Step:
    """A step of the host that has ended.

    Attributes
    ----------
    name : str
        With its number, as it was given.
    error : str
        Name of the driver's error, ``"OK"`` if there was none.
    cycles : int
        That passed meanwhile.
    """

    name: str
    error: str
    cycles: int


def build_bench(config, *, memory_bytes=0, asserts=False, fast=False, building=None) -> Build:
    """Library of an accelerator and its memory, see ``bench.h``; built if it is not there.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    memory_bytes : int
        Least size of the memory; it is a power of two and 8 MiB or more.
    asserts, fast, building
        See `mnv2.sim.rtl.build.build_simulation`.

    Returns
    -------
    mnv2.sim.rtl.build.Build
    """
    size = max(8 << 20, 1 << max(memory_bytes - 1, 1).bit_length())
    shared = Path(mnv2.sim.rtl.__file__).parent
    header = (_FOLDER / "bench.h").read_text()
    glue = (_FOLDER / "bench.cpp").read_text()
    return build_simulation(
        {
            "bench.vlt": (_FOLDER / "bench.vlt").read_text(),
            "accelerator.v": generate(Accelerator, name="accelerator", config=config),
            **{name: (shared / name).read_text() for name in ("axi_memory.sv", "register_port.sv")},
            **monitor_sources(),
            "bench.sv": (_FOLDER / "bench.sv").read_text(),
        },
        _TOP,
        main=glue.replace('#include "bench.h"\n', header),
        asserts=asserts,
        fast=fast,
        building=building,
        cocotb=False,
        verilator_arguments=(
            f"-GDATA_BITS={config.data_bits}",
            f"-GADDRESS_BITS={config.address_bits}",
            f"-GMEMORY_BASE=64'd{memory_base(config)}",
            *monitor_arguments(config),
            f"-GSIZE_BYTES={size}",
            # A library, for whatever host is linked with it.
            *("-CFLAGS", f"-fPIC -DBENCH_MEMORY_ADDRESS={memory_base(config)}ull"),
            *("-LDFLAGS", "-shared"),
        ),
    )


def compile_host(build, program_folder, executable, *, compiler=None, options=()) -> None:
    """Compile the driver and the host for a program, and link them with a bench.

    Parameters
    ----------
    build : mnv2.sim.rtl.build.Build
        From `build_bench`.
    program_folder : Path
        Has ``mnv2_program.h``.
    executable : Path
        To be made.
    compiler : str, optional
        A C compiler; default the first that is found.
    options : sequence of str
        Further options, such as sanitizers.

    Raises
    ------
    UserError
        If there is no compiler.
    SimulationError
        If it refuses the sources.
    """
    if compiler is None:
        compiler = find_tool("cc").path
    library = build.directory / build.top
    with tempfile.TemporaryDirectory(prefix="mnv2-") as temporary:
        headers = Path(temporary)
        headers.joinpath("mnv2_registers.h").write_bytes(driver_files()["mnv2_registers.h"])
        folders = [f"-I{folder}" for folder in (headers, DRIVER, _FOLDER, program_folder)]
        sources = [DRIVER / "mnv2.c", DRIVER / "mnv2_format.c"]
        sources += [_FOLDER / "host.c", _FOLDER / "host_faults.c"]
        command = [
            *(compiler, *STRICT, "-O2", *options, *folders, *sources, library),
            *("-Xlinker", "-rpath", "-Xlinker", build.directory, "-o", executable),
        ]
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise SimulationError(f"The compiler refused the driver:\n{done.stderr.strip()}")


def run_host(executable, folder, steps, *, plusargs=(), timeout=600) -> list[Step]:
    """Run the host's steps, see ``host.c``.

    Parameters
    ----------
    executable : Path
        From `compile_host`.
    folder : Path
        Has the program's files and the pictures; gets what the steps write.
    steps : sequence of str
        Such as ``"picture=0"``.
    plusargs : sequence of str
        Of the memory, see `mnv2.sim.rtl.memory_model.MemoryModel.plusargs`.
    timeout : float
        Seconds.

    Returns
    -------
    list of Step

    Raises
    ------
    SimulationError
        If the host ends before its last step, or does not end.
    """
    # What a build with assertions leaves open is random.
    words = (executable, folder, "+verilator+rand+reset+2", "+verilator+seed+1", *plusargs, *steps)
    command = [str(word) for word in words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise SimulationError(f"The host did not end within {timeout} seconds") from None
    made = []
    for line in done.stdout.splitlines():
        name, error, cycles = line.rsplit(" ", 2)
        made.append(Step(name, error, int(cycles)))
    if done.returncode or len(made) != len(steps):
        last = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise SimulationError(f"The host ended before its last step:\n{last}")
    return made
