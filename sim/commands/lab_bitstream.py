"""`mnv2 lab bitstream`: a whole system for an ECP5-85 board, to the bits."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mnv2.sim.commands.options.accelerator import Config, Settings

if TYPE_CHECKING:
    from rich.console import Group

    from mnv2.sim.system.bitstream import Bitstream

__all__ = ["bitstream"]


def bitstream(
    config: Config = "ulx3s-85f",
    settings: Settings = None,
    output: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help="Gets system.bit, system.json and bitstream.json.",
            show_default=True,
        ),
    ] = Path("build/bitstream"),
    seed: Annotated[int, typer.Option(min=1, metavar="N", help="Seed of the placer.")] = 1,
    yosys: Annotated[
        str | None,
        typer.Option(
            metavar="PROGRAM", help="A Yosys to use; a native one is several times faster."
        ),
    ] = None,
    nextpnr: Annotated[
        str | None,
        typer.Option(metavar="PROGRAM", help="A nextpnr-ecp5 to use (default that of the PATH)."),
    ] = None,
    timeout: Annotated[
        int, typer.Option(min=1, metavar="SECONDS", help="For Yosys, and for nextpnr.")
    ] = 6 * 3600,
    keep: Annotated[
        bool, typer.Option("--keep", help="Put the figures into sim/system/bitstreams.json.")
    ] = False,
):
    """Make the bitstream of a whole system for a ULX3S with an ECP5-85.

    LiteX makes a SoC without a CPU: a bridge from the board's USB serial line, LiteDRAM's
    controller with the board's SDRAM, and the accelerator. Yosys maps it, nextpnr places and routes
    it at the board's clock, ecppack packs the bits. The clock and the use of the device are those
    of the whole system. mnv2_serial.py of mnv2 program is the host's side. No board has run it.

    Examples:

    - mnv2 lab bitstream

    - mnv2 lab bitstream --config tiny --set operand_bits=18 --output build/tiny
    """
    from mnv2.sim.commands.terminal.console import get_console, get_error_console
    from mnv2.sim.commands.terminal.step_progress import StepBar
    from mnv2.sim.configuration import load_configuration
    from mnv2.sim.jobs.files import replaced_files, write_json
    from mnv2.sim.system.bitstream import keep_bitstream, make_bitstream

    accelerator = load_configuration(config, settings or ())
    with replaced_files(output) as folder, StepBar() as bar:
        made = make_bitstream(
            accelerator, bar.show, seed=seed, yosys=yosys, nextpnr=nextpnr, timeout=timeout
        )
        (folder / "system.bit").write_bytes(made.bits)
        write_json(folder / "system.json", made.system)
        write_json(folder / "bitstream.json", made.describe())
    if keep:
        keep_bitstream(made, " ".join((Path(config).stem, *(settings or ()))))
    get_console().print(_render(made))
    get_error_console().print(f"In {output}: bitstream.json, system.bit, system.json")


def _render(made: "Bitstream") -> "Group":
    """The clock in a sentence, and a table of the use of the device."""
    from rich.console import Group
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("resource", "used", "of"):
        table.add_column(heading, justify="left" if heading == "resource" else "right")
    for use in made.uses:
        table.add_row(use.resource, f"{use.used:,}", f"{use.available:,}")
    verdict = "meets" if made.meets_clock else "misses"
    return Group(
        f"{made.megahertz:.1f} MHz by nextpnr, seed {made.seed}: the system {verdict} its clock of "
        f"{made.clock_hz / 1e6:g} MHz",
        table,
    )
