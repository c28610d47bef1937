"""A mutant judged by a stage of tests: killed, or not."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mnv2.sim.errors import SimulationError
from mnv2.sim.jobs.cache import cache_dir
from mnv2.sim.mutation.places import Mutant
from mnv2.sim.mutation.stages import STAGES, Stage
from mnv2.sim.mutation.tree import Tree

__all__ = ["CPU_SECONDS", "KILLED", "LIVES", "SLOWER", "STILLBORN", "judge"]

#: What becomes of a mutant at a stage. Stillborn: the code cannot be imported, so nothing runs.
LIVES, KILLED, SLOWER, STILLBORN = "lives", "killed", "slower", "stillborn"

#: Processor seconds that tests get; a mutant that takes longer hangs, and is killed by that.
CPU_SECONDS = 900
#: Wall time is no measure on a busy machine: far more, for what waits and takes no processor.
_WALL_SECONDS = 6 * 3600

#: Folders of the cache that do not depend on what is planted, or only on what is the same.
_SHARED = ("runtime",)
_SHARED_BUILDS = ("build", "runtime", "verilog")


def judge(
    root: str, folder: str, part: str, stage: str, mutant: Mutant | None, tests: Sequence[str]
) -> dict[str, Any]:
    """Run a stage of tests on a mutant, in this process's copy of the checkout.

    Parameters
    ----------
    root : str
        The checkout.
    folder : str
        Where copies are kept, one for each process.
    part, stage : str
        See `mnv2.sim.mutation.stages.STAGES`.
    mutant : Mutant or None
        None for the code as it is.
    tests : sequence of str
        Those of the stage that are run.

    Returns
    -------
    dict
        ``verdict``, ``by`` (the first test that failed), ``why`` (its message) and ``seconds`` of
        processor time.

    Raises
    ------
    SimulationError
        If the tests cannot be run.
    """
    chosen = next(one for one in STAGES[part] if one.name == stage)
    place = Path(folder) / f"process-{os.getpid()}"
    tree, cache = Tree(Path(root), place / "tree"), place / "cache"
    _prepare_cache(cache, _SHARED if part == "hw" else _SHARED_BUILDS)
    runner = _runner(tree, cache)
    with contextlib.nullcontext() if mutant is None else tree.planted(mutant):
        code, text, seconds = runner.run([*chosen.command, *tests])
    if chosen.builds:
        for name in ("build", "verilog"):
            shutil.rmtree(cache / name, ignore_errors=True)
    return {**_verdict(code, text, chosen), "seconds": round(seconds, 1)}


def _prepare_cache(cache: Path, shared: tuple[str, ...]) -> None:
    """Make a cache of its own, so that nothing of a mutant gets into the user's."""
    cache.mkdir(parents=True, exist_ok=True)
    for name in shared:
        (cache_dir() / name).mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            (cache / name).symlink_to(cache_dir() / name)


class _Runner:
    """A process in a copy of the checkout that runs tests in forks; see `runner`."""

    def __init__(self, tree: Tree, cache: Path):
        self._log = tree.folder / "log.txt"
        self._process = subprocess.Popen(
            [sys.executable, "-P", tree.folder / "start" / "runner.py"],
            cwd=tree.folder,
            env={**tree.environment(), "MNV2_CACHE": str(cache), "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def runs(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def run(self, words: list[str]) -> tuple[int, str, float]:
        """Exit status, output and processor seconds of a command of Python."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"words": words, "log": str(self._log), "cpu": CPU_SECONDS, "wall": _WALL_SECONDS}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        text = self._log.read_text(encoding="utf-8", errors="replace")
        return answer["status"], text, answer["seconds"]


_runners: dict[Path, _Runner] = {}


def _runner(tree: Tree, cache: Path) -> _Runner:
    """The runner of a copy, started at first use; it ends with this process."""
    runner = _runners.get(tree.folder)
    if runner is None or not runner.runs:
        runner = _runners[tree.folder] = _Runner(tree, cache)
    return runner


def _verdict(code: int, text: str, stage: Stage) -> dict[str, str]:
    """Meaning of an exit status and an output."""
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return {"verdict": KILLED, "by": "the time limit", "why": f"{CPU_SECONDS} s of a processor"}
    if not stage.is_pytest:
        # A program of this project's own: the answer is its last line.
        with contextlib.suppress(ValueError, IndexError, KeyError):
            answer = json.loads(text.splitlines()[-1])
            return {name: str(answer[name])[:300] for name in ("verdict", "by", "why")}
    elif code in (0, 5):  # 5: all tests were deselected
        return {"verdict": LIVES, "by": "", "why": ""}
    elif failed := re.search(r"^(FAILED|ERROR) (\S.*?)(?: - (.*))?$", text, re.M):
        kind = STILLBORN if failed[1] == "ERROR" and "::" not in failed[2] else KILLED
        return {"verdict": kind, "by": failed[2], "why": (failed[3] or "")[:300]}
    elif code == 4 and "ImportError while loading conftest" in text:
        return {"verdict": STILLBORN, "by": "conftest.py", "why": "it cannot be imported"}
    raise SimulationError(f"The tests of a mutant ended with status {code}:\n{text[-1500:]}")
