"""`mnv2 validate`."""

import dataclasses
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.commands.options.accelerator import (
    MEMORY_HELP,
    Bandwidth,
    Clock,
    Config,
    Draws,
    Latency,
    Seed,
    Settings,
    Stalls,
    make_memory,
)
from mnv2.sim.commands.options.model import (
    Calibration,
    Labels,
    Model,
    Normalization,
    PixelNormalization,
    Resize,
    given,
)
from mnv2.sim.commands.options.network import (
    Classes,
    ImageSize,
    StridePadding,
    Width,
    open_chosen,
)
from mnv2.sim.commands.options.page import Html, check_page
from mnv2.sim.commands.options.pictures import read_pictures
from mnv2.sim.commands.terminal.command_line import command_line
from mnv2.sim.commands.terminal.guard import prints_json
from mnv2.sim.errors import UserError

#: Other words of the command than of those that predict alone.
Memory = Annotated[
    str | None,
    typer.Option(
        "--memory",
        metavar="PART|litedram:PART",
        help=f"{MEMORY_HELP} With litedram: before the part, LiteDRAM's RTL (its controller, and "
        "its models of PHY and chips) is the accelerator's memory, and its cycles are compared "
        "with those of the part's own model: an outside judge of that model, at the clock of "
        "LiteDRAM's controller, which is the accelerator's. litedram alone is "
        "litedram:ddr3-800x16. Needs the extra dram.",
    ),
]


@prints_json
def validate(
    context: typer.Context,
    image: Annotated[
        str,
        typer.Argument(
            metavar="IMAGE",
            help="A picture, or the name of an installed photograph, as for mnv2 run. No figure "
            "that is compared depends on it.",
        ),
    ] = "chelsea",
    second: Annotated[
        str | None,
        typer.Argument(
            metavar="SECOND",
            help="Another picture, for an accelerator that computes two frames abreast. Default "
            "coffee.",
        ),
    ] = None,
    model: Model = None,
    width: Width = None,
    size: ImageSize = None,
    classes: Classes = None,
    padding: StridePadding = None,
    normalization: PixelNormalization = Normalization.AUTO,
    resize: Resize = None,
    labels: Labels = None,
    calibration: Calibration = "bundled",
    config: Config = "base",
    settings: Settings = None,
    clock: Clock = None,
    memory: Memory = None,
    latency: Latency = None,
    bandwidth: Bandwidth = None,
    stalls: Stalls = 0,
    seed: Seed = 1,
    seeds: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="With --stalls: run N seeds, from --seed on, and compare their distribution "
            "with that of --draws other seeds, predicted.",
        ),
    ] = 1,
    draws: Draws = 32,
    frames: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Run N back-to-back frames, and compare every row of each and the cycle in "
            "which its logits are in memory. Two frames abreast end together: N is then even.",
        ),
    ] = 1,
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the report; default runs/TIME."),
    ] = None,
    html: Html = False,
):
    """Run the whole network in RTL and compare the model's prediction with it, row by row.

    Every counter of every layer is compared: cycles, work and waits by cause, bytes by kind. The
    table, report.json, report.csv and validate.png state predicted, measured and the difference,
    the cycles by the formula of a published simulator, and the published errors of other models.
    With --stalls the model's memory pauses in the same cycles as that of the run. Exit status 1
    if any figure is not equal; with --memory litedram:PART, if the frame's cycles differ by more
    than 0.5 %, or any bytes.

    Examples:

    - mnv2 validate chelsea --config small --latency 40 --html

    - mnv2 validate --memory ddr3-800x16 --clock 100

    - mnv2 validate --memory litedram:ddr3-1600x16

    - mnv2 validate --stalls 20 --seeds 8

    - mnv2 validate --frames 4
    """
    from mnv2.sim.commands.terminal.console import say_files, say_notes, say_setting, show_report
    from mnv2.sim.commands.terminal.run_progress import FrameBar
    from mnv2.sim.configuration import load_setting
    from mnv2.sim.dram.chips import judge_clock_hz, judged_part
    from mnv2.sim.jobs.files import output_folder
    from mnv2.sim.networks.inputs import load_input, preparation_words
    from mnv2.sim.prediction.distribution import seeds_from
    from mnv2.sim.prediction.measure import measure_network
    from mnv2.sim.report.provenance import made_with
    from mnv2.sim.rtl.layer_result import require_counters
    from mnv2.sim.rtl.toolchain import find_toolchain

    check_page(html)
    setting = load_setting(config, settings or ())
    accelerator, clock_hz = setting.config, setting.clock_hz(clock)
    judged = judged_part(memory)
    if judged:
        memory, clock_hz = judged, judge_clock_hz(judged, clock)
        _check_judge(stalls, frames, html)
    memory, latency, bandwidth = setting.memory(memory, latency, bandwidth)
    say_setting(setting)
    model_of_memory = make_memory(latency, bandwidth, stalls, seed, memory, clock_hz)
    _check(stalls, seeds, draws, frames, accelerator)
    versions = _judge_versions() if judged else {}
    require_counters(accelerator)
    sources = read_pictures((image, second), accelerator)
    turns = max(1, frames // accelerator.frames)
    folder = output or Path("runs") / datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    with output_folder(folder) as temporary:
        with FrameBar() as progress:
            runnable = open_chosen(
                setting,
                *(model, width, size, classes, padding),
                calibration=calibration,
                resize=resize,
                labels=labels,
                progress=progress.calibrating,
            )
            say_notes(runnable)
            data = [load_input(runnable, source, given(normalization)) for source in sources]
            memories = [
                dataclasses.replace(model_of_memory, seed=one) for one in seeds_from(seed, seeds)
            ]
            # A prediction that is impossible is found before anything is built.
            predicted = _predict(runnable.network, accelerator, memories, turns)
            runs = measure_network(
                runnable,
                data,
                memories,
                config=accelerator,
                turns=turns,
                cycles=predicted[0].ends[-1],
                memory_sources=_litedram(judged) if judged else None,
                progress=progress,
            )
        paths = [source.path for source in sources]
        about = made_with(
            paths[0], runnable.name, accelerator, model_of_memory, find_toolchain(), *paths[1:]
        )
        about["versions"] |= versions
        about["preparation"] = preparation_words(runnable, data[0])
        work = runnable.network, accelerator, predicted, runs
        if judged:
            comparison, shown = _judge(judged, clock_hz, *work, temporary, about)
        elif seeds > 1:
            comparison, shown = _seeds(*work, memories, draws, temporary, about)
        elif turns > 1:
            comparison, shown = _frames(*work, temporary, about)
        else:
            comparison, shown = _run(*work, temporary, about)
        if html:
            from mnv2.sim.page.kit.page import write_page
            from mnv2.sim.page.validate_page import validate_page

            write_page(validate_page(comparison, about, command_line(context)), temporary)
    show_report(about["preparation"], shown, report=folder / "report.json", soft_wrap=True)
    say_files(folder)
    if not (comparison.agrees if judged else comparison.equal):
        raise typer.Exit(1)


def _check(stalls, seeds, draws, frames, accelerator):
    """Refuse options that exclude each other."""
    if seeds < 1:
        raise UserError(f"--seeds must be 1 or more, not {seeds}")
    if seeds > 1 and not stalls:
        raise UserError("Seeds differ where the memory pauses alone: --seeds needs --stalls")
    if frames < 1:
        raise UserError(f"The number of frames must be 1 or more, not {frames}")
    if frames > 1 and frames % accelerator.frames:
        raise UserError(
            f"The number of frames must be 1 or a multiple of the {accelerator.frames} that the "
            f"accelerator computes abreast, not {frames}"
        )
    if seeds > 1 and frames > 1:
        raise UserError(
            "Either several seeds or several frames, not both: leave out --seeds or --frames"
        )
    if seeds > 1 and draws < 10:
        raise UserError(f"A distribution needs 10 draws or more, not {draws}")


def _check_judge(stalls, frames, html):
    """Refuse options of the project's own memory, or of a comparison of equals."""
    for option, given_one in (
        ("--stalls", stalls),
        ("--frames", frames > 1),
        ("--html", html),
    ):
        if given_one:
            raise UserError(f"With LiteDRAM as the memory, leave out {option}")


def _judge_versions():
    """Versions of LiteDRAM's packages; what is missing is said before anything is built."""
    from mnv2.sim.dram.core import litedram_versions

    return litedram_versions()


def _litedram(part):
    """Sources of LiteDRAM's RTL of a part, by the width of the port and the bytes needed."""
    from mnv2.sim.dram.core import make_core, memory_sources

    return lambda port_bits, size: memory_sources(make_core(part, port_bits, size))


def _predict(network, accelerator, memories, turns):
    """Predict the frames with each memory."""
    from mnv2.sim.cycles.predict import predict_frames

    return [
        predict_frames(network, accelerator, turns, **dataclasses.asdict(memory))
        for memory in memories
    ]


def _judge(part, clock_hz, network, accelerator, predicted, runs, folder, about):
    """Compare the part's own model with LiteDRAM; the comparison, and its table."""
    from mnv2.sim.dram.judgement import Judgement, render_judgement, write_judgement

    (run,) = runs
    judgement = Judgement(
        part=part,
        clock_hz=clock_hz,
        predicted=predicted[0].layers[0],
        predicted_cycles=predicted[0].ends[-1],
        measured=run.layers,
        measured_cycles=run.frame_ends[-1],
        seconds=run.seconds,
    )
    write_judgement(judgement, folder, **about)
    return judgement, render_judgement(judgement)


def _run(network, accelerator, predicted, runs, folder, about):
    """Compare a single run; the comparison, and its tables."""
    from mnv2.sim.prediction.layers import compare_layers, render_layers, write_layers

    comparison = compare_layers(network, accelerator, predicted[0].layers[0], runs[0].layers)
    write_layers(comparison, folder, **about)
    return comparison, render_layers(comparison)


def _frames(network, accelerator, predicted, runs, folder, about):
    """Compare several frames; the comparison, and its tables."""
    from mnv2.sim.prediction.frames import FrameComparison, render_frames, write_frames
    from mnv2.sim.prediction.layers import compare_layers

    comparison = FrameComparison(
        tuple(
            compare_layers(network, accelerator, rows, measured)
            for rows, measured in zip(predicted[0].layers, runs[0].frame_layers, strict=True)
        ),
        predicted[0].ends,
        runs[0].frame_ends,
    )
    write_frames(comparison, folder, **about)
    return comparison, render_frames(comparison)


def _seeds(network, accelerator, predicted, runs, memories, draws, folder, about):
    """Compare several seeds; the comparison, and its tables."""
    from mnv2.sim.commands.terminal.bars import show_count
    from mnv2.sim.cycles.predict import predict_network
    from mnv2.sim.prediction.distribution import draw, seeds_from
    from mnv2.sim.prediction.layers import compare_layers
    from mnv2.sim.prediction.seeds import SeedComparison, render_seeds, write_seeds

    steady = dataclasses.asdict(memories[0])
    for name in ("stall_percent", "seed"):
        del steady[name]
    others = seeds_from(memories[0].seed, len(memories) + draws)[len(memories) :]
    with show_count("Predicting other seeds") as drawn:
        drawn_rows = draw(
            network,
            accelerator,
            **steady,
            seeds=others,
            drawn=drawn,
            stall_percent=memories[0].stall_percent,
        )
    comparison = SeedComparison(
        tuple(memory.seed for memory in memories),
        tuple(
            compare_layers(network, accelerator, one.layers[0], run.layers)
            for one, run in zip(predicted, runs, strict=True)
        ),
        tuple(drawn_rows),
        predict_network(network, accelerator, **steady),
    )
    write_seeds(comparison, folder, **about, first_draw=others[0])
    return comparison, render_seeds(comparison)
