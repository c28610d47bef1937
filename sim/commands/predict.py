"""`mnv2 predict`, and `mnv2 model`, which was its name."""

import functools
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.commands.options.accelerator import (
    Bandwidth,
    Clock,
    Config,
    Draws,
    Latency,
    Memory,
    Seed,
    Settings,
    Stalls,
    make_memory,
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
from mnv2.sim.commands.terminal.command_line import command_line
from mnv2.sim.errors import UserError

__all__ = ["model", "predict"]


def predict(
    context: typer.Context,
    config: Config = "base",
    settings: Settings = None,
    memory: Memory = None,
    latency: Latency = None,
    bandwidth: Bandwidth = None,
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
        typer.Option(metavar="DIR", help="Folder for report.json and report.csv, if wanted."),
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

    Examples:

    - mnv2 predict

    - mnv2 predict --config small --set pixels=4 --latency 40 --bandwidth 8

    - mnv2 predict --memory ddr3-800x16 --clock 100

    - mnv2 predict --stalls 20 --draws 100

    - mnv2 predict --frames 4

    - mnv2 predict --model mobilenet_v2.tflite --html --output runs/predicted
    """
    from mnv2.sim.commands.terminal.bars import show_count
    from mnv2.sim.commands.terminal.console import get_console, get_error_console
    from mnv2.sim.configuration import load_setting
    from mnv2.sim.cycles.predict import predict_frames, predict_network
    from mnv2.sim.jobs.files import output_folder
    from mnv2.sim.prediction.distribution import column_spreads, draw, seeds_from
    from mnv2.sim.prediction.prediction_report import (
        make_prediction,
        render_prediction,
        write_prediction,
    )
    from mnv2.sim.report.run_report import check_frames

    if html and output is None:
        raise UserError("The page of --html goes into a folder: add --output DIR")
    check_page(html)
    setting = load_setting(config, settings or ())
    accelerator, clock_hz = setting.config, setting.clock_hz(clock)
    memory = setting.part(memory, latency, bandwidth)
    check_frames(frames, accelerator.frames)
    if draws < 1:
        raise UserError(f"--draws must be 1 or more, not {draws}")
    network = choose_network(model, width, size, classes, padding)
    described = asdict(make_memory(latency, bandwidth, stalls, seed, memory, clock_hz))
    begin = time.perf_counter()
    layers = predict_network(network, accelerator, **described)
    seconds = time.perf_counter() - begin
    sequence = None
    if frames > 1:
        sequence = predict_frames(network, accelerator, frames // accelerator.frames, **described)
    spreads = None
    if stalls and draws > 1:
        steady = {name: value for name, value in described.items() if name != "seed"}
        with show_count("Predicting other seeds") as drawn:
            others = draw(
                network, accelerator, **steady, seeds=seeds_from(seed, draws)[1:], drawn=drawn
            )
        spreads = column_spreads([layers, *others])
    prediction = make_prediction(
        network,
        layers,
        accelerator,
        **described,
        clock_hz=clock_hz,
        seconds=seconds,
        model="" if model is None else str(model),
        sequence=sequence,
        spreads=spreads,
    )
    if output:
        with output_folder(output) as temporary:
            write_prediction(prediction, temporary)
            if html:
                from mnv2.sim.page.kit.page import write_page
                from mnv2.sim.page.run_page import run_page

                write_page(run_page(prediction, command_line(context)), temporary)
            files = ", ".join(sorted(file.name for file in temporary.iterdir()))
    get_console().print(render_prediction(prediction))
    if output:
        get_error_console().print(f"In {output}: {files}")


@functools.wraps(predict)
def model(*arguments, **options):
    """Run `mnv2 predict` under its former name, and say so."""
    print("mnv2 model is now mnv2 predict", file=sys.stderr)
    return predict(*arguments, **options)
