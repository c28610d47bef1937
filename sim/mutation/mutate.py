"""A mutation campaign from its request to verdicts: every mutant through the stages of its part."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.jobs.campaign import Campaign, open_campaign
from mnv2.sim.jobs.progress import CampaignProgress, Silence
from mnv2.sim.mutation.draw import all_mutants, draw_mutants
from mnv2.sim.mutation.judge import LIVES, SLOWER, judge
from mnv2.sim.mutation.parts import PARTS
from mnv2.sim.mutation.places import Mutant
from mnv2.sim.mutation.request import MutationRequest
from mnv2.sim.mutation.stages import STAGES, Stage

__all__ = ["Judged", "PreparedMutation", "prepare_mutation", "run_mutation"]


@dataclass(frozen=True, eq=False)
class PreparedMutation:
    """A request with the mutants that it draws.

    Attributes
    ----------
    request : MutationRequest
    root : Path
        The checkout.
    places : dict of str to int
        Faults that could have been drawn, by file.
    mutants : tuple of Mutant
    configuration : dict
        See `mnv2.sim.jobs.campaign.PreparedCampaign`.
    """

    request: MutationRequest
    root: Path
    places: dict[str, int]
    mutants: tuple[Mutant, ...]
    configuration: dict[str, Any]


@dataclass(frozen=True)
class Judged:
    """Fate of a mutant.

    Attributes
    ----------
    mutant : Mutant
    verdict : str
        See `mnv2.sim.mutation.judge`; that of the last stage that ran.
    stage : str
        That stage; empty before the first.
    by, why : str
        The test that failed first, and its message.
    seconds : float
        Of a processor, over all stages.
    """

    mutant: Mutant
    verdict: str
    stage: str
    by: str
    why: str
    seconds: float


def prepare_mutation(request: MutationRequest, root: Path, count: int) -> PreparedMutation:
    """Find the places of a part, and draw.

    Parameters
    ----------
    request : MutationRequest
    root : Path
        The checkout.
    count : int
        Mutants.

    Returns
    -------
    PreparedMutation
    """
    part = PARTS[request.part]
    found = all_mutants(root, part)
    sources = hashlib.sha256()
    for file in part.files(root):
        sources.update(f"{file}\0".encode() + (root / file).read_bytes())
    return PreparedMutation(
        request,
        root,
        {file: len(mutants) for file, mutants in found.items()},
        tuple(draw_mutants(found, request.seed, count)),
        request.configuration({"sources": sources.hexdigest()}, {}),
    )


def run_mutation(
    prepared: PreparedMutation,
    folder: Path,
    *,
    resume: bool = False,
    again: bool = False,
    stages: Sequence[str] | None = None,
    workers: int | None = 0,
    progress: CampaignProgress | None = None,
) -> list[Judged]:
    """Judge mutants, stage by stage: all of them by the first, those that live by the next.

    Parameters
    ----------
    prepared : PreparedMutation
    folder : Path
        Gets the journal, and copies of the checkout.
    resume : bool
        Whether the journal is there already.
    again : bool
        Whether those that live are judged once more, by tests that have been added.
    stages : sequence of str, optional
        Only these stages; default all. The others may follow in a call that resumes.
    workers : int or None
        Processes; see `mnv2.sim.jobs.spread.choose_place`.
    progress : CampaignProgress, optional

    Returns
    -------
    list of Judged
        In the order drawn.

    Raises
    ------
    UserError
        If the folder cannot be used.
    SimulationError
        If tests cannot be run.
    """
    folder = folder.expanduser().absolute()
    chosen = _choose_stages(prepared.request.part, stages)
    with open_campaign(
        prepared,
        folder,
        resume=resume,
        workers=workers,
        scheduler=None,
        progress=progress or Silence(),
    ) as campaign:
        known = campaign.figures("task")
        found = _state(prepared, known)
        if again:
            known = {
                task: figures
                for task, figures in known.items()
                if found[task.partition(" ")[0]].verdict not in (LIVES, SLOWER)
            }
        for stage in chosen:
            for task, figures in _judge_all(prepared, campaign, folder, stage, known):
                known[task] = figures
    return list(_state(prepared, known).values())


def _choose_stages(part: str, names: Sequence[str] | None) -> list[Stage]:
    """Stages of a part of these names, in order; all without names.

    Raises
    ------
    UserError
        If there is none of a name.
    """
    stages = list(STAGES[part])
    for name in names or ():
        if name not in [stage.name for stage in stages]:
            valid = ", ".join(stage.name for stage in stages)
            raise UserError(f"The stage of {part} must be one of {valid}, not {name!r}")
    return [stage for stage in stages if names is None or stage.name in names]


def _state(prepared: PreparedMutation, known: dict[str, Any]) -> dict[str, Judged]:
    """Outcome of each mutant that is known, by its name."""
    found = {}
    for mutant in prepared.mutants:
        judged = Judged(mutant, LIVES, "", "", "", 0.0)
        for stage in STAGES[prepared.request.part]:
            figures = known.get(f"{mutant.name} {stage.name}")
            if figures is not None and judged.verdict in (LIVES, SLOWER):
                # One that is slower stays so unless it is found to be wrong.
                last = vars(judged) if figures["verdict"] == LIVES else figures
                judged = Judged(
                    mutant,
                    last["verdict"],
                    stage.name,
                    last["by"],
                    last["why"],
                    round(judged.seconds + figures["seconds"], 1),
                )
        found[mutant.name] = judged
    return found


def _judge_all(
    prepared: PreparedMutation,
    campaign: Campaign,
    folder: Path,
    stage: Stage,
    known: dict[str, Any],
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (task, figures) of the mutants that a stage has not judged and no other has killed."""
    alive = [
        judged.mutant
        for judged in _state(prepared, known).values()
        if judged.verdict in (LIVES, SLOWER)
    ]
    todo = [mutant for mutant in alive if f"{mutant.name} {stage.name}" not in known]
    campaign.done = len(alive) - len(todo)
    campaign.show(len(alive))
    if not todo:
        return
    tests = {mutant.file: list(stage.tests(prepared.root, mutant.file)) for mutant in todo}
    arguments = (str(prepared.root), str(folder), prepared.request.part, stage.name)
    idle = {"verdict": LIVES, "by": "", "why": "there is nothing to run", "seconds": 0.0}

    def submit(mutant: Mutant) -> Any:
        return campaign.place.submit(judge, *arguments, mutant, tests[mutant.file], name="mutant")

    for mutant in [mutant for mutant in todo if not tests[mutant.file]]:
        yield _keep(campaign, mutant, stage, idle, len(alive))
    some = [mutant for mutant in todo if tests[mutant.file]]
    for mutant, pending in campaign.place.spread(some, submit) if some else ():
        figures = pending.result()
        if figures["verdict"] != LIVES:
            deciding = [figures["by"]] if "::" in figures["by"] else tests[mutant.file]
            _check_sound(campaign, arguments, stage, deciding)
        yield _keep(campaign, mutant, stage, figures, len(alive))


def _keep(
    campaign: Campaign, mutant: Mutant, stage: Stage, figures: dict[str, Any], total: int
) -> tuple[str, dict[str, Any]]:
    task = f"{mutant.name} {stage.name}"
    last = f"{stage.name}: {mutant.file} {figures['verdict']}"
    campaign.keep({"task": task, "figures": figures}, total, last)
    return task, figures


def _check_sound(
    campaign: Campaign, arguments: tuple[str, ...], stage: Stage, tests: Sequence[str]
) -> None:
    """See that tests that a mutant fails pass on the code as it is, once in a campaign.

    Raises
    ------
    SimulationError
        If they do not: it is then not the mutant that fails them.
    """
    known = [entry["tests"] for entry in campaign.journal.entries if "sound" in entry]
    if list(tests) in known:
        return
    figures = campaign.place.submit(judge, *arguments, None, tests, name="sound").result()
    if figures["verdict"] != LIVES:
        raise SimulationError(
            f"Nothing is planted, and {figures['by']} fails all the same: {figures['why']}"
        )
    campaign.journal.append({"sound": stage.name, "tests": list(tests), "figures": figures})
