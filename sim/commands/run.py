"""`mnv2 run`."""

import os
import re
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.commands.options.accelerator import (
    Bandwidth,
    Clock,
    Config,
    Latency,
    Seed,
    Settings,
    Stalls,
    make_memory,
)
from mnv2.sim.commands.options.model import Model, Normalization, PixelNormalization, Size, given
from mnv2.sim.commands.options.page import Html, check_page
from mnv2.sim.commands.terminal.command_line import command_line
from mnv2.sim.errors import UserError


def run(
    context: typer.Context,
    image: Annotated[
        str | None,
        typer.Argument(
            metavar="IMAGE",
            help="A picture in any format Pillow reads, or the name of an installed "
            "photograph such as chelsea (without it), coffee or china.",
        ),
    ] = None,
    model: Model = None,
    input_file: Annotated[
        str | None,
        typer.Option(
            "--input",
            metavar="FILE.npy|IMAGE",
            help="In place of IMAGE: an array of the model's own input type and shape, or a "
            "picture.",
        ),
    ] = None,
    dump: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.npz",
            dir_okay=False,
            help="Write what the hardware made there too: every block's output, the pool and the "
            "logits; of a .tflite as t9 for tensor 9, with what the host makes of the logits, of "
            "others by name. It is in the output folder as tensors.npz.",
        ),
    ] = None,
    size: Size = None,
    normalization: PixelNormalization = Normalization.AUTO,
    config: Config = "base",
    settings: Settings = None,
    blocks: Annotated[
        str | None,
        typer.Option(
            metavar="FIRST-LAST",
            help="Run these bottlenecks alone, such as 3 or 3-5, each from memory to memory. "
            "Without it, the whole network.",
        ),
    ] = None,
    frames: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Run so many frames too, one right behind the other, 3 or more, and report the "
            "interval between their logits.",
        ),
    ] = 1,
    clock: Clock = 200.0,
    latency: Latency = 100,
    bandwidth: Bandwidth = None,
    stalls: Stalls = 0,
    seed: Seed = 1,
    waves: Annotated[
        bool,
        typer.Option(
            "--waves",
            help="Write a waveform into the output folder, with --blocks one for each bottleneck: "
            "FST if the headers of lz4 and zlib are installed, else VCD, which takes 0.1 MB a "
            "cycle on base.",
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of the report: a new one, or that of an earlier run, which is replaced. "
            "Without it, one in runs/, called by the time.",
        ),
    ] = None,
    html: Html = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Simulations at a time, with --blocks. Without it, one for each core."
        ),
    ] = None,
):
    """Run MobileNetV2 in RTL on a picture, from image to class, and measure cycles and bytes.

    The accelerator's Verilog runs the whole integer network from one program in Verilator. Its
    logits and the output of every block must equal the integer golden model's, element by element.
    The class, the cycles and the bytes of each layer are printed and written as report.json,
    report.csv, pictures and tensors.npz, which mnv2 compare reads. The first run of a configuration
    builds its simulation (minutes), and so does the first with --frames or --waves; later runs find
    it in the cache.

    A float model is quantised to the bits of the accelerator: 8, or those of --set weight_bits=6.
    Any network of the family runs: a .tflite with its own integers, FULLY_CONNECTED as the hardware
    scales it, with a multiplier and a shift, and SOFTMAX on the host.

    Examples:

    - mnv2 run cat.jpg

    - mnv2 run cat.jpg --html --output runs/cat

    - mnv2 run cat.jpg --blocks 3 --waves

    - mnv2 run cat.jpg --model mobilenet_v2.tflite --dump rtl.npz

    - mnv2 run --config small --set data_bits=128 --latency 40 --stalls 20 --output runs/small
    """
    from mnv2.sim.commands.options.picture import find_picture
    from mnv2.sim.commands.terminal.console import get_console, get_error_console
    from mnv2.sim.configuration import load_configuration
    from mnv2.sim.jobs.files import check_writable_file, output_folder, save_arrays
    from mnv2.sim.networks.dumps import DUMP_FILE
    from mnv2.sim.networks.inputs import check_picture
    from mnv2.sim.networks.outputs import write_dump
    from mnv2.sim.report.files import write_csv, write_report
    from mnv2.sim.report.plots import write_plots
    from mnv2.sim.report.tables import render_report

    # What can be wrong is looked at first: the simulation takes its time.
    check_page(html)
    options = {
        "config": load_configuration(config, settings or ()),
        "memory": make_memory(latency, bandwidth, stalls, seed),
        "clock_hz": clock * 1e6,
    }
    if frames != 1 and blocks is not None:
        raise UserError("Frames that follow one another need the whole network, not --blocks")
    if frames != 1 and frames < 3:
        raise UserError(f"The number of frames must be 1, or 3 or more, not {frames}")
    if image is not None and input_file is not None:
        raise UserError("The input is either IMAGE or --input, not both")
    path = find_picture(image or input_file or "chelsea")
    check_picture(path)
    if dump is not None:
        check_writable_file(dump)
    opening = {"model": model, "size": size, "normalization": given(normalization)}
    folder = output or Path("runs") / datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    with output_folder(folder) as temporary:
        waves_folder = temporary if waves else None
        if blocks is None:
            result = _run_network(path, opening, frames, waves_folder, **options)
        else:
            jobs = jobs or os.cpu_count() or 1
            result = _run_blocks(path, opening, blocks, jobs, waves_folder, **options)
        write_report(result.report, temporary / "report.json")
        write_csv(result.report, temporary / "report.csv")
        write_plots(result.report, temporary)
        if html:
            from mnv2.sim.page.kit.page import write_page
            from mnv2.sim.page.run_page import run_page

            write_page(run_page(result.report, command_line(context)), temporary)
        save_arrays(temporary / DUMP_FILE, result.tensors)
        if dump is not None:
            write_dump(dump, result.tensors)
        files = ", ".join(sorted(file.name for file in temporary.iterdir()))
    get_console().print(render_report(result.report))
    if result.note:
        get_console().print(result.note, soft_wrap=True)
    get_error_console().print(f"In {folder}: {files}")


def _open(path, opening, config, progress):
    """The model, in the accelerator's bits if it is a float one, and what it is given."""
    from mnv2.sim.networks.inputs import load_model_input
    from mnv2.sim.networks.open import open_model

    model = open_model(
        opening["model"],
        input_size=opening["size"],
        weight_bits=config.weight_bits,
        activation_bits=config.activation_bits,
        progress=progress.calibrating,
    )
    return model, load_model_input(model, path, opening["normalization"])


def _run_network(path, opening, frames, waves_folder, **options):
    """Result of the whole network, with progress shown."""
    from mnv2.sim.commands.terminal.console import get_error_console
    from mnv2.sim.commands.terminal.progress import NetworkProgress
    from mnv2.sim.run import run_frame

    if waves_folder:
        get_error_console().print(
            "The waveform of the whole network takes gigabytes and many minutes; --blocks 3 writes "
            "that of one block."
        )
    with NetworkProgress() as progress:
        model, data = _open(path, opening, options["config"], progress)
        return run_frame(
            path,
            model,
            data,
            frames=frames,
            waves_file=waves_folder and waves_folder / "network",
            progress=progress,
            **options,
        )


def _run_blocks(path, opening, blocks, jobs, waves_folder, **options):
    """Result of bottlenecks alone, with progress shown."""
    from mnv2.sim.commands.terminal.progress import BlockProgress
    from mnv2.sim.run import run_bottlenecks

    with BlockProgress() as progress:
        model, data = _open(path, opening, options["config"], progress)
        return run_bottlenecks(
            path,
            model,
            data,
            parse_blocks(blocks, len(model.network.blocks)),
            jobs=jobs,
            waves_folder=waves_folder,
            progress=progress,
            **options,
        )


def parse_blocks(text, count):
    """Numbers of blocks, from 1 to ``count``, that ``3`` or ``3-5`` means."""
    match = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", text.strip())
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= count:
        raise UserError(
            f"Blocks must be a number or a range within 1-{count}, such as 3-5, not {text!r}"
        )
    return list(range(first, last + 1))
