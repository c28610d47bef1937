"""`mnv2 run`."""

import os
import re
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from sim.errors import UserError

#: Bottlenecks of MobileNetV2.
BLOCKS = 17


def run(
    image: Annotated[
        str,
        typer.Argument(
            metavar="IMAGE",
            help="A picture in any format Pillow reads, or the name of an installed "
            "photograph such as chelsea, coffee or china.",
        ),
    ] = "chelsea",
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
    blocks: Annotated[
        str | None,
        typer.Option(
            metavar="FIRST-LAST",
            help="Run these bottlenecks alone, such as 3 or 3-5, 1 to 17, each from memory to "
            "memory. Without it, the whole network.",
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
    clock: Annotated[
        float,
        typer.Option(
            min=0.001,
            max=1e6,
            metavar="MHZ",
            help="Clock that times and bandwidths are stated at, in MHz. It changes no cycle.",
        ),
    ] = 200.0,
    latency: Annotated[
        int, typer.Option(metavar="CYCLES", help="Cycles from a read address to its first data.")
    ] = 100,
    bandwidth: Annotated[
        int | None,
        typer.Option(
            metavar="BYTES",
            help="Bytes a cycle that memory moves at most, reads and writes together. Without it, "
            "a beat a cycle each way.",
        ),
    ] = None,
    stalls: Annotated[
        int,
        typer.Option(
            metavar="PERCENT",
            help="Share of the cycles in which each channel of the memory port pauses at random.",
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the random pauses.")] = 1,
    waves: Annotated[
        bool,
        typer.Option(
            "--waves",
            help="Write a waveform into the output folder, with --blocks one for each bottleneck. "
            "That of the whole network is very large and slow.",
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the report. Without it, runs/<time>."),
    ] = None,
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
    report.csv and pictures. The first run of a configuration builds its simulation (minutes); later
    runs find it in the cache.

    Examples:

    - mnv2 run cat.jpg

    - mnv2 run cat.jpg --blocks 3 --waves

    - mnv2 run --config small --set data_bits=128 --latency 40 --stalls 20 --output runs/small
    """
    from sim.commands.console import get_console, get_error_console
    from sim.commands.pictures import find_picture
    from sim.configuration import load_configuration
    from sim.images import load_image
    from sim.report.files import output_folder, write_csv, write_json
    from sim.report.plots import write_plots
    from sim.report.tables import render_report

    # What can be wrong is looked at first: the simulation takes its time.
    options = {
        "config": load_configuration(config, settings or ()),
        "memory": make_memory(latency, bandwidth, stalls, seed),
        "clock_hz": clock * 1e6,
    }
    chosen = None if blocks is None else parse_blocks(blocks, BLOCKS)
    if frames != 1 and chosen is not None:
        raise UserError("Frames that follow one another need the whole network, not --blocks")
    if frames != 1 and frames < 3:
        raise UserError(f"The number of frames must be 1, or 3 or more, not {frames}")
    path = find_picture(image)
    load_image(path)
    folder = output or Path("runs") / datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    with output_folder(folder) as temporary:
        waves_folder = temporary if waves else None
        if chosen is None:
            report = _run_network(path, frames, waves_folder, **options)
        else:
            jobs = jobs or os.cpu_count() or 1
            report = _run_blocks(path, chosen, jobs, waves_folder, **options)
        write_json(report, temporary / "report.json")
        write_csv(report, temporary / "report.csv")
        write_plots(report, temporary)
        files = ", ".join(sorted(file.name for file in temporary.iterdir()))
    get_console().print(render_report(report))
    get_error_console().print(f"In {folder}: {files}")


def _run_network(path, frames, waves_folder, **options):
    """Report of the whole network, with progress shown."""
    from sim.commands.console import get_error_console
    from sim.commands.progress import NetworkProgress
    from sim.run import run_frame

    if waves_folder:
        get_error_console().print(
            "The waveform of the whole network takes gigabytes and many minutes; --blocks 3 writes "
            "that of one block."
        )
    with NetworkProgress() as progress:
        return run_frame(
            path,
            frames=frames,
            waves_file=waves_folder and waves_folder / "network",
            calibrating=progress.calibrating,
            progress=progress,
            **options,
        )


def _run_blocks(path, chosen, jobs, waves_folder, **options):
    """Report of bottlenecks alone, with progress shown."""
    from sim.commands.progress import BlockProgress
    from sim.run import run_bottlenecks

    with BlockProgress() as progress:
        return run_bottlenecks(
            path,
            chosen,
            jobs=jobs,
            waves_folder=waves_folder,
            calibrating=progress.calibrating,
            progress=progress,
            **options,
        )


def parse_blocks(text, count):
    """Numbers of blocks, from 1 to ``count``, that ``3`` or ``3-5`` means."""
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", text.strip())
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= count:
        raise UserError(
            f"Blocks must be a number or a range within 1-{count}, such as 3-5, not {text!r}"
        )
    return list(range(first, last + 1))


def make_memory(latency, bandwidth, stalls, seed):
    """Memory model of these options; no ``bandwidth`` means a beat a cycle each way."""
    from sim.rtl.simulate import MemoryModel

    if bandwidth is not None and bandwidth < 1:
        raise UserError(f"The bandwidth must be 1 byte a cycle or more, not {bandwidth}")
    try:
        return MemoryModel(
            latency=latency, bytes_per_cycle=bandwidth or 0, stall_percent=stalls, seed=seed
        )
    except ValueError as error:
        raise UserError(f"The memory cannot be modelled so: {error}") from None
