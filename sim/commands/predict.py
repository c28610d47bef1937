"""`mnv2 predict`, and `mnv2 model`, which was its name."""

import functools
import itertools
import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.commands.options.accelerator import (
    Bandwidths,
    Clock,
    Configs,
    Draws,
    Latencies,
    Memories,
    Seed,
    Settings,
    Stalls,
    check_once,
    parse_counts,
)
from mnv2.sim.commands.options.model import Model
from mnv2.sim.commands.options.network import (
    Classes,
    ImageSize,
    StridePadding,
    Width,
    choose_network,
)
from mnv2.sim.commands.options.page import Html, check_page
from mnv2.sim.commands.predict_cases import (
    PredictionCase,
    predict_one,
    predict_several,
    show_several,
)
from mnv2.sim.commands.terminal.command_line import command_line
from mnv2.sim.commands.terminal.guard import prints_json
from mnv2.sim.errors import UserError

__all__ = ["model", "predict"]


@prints_json
def predict(
    context: typer.Context,
    configs: Configs = None,
    settings: Settings = None,
    memory: Memories = None,
    latency: Latencies = None,
    bandwidth: Bandwidths = None,
    stalls: Stalls = 0,
    seed: Seed = 1,
    draws: Draws = 32,
    frames: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Predict N back-to-back frames too, 3 or more: every row of each, and the "
            "interval between their logits. Two frames abreast end together: N is then even, and 6 "
            "or more.",
        ),
    ] = 1,
    clock: Clock = None,
    model: Model = None,
    width: Width = None,
    size: ImageSize = None,
    classes: Classes = None,
    padding: StridePadding = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for report.json and report.csv, if wanted; of several cases for "
            "compare.png or what-if.png too.",
        ),
    ] = None,
    html: Html = False,
):
    """Predict cycles, waits and bytes of every layer, without a simulator, in a moment.

    A model of the accelerator that equals its RTL to the cycle and to the byte: mnv2 validate holds
    one to the other. Nothing is built or run, and no weights are needed: time does not depend on
    data. Where the accelerator computes two frames abreast (--set frames=2), every figure of a
    layer is that of both together. With --stalls the memory pauses at random: the layers are those
    of --seed, as mnv2 run would measure them with it, together with mean and range over --draws
    seeds.

    Several accelerators (--config A --config B) are compared layer by layer, as by mnv2 compare.
    Several memories (--latency 50,100,200 --bandwidth 4,8,16) are every combination, for each
    accelerator: a row each, and a picture of frames a second.

    Examples:

    - mnv2 predict

    - mnv2 predict --config small --set pixels=4 --latency 40 --bandwidth 8

    - mnv2 predict --memory ddr3-800x16 --clock 100

    - mnv2 predict --stalls 20 --draws 100

    - mnv2 predict --frames 4

    - mnv2 predict --config small --config base --config pair

    - mnv2 predict --latency 50,100,200 --bandwidth 4,8,16 --output runs/what-if

    - mnv2 predict --model mobilenet_v2.tflite --html --output runs/predicted
    """
    from mnv2.sim.commands.terminal.console import say_files, say_setting, show_report
    from mnv2.sim.configuration import load_setting
    from mnv2.sim.jobs.files import output_folder
    from mnv2.sim.prediction.prediction_report import (
        prediction_as_dict,
        render_prediction,
        write_prediction,
    )

    if html and output is None:
        raise UserError("The page of --html goes into a folder: add --output DIR")
    check_page(html)
    if draws < 1:
        raise UserError(f"--draws must be 1 or more, not {draws}")
    names = configs or ["base"]
    check_once(names, "--config")
    loaded = [load_setting(name, settings or ()) for name in names]
    memories = [None] if memory is None else memory.split(",")
    check_once(memories, "--memory")
    network_of = partial(choose_network, model, width, size, classes, padding)
    cases = [
        PredictionCase(
            name=name,
            setting=setting,
            memory_options=setting.memory(part, cycles, each),
            clock_hz=setting.clock_hz(clock),
            stalls=stalls,
            seed=seed,
        )
        for name, setting in zip(names, loaded, strict=True)
        for part, cycles, each in itertools.product(
            memories,
            parse_counts(latency, "--latency"),
            parse_counts(bandwidth, "--bandwidth"),
        )
    ]
    for setting in loaded:
        say_setting(setting)
    if len(cases) > 1:
        if frames > 1 or stalls:
            raise UserError("--frames and --stalls predict one case: leave them out, or the others")
        several = predict_several(cases, network_of, model)
        with output_folder(output) if output else nullcontext() as folder:
            shown, report = show_several(several, folder, command_line(context) if html else None)
    else:
        prediction = predict_one(cases[0], network_of, model, frames=frames, draws=draws)
        with output_folder(output) if output else nullcontext() as folder:
            if folder is not None:
                write_prediction(prediction, folder)
            if html and folder is not None:
                from mnv2.sim.page.kit.page import write_page
                from mnv2.sim.page.run_page import run_page

                write_page(run_page(prediction, command_line(context)), folder)
            shown = render_prediction(prediction)
        report = partial(prediction_as_dict, prediction)
    show_report(shown, report=report)
    if output:
        say_files(output)


@functools.wraps(predict)
def model(*arguments, **options):
    """Run `mnv2 predict` under its former name, and say so."""
    print("mnv2 model is now mnv2 predict", file=sys.stderr)
    return predict(*arguments, **options)
