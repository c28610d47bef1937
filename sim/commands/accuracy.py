"""`mnv2 accuracy`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mnv2.sim.commands.options.accelerator import Config, Settings
from mnv2.sim.commands.options.model import (
    BiasCorrection,
    BlockReconstruction,
    Calibration,
    Labels,
    Model,
    Normalization,
    PixelNormalization,
    Resize,
    Size,
    given,
)
from mnv2.sim.commands.options.panel import in_panel
from mnv2.sim.commands.options.picture_set import PICTURES, Images, Limit, Seed
from mnv2.sim.commands.options.work import (
    NewFolder,
    Resume,
    Scheduler,
    Workers,
    choose_work,
    stated_request,
    stopped_work,
)
from mnv2.sim.commands.terminal.guard import prints_json
from mnv2.sim.errors import SimulationError

if TYPE_CHECKING:
    # Help is shown without loading them.
    from mnv2.hw.config import AcceleratorConfig
    from mnv2.sim.accuracy.hardware import PictureRun
    from mnv2.sim.accuracy.judge import AccuracyResults

#: Panel of the help.
HARDWARE = "Hardware"


@prints_json
@in_panel(
    PICTURES,
    "model",
    "size",
    "normalization",
    "resize",
    "labels",
    "calibration",
    "bias_correction",
    "block_reconstruction",
)
@in_panel(HARDWARE, "config", "settings")
def accuracy(
    context: typer.Context,
    images: Images = "bundled",
    model: Model = None,
    limit: Limit = None,
    seed: Seed = 1,
    size: Size = None,
    normalization: PixelNormalization = Normalization.AUTO,
    resize: Resize = None,
    labels: Labels = None,
    calibration: Calibration = "bundled",
    bias_correction: BiasCorrection = None,
    block_reconstruction: BlockReconstruction = False,
    output: NewFolder = None,
    resume: Resume = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    rtl: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Run N of the pictures, drawn at random, on the accelerator's RTL; every element "
            "is held to golden.",
            rich_help_panel=HARDWARE,
        ),
    ] = 0,
    config: Config = "base",
    settings: Settings = None,
):
    """Measure the accuracy of a network on pictures: float, integer, and in RTL.

    Any model that can be opened: a float one, which is quantised for the accelerator of --config
    too, so that both forms are judged on the same pictures, with the paired difference and its
    error; an int8 .tflite, of the family or any other of the operators of mnv2 golden; an .npz of
    mnv2 export, of whatever widths. Top-1 and, of six classes or more, top-5, each with its
    standard error, the confusion matrix, and what float and integer disagree on.

    Pictures are judged as the network was trained: --resize says how they were made as large as its
    input, --labels what its classes are called, so that folders become the right ones. One line
    says what was done, a warning if the network is right as often as chance.

    The folder of results gets report.json, pictures.csv (a row each picture), confusion.csv and
    confusion-float.csv (rows are labels, columns answers) and confusion.png. What each 20 pictures
    gave is written to journal.jsonl as it comes: --resume continues after any interruption. For the
    sets of pictures see mnv2 sweep.

    Examples:

    - mnv2 accuracy

    - mnv2 accuracy --images imagenet/val --limit 1000 --rtl 4

    - mnv2 accuracy --images flowers --model flowers.tflite --labels flowers.txt --resize stretch

    - mnv2 accuracy --images judged --set weight_bits=4 --block-reconstruction --calibration others

    - mnv2 accuracy --resume runs/accuracy-2030-01-01T12-00-00
    """
    from mnv2.sim.accuracy.accuracy_files import write_accuracy
    from mnv2.sim.accuracy.accuracy_tables import render_accuracy, render_runs
    from mnv2.sim.accuracy.hardware import check_hardware
    from mnv2.sim.accuracy.judge import prepare_accuracy, run_accuracy
    from mnv2.sim.accuracy.request import make_accuracy_request
    from mnv2.sim.commands.terminal.campaign_progress import CampaignBar
    from mnv2.sim.commands.terminal.console import say_files, show, show_report
    from mnv2.sim.configuration import load_configuration
    from mnv2.sim.jobs.files import replaced_files
    from mnv2.sim.rtl.check import accelerator_arithmetic

    work = choose_work(
        "accuracy", output=output, resume=resume, workers=workers, scheduler=scheduler
    )
    accelerator = load_configuration(config, settings or ())
    arithmetic = accelerator_arithmetic(accelerator)
    request = make_accuracy_request(
        images=images,
        model=model,
        calibration=calibration,
        limit=limit,
        seed=seed,
        size=size,
        normalization=given(normalization),
        resize=resize,
        labels=labels,
        weight_bits=accelerator.weight_bits,
        activation_bits=accelerator.activation_bits,
        multiplier_bits=arithmetic.multiplier_bits,
        rounding=arithmetic.rounding,
        bias_correction=bias_correction,
        block_reconstruction=block_reconstruction,
    )
    request = stated_request(context, work, request)
    progress = CampaignBar("Pictures")
    with stopped_work(work, progress):
        with progress:
            prepared = prepare_accuracy(request, progress=progress)
            if rtl:
                check_hardware(prepared, accelerator)
            results = run_accuracy(
                prepared,
                work.folder,
                resume=work.resume,
                workers=workers,
                scheduler=scheduler,
                progress=progress,
            )
        show(render_accuracy(results))
        runs = _run_hardware(results, rtl, work.folder, accelerator) if rtl else []
        with replaced_files(work.folder) as temporary:
            write_accuracy(results, temporary, runs)
    if runs:
        show(render_runs(runs))
    show_report(report=work.folder / "report.json")
    say_files(work.folder)
    wrong = [run for run in runs if not run.exact]
    if wrong:
        raise SimulationError(f"{wrong[0].picture} on the RTL: {wrong[0].reason}.")


def _run_hardware(
    results: "AccuracyResults", count: int, folder: Path, accelerator: "AcceleratorConfig"
) -> "list[PictureRun]":
    """Pictures on the RTL, with progress shown."""
    from mnv2.sim.accuracy.hardware import run_pictures
    from mnv2.sim.commands.options.accelerator import make_memory
    from mnv2.sim.commands.terminal.run_progress import FrameBar

    with FrameBar() as progress:
        return run_pictures(
            results,
            count,
            folder,
            config=accelerator,
            memory=make_memory(100, None),
            progress=progress,
        )
