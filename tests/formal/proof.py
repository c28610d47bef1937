"""A proof: a bench, how it is proved, and the fault that it must catch."""

import contextlib
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.formal import tools
from tests.formal.bench import Bench
from tests.formal.fault import Fault, planted

__all__ = ["Proof", "Result", "prove"]

#: Seconds for each question that is asked of a solver.
TIMEOUT = 600


@dataclass(frozen=True)
class Proof:
    """A claim about a unit, and how it is proved.

    Attributes
    ----------
    name : str
        The unit with its parameters, such as ``"ring-5"``.
    claim : str
        What its bench checks, for a table.
    bench : function of ()
        Makes the bench. It imports the unit itself, so that a planted fault is found.
    fault : Fault
        Planted, it must violate the claim.
    depth : int
        Steps of the k-induction; 0 for an invariant that property-directed reachability finds.
    cover_depth, fault_depth : int
        Cycles in which the covers are reached and the fault is seen.
    small : bool
        It takes some seconds, and runs with the tests.
    """

    name: str
    claim: str
    bench: Callable[[], Bench]
    fault: Fault
    depth: int = 0
    cover_depth: int = 20
    fault_depth: int = 20
    small: bool = True

    @property
    def method(self) -> str:
        """``"induction"`` or ``"invariant"``."""
        return "induction" if self.depth else "invariant"


@dataclass(frozen=True)
class Result:
    """How a proof went.

    Attributes
    ----------
    proof : Proof
    proved, covered, caught : Answer
        Of the claim, of the covers, and of the planted fault, which is caught where its answer does
        not hold.
    seconds : float
        Of one processor, all three together.
    """

    proof: Proof
    proved: tools.Answer
    covered: tools.Answer
    caught: tools.Answer
    seconds: float

    @property
    def good(self) -> bool:
        """It is proved, not vacuous, and catches its fault."""
        return self.proved.holds and self.covered.holds and not self.caught.holds

    @property
    def failure(self) -> str:
        """One sentence on what is wrong; empty if it is good."""
        if not self.proved.holds:
            return f"{self.proof.name} is not proved: {self.proved.detail}"
        if not self.covered.holds:
            return f"{self.proof.name} is vacuous: {self.covered.detail}"
        if self.caught.holds:
            return f"{self.proof.name} does not catch its fault, {self.proof.fault}"
        return ""


def prove(proof, timeout=TIMEOUT, keep=None):
    """Prove a claim, reach its covers, and see it fail with the fault planted.

    Parameters
    ----------
    proof : Proof
    timeout : float
        Seconds for each question.
    keep : Path or None
        Folder that keeps netlists and the waveform of a violation.

    Returns
    -------
    Result

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    """
    if sentence := tools.missing():
        raise tools.ToolError(sentence)
    begin = _processor_seconds()
    with _folder(keep, "right") as folder:
        tools.prepare(proof.bench(), folder, aiger=not proof.depth)
        if proof.depth:
            proved = tools.induction(folder, proof.depth, timeout)
        else:
            proved = tools.pdr(folder, timeout)
        if not proved.holds and not proof.depth and proved.depth:
            # The same run once more, with names and a waveform.
            proved = tools.find_violation(folder, proved.depth + 2, timeout)
        covered = tools.cover(folder, proof.cover_depth, timeout)
    with _folder(keep, "faulty") as folder:
        with planted(proof.fault):
            tools.prepare(proof.bench(), folder, aiger=True)
        caught = tools.find_run(folder, proof.fault_depth, timeout)
    return Result(proof, proved, covered, caught, _processor_seconds() - begin)


def _processor_seconds():
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@contextlib.contextmanager
def _folder(keep, name):
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="prove-") as folder:
            yield Path(folder)
    else:
        folder = keep / name
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
