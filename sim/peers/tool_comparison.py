"""Comparison with other tools: ask them, write the files, and render the table."""

import hashlib
import json
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from rich.console import RenderableType

from mnv2.golden.exporters.tflite import export_model
from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS, AcceleratorConfig
from mnv2.sim.configuration import load_configuration
from mnv2.sim.errors import UserError
from mnv2.sim.jobs.files import replaced_files
from mnv2.sim.jobs.progress import CampaignProgress
from mnv2.sim.networks.open import open_model
from mnv2.sim.peers.environment import Environment
from mnv2.sim.peers.formula import formula_agreement, formula_row
from mnv2.sim.peers.ours import our_row, read_run, run_ours
from mnv2.sim.peers.peer_plots import draw_peers
from mnv2.sim.peers.peer_table import as_csv, as_dict, as_json, make_row, render
from mnv2.sim.peers.question import Question
from mnv2.sim.peers.questions import list_questions
from mnv2.sim.peers.result import Answer
from mnv2.sim.report.provenance import find_commit

__all__ = ["ToolRequest", "compare_tools"]

ROOT = Path(__file__).parents[2]
#: Files that --keep copies into docs/.
KEPT = ("peers.json", "peers.png")


@dataclass(frozen=True, kw_only=True)
class ToolRequest:
    """Options of a comparison with other tools.

    Attributes
    ----------
    config : str
        Preset or TOML file of the accelerator.
    settings : sequence of str
        Changes of it, ``OPTION=VALUE`` each.
    run : Path or None
        Output folder of an earlier run of the network in RTL; None to make one.
    quick : bool
        Whether only tools that answer within seconds are asked.
    only : sequence of str
        Names of the questions to ask; none to ask all.
    limit : float
        Seconds for each question.
    output : Path
        Folder of the results.
    keep : bool
        Whether `KEPT` are copied into docs/.
    environment, answers : Path or None
        The tools' environment, and the folder of questions and answers; None for those in build/.
    """

    config: str = "base"
    settings: Sequence[str] = ()
    run: Path | None = None
    quick: bool = False
    only: Sequence[str] = ()
    limit: float = 3600
    output: Path = Path("runs/peers")
    keep: bool = False
    environment: Path | None = None
    answers: Path | None = None


def compare_tools(request: ToolRequest, progress: CampaignProgress) -> RenderableType:
    """Ask the tools and write the files.

    Parameters
    ----------
    request : ToolRequest
    progress : mnv2.sim.jobs.progress.CampaignProgress

    Returns
    -------
    rich.console.RenderableType
        The table.

    Raises
    ------
    UserError
        If the request, the run or the environment of the tools cannot be used.
    SimulationError
        If the run in RTL fails.
    """
    accelerator = load_configuration(request.config, request.settings)
    network = mobilenet_v2()
    # Errors of the request are found before the run and the tools, which take their time. Names of
    # questions depend on neither the model's file nor the memory.
    names = [question.name for question in list_questions(network, accelerator, b"", latency=2)]
    for name in request.only:
        if name not in names:
            raise UserError(f"There is no question {name!r}: they are {', '.join(names)}")
    if request.keep and accelerator != PRESETS["base"]:
        raise UserError(
            "The files in docs/ are of the configuration base: drop --keep, or --config and --set"
        )
    answers = request.answers or ROOT / "build" / "peers"
    tools = Environment(request.environment or ROOT / "build" / "peers-venv", answers)
    with replaced_files(request.output) as temporary:
        measured = read_run(
            request.run or _run(request, accelerator, answers), network, accelerator
        )
        integer = open_model(None, progress=partial(progress.count, "Calibrating")).integer
        # The file of mnv2 export but without a commit: questions are the same at each.
        questions = list_questions(
            network, accelerator, export_model(integer), latency=measured.latency
        )
        versions = tools.versions({question.package for question in questions})
        wanted = {
            question.name
            for question in questions
            if (
                question.name in request.only
                if request.only
                else not (request.quick and question.slow)
            )
        }
        found = _ask(tools, questions, versions, wanted, request.limit, progress)
        depthwise = {block.depthwise.name for block in network.blocks}
        rows = [
            our_row(network, accelerator, measured.latency),
            formula_row(network, accelerator),
            *(
                make_row(question, found[question.name], depthwise)
                for question in questions
                if question.name in found
            ),
        ]
        content = as_dict(
            measured,
            rows,
            accelerator,
            {
                "configuration": request.config,
                "settings": list(request.settings),
                "versions": versions,
                "commit": find_commit(),
            },
        )
        agreement = formula_agreement(network, accelerator, found.get("scale-sim"))
        content["scale_sim_formula"] = agreement
        (temporary / "peers.json").write_text(as_json(content), encoding="utf-8")
        (temporary / "peers.csv").write_text(as_csv(content), encoding="utf-8")
        draw_peers(measured, rows, accelerator.multipliers).savefig(
            temporary / "peers.png", dpi=120
        )
        if request.keep:
            with replaced_files(ROOT / "docs") as docs:
                for name in KEPT:
                    (docs / name).write_bytes((temporary / name).read_bytes())
    left = [name for name in names if name not in found]
    notes = [f"Not asked: {', '.join(left)}."] if left else []
    if agreement is not None:
        notes.append(
            f"SCALE-Sim's formula equals SCALE-Sim {versions['scalesim']} on "
            f"{agreement['equal']} of {agreement['of']} layers."
        )
    return render(measured, rows, accelerator, network.macs, notes)


def _run(request: ToolRequest, accelerator: AcceleratorConfig, answers: Path) -> Path:
    """Run the network in RTL, in a folder for each accelerator: two may run at a time."""
    hashed = hashlib.sha256(json.dumps(asdict(accelerator)).encode()).hexdigest()
    folder = answers / f"measured-{hashed[:8]}"
    settings = [part for setting in request.settings for part in ("--set", setting)]
    run_ours(["--config", request.config, *settings], folder)
    return folder


def _ask(
    tools: Environment,
    questions: Sequence[Question],
    versions: Mapping[str, str],
    wanted: Collection[str],
    limit: float,
    progress: CampaignProgress,
) -> dict[str, Answer]:
    """Answers by name: those known already, and those wanted."""
    answers: dict[str, Answer] = {}
    done = 0
    for question in questions:
        answer: Answer | None
        version = versions.get(question.package)
        if version is None:
            answer = Answer(failure=f"{question.package} is not installed in the environment")
        else:
            answer = tools.known(question, version)
            if answer is None and question.name in wanted:
                progress.results(done, len(wanted), f"{question.tool}, {question.label}")
                answer = tools.ask(question, version, limit)
                if not sys.stderr.isatty():
                    print(
                        f"{question.name}: {answer.failure or f'{answer.cycles:,} cycles'}",
                        file=sys.stderr,
                        flush=True,
                    )
        done += question.name in wanted
        if answer is not None:
            answers[question.name] = answer
    progress.results(done, len(wanted))
    return answers
