"""Format of waveforms that a toolchain can write, and what a build needs for it."""

import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["WaveFormat", "find_wave_format"]

_FOLDER = Path(__file__).parent

#: Compression for Verilator's writer of FST, in place of the headers of lz4 and zlib.
_HEADERS = ("lz4.h", "matches.h", "zlib.h")


@dataclass(frozen=True)
class WaveFormat:
    """A format of waveforms.

    Attributes
    ----------
    name : str or None
        ``"fst"``, ``"vcd"``, or None for builds that write none.
    headers : dict of str to str
        C++ headers that the build compiles Verilator's writer with, by file name.
    make_variables : dict of str to str
        Variables to set on make's command line.
    """

    name: str | None = None
    headers: dict[str, str] = field(default_factory=dict, hash=False)
    make_variables: dict[str, str] = field(default_factory=dict, hash=False)


def find_wave_format(tools):
    """Find the format that builds of a toolchain can write.

    A Verilator with its own writer of FST, in ``include/fstcpp``, calls two functions of lz4 and
    two of zlib, which the project brings. An older one needs their headers and libraries; without
    them the format is VCD.

    Parameters
    ----------
    tools : mnv2.sim.rtl.toolchain.Toolchain

    Returns
    -------
    WaveFormat
    """
    if (_verilator_root(tools.verilator) / "include/fstcpp").is_dir():
        # Verilator's makefile would ask for the libraries.
        headers = {name: (_FOLDER / name).read_text() for name in _HEADERS}
        return WaveFormat("fst", headers, {"LDLIBS": "-pthread"})
    return WaveFormat("fst" if _has_libraries(tools.compiler) else "vcd")


def _verilator_root(verilator):
    """Folder of Verilator's own files."""
    if verilator.root is not None:
        return verilator.root
    command = [str(verilator.path), "--getenv", "VERILATOR_ROOT"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return Path(done.stdout.strip())


def _has_libraries(compiler):
    """Whether the compiler finds lz4 and zlib."""
    program = (
        "#include <lz4.h>\n#include <zlib.h>\n"
        "int main() { return LZ4_versionNumber() < 0 || !zlibVersion(); }\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        command = [str(compiler.path), "-x", "c++", "-", "-o", f"{folder}/a.out", "-llz4", "-lz"]
        done = subprocess.run(command, input=program, text=True, capture_output=True, check=False)
    return done.returncode == 0
