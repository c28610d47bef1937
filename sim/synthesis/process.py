"""A program that runs for minutes: its output line by line, its log, time and peak memory."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mnv2.sim.errors import SimulationError, UserError

__all__ = ["Effort", "ToolFailure", "check_disk", "run_program"]

#: Bytes that are written to see whether a disk is full.
_PROBE = 4 << 20

#: Time between looks at a program's memory.
_LOOK_SECONDS = 0.25

#: Starts a program that ends with the process that waits for it, even where that one is killed.
_START = """import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
os.execv(sys.argv[1], sys.argv[1:])
"""
_LAUNCHER = (sys.executable, "-c", _START) if sys.platform == "linux" else ()


@dataclass(frozen=True)
class Effort:
    """Time and memory of a finished program.

    Attributes
    ----------
    wall_seconds, processor_seconds : float
        From start to end; of all its processors together.
    peak_bytes : int
        Largest resident memory.
    """

    wall_seconds: float
    processor_seconds: float
    peak_bytes: int


class ToolFailure(SimulationError):
    """A tool ended with an error; the message has its last words."""


def run_program(
    command: Sequence[str | Path],
    folder: Path,
    log: Path,
    *,
    timeout: float,
    tell: Callable[[str], None] = lambda line: None,
) -> Effort:
    """Run a program to its end, or stop it when this is interrupted.

    Parameters
    ----------
    command : sequence of str or path
        Program and arguments.
    folder : Path
        Where it runs.
    log : Path
        File that takes each line of its output.
    timeout : float
        Seconds after which it is stopped.
    tell : function of (str)
        Given each line as it comes.

    Returns
    -------
    Effort

    Raises
    ------
    UserError
        If it cannot be started, or the disk of ``folder`` is full.
    ToolFailure
        If it fails or takes too long.
    """
    start = time.monotonic()
    name = Path(command[0]).name
    if not os.access(command[0], os.X_OK):
        raise UserError(f"{command[0]} cannot be started: it is not there, or is no program")
    try:
        process = subprocess.Popen(
            [*_LAUNCHER, *(str(part) for part in command)],
            cwd=folder,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise UserError(f"{command[0]} cannot be started: {error.strerror}") from None
    last: list[str] = []
    with _stopped_at_the_end(process), log.open("w", encoding="utf-8") as file:
        with _deadline(process, timeout) as is_late, _peak_memory(process.pid) as peak:
            assert process.stdout is not None
            for line in process.stdout:
                file.write(line)
                file.flush()
                tell(line)
                last = [*last[-9:], line.rstrip()]
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if is_late():
        raise ToolFailure(f"{name} was not done after {timeout:.0f} seconds")
    if process.returncode:
        check_disk(folder)
        errors = [line for line in last if line.startswith("ERROR")] or last[-3:]
        raise ToolFailure(f"{name} failed: {' '.join(errors) or f'exit {process.returncode}'}")
    return Effort(
        round(time.monotonic() - start, 1),
        round(usage.ru_utime + usage.ru_stime, 1),
        # What the system says of its end is at least the peak of the process that started it.
        1024 * (peak() or usage.ru_maxrss),
    )


def check_disk(folder: Path) -> None:
    """Refuse to continue on a full disk: a tool may cut its files short and say nothing.

    Raises
    ------
    UserError
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_PROBE))
    except OSError as error:
        raise UserError(
            f"The folder {folder} cannot be written ({error.strerror}): free some of its disk, or "
            f"set MNV2_CACHE to a folder on another"
        ) from None


@contextlib.contextmanager
def _stopped_at_the_end(process: subprocess.Popen[str]) -> Iterator[None]:
    """Stop the process, whatever ends the work that waits for it."""
    try:
        yield
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextlib.contextmanager
def _peak_memory(pid: int) -> Iterator[Callable[[], int]]:
    """Watch a program's memory; yields its peak in kibibytes, 0 where Linux does not tell it."""
    import threading

    status = Path(f"/proc/{pid}/status")
    peak = 0
    ended = threading.Event()

    def look() -> None:
        nonlocal peak
        while True:
            with contextlib.suppress(OSError):
                found = re.search(r"^VmHWM:\s+(\d+) kB$", status.read_text(), re.M)
                peak = max(peak, int(found[1]) if found else 0)
            if ended.wait(_LOOK_SECONDS):
                return

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield lambda: peak
    finally:
        ended.set()
        thread.join()


@contextlib.contextmanager
def _deadline(process: subprocess.Popen[str], seconds: float) -> Iterator[Callable[[], bool]]:
    """Stop a process that takes too long; yields a function that says whether it did."""
    import threading

    late = threading.Event()

    def stop() -> None:
        late.set()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield late.is_set
    finally:
        timer.cancel()
