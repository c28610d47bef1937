"""Programs run where a folder is a disk of its own: small, read-only, or without programs."""

import os
import shutil
import subprocess
import sys

import pytest

__all__ = ["as_stranger", "needs_mounts", "run_on_disk"]

_POSSIBLE = (
    shutil.which("unshare") is not None
    and subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "x", "/mnt"],
        capture_output=True,
        check=False,
    ).returncode
    == 0
)

#: For tests that mount: Linux lets every user do it in a namespace, unless that is turned off.
needs_mounts = pytest.mark.skipif(not _POSSIBLE, reason="needs user namespaces that can mount")


def run_on_disk(folder, options, program, **environment):
    """Run Python text where a folder is a disk of its own.

    Parameters
    ----------
    folder : Path
        Where the disk is mounted, for this program alone.
    options : str
        Of ``mount``: such as ``"size=64k"`` for a new one, or ``"ro,bind"`` for what is there.
    program : str
        Python.
    **environment : str
        Variables set for it.

    Returns
    -------
    subprocess.CompletedProcess
        With its output as text.
    """
    if "bind" in options:
        mount = 'mount --bind "$1" "$1" && mount -o "remount,bind,ro" "$1"'
    else:
        mount = 'mount -t tmpfs -o "$2" tmpfs "$1"'
    return subprocess.run(
        [
            *("unshare", "--user", "--map-root-user", "--mount", "sh", "-c"),
            f'{mount} && exec "$3" -c "$4"',
            *("sh", str(folder), options, sys.executable, program),
        ],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def as_stranger(*command, **environment):
    """Run a program as a user that the system does not know, with these variables alone."""
    return subprocess.run(
        ["unshare", "--user", "--map-user", "12345", "--map-group", "12345", *map(str, command)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
