"""`mnv2 lab driver`: whole frames on the RTL, by the driver in C."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mnv2.sim.commands.lab_turns import SMALL_MACS, Images, Turns, open_turns
from mnv2.sim.commands.options.accelerator import (
    Bandwidth,
    Config,
    Latency,
    Seed,
    Settings,
    Stalls,
    make_memory,
)
from mnv2.sim.commands.options.model import Calibration, Labels, Model, Resize, Size
from mnv2.sim.errors import SimulationError

if TYPE_CHECKING:
    from rich.console import Group

    from mnv2.sim.driver.drive import DriveReport

__all__ = ["driver"]

#: Pictures that are run where none is named.
_PICTURES = ("chelsea", "coffee", "china", "flower", "rocket", "astronaut")
_LEAST = 3


def driver(
    images: Images = None,
    model: Model = None,
    size: Size = None,
    resize: Resize = None,
    labels: Labels = None,
    calibration: Calibration = "bundled",
    config: Config = "base",
    settings: Settings = None,
    latency: Latency = None,
    bandwidth: Bandwidth = None,
    stalls: Stalls = 0,
    seed: Seed = 1,
    faults: Annotated[
        bool,
        typer.Option(
            "--faults",
            help="After that meet faults of memory, program and host, each followed by a picture.",
        ),
    ] = False,
):
    """Run whole frames on the RTL by the driver in C, without Python, and compare them with golden.

    The driver of mnv2 program is compiled for this machine and linked with the Verilated
    accelerator and its memory: registers are accessed over AXI4-Lite, one at a time, and the CPU's
    cache is another memory, of which only the driver's hooks carry bytes to the accelerator's. The
    program is loaded once; pictures are run one by one, then as a stream from a ring. Packed
    pictures, logits and accumulators must be equal to golden's in every element. Three turns of
    photographs are run where no picture is named.

    With --faults the driver must find the right error in each case, and the next picture must be
    right.

    Examples:

    - mnv2 lab driver

    - mnv2 lab driver --config pair --stalls 20 --faults
    """
    from mnv2.sim.commands.terminal.console import get_console, get_error_console
    from mnv2.sim.configuration import load_configuration
    from mnv2.sim.driver.drive import DrivenBench, drive

    accelerator = load_configuration(config, settings or ())
    defaults = _PICTURES[: _LEAST * accelerator.frames]
    memory = make_memory(latency, bandwidth, stalls, seed, None, 200e6)
    with (
        tempfile.TemporaryDirectory(prefix="mnv2-") as folder,
        get_error_console().status("Calibrating") as status,
    ):
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
        bench = DrivenBench(
            turns.model,
            turns.program,
            accelerator,
            turns.pictures,
            Path(folder),
            fast=turns.macs > SMALL_MACS,
            building=lambda: status.update("Building the bench (minutes, once)"),
        )
        report = drive(bench, memory, faults=faults, telling=status.update)
    get_console().print(_render(report, turns))
    if report.wrong or report.mismatches:
        wrong = f"; wrong: {', '.join(report.wrong)}" if report.wrong else ""
        raise SimulationError(f"{report.mismatches:,} elements differ from golden{wrong}")


def _render(report: "DriveReport", turns: Turns) -> "Group":
    """Table of the turns, and sentences for stream and faults."""
    from rich.console import Group
    from rich.table import Table

    from mnv2.golden.fixed_point import dequantize
    from mnv2.sim.driver.program_layout import logit_names
    from mnv2.sim.networks.ranking import rank

    classifier, classes = turns.model.integer.classifier, logit_names(turns.model)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("picture", "class", "cycles", "elements", "differ"):
        table.add_column(heading, justify="left" if heading in ("picture", "class") else "right")
    waiting = iter(turns.names)
    for step, result in zip(report.turns, report.results, strict=True):
        figures = (f"{step.cycles:,}", f"{result.compared:,}", f"{result.mismatches:,}")
        for logits in result.logits:
            real = dequantize(logits, classifier.output_scale, classifier.output_zero_point)
            table.add_row(next(waiting), rank(real, 1, classes)[0].name, *figures)
            figures = ("", "", "")
    count = f"{len(report.turns)} turns in {report.seconds:.1f} s, the start of the bench included"
    lines = [f"{count}; {report.mismatches:,} mismatches in all that was run"]
    if report.stream is not None:
        lines.append(
            f"As a stream: {report.stream.cycles:,} cycles, with the turns begun before it stopped"
        )
    lines += [f"{fault.name}: {fault.error}, then {after.error}" for fault, after in report.faults]
    return Group(table, *lines)
