"""`mnv2 cost`."""

from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.commands.options.accelerator import (
    Config,
    Latency,
    Memory,
    Settings,
    complete_device,
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
from mnv2.sim.commands.terminal.guard import prints_json
from mnv2.sim.errors import UserError


@prints_json
def cost(
    config: Config = "base",
    settings: Settings = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A device, such as ZU3EG or ECP5-85, or a board with its memory and clock, "
            "such as kv260; mnv2 devices lists them. Default: the board's of --config, else all.",
            autocompletion=complete_device,
        ),
    ] = None,
    devices: Annotated[
        Path | None,
        typer.Option(metavar="FILE.toml", help="A table of devices in place of the one installed."),
    ] = None,
    clock: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=1e6,
            metavar="MHZ",
            help="Clock in MHz (default the board's; else on ECP5 the placed one, that of a model "
            "of placed designs, or the slowest unit's, and a setting elsewhere).",
        ),
    ] = None,
    fmax: Annotated[
        bool,
        typer.Option(
            "--fmax",
            help="Place and route the units of this configuration for ECP5 first, minutes each, "
            "and keep their clocks in the cache.",
        ),
    ] = False,
    energies: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml",
            help="Energies in picojoules, whose ratios count, in place of those of "
            "sim/cost/energies.toml.",
        ),
    ] = None,
    memory: Memory = None,
    latency: Latency = None,
    bandwidth: Annotated[
        int | None,
        typer.Option(
            metavar="BYTES",
            help="Bytes a cycle that memory moves at most, reads and writes together (default the "
            "peak of the board's memory, if that is less than a beat a cycle each way).",
        ),
    ] = None,
    model: Model = None,
    width: Width = None,
    size: ImageSize = None,
    classes: Classes = None,
    padding: StridePadding = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for report.json, report.csv and, of one device, cost.png.",
        ),
    ] = None,
):
    """Estimate the resources, the speed and the relative energy of an accelerator on a device.

    DSPs and memories are counted exactly as Yosys maps them, LUTs and flip-flops by formulas
    fitted to its runs; frames/s and bytes are predicted as by mnv2 predict; energy is counted
    operations times a table, as a ratio between designs: joules and watts are not estimated.
    Nothing is built or run, except with --fmax. The accelerator of a board (--config kv260), or
    another on a board (--device kv260), is predicted with the board's memory and clock. On other
    devices, without --memory or --bandwidth, the memory is that of a well-known board, at its
    peak; its effective bandwidth is compared with.

    Examples:

    - mnv2 cost --config kv260

    - mnv2 cost --config base --device ZU9EG --clock 250

    - mnv2 cost --config small --memory ddr3-800x16 --clock 100

    - mnv2 cost --config small --set packing=pixels

    - mnv2 cost --device K26 --set map_ram=ultra --set weight_ram=ultra --output runs/cost
    """
    from contextlib import nullcontext
    from functools import partial

    from mnv2.sim.commands.terminal.console import say_files, say_setting, show_report
    from mnv2.sim.configuration import load_setting
    from mnv2.sim.cost.cost_plots import draw_cost
    from mnv2.sim.cost.cost_report import cost_as_dict, make_cost_report, write_cost_report
    from mnv2.sim.cost.cost_tables import render_cost_report
    from mnv2.sim.cost.devices import check_device, find_device, load_devices
    from mnv2.sim.cost.energy import load_energies
    from mnv2.sim.jobs.files import output_folder
    from mnv2.sim.memory.parts import find_part

    setting = load_setting(config, settings or ()).on(device, devices)
    accelerator, clock_source = setting.config, setting.clock_source(clock)
    if setting.board is not None:
        device = device or setting.board.device or None
        clock = clock or setting.board.clock_hz / 1e6
        memory, latency, bandwidth = setting.memory(memory, latency, bandwidth)
        devices = devices or (Path(setting.board.devices) if setting.board.devices else None)
    say_setting(setting)
    chosen = [find_device(device, devices)] if device else list(load_devices(devices).values())
    if device:
        check_device(accelerator, chosen[0])
    table = load_energies(energies)
    steady = make_memory(latency, bandwidth)
    if memory is not None:
        make_memory(latency, bandwidth, part=memory, clock_hz=setting.clock_hz(clock))
    network = choose_network(model, width, size, classes, padding, setting)
    with output_folder(output) if output else nullcontext() as folder:
        report = make_cost_report(
            network,
            accelerator,
            chosen,
            latency=steady.latency,
            bytes_per_cycle=bandwidth,
            part=None if memory is None else find_part(memory),
            clock_hz=None if clock is None else clock * 1e6,
            clock_source=clock_source,
            unit_clocks=_unit_clocks(accelerator, chosen, fmax, clock),
            energies=table,
        )
        if folder is not None:
            write_cost_report(report, folder)
            if device:
                draw_cost(report).savefig(folder / "cost.png", dpi=120)
    show_report(render_cost_report(report), report=partial(cost_as_dict, report))
    if output:
        say_files(output)


def _unit_clocks(accelerator, devices, wanted, clock):
    """Measured clocks of this very configuration's units; None where those of `base` will do."""
    if not wanted:
        return None
    if clock is not None:
        raise UserError("--fmax measures what --clock states: give one of them")
    if not any(device.family == "ecp5" for device in devices):
        raise UserError("--fmax places and routes for ECP5: choose a --device of that family")
    from mnv2.sim.commands.terminal.bars import show_count
    from mnv2.sim.synthesis.fmax import measure_configuration

    with show_count("placing and routing units") as progress:
        return measure_configuration(accelerator, progress)
