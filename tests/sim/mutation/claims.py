"""Proofs that touch a unit of the hardware, as a judge of what is planted in it.

``python -m tests.sim.mutation.claims ring`` proves the claims about the ring and reaches their
covers, but plants no fault of its own. The last line of the output is JSON. Only a run that
violates a claim kills, or a cover that is not reached any more: an induction that needs another
depth does not.
"""

import inspect
import json
import re
import sys
import tempfile
from pathlib import Path

from tests.formal import catalogue, tools

__all__ = ["proofs_of", "violated"]

#: Seconds for each question.
_TIMEOUT = 300


def proofs_of(module):
    """Small proofs whose bench is made of a module of ``hw/``."""
    named = re.compile(rf"mnv2\.hw\.{module}\b")
    found = []
    for made in catalogue.PROOFS:
        if not made.small:
            continue
        bench = inspect.unwrap(getattr(made.bench, "func", made.bench))
        source = Path(inspect.getsourcefile(bench)).read_text(encoding="utf-8")
        if made.fault.module == module or (named.search(source) and _alone(source)):
            found.append(made)
    return found


def _alone(source):
    """Whether the proofs of a file are all about the same units."""
    return len(set(re.findall(r"mnv2\.hw\.(\w+)", source))) <= 2


def violated(made):
    """Faults of a claim; empty if there is none."""
    with tempfile.TemporaryDirectory(prefix="claim-") as name:
        folder = Path(name)
        tools.prepare(made.bench(), folder, aiger=not made.depth)
        if made.depth:
            answer = tools.find_violation(folder, made.depth + made.fault_depth, _TIMEOUT)
        else:
            answer = tools.pdr(folder, _TIMEOUT)
            if not answer.holds and not answer.depth:
                return ""  # not decided
        if not answer.holds:
            return answer.detail
        covered = tools.cover(folder, made.cover_depth, _TIMEOUT)
        return "" if covered.holds else f"vacuous: {covered.detail}"


def _main():
    answer = {"verdict": "lives", "by": "", "why": ""}
    if sentence := tools.missing():
        print(sentence, file=sys.stderr)
        return 2
    for made in proofs_of(sys.argv[1]):
        try:
            why = violated(made)
        except Exception as error:  # whatever a faulty unit raises when it is elaborated
            why = f"{type(error).__name__}: {error}"
        if why:
            answer = {"verdict": "killed", "by": made.name, "why": why}
            break
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(_main())
