"""`mnv2 model`."""

import time
from pathlib import Path
from typing import Annotated

import typer

from sim.commands.model_options import Model
from sim.commands.summary import Padding, choose_network


def model(
    config: Annotated[
        str,
        typer.Option(
            metavar="PRESET|FILE.toml",
            help="The accelerator: tiny, small, base or large, or a TOML file of its options.",
        ),
    ] = "base",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="OPTION=INTEGER",
            help="Change one option of the accelerator, such as pixels=4; may be repeated.",
        ),
    ] = None,
    latency: Annotated[
        int,
        typer.Option(
            min=2, max=100_000, metavar="CYCLES",
            help="Cycles from a read address to its first data.",
        ),
    ] = 100,
    bandwidth: Annotated[
        int | None,
        typer.Option(
            min=1, max=1024, metavar="BYTES",
            help="Bytes a cycle that memory moves at most, reads and writes together. Without it, "
            "a beat a cycle each way.",
        ),
    ] = None,
    clock: Annotated[
        float,
        typer.Option(
            min=0.001, max=1e6, metavar="MHZ",
            help="Clock that times and bandwidths are stated at, in MHz. It changes no cycle.",
        ),
    ] = 200.0,
    model: Model = None,
    width: Annotated[
        float | None,
        typer.Option(
            help="Width multiplier: 0.35, 0.5, 0.75, 1.0 (without it), 1.3 or 1.4."
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            help="Rows and columns of the image, in pixels: 96, 128, 160, 192 or 224 (without it); "
            "with --model, of a float model that does not state them."
        ),
    ] = None,
    classes: Annotated[
        int | None, typer.Option(min=1, help="Number of classes, 1000 without it.")
    ] = None,
    padding: Annotated[
        Padding | None,
        typer.Option(help="Padding at stride 2: pytorch (without it) or tensorflow."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for report.json and report.csv, if wanted."),
    ] = None,
):
    """Predict cycles, waits and bytes of every layer, without a simulator, in a moment.

    A model of the accelerator that equals its RTL to the cycle and to the byte, for a memory that
    always takes as long: mnv2 validate holds one to the other. Nothing is built or run, and no
    weights are needed: time does not depend on data.

    Examples:

    - mnv2 model

    - mnv2 model --config small --set pixels=4 --latency 40 --bandwidth 8

    - mnv2 model --model mobilenet_v2.tflite --output runs/predicted
    """
    from sim.commands.console import get_console, get_error_console
    from sim.configuration import load_configuration
    from sim.model.predict import predict_network
    from sim.model.prediction import make_prediction, render_prediction, write_prediction
    from sim.report.files import output_folder

    network = choose_network(model, width, size, classes, padding)
    accelerator = load_configuration(config, settings or ())
    memory = {"latency": latency, "bytes_per_cycle": bandwidth or 0}
    begin  = time.perf_counter()
    layers = predict_network(network, accelerator, **memory)
    prediction = make_prediction(network, layers, accelerator, **memory, clock_hz=clock * 1e6,
                                 seconds=time.perf_counter() - begin,
                                 model="" if model is None else str(model))
    if output:
        with output_folder(output) as temporary:
            write_prediction(prediction, temporary)
    get_console().print(render_prediction(prediction))
    if output:
        get_error_console().print(f"In {output}: report.csv, report.json")
