"""`mnv2 model`."""

import time
from pathlib import Path
from typing import Annotated

import typer

from sim.commands.accelerator_options import (
    Bandwidth,
    Clock,
    Config,
    Latency,
    Settings,
    make_memory,
)
from sim.commands.command_line import command_line
from sim.commands.model_options import Model
from sim.commands.network_options import Classes, ImageSize, StridePadding, Width, choose_network
from sim.commands.page_option import Html, check_page
from sim.errors import UserError


def model(
    context: typer.Context,
    config: Config = "base",
    settings: Settings = None,
    latency: Latency = 100,
    bandwidth: Bandwidth = None,
    clock: Clock = 200.0,
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

    A model of the accelerator that equals its RTL to the cycle and to the byte, for a memory that
    always takes as long: mnv2 validate holds one to the other. Nothing is built or run, and no
    weights are needed: time does not depend on data.

    Examples:

    - mnv2 model

    - mnv2 model --config small --set pixels=4 --latency 40 --bandwidth 8

    - mnv2 model --model mobilenet_v2.tflite --html --output runs/predicted
    """
    from sim.commands.console import get_console, get_error_console
    from sim.configuration import load_configuration
    from sim.model.predict import predict_network
    from sim.model.prediction import make_prediction, render_prediction, write_prediction
    from sim.report.files import output_folder

    if html and output is None:
        raise UserError("The page of --html goes into a folder: add --output DIR")
    check_page(html)
    network = choose_network(model, width, size, classes, padding)
    accelerator = load_configuration(config, settings or ())
    steady = make_memory(latency, bandwidth)
    memory = {"latency": steady.latency, "bytes_per_cycle": steady.bytes_per_cycle}
    begin  = time.perf_counter()
    layers = predict_network(network, accelerator, **memory)
    prediction = make_prediction(network, layers, accelerator, **memory, clock_hz=clock * 1e6,
                                 seconds=time.perf_counter() - begin,
                                 model="" if model is None else str(model))
    if output:
        with output_folder(output) as temporary:
            write_prediction(prediction, temporary)
            if html:
                from sim.page.page import write_page
                from sim.page.run_page import run_page

                write_page(run_page(prediction, command_line(context)), temporary)
            files = ", ".join(sorted(file.name for file in temporary.iterdir()))
    get_console().print(render_prediction(prediction))
    if output:
        get_error_console().print(f"In {output}: {files}")
