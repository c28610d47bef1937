"""`mnv2 lab`: the measurements that the project's own figures come from, a command each."""

import importlib.util
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.commands.lab_accuracy import accuracy
from mnv2.sim.commands.lab_bitstream import bitstream
from mnv2.sim.commands.lab_driver import driver
from mnv2.sim.commands.lab_gpu import gpu
from mnv2.sim.commands.lab_mutate import mutate
from mnv2.sim.commands.lab_system import system
from mnv2.sim.commands.options.accelerator import Config, Settings
from mnv2.sim.errors import UserError

__all__ = ["COMMANDS", "HELP"]

HELP = """Repeat the measurements that the project's own figures come from.

They work in a checkout of the project, whose files keep the results, and need packages that
mnv2 itself does not: scripts/accuracy, scripts/benchmark, scripts/synthesize, scripts/fmax,
scripts/calibrate-costs, scripts/driver, scripts/system, scripts/bitstream, scripts/gpu,
scripts/mutate and scripts/peers install them first, then run the command of their name with the
same options.
"""

ROOT = Path(__file__).parents[2]

Yosys = Annotated[
    str | None,
    typer.Option(
        metavar="PROGRAM",
        help="A Yosys to use (default YoWASP's, from PyPI, which is the same on every machine; a "
        "native one is several times faster).",
    ),
]

Family = Annotated[
    list[str] | None,
    typer.Option(
        metavar="xcup|xc7|ecp5",
        help="Family of devices: UltraScale+, 7 series or ECP5; may be repeated. Default all "
        "three.",
    ),
]


def benchmark(
    batch: Annotated[int, typer.Option(min=1, metavar="N", help="Images at a time.")] = 16,
    rounds: Annotated[int, typer.Option(min=1, metavar="N", help="Rounds of both.")] = 12,
    seed: Annotated[int, typer.Option(help="Seed of the random images.")] = 0,
):
    """Time the integer model against LiteRT's XNNPACK, one thread each.

    Both run the same network on the same random images, one after the other in each round. Wall
    clock and processor time per image are printed, the least and the median of the rounds, and
    their ratio. Needs LiteRT, which scripts/benchmark installs.

    Example: mnv2 lab benchmark --batch 32 --rounds 20
    """
    _need_checkout("benchmark")
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        raise UserError("OPENBLAS_NUM_THREADS must be 1, as scripts/benchmark sets it")
    import numpy as np

    from mnv2.sim.networks.open import load_model
    from mnv2.sim.peers.xnnpack import measure, report

    timing = measure(load_model(), batch, rounds, np.random.default_rng(seed))
    print("\n".join(report(timing, batch)))


def synthesize(
    config: Config = "tiny",
    settings: Settings = None,
    family: Family = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json",
            help="File that keeps the results, under the configuration's name. Default: results of "
            "a design of sim/cost/designs.toml are kept in sim/cost/synthesis.json, others only "
            "printed.",
        ),
    ] = None,
    yosys: Yosys = None,
    timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="Time for each family.")
    ] = 7200,
):
    """Map the accelerator to the cells of a device with Yosys, and keep the counts.

    It is flattened, as it is for mnv2 place. DSPs, memories, LUTs and flip-flops are printed.
    Nothing is placed. tiny takes a minute or two for each family, base ten.

    Examples:

    - mnv2 lab synthesize --config base --family ecp5

    - mnv2 lab synthesize --set pixels=4 --output synthesis.json
    """
    from mnv2.sim.configuration import load_configuration
    from mnv2.sim.synthesis.map_accelerator import map_accelerator
    from mnv2.sim.synthesis.whole_netlist import COMMANDS as MAPPED

    families = _choose("family", family, MAPPED, MAPPED)
    changes = settings or []
    accelerator = load_configuration(config, changes)
    name = "".join((Path(config).stem, *(f" {change}" for change in changes)))
    if output is None:
        _need_checkout("synthesize without --output")
    map_accelerator(accelerator, name, families, output=output, yosys=yosys, timeout=timeout)


def fmax(
    units: Annotated[
        list[str] | None, typer.Argument(metavar="[UNIT]...", help="Default: all units.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json", help="File that keeps the results. Default sim/cost/fmax.json."
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="Time for each tool.")
    ] = 1800,
):
    """Place and route single units for an ECP5 with nextpnr, and keep their highest clocks.

    The slowest paths are kept with them. A unit takes some minutes; an unknown UNIT is answered
    with the list of all.

    Example: mnv2 lab fmax "Requantize 1x1" --output clocks.json
    """
    from mnv2.sim.cost.clock import MEASURED
    from mnv2.sim.synthesis.fmax import CASES, measure_units

    chosen = _choose("unit", units, CASES, CASES)
    if output is None:
        _need_checkout("fmax without --output")
    measure_units(chosen, output or MEASURED, timeout=timeout)


def timing(
    config: Config = "ulx3s-85f",
    settings: Settings = None,
    paths: Annotated[int, typer.Option(min=1, metavar="N", help="Pairs of units to print.")] = 25,
    timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="Time for Yosys.")
    ] = 7200,
):
    """List the worst paths of the whole accelerator for ECP5, by pair of units; nothing is placed.

    Yosys maps the accelerator, flattened; cells have the delays of speed grade 8, and each wire a
    flat delay by its fan-out. The list tells what binds, and whether a change shortened it. Its
    nanoseconds are not a clock: routed wires depend on the placement. Mapping takes half a minute
    to ten; a yosys on the PATH is taken, else the one from PyPI. Netlists are kept in the cache.

    Example: mnv2 lab timing --config base --set packing=none --set operand_bits=18
    """
    from mnv2.sim.commands.terminal.console import get_console, get_error_console
    from mnv2.sim.configuration import load_configuration
    from mnv2.sim.cost.devices import check_device, find_device
    from mnv2.sim.synthesis.flat_timing import time_accelerator
    from mnv2.sim.synthesis.timing_table import render_paths

    accelerator = load_configuration(config, settings or [])
    # Any ECP5 will do, of whatever size: nothing is placed.
    check_device(accelerator, find_device("ECP5-85"))
    with get_error_console().status("Mapping with Yosys"):
        found = time_accelerator(accelerator, timeout=timeout)
    get_console().print(render_paths(found, paths))


def calibrate_costs(
    design: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Design of sim/cost/designs.toml to map; may be repeated. Default all.",
        ),
    ] = None,
    family: Family = None,
    gearboxes: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="COUNT",
            help="Further shapes of gearboxes to measure at most, the usual ones first.",
        ),
    ] = 0,
    fit_only: Annotated[
        bool, typer.Option("--fit-only", help="Run no tool: fit to the results that are kept.")
    ] = False,
    yosys: Yosys = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Designs at a time (default one for each core)."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="Time for each run of Yosys.")
    ] = 7200,
):
    """Fit the coefficients of mnv2 cost to accelerators that Yosys has mapped.

    Designs that are not mapped yet, or whose netlist has changed, are mapped first, flattened, as
    they are for mnv2 place, a minute or two each and base ten; each result is kept at once, so that
    an interrupted call resumes. Then the coefficients are fitted and the error of each design is
    printed, held-out designs marked.

    Examples:

    - mnv2 lab calibrate-costs --fit-only

    - mnv2 lab calibrate-costs --design tiny --family ecp5
    """
    _need_checkout("calibrate-costs")
    from mnv2.sim.cost.synthesised import load_designs
    from mnv2.sim.synthesis import calibrate_costs as calibration
    from mnv2.sim.synthesis.whole_netlist import COMMANDS as MAPPED

    designs = load_designs()
    calibration.calibrate_costs(
        _choose("design", design, designs, designs),
        _choose("family", family, MAPPED, MAPPED),
        gearboxes=gearboxes,
        fit_only=fit_only,
        yosys=yosys,
        jobs=jobs or os.cpu_count() or 1,
        timeout=timeout,
    )


def peers(
    config: Config = "base",
    settings: Settings = None,
    run: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="An earlier mnv2 run of the whole network on this accelerator. Default: one is "
            "made.",
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Ask no tool that takes minutes; known answers are still shown."
        ),
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Ask only these questions, such as zigzag-own or vela-u65; may be repeated. Known "
            "answers of others are still shown.",
        ),
    ] = None,
    limit: Annotated[
        float,
        typer.Option(min=1, metavar="SECONDS", help="Time for each question."),
    ] = 3600,
    output: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder for peers.json, peers.csv and peers.png."),
    ] = Path("runs/peers"),
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Put peers.json and peers.png of base into docs/ too."),
    ] = False,
    environment: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The tools' own environment. Default build/peers-venv."),
    ] = None,
    answers: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of questions and answers. Default build/peers."),
    ] = None,
):
    """Ask SCALE-Sim, ZigZag and Vela about MobileNetV2 1.0/224 at as many products a cycle.

    The run in RTL is measured; the answers of the tools and of the project's own model are
    predictions, in a table of their own. Answers are kept by the hash of the question and the
    tool's version: an interrupted call resumes, and no question is asked twice. A tool that fails
    or takes too long gets a row that says why. The tools are installed in a separate environment,
    which scripts/peers makes.

    Examples:

    - mnv2 lab peers --quick

    - mnv2 lab peers --config large --limit 7200

    - mnv2 lab peers --only vela-u65 --only zigzag-own --run runs/cat
    """
    _need_checkout("peers")
    from mnv2.sim.commands.terminal.campaign_progress import CampaignBar
    from mnv2.sim.commands.terminal.console import get_console, get_error_console
    from mnv2.sim.peers.tool_comparison import KEPT, ToolRequest, compare_tools

    request = ToolRequest(
        config=config,
        settings=settings or (),
        run=run,
        quick=quick,
        only=only or (),
        limit=limit,
        output=output,
        keep=keep,
        environment=environment,
        answers=answers,
    )
    with CampaignBar("Asking") as progress:
        table = compare_tools(request, progress)
    get_console().print(table)
    get_error_console().print(
        f"In {output}: peers.csv, peers.json, peers.png"
        + (f"; in docs: {', '.join(KEPT)}" if keep else "")
    )


#: The commands, in the order of the help.
COMMANDS = (
    accuracy,
    benchmark,
    synthesize,
    fmax,
    timing,
    calibrate_costs,
    driver,
    system,
    bitstream,
    peers,
    gpu,
    mutate,
)


def _need_checkout(what: str) -> None:
    """Refuse to work in an installed package, which has neither the peers nor files to keep."""
    if importlib.util.find_spec("mnv2.sim.peers") is None:
        raise UserError(
            f"mnv2 lab {what} works in a checkout of the project only, not in an installed package"
        )


def _choose(
    name: str, given: list[str] | None, valid: Collection[str], default: Iterable[str]
) -> list[str]:
    """The given values, or the default ones if there are none.

    Raises
    ------
    UserError
        If one of them is not valid.
    """
    for value in given or ():
        if value not in valid:
            raise UserError(f"The {name} must be one of {', '.join(valid)}, not {value!r}")
    return list(given or default)
