"""`scripts/peers`: the same network on as many multipliers, as others' tools see it."""

import hashlib
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.cli import guard
from mnv2.sim.commands.options.accelerator import Config, Settings
from mnv2.sim.errors import UserError

__all__ = ["app", "peers"]

ROOT = Path(__file__).parents[2]
#: What --keep puts into docs/.
KEPT = ("peers.json", "peers.png")


def peers(
    config: Config = "base",
    settings: Settings = None,
    run: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="An earlier mnv2 run of the whole network on this "
            "accelerator. Without it, one is made.",
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Ask no tool that takes minutes; what is known is shown."),
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Ask only these, such as zigzag-own or vela-u65; what "
            "else is known is shown. May be repeated.",
        ),
    ] = None,
    limit: Annotated[
        float,
        typer.Option(min=1, metavar="SECONDS", help="Time for each question."),
    ] = 3600,
    output: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder for peers.json, peers.csv, peers.png."),
    ] = Path("runs/peers"),
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Put peers.json and peers.png of base into docs/ too."),
    ] = False,
    environment: Annotated[
        Path,
        typer.Option(metavar="DIR", help="The tools' own environment."),
    ] = ROOT / "build" / "peers-venv",
    answers: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Where questions and answers are kept."),
    ] = ROOT / "build" / "peers",
):
    """Ask SCALE-Sim, ZigZag and Vela about MobileNetV2 1.0/224 on as many multipliers.

    The run in RTL is measured; what the tools and the project's own model say is predicted, and
    stands in a table of its own. Answers are kept by the hash of what was asked and the tool's
    version: what is interrupted goes on, and nothing is asked twice. A tool that fails or takes too
    long is a row that says why.

    Examples:

    - scripts/peers --quick

    - scripts/peers --config large --limit 7200

    - scripts/peers --only vela-u65 --only zigzag-own --run runs/cat
    """
    from mnv2.golden.exporters.tflite import export_model
    from mnv2.golden.network import mobilenet_v2
    from mnv2.hw.config import PRESETS
    from mnv2.sim.commands.terminal.bars import show_count
    from mnv2.sim.commands.terminal.console import get_console, get_error_console
    from mnv2.sim.configuration import load_configuration
    from mnv2.sim.jobs.files import replaced_files
    from mnv2.sim.networks.open import open_model
    from mnv2.sim.peers.environment import Environment
    from mnv2.sim.peers.formula import formula_agreement, formula_row
    from mnv2.sim.peers.ours import our_row, read_run, run_ours
    from mnv2.sim.peers.peer_plots import draw_peers
    from mnv2.sim.peers.peer_table import as_csv, as_dict, as_json, make_row, render
    from mnv2.sim.peers.questions import list_questions
    from mnv2.sim.report.provenance import find_commit

    accelerator = load_configuration(config, settings or ())
    network = mobilenet_v2()
    # What can be wrong is looked at first: the run and the tools take their time. Names of
    # questions depend on neither the model's file nor the memory.
    names = [question.name for question in list_questions(network, accelerator, b"", latency=2)]
    for name in only or ():
        if name not in names:
            raise UserError(f"There is no question {name!r}: they are {', '.join(names)}")
    if keep and accelerator != PRESETS["base"]:
        raise UserError(
            "What docs/ holds is of the configuration base: leave out --keep, or --config and --set"
        )
    tools = Environment(environment, answers)
    with replaced_files(output) as temporary:
        if run is None:
            # A folder for each accelerator: two may run at a time.
            hashed = hashlib.sha256(json.dumps(asdict(accelerator)).encode()).hexdigest()
            run = answers / f"measured-{hashed[:8]}"
            run_ours(
                [
                    "--config",
                    config,
                    *(part for setting in settings or () for part in ("--set", setting)),
                ],
                run,
            )
        measured = read_run(run, network, accelerator)
        with show_count("Calibrating") as progress:
            integer = open_model(None, progress=progress).integer
        # The file of mnv2 export, but it names no commit: what is asked is the same at each.
        questions = list_questions(
            network, accelerator, export_model(integer), latency=measured.latency
        )
        versions = tools.versions({question.package for question in questions})
        wanted = {
            question.name
            for question in questions
            if (question.name in only if only else not (quick and question.slow))
        }
        found = _ask(tools, questions, versions, wanted, limit)
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
                "configuration": config,
                "settings": list(settings or ()),
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
        if keep:
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
    get_console().print(render(measured, rows, accelerator, network.macs, notes))
    get_error_console().print(
        f"In {output}: peers.csv, peers.json, peers.png"
        + (f"; in docs: {', '.join(KEPT)}" if keep else "")
    )


def _ask(tools, questions, versions, wanted, limit):
    """Answers by name: those that are known, and those that are wanted."""
    from rich.progress import MofNCompleteColumn

    from mnv2.sim.commands.terminal.bars import make_bar
    from mnv2.sim.commands.terminal.console import get_error_console
    from mnv2.sim.peers.result import Answer

    answers = {}
    with make_bar(16, MofNCompleteColumn()) as bar:
        task = bar.add_task("Asking", total=len(wanted))
        for question in questions:
            version = versions.get(question.package)
            if version is None:
                answer = Answer(failure=f"{question.package} is not installed in the environment")
            else:
                answer = tools.known(question, version)
            if answer is None and question.name in wanted:
                bar.update(task, description=f"Asking {question.tool}, {question.label}")
                answer = tools.ask(question, version, limit)
                if not get_error_console().is_terminal:
                    print(
                        f"{question.name}: {answer.failure or f'{answer.cycles:,} cycles'}",
                        file=sys.stderr,
                        flush=True,
                    )
            if question.name in wanted:
                bar.advance(task)
            if answer is not None:
                answers[question.name] = answer
    return answers


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")
app.command()(guard(peers))


def _interrupt(number, frame):
    """End as Ctrl-C does: the tool at work is stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    for _number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(_number, _interrupt)
    app(prog_name="scripts/peers")
