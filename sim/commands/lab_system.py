"""`mnv2 lab system`: whole frames on a simulated LiteX SoC, by its CPU's firmware."""

from typing import TYPE_CHECKING, Annotated

import typer

from mnv2.sim.commands.lab_turns import SMALL_MACS, Images, open_turns
from mnv2.sim.commands.options.accelerator import Config, Settings
from mnv2.sim.commands.options.model import Calibration, Labels, Model, Resize, Size
from mnv2.sim.errors import SimulationError

if TYPE_CHECKING:
    from rich.console import Group

    from mnv2.sim.system.run import SystemRun

__all__ = ["system"]

#: Pictures that are run where none is named.
_PICTURES = ("chelsea", "coffee")
#: Cycles of the CPU for each element of a picture, and cycles for each MAC, that are never reached.
_CYCLES_PER_ELEMENT, _CYCLES_PER_MAC, _CYCLES_MORE = 400, 1, 3_000_000


def system(
    images: Images = None,
    model: Model = None,
    size: Size = None,
    resize: Resize = None,
    labels: Labels = None,
    calibration: Calibration = "bundled",
    config: Config = "base",
    settings: Settings = None,
    part: Annotated[
        str,
        typer.Option(
            metavar="PART",
            help="Part of the memory, one of those that LiteDRAM has: with it goes the clock.",
        ),
    ] = "ddr3-800x16",
):
    """Run whole frames on a simulated LiteX SoC, and compare their logits with golden's.

    The SoC has VexRiscv, LiteDRAM's controller with LiteDRAM's simulated PHY and chips, a UART, and
    the accelerator as mnv2 verilog --litex connects it. The firmware is the driver of mnv2 program
    with its back end for bare metal, compiled for RISC-V: it packs the pictures, runs them, waits
    for the interrupt and writes classes and logits to the UART. One turn of photographs is run
    where no picture is named. Needs LiteX, VexRiscv's Verilog (pip install 'mnv2[litex]') and a C
    compiler for RISC-V.

    Example: mnv2 lab system chelsea --config base
    """
    from mnv2.sim.commands.terminal.console import get_console, get_error_console
    from mnv2.sim.configuration import load_configuration
    from mnv2.sim.memory.parts import find_part
    from mnv2.sim.system.run import count_mismatches, make_machine

    accelerator = load_configuration(config, settings or ())
    part = find_part(part).name
    defaults = _PICTURES[: accelerator.frames]
    with get_error_console().status("Calibrating") as status:
        turns = open_turns(
            images,
            defaults,
            accelerator,
            model,
            size=size,
            resize=resize,
            labels=labels,
            calibration=calibration,
        )
        machine = make_machine(
            turns.model,
            turns.program,
            accelerator,
            turns.pictures,
            part,
            fast=turns.macs > SMALL_MACS,
            building=lambda: status.update("Building the SoC (minutes, once)"),
        )
        status.update("Running the SoC")
        cycles = _CYCLES_MORE + _CYCLES_PER_ELEMENT * turns.elements
        cycles += _CYCLES_PER_MAC * turns.macs
        run = machine.run(cycles=cycles, timeout=24 * 3600)
    if run.error is not None:
        raise SimulationError(f"The firmware ended in an error: {run.error}")
    mismatches = count_mismatches(run, machine, turns.model.integer)
    get_console().print(_render(run, turns.names, mismatches))
    if mismatches:
        raise SimulationError(f"{mismatches:,} logits differ from golden")


def _render(run: "SystemRun", pictures: tuple[str, ...], mismatches: int) -> "Group":
    """Table of the turns, and a sentence."""
    from rich.console import Group
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("picture", "class", "cycles to pack", "cycles to run"):
        table.add_column(heading, justify="left" if heading in ("picture", "class") else "right")
    waiting = iter(pictures)
    for turn in run.turns:
        figures = (f"{turn.packing_cycles:,}", f"{turn.running_cycles:,}")
        for name in turn.classes:
            table.add_row(next(waiting), name, *figures)
            figures = ("", "")
    logits = sum(turn.logits.size for turn in run.turns)
    return Group(
        table,
        f"{mismatches:,} of {logits:,} logits differ; interrupts: {run.interrupts}; "
        f"{run.cycles:,} cycles in {run.seconds:.1f} s",
    )
