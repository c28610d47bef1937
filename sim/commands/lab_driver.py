"""`mnv2 lab driver`: whole frames on the RTL, by the driver in C."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
from mnv2.sim.errors import SimulationError, UserError

if TYPE_CHECKING:
    from rich.console import Group

    from mnv2.sim.driver.drive import DriveReport
    from mnv2.sim.networks.open import RunnableModel

__all__ = ["driver"]

#: Pictures that are run where none is named.
_PICTURES = ("chelsea", "coffee", "china", "flower", "rocket", "astronaut")
_LEAST = 3
#: MACs of all pictures up to which the bench is compiled in a hurry.
_SMALL_MACS = 20_000_000


def driver(
    images: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[IMAGE]...",
            help="Pictures, or names of bundled photographs; two for each turn of an accelerator "
            "of two frames abreast. Default three turns of photographs.",
        ),
    ] = None,
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
    pictures, logits and accumulators must be equal to golden's in every element.

    With --faults the driver must find the right error in each case, and the next picture must be
    right.

    Examples:

    - mnv2 lab driver

    - mnv2 lab driver --config pair --stalls 20 --faults
    """
    from mnv2.sim.commands.terminal.console import get_console, get_error_console
    from mnv2.sim.configuration import load_configuration
    from mnv2.sim.driver.drive import DrivenBench, drive
    from mnv2.sim.mapping.network_program import build_network_program
    from mnv2.sim.mapping.tiling import DoesNotFit
    from mnv2.sim.networks.input_files import read_picture
    from mnv2.sim.networks.inputs import load_input
    from mnv2.sim.networks.open import open_model
    from mnv2.sim.rtl.check import accelerator_arithmetic, check_formats

    accelerator = load_configuration(config, settings or ())
    frames = accelerator.frames
    names = images or _PICTURES[: _LEAST * frames]
    if len(names) % frames:
        raise UserError(f"Pictures must be a multiple of the {frames} frames, not {len(names)}")
    sources = [read_picture(name) for name in names]
    memory = make_memory(latency, bandwidth, stalls, seed, None, 200e6)
    with (
        tempfile.TemporaryDirectory(prefix="mnv2-") as folder,
        get_error_console().status("Calibrating") as status,
    ):
        opened = open_model(
            model,
            input_size=size,
            weight_bits=accelerator.weight_bits,
            activation_bits=accelerator.activation_bits,
            arithmetic=accelerator_arithmetic(accelerator),
            calibration=calibration,
            resize=resize,
            labels=labels,
        )
        check_formats(opened.integer, accelerator)
        inputs = [load_input(opened, source).integer for source in sources]
        try:
            program = build_network_program(opened.integer, accelerator)
        except DoesNotFit as error:
            raise UserError(error.advice) from None
        bench = DrivenBench(
            opened,
            program,
            accelerator,
            [inputs[k : k + frames] for k in range(0, len(inputs), frames)],
            Path(folder),
            # What runs for a moment is not worth the time of a compiler that makes it fast.
            fast=opened.network.macs * len(inputs) > _SMALL_MACS,
            building=lambda: status.update("Building the bench (minutes, once)"),
        )
        report = drive(bench, memory, faults=faults, telling=status.update)
    get_console().print(_render(report, opened, [Path(name).stem for name in names]))
    if report.wrong or report.mismatches:
        wrong = f"; wrong: {', '.join(report.wrong)}" if report.wrong else ""
        raise SimulationError(f"{report.mismatches:,} elements differ from golden{wrong}")


def _render(report: "DriveReport", model: "RunnableModel", pictures: list[str]) -> "Group":
    """Table of the turns, and sentences for stream and faults."""
    from rich.console import Group
    from rich.table import Table

    from mnv2.golden.fixed_point import dequantize
    from mnv2.sim.driver.program_layout import logit_names
    from mnv2.sim.networks.ranking import rank

    classifier, classes = model.integer.classifier, logit_names(model)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("picture", "class", "cycles", "elements", "differ"):
        table.add_column(heading, justify="left" if heading in ("picture", "class") else "right")
    waiting = iter(pictures)
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
