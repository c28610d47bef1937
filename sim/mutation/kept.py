"""The kept result of a campaign, and what people have found out about the mutants that live."""

import difflib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnv2.sim.errors import UserError
from mnv2.sim.jobs.files import read_toml, write_whole
from mnv2.sim.mutation.judge import KILLED, LIVES, SLOWER, STILLBORN
from mnv2.sim.mutation.mutate import Judged, PreparedMutation
from mnv2.sim.mutation.places import Mutant
from mnv2.sim.mutation.stages import STAGES

__all__ = [
    "EQUIVALENT",
    "FINDINGS",
    "HOLE",
    "Finding",
    "count_unfinished",
    "difference",
    "keep_scores",
    "load_findings",
    "load_scores",
    "score",
    "summarize",
]

#: What a person may find: the mutant does the same; it is only slower, as the cycle model tells; a
#: test is missing.
EQUIVALENT, HOLE = "equivalent", "hole"
FINDINGS = (EQUIVALENT, SLOWER, HOLE)

#: In a folder of their own: tables next to a module belong to the identity of its results, by which
#: campaigns are resumed.
_FOLDER = Path(__file__).with_name("results")
_SCORES, _NAMED = _FOLDER / "scores.json", _FOLDER / "named.toml"


@dataclass(frozen=True)
class Finding:
    """Finding about a mutant that lives.

    Attributes
    ----------
    finding : str
        One of `FINDINGS`.
    place, change : str
        The file and the function, and what is changed, for people.
    reason : str
    """

    finding: str
    place: str
    change: str
    reason: str


def load_findings(path: Path = _NAMED) -> dict[str, Finding]:
    """Findings, by the names of mutants.

    Raises
    ------
    UserError
        If the file cannot be read, or an entry is not a finding with a reason.
    """
    found = {}
    for name, entry in read_toml(path, "file of named mutants").items():
        try:
            finding = Finding(**entry)
        except TypeError:
            finding = None
        if finding is None or finding.finding not in FINDINGS or not finding.reason.strip():
            raise UserError(
                f"The mutant {name} in {str(path)!r} must have place, change, reason and finding, "
                f"which is one of {', '.join(FINDINGS)}"
            )
        found[name] = finding
    return found


def summarize(
    prepared: PreparedMutation, judged: Sequence[Judged], findings: Mapping[str, Finding]
) -> dict[str, Any]:
    """Counts of a campaign, and each mutant that lives.

    Parameters
    ----------
    prepared : PreparedMutation
    judged : sequence of Judged
    findings : mapping of str to Finding

    Returns
    -------
    dict
        ``seed``, ``places``, ``drawn``, ``counts`` of verdicts and findings, ``stages`` (mutants
        that came to each, and those that it killed), ``seconds`` of processor time, ``files``,
        ``living``.
    """
    reached = [one for one in judged if one.stage]
    files = {}
    for file in sorted({one.mutant.file for one in reached}):
        mine = [one for one in reached if one.mutant.file == file]
        files[file] = {"places": prepared.places[file], **_count(mine, findings)}
    return {
        "seed": prepared.request.seed,
        "places": sum(prepared.places.values()),
        "drawn": len(reached),
        "counts": _count(reached, findings),
        "stages": _by_stage(prepared, reached),
        "seconds": round(sum(one.seconds for one in reached), 1),
        "files": files,
        "living": [_living(one, findings) for one in reached if one.verdict in (LIVES, SLOWER)],
    }


def _count(judged: Sequence[Judged], findings: Mapping[str, Finding]) -> dict[str, int]:
    """Mutants by what has become of them; those that live by what was found, or ``unnamed``."""
    counts = Counter({KILLED: 0, SLOWER: 0, EQUIVALENT: 0, HOLE: 0, "unnamed": 0, STILLBORN: 0})
    for one in judged:
        if one.verdict != LIVES:
            counts[one.verdict] += 1
        elif one.mutant.name in findings:
            counts[findings[one.mutant.name].finding] += 1
        else:
            counts["unnamed"] += 1
    return dict(counts)


def _by_stage(prepared: PreparedMutation, judged: Sequence[Judged]) -> dict[str, dict[str, int]]:
    """Mutants that came to each stage, and those that it killed or found slower."""
    names = [stage.name for stage in STAGES[prepared.request.part]]
    return {
        name: {
            "judged": sum(names.index(one.stage) >= place for one in judged),
            "killed": sum(one.stage == name and one.verdict == KILLED for one in judged),
        }
        for place, name in enumerate(names)
    }


def _living(one: Judged, findings: Mapping[str, Finding]) -> dict[str, Any]:
    """A mutant that lives, as it is kept."""
    finding = findings.get(one.mutant.name)
    return {
        "name": one.mutant.name,
        "place": f"{one.mutant.file} {one.mutant.function}".rstrip(),
        "kind": one.mutant.kind,
        "old": one.mutant.old,
        "new": one.mutant.new,
        "through": one.stage,
        "found": finding.finding if finding else "unnamed" if one.verdict == LIVES else SLOWER,
    }


def score(counts: Mapping[str, int]) -> float:
    """Share of the mutants that are not equivalent which tests or the cycle model catch."""
    caught = counts[KILLED] + counts[SLOWER]
    return caught / max(1, caught + counts[HOLE] + counts["unnamed"])


def count_unfinished(part: str, summary: Mapping[str, Any]) -> int:
    """Mutants that live and have not been through every stage."""
    last = STAGES[part][-1].name
    return sum(one["through"] != last for one in summary["living"])


def difference(mutant: Mutant, root: Path) -> str:
    """The change that a mutant is, as a unified difference without context."""
    text = (root / mutant.file).read_text(encoding="utf-8")
    lines = difflib.unified_diff(
        text.splitlines(), mutant.plant(text).splitlines(), mutant.file, mutant.file, "", "", 0, ""
    )
    return "\n".join(lines)


def load_scores() -> dict[str, Any]:
    """Kept results by part; see `summarize`."""
    return json.loads(_SCORES.read_text(encoding="utf-8")) if _SCORES.exists() else {}


def keep_scores(part: str, summary: Mapping[str, Any]) -> None:
    """Keep the result of a part, in place of an earlier one."""
    scores = {**load_scores(), part: summary}
    write_whole(_SCORES, (json.dumps(scores, indent=1) + "\n").encode())
