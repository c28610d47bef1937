"""`mnv2 devices`."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.commands.terminal.guard import prints_json


@prints_json
def devices(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A device or a board, to see all of it. Default all."),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            "--devices",
            metavar="FILE.toml",
            help="A table of devices in place of the one installed.",
        ),
    ] = None,
):
    """List the devices and the boards that --device and --config take by name.

    Of a device what it holds, the memory of a well-known board with it, and its other names; of a
    board its device, memory and clock, and the accelerator that --config takes for it.

    Examples:

    - mnv2 devices

    - mnv2 devices zu3eg
    """
    from mnv2.sim.commands.terminal.console import show_report
    from mnv2.sim.cost.device_tables import devices_as_dict, render_device, render_devices

    shown = render_devices(table) if name is None else render_device(name, table)
    show_report(shown, report=partial(devices_as_dict, name, table))
