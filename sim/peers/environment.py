"""The tools' own environment: its packages, and calls of the tools with a time limit."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from mnv2.sim.errors import UserError
from mnv2.sim.peers.question import Question
from mnv2.sim.peers.result import Answer, LayerSaid, ToolFailed

__all__ = ["Environment"]

_ASK_VERSIONS = (
    "import importlib.metadata, json, sys; there = {found.name for found in "
    "importlib.metadata.distributions()}; print(json.dumps({name: "
    "importlib.metadata.version(name) for name in sys.argv[1:] if name in there}))"
)


class Environment:
    """A Python environment that holds the tools.

    Parameters
    ----------
    folder : Path
        Of the environment, as ``python -m venv`` makes it.
    answers : Path
        Folder in which questions and their answers are kept.

    Raises
    ------
    UserError
        If there is no such environment.
    """

    def __init__(self, folder: Path, answers: Path) -> None:
        self._programs = Path(folder).absolute() / "bin"
        self._answers = Path(answers).absolute()
        if not (self._programs / "python").exists():
            raise UserError(
                f"There is no environment of the tools in {folder}: scripts/peers makes one"
            )

    def versions(self, packages: Iterable[str]) -> dict[str, str]:
        """Versions of those packages that are in it.

        Parameters
        ----------
        packages : iterable of str

        Returns
        -------
        dict of str to str

        Raises
        ------
        UserError
            If its Python does not work.
        """
        done = subprocess.run(
            [self._programs / "python", "-c", _ASK_VERSIONS, *packages],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise UserError(
                f"The tools' environment {self._programs.parent} does not work "
                f"({reason}): remove it, and scripts/peers makes it again"
            )
        return json.loads(done.stdout)

    def folder(self, question: Question, version: str) -> Path:
        """Folder of a question and its answer."""
        return self._answers / f"{question.name}-{question.key(version)}"

    def known(self, question: Question, version: str) -> Answer | None:
        """The answer of an earlier call with the same files, command and version.

        Returns
        -------
        Answer or None
        """
        file = self.folder(question, version) / "answer.json"
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
            layers = tuple(LayerSaid(*layer) for layer in kept["layers"])
            return Answer(layers, kept["seconds"], version)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def ask(self, question: Question, version: str, limit: float) -> Answer:
        """Run the tool; if two calls ask the same at once, one waits and finds the answer.

        Parameters
        ----------
        question : Question
        version : str
            Of its package.
        limit : float
            Seconds after which the call is ended; some tools resume from there at the next call.

        Returns
        -------
        Answer
            Kept for `known` unless it failed.
        """
        folder = self.folder(question, version)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            return self.known(question, version) or self._run(question, version, limit, folder)

    def _run(self, question, version, limit, folder):
        """Write the files, run the tool, read and keep its answer."""
        for name, content in question.files.items():
            (folder / name).write_bytes(content)
        try:
            seconds = self._call(question.command, folder, limit)
            layers = question.read(folder)
        except ToolFailed as error:
            return Answer(version=version, seconds=_spent(folder), failure=str(error))
        answer = Answer(layers, seconds, version)
        kept = {
            "question": question.name,
            "version": version,
            "seconds": seconds,
            "layers": [[row.name, row.cycles, row.dram_bytes] for row in layers],
        }
        temporary = folder / "answer.json.new"
        temporary.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        temporary.replace(folder / "answer.json")
        return answer

    def _call(self, command, folder, limit):
        """Seconds that a command took, those of interrupted calls before it included."""
        environment = os.environ | {
            "PATH": f"{self._programs}{os.pathsep}{os.environ.get('PATH', '')}",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONNOUSERSITE": "1",
        }
        # It is of the caller's Python, which is another one.
        environment.pop("PYTHONPATH", None)
        start = time.monotonic()
        with (folder / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                [self._programs / command[0], *command[1:]],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                status = process.wait(limit)
            except subprocess.TimeoutExpired:
                raise ToolFailed(f"not finished in {limit:,.0f} s") from None
            finally:
                _end(process)
                (folder / "seconds").write_text(str(_spent(folder) + time.monotonic() - start))
        if status:
            raise ToolFailed(_last_words(folder / "log.txt", status))
        return _spent(folder)


def _end(process):
    """End a process and all that it started, if it still runs."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _spent(folder):
    """Seconds of the calls so far."""
    try:
        return float((folder / "seconds").read_text())
    except (OSError, ValueError):
        return 0.0


def _last_words(log, status):
    """The last line that a tool printed."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"ended with status {status}: {(lines or ['nothing printed'])[-1].strip()[:160]}"
