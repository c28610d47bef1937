"""`mnv2 run`."""

import dataclasses
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from sim.errors import UserError


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
    report is printed and written as report.json, report.csv and pictures. The first run of a configuration
    builds its simulation (minutes); later runs find it in the cache.

    Examples:

    - mnv2 run cat.jpg

    - mnv2 run cat.jpg --blocks 3 --waves

    - mnv2 run --config small --set data_bits=128 --latency 40 --output runs/small
    """
    from golden.network import mobilenet_v2
    from sim.commands.console import get_console, get_error_console
    from sim.commands.pictures import find_picture
    from sim.commands.progress import BlockProgress
    from sim.configuration import load_configuration
    from sim.images import load_image
    from sim.report.files import output_folder, write_csv, write_json
    from sim.report.limits import block_limits
    from sim.report.plots import write_plots
    from sim.report.provenance import find_commit, find_versions
    from sim.report.results import RunReport
    from sim.report.tables import render_report
    from sim.rtl.toolchain import find_toolchain

    network = mobilenet_v2()
    chosen = parse_blocks(blocks, len(network.blocks))
    configuration = load_configuration(config, settings or ())
    memory = make_memory(latency, seed)
    path = find_picture(image)
    load_image(path)
    versions = find_versions(find_toolchain())
    folder = output or Path("runs") / datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    selected = [network.blocks[number - 1] for number in chosen]
    with output_folder(folder) as temporary:
        from sim.rtl.run import run_bottlenecks

        with BlockProgress({block.name: block.macs for block in selected}) as progress:
            results = run_bottlenecks(
                path,
                config=configuration,
                memory=memory,
                seed=seed,
                blocks=chosen,
                waves=temporary if waves else None,
                jobs=jobs or os.cpu_count() or 1,
                progress=progress,
            )
        report = RunReport(
            image=str(path),
            bottlenecks=tuple(results),
            limits=tuple(block_limits(block) for block in selected),
            configuration=dataclasses.asdict(configuration),
            memory=dataclasses.asdict(memory),
            memory_bytes_per_cycle=configuration.data_bits // 8,
            clock_hz=clock * 1e6,
            seed=seed,
            versions=versions,
            commit=find_commit(),
            wall_seconds=progress.simulation_seconds,
        )
        write_json(report, temporary / "report.json")
        write_csv(report, temporary / "report.csv")
        write_plots(report, temporary)
    get_console().print(render_report(report))
    get_error_console().print(
        f"Report: {folder}/report.json, report.csv, cycles.png, bytes.png, roofline.png"
    )
    if report.total.mismatches:
        raise typer.Exit(1)


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
