"""`mnv2 run`."""

import dataclasses
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
            help="Simulate these bottlenecks only, such as 3 or 3-5; 1 to 17. Without it, all.",
        ),
    ] = None,
    clock: Annotated[
        float,
        typer.Option(
            min=0.001,
            metavar="MHZ",
            help="Clock that times and bandwidths are stated at, in MHz. It changes no cycle.",
        ),
    ] = 200.0,
    latency: Annotated[
        int, typer.Option(metavar="CYCLES", help="Cycles from a read address to its first data.")
    ] = 100,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 1,
    waves: Annotated[
        bool,
        typer.Option(
            "--waves",
            help="Write a waveform of each simulated bottleneck into the output folder: large "
            "and slow, best with --blocks.",
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the report. Without it, runs/<time>."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Simulations at a time. Without it, one for each core."),
    ] = None,
):
    """Run the bottlenecks of MobileNetV2 in RTL on a picture, and measure cycles and bytes.

    Each bottleneck gets the picture's own activations, runs on the accelerator's Verilog in
    Verilator, and must give every element of its output as the integer golden model does. The
    report is printed and written as report.json, report.csv and pictures. The first run of
    a configuration builds its simulation (minutes); later runs find it in the cache.

    Examples:

    - mnv2 run cat.jpg

    - mnv2 run cat.jpg --blocks 3 --waves

    - mnv2 run --config small --set data_bits=128 --latency 40 --output runs/small
    """
    from sim.commands.console import get_console, get_error_console
    from sim.commands.pictures import find_picture
    from sim.configuration import load_configuration
    from sim.images import load_image
    from sim.report.files import output_folder, write_csv, write_json
    from sim.report.plots import write_plots
    from sim.report.tables import render_report

    # What can be wrong is looked at first: the simulation takes its time.
    accelerator = load_configuration(config, settings or ())
    memory = make_memory(latency, seed)
    chosen = parse_blocks(blocks, BLOCKS)
    path = find_picture(image)
    load_image(path)
    folder = output or Path("runs") / datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    with output_folder(folder) as temporary:
        report = simulate_blocks(
            path,
            chosen,
            accelerator=accelerator,
            memory=memory,
            clock_hz=clock * 1e6,
            jobs=jobs or os.cpu_count() or 1,
            waves_folder=temporary if waves else None,
        )
        write_json(report, temporary / "report.json")
        write_csv(report, temporary / "report.csv")
        write_plots(report, temporary)
        files = ", ".join(sorted(file.name for file in temporary.iterdir()))
    get_console().print(render_report(report))
    get_error_console().print(f"In {folder}: {files}")


def simulate_blocks(path, chosen, *, accelerator, memory, clock_hz, jobs, waves_folder=None):
    """Run bottlenecks on a picture's own activations.

    Parameters
    ----------
    path : Path
        The picture.
    chosen : list of int
        Numbers of the bottlenecks, from 1.
    accelerator : hw.config.AcceleratorConfig
    memory : sim.rtl.simulate.MemoryModel
    clock_hz : float
    jobs : int
        Simulations at a time.
    waves_folder : Path, optional
        Where waveforms are written, if they are.

    Returns
    -------
    sim.report.results.RunReport
    """
    from sim.commands.progress import BlockProgress, show_count
    from sim.images import load_input, quantize_input
    from sim.models import load_model
    from sim.report.limits import block_limits
    from sim.report.provenance import find_commit, find_versions
    from sim.report.results import RunReport
    from sim.rtl.run_blocks import network_tasks, run_tasks
    from sim.rtl.toolchain import find_toolchain

    versions = find_versions(find_toolchain())
    float_input = load_input(path)
    with show_count("Calibrating") as progress:
        model = load_model(progress=progress)
    tasks = network_tasks(model, model.run(quantize_input(float_input, model)))
    tasks = [tasks[number - 1] for number in chosen]
    with BlockProgress(sum(task.block.macs for task in tasks)) as progress:
        results = run_tasks(
            tasks,
            config=accelerator,
            memory=memory,
            jobs=jobs,
            waves_folder=waves_folder,
            progress=progress,
        )
    return RunReport(
        image=str(path),
        bottlenecks=tuple(results),
        limits=tuple(block_limits(task.block) for task in tasks),
        configuration=dataclasses.asdict(accelerator),
        memory=dataclasses.asdict(memory),
        memory_bytes_per_cycle=accelerator.data_bytes,
        clock_hz=clock_hz,
        seed=memory.seed,
        versions=versions,
        commit=find_commit(),
        wall_seconds=progress.simulation_seconds,
    )


def parse_blocks(text, count):
    """Numbers of blocks, from 1, that ``3`` or ``3-5`` means; all of ``count`` for None."""
    if text is None:
        return list(range(1, count + 1))
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", text.strip())
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= count:
        raise UserError(
            f"Blocks must be a number or a range within 1-{count}, such as 3-5, not {text!r}"
        )
    return list(range(first, last + 1))


def make_memory(latency, seed):
    """Memory model of these options."""
    from sim.rtl.simulate import MemoryModel

    try:
        return MemoryModel(latency=latency, seed=seed)
    except ValueError as error:
        raise UserError(f"The memory cannot be modelled so: {error}") from None
