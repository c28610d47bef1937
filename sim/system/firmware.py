"""The firmware of the simulated SoC: compiled from the driver for its CPU."""

import shutil
import subprocess
from pathlib import Path

from mnv2.sim.driver.program_files import driver_files
from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.system.soc import Soc, package_folder

__all__ = ["compile_firmware", "find_compiler", "rom_text"]

_FOLDER = Path(__file__).parent

#: Compilers for RISC-V without an operating system, the first that is found.
_COMPILERS = ("riscv64-unknown-elf-gcc", "riscv32-unknown-elf-gcc", "riscv-none-elf-gcc")

#: Options that the firmware and the driver compile with, without a warning.
_STRICT = ("-std=gnu99", "-O2", "-Wall", "-Wextra", "-Werror")


def find_compiler() -> str:
    """Path of a C compiler for RISC-V with picolibc.

    Raises
    ------
    UserError
        If there is none.
    """
    for name in _COMPILERS:
        path = shutil.which(name)
        if path is None:
            continue
        done = subprocess.run(
            [path, "-print-file-name=picolibc.specs"], capture_output=True, text=True, check=False
        )
        if Path(done.stdout.strip()).is_absolute():
            return path
    raise UserError(
        "The firmware needs a C compiler for RISC-V, and picolibc: apt-get install "
        "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf"
    )


def compile_firmware(
    soc: Soc, program: dict[str, bytes], constants: dict[str, int], folder: Path
) -> bytes:
    """Compile the driver and the firmware for a SoC and a program.

    Parameters
    ----------
    soc : Soc
    program : dict of str to bytes
        Files of `mnv2.sim.driver.program_files.program_files`, of which the headers are used.
    constants : dict of str to int
        Of ``pictures.h``, see ``main.c``.
    folder : Path
        Gets the sources, and what is compiled.

    Returns
    -------
    bytes
        Of the ROM, from its first byte on.

    Raises
    ------
    UserError
        If there is no compiler.
    SimulationError
        If it refuses the sources, or they do not fit.
    """
    compiler = find_compiler()
    generated = folder / "litex" / "generated"
    generated.mkdir(parents=True)
    for name, text in soc.generated.items():
        (generated / name).write_text(text)
    for name, content in {**program, **driver_files()}.items():
        if name.endswith((".c", ".h")):
            (folder / name).write_bytes(content)
    lines = [f"#define {name} {value}u\n" for name, value in constants.items()]
    (folder / "pictures.h").write_text("".join(lines))
    litex = package_folder("litex") / "soc"
    cpu = litex / "cores" / "cpu" / "vexriscv"
    # LiteX asks for version 2.0 of the base instructions, which has those of control registers.
    # Said with another option, the compiler finds its libraries for them.
    options = [option.replace("i2p0_", "i") for option in soc.options]
    linked, image = folder / "firmware.elf", folder / "firmware.bin"
    compiling = [
        *(
            compiler,
            "--specs=picolibc.specs",
            *options,
            "-misa-spec=2.2",
            *_STRICT,
            "-nostartfiles",
        ),
        # LiteX's headers are not held to warnings.
        *("-I", folder, "-isystem", generated.parent),
        *("-isystem", litex / "software" / "include", "-isystem", cpu),
        *("-T", _FOLDER / "link.ld", "-L", generated),
        *(cpu / "crt0.S", _FOLDER / "main.c"),
        *(folder / name for name in ("mnv2.c", "mnv2_format.c", "mnv2_bare.c")),
        *("-o", linked),
    ]
    _call(compiling)
    _call([_tool(compiler, "objcopy"), "-O", "binary", linked, image])
    return image.read_bytes()


def _call(command):
    """Run a tool of the compiler."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SimulationError(f"The compiler refused the firmware:\n{done.stderr.strip()}")


def _tool(compiler, name):
    """Path of a tool that belongs to a compiler."""
    done = subprocess.run(
        [compiler, f"-print-prog-name={name}"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def rom_text(image: bytes) -> str:
    """The ROM as the simulation reads it: a word of 32 bits a line, in hexadecimal."""
    padded = image + bytes(-len(image) % 4)
    words = (int.from_bytes(padded[k : k + 4], "little") for k in range(0, len(padded), 4))
    return "".join(f"{word:08x}\n" for word in words)
