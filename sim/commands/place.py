"""`mnv2 place`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mnv2.sim.commands.options.accelerator import Config, Settings
from mnv2.sim.commands.terminal.guard import prints_json
from mnv2.sim.errors import UserError

if TYPE_CHECKING:
    from mnv2.sim.place.placement import PlaceReport
    from mnv2.sim.place.target import Target

#: Placed for where neither an option nor a board says another.
_DEFAULT_DEVICE = "ECP5-85"


@prints_json
def place(
    config: Config = "ulx3s-85f",
    settings: Settings = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="ECP5-25, ECP5-45 or ECP5-85; XC7A35T, XC7A100T, XC7A200T, XC7Z010 or XC7Z020, "
            "whose clock is optimistic; or a board with one. Default: the board's of --config, "
            "else ECP5-85.",
        ),
    ] = None,
    speed: Annotated[
        int | None,
        typer.Option(
            metavar="6|7|8",
            help="Speed grade of an ECP5 that is placed and routed for (default 8); the clocks of "
            "the others are read from the same routing.",
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=1000, metavar="N", help="Seeds of the placer to try, from 1.")
    ] = 1,
    bitstream: Annotated[
        bool,
        typer.Option(
            "--bitstream",
            help="Pack the bits of the fastest seed too, as accelerator.bit; ECP5 only.",
        ),
    ] = False,
    nextpnr: Annotated[
        str | None,
        typer.Option(
            metavar="PROGRAM",
            help="A nextpnr to use (default nextpnr-ecp5 or nextpnr-himbaechel-xilinx on the "
            "PATH; of the first else YoWASP's, which is several times slower).",
        ),
    ] = None,
    yosys: Annotated[
        str | None,
        typer.Option(
            metavar="PROGRAM",
            help="A Yosys to use (default YoWASP's, from PyPI, which is the same on every "
            "machine; a native one is several times faster).",
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(min=1, metavar="SECONDS", help="Time for Yosys, and for each seed."),
    ] = 6 * 3600,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep",
            help="Keep the result in sim/cost/placed.json, an optimistic one in "
            "sim/place/optimistic.json; needs a checkout.",
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for place.json and place.png."),
    ] = None,
):
    """Place and route a whole accelerator, and report its clock and its worst paths by unit.

    The accelerator stands between registers with few pins; Yosys maps it as one flat module,
    nextpnr places and routes it. Half an hour for each seed and 20,000 LUTs, several times that
    with YoWASP's nextpnr. Steps that are done are kept in the cache: a call that was stopped
    resumes. In a checkout, scripts/place installs Yosys and nextpnr-ecp5 first, then runs this
    command with the same options.

    Only ECP5 has open tools whose timing is complete. On AMD 7 series, with
    nextpnr-himbaechel-xilinx on the PATH, every clock and path is optimistic: that program has no
    delays of a DSP48E1, and its delays of LUTs and flip-flops are stubs. Nothing computes with it.
    No open tool places UltraScale+, and those of other families lack what accelerators are made of.

    Examples:

    - mnv2 place --config ulx3s-85f --speed 6

    - mnv2 place --config tiny --set packing=none --set operand_bits=18 --device ECP5-85

    - mnv2 place --config board.toml --device ECP5-85 --speed 6 --seeds 4 --output runs/place

    - mnv2 place --config base --set operand_bits=25 --device XC7A200T
    """
    from contextlib import nullcontext
    from functools import partial

    from mnv2.sim.commands.terminal.console import get_error_console, show_report
    from mnv2.sim.commands.terminal.step_progress import StepBar
    from mnv2.sim.configuration import load_setting
    from mnv2.sim.cost.devices import find_device
    from mnv2.sim.jobs.files import replaced_files
    from mnv2.sim.place.design_check import check_design
    from mnv2.sim.place.other_families import check_family
    from mnv2.sim.place.place_files import describe_place, write_place
    from mnv2.sim.place.place_tables import render_place
    from mnv2.sim.place.placement import PlaceRequest, place_accelerator
    from mnv2.sim.place.target import find_target

    if bitstream and output is None:
        raise UserError("--bitstream needs a folder to write it to: give --output")
    if keep:
        _need_checkout()
    setting = load_setting(config, settings or ())
    if device is None:
        device = (setting.board and setting.board.device) or _DEFAULT_DEVICE
    check_family(device)
    target = find_target(find_device(device))
    speed = _choose_speed(target, speed)
    if bitstream and not target.flow.bits:
        raise UserError(
            f"--bitstream packs for ECP5 only: {target.flow.program} writes no bits of a "
            f"{target.device.name} that ecppack takes"
        )
    check_design(setting.config, target.device)
    request = PlaceRequest(
        config=setting.config,
        target=target,
        speed=speed,
        seeds=tuple(range(1, seeds + 1)),
        nextpnr=nextpnr,
        yosys=yosys,
        bitstream=bitstream,
        timeout=timeout,
    )
    names: list[str] = []
    with replaced_files(output) if output else nullcontext() as folder:
        with StepBar() as bar:
            report = place_accelerator(request, bar.show)
        if folder is not None:
            names = write_place(report, folder)
        if keep:
            _keep(report, config, settings)
    show_report(render_place(report), report=partial(describe_place, report))
    if output:
        get_error_console().print(f"In {output}: {', '.join(names)}")


def _choose_speed(target: "Target", speed: int | None) -> int:
    """Grade of the device that is asked for, or its fastest."""
    speeds = target.flow.speeds
    if speed is None:
        return speeds[-1]
    if speed not in speeds:
        grades = " or ".join(", ".join(map(str, speeds)).rsplit(", ", 1))
        raise UserError(
            f"--speed must be {grades} for {target.device.name}, the grades that "
            f"{target.flow.program} has delays of, not {speed}"
        )
    return speed


def _need_checkout() -> None:
    """Refuse to keep results in an installed package."""
    import importlib.util

    if importlib.util.find_spec("mnv2.sim.peers") is None:
        raise UserError("--keep works in a checkout of the project only")


def _keep(report: "PlaceReport", config: str, settings: list[str] | None) -> None:
    """Put a result among those of the project."""
    from mnv2.sim.place.kept import keep_result

    keep_result(report, " ".join((Path(config).stem, *(settings or ()))))
