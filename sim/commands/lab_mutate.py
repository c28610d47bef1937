"""`mnv2 lab mutate`: faults planted in the project's own code, to see its tests fail."""

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.commands.options.work import NewFolder, Resume, Workers
from mnv2.sim.errors import UserError

__all__ = ["mutate"]

ROOT = Path(__file__).parents[2]


def mutate(
    part: Annotated[
        str,
        typer.Option(metavar="hw|golden|cycles", help="Part of the project."),
    ] = "hw",
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 1,
    count: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Mutants. The first ones of a seed are always the same: with a greater N, "
            "--resume adds to a campaign.",
        ),
    ] = 500,
    stage: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this stage of tests, such as unit; may be repeated. Default all, one after "
            "another; --resume runs those that are left.",
        ),
    ] = None,
    output: NewFolder = None,
    resume: Resume = None,
    jobs: Workers = 0,
    again: Annotated[
        bool,
        typer.Option("--again", help="Judge those that live once more, by tests that were added."),
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the counts in sim/mutation/results/scores.json.")
    ] = False,
):
    """Draw faults by seed, plant each in a copy of the checkout, and run tests until one fails.

    Faults are in operators, constants, conditions, widths, resets, signs, statements and gating. A
    mutant of hw goes through the tests of its unit, the proofs that touch it, the tests of what
    contains it, small whole machines in RTL, and faults of memory and host; of golden and cycles,
    through the tests of its file and then of its part. A test that fails is run once on the code as
    it is, where it must pass.

    Every mutant that lives is listed with its change. sim/mutation/results/named.toml has what was
    found out about it: equivalent, slower only, or a hole of the tests, each with the reason.

    Examples:

    - mnv2 lab mutate --count 20 --stage unit

    - mnv2 lab mutate --part cycles --count 200 --jobs 8 --output runs/cycles --keep

    - mnv2 lab mutate --resume runs/cycles --part cycles --count 200 --again --keep
    """
    if importlib.util.find_spec("mnv2.sim.peers") is None:
        raise UserError(
            "mnv2 lab mutate works in a checkout of the project only, not in an installed package"
        )
    from mnv2.sim.commands.options.work import choose_work
    from mnv2.sim.commands.terminal.campaign_progress import CampaignBar
    from mnv2.sim.commands.terminal.console import get_console
    from mnv2.sim.mutation.kept import difference, keep_scores, load_findings, summarize
    from mnv2.sim.mutation.mutate import prepare_mutation, run_mutation
    from mnv2.sim.mutation.mutation_tables import render_scores
    from mnv2.sim.mutation.request import MutationRequest

    request = MutationRequest(part, seed)
    findings = load_findings()
    work = choose_work("mutate", output=output, resume=resume, workers=jobs, scheduler=None)
    prepared = prepare_mutation(request, ROOT, count)
    with CampaignBar("Judging") as progress:
        judged = run_mutation(
            prepared,
            work.folder,
            resume=work.resume,
            again=again,
            stages=stage,
            workers=jobs,
            progress=progress,
        )
    summary = summarize(prepared, judged, findings)
    if keep:
        keep_scores(part, summary)
    changes = {one.mutant.name: difference(one.mutant, ROOT) for one in judged}
    get_console().print(render_scores(part, summary, changes))
