"""`mnv2 validate`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from sim.commands.accelerator_options import (
    Bandwidth,
    Config,
    Latency,
    Seed,
    Settings,
    make_memory,
)
from sim.commands.command_line import command_line
from sim.commands.model_options import Model, Normalization, PixelNormalization, Size, given
from sim.commands.page_option import Html, check_page


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
    model: Model = None,
    size: Size = None,
    normalization: PixelNormalization = Normalization.AUTO,
    config: Config = "base",
    settings: Settings = None,
    latency: Latency = 100,
    bandwidth: Bandwidth = None,
    stalls: Annotated[
        int,
        typer.Option(
            metavar="PERCENT",
            help="Share of the cycles in which each channel of the memory port pauses at random; "
            "the model knows of none.",
        ),
    ] = 0,
    seed: Seed = 1,
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the report. Without it, runs/<time>."),
    ] = None,
    html: Html = False,
):
    """Run the whole network in RTL and hold the model's prediction to it, row by row.

    Every counter of every layer is compared: cycles, work and waits by cause, bytes by kind. The
    table, report.json, report.csv and validate.png state predicted, measured and the difference,
    and beside them what the formula of a published simulator says. Exit status 1 where something
    is not equal, unless --stalls makes the memory pause.

    Example: mnv2 validate chelsea --config small --latency 40 --html
    """
    from sim.commands.console import get_console, get_error_console
    from sim.commands.pictures import find_picture
    from sim.commands.progress import NetworkProgress
    from sim.configuration import load_configuration
    from sim.inputs import check_picture, load_model_input
    from sim.model.comparison import compare, render_comparison, write_comparison
    from sim.model.predict import predict_network
    from sim.models import open_model
    from sim.report.files import output_folder
    from sim.run import run_frame

    check_page(html)
    accelerator = load_configuration(config, settings or ())
    memory = make_memory(latency, bandwidth, stalls, seed)
    path   = find_picture(image)
    check_picture(path)
    folder = output or Path("runs") / datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    with output_folder(folder) as temporary:
        with NetworkProgress() as progress:
            runnable = open_model(
                model, input_size=size, weight_bits=accelerator.weight_bits,
                activation_bits=accelerator.activation_bits, progress=progress.calibrating)
            data      = load_model_input(runnable, path, given(normalization))
            network   = runnable.network
            predicted = predict_network(network, accelerator, latency=memory.latency,
                                        bytes_per_cycle=memory.bytes_per_cycle)
            report = run_frame(path, runnable, data, config=accelerator, memory=memory,
                               clock_hz=200e6, progress=progress).report
        comparison = compare(network, accelerator, predicted, report.layers)
        write_comparison(comparison, temporary, image=report.image, model=report.model,
                         configuration=dict(report.configuration),
                         memory=dict(report.memory), versions=dict(report.versions),
                         commit=report.commit)
        if html:
            from sim.page.page import write_page
            from sim.page.validate_page import validate_page

            write_page(validate_page(comparison, report, command_line(context),
                                     paused=stalls > 0), temporary)
        files = ", ".join(sorted(file.name for file in temporary.iterdir()))
    get_console().print(render_comparison(comparison, paused=stalls > 0))
    get_error_console().print(f"In {folder}: {files}")
    if comparison.differences() and not stalls:
        raise typer.Exit(1)
