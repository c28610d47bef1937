"""The devices and boards that are known, on the terminal and as plain values."""

import dataclasses
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.text import Text

from mnv2.sim.boards.board import Board, load_boards
from mnv2.sim.configuration import load_configuration
from mnv2.sim.cost.devices import Device, find_device, find_named_board, load_devices
from mnv2.sim.cost.families import FAMILIES
from mnv2.sim.report.quantities import format_quantity
from mnv2.sim.report.wide_table import WideTable, new_table

__all__ = ["devices_as_dict", "render_device", "render_devices"]

#: Columns of the table: fields of `mnv2.sim.cost.devices.Device`.
_COUNTS = {
    "dsp": "DSPs",
    "block_ram_18k": "block RAM,\n18 kbit",
    "block_ram_4k": "block RAM,\n4 kbit",
    "ultra_ram": "UltraRAM",
    "luts": "LUTs",
    "flip_flops": "flip-flops",
}


def render_devices(table: str | Path | None = None) -> Group:
    """Every device and every board, a row each.

    Parameters
    ----------
    table : Path, optional
        Another table of devices.

    Returns
    -------
    rich.console.Group
    """
    devices = WideTable("Devices, for --device")
    devices.add_column("device")
    devices.add_column("")
    for heading in _COUNTS.values():
        devices.add_column(heading, justify="right")
    devices.add_column("memory,\npeak", justify="right")
    devices.add_column("other names")
    for device in load_devices(table).values():
        devices.add_row(
            Text(device.name),
            FAMILIES[device.family].title,
            *(f"{count:,}" if (count := getattr(device, name)) else "" for name in _COUNTS),
            format_quantity(device.bandwidth, "B/s"),
            Text(", ".join(device.aliases)),
        )
    return Group(devices, "", _board_table(load_boards()))


def render_device(name: str, table: str | Path | None = None) -> Group:
    """All that is known of one device, and of the board if the name is one's.

    Parameters
    ----------
    name : str
        Of a device or a board.
    table : Path, optional
        Another table of devices.

    Returns
    -------
    rich.console.Group

    Raises
    ------
    UserError
        If there is none, with the nearest names.
    """
    device, board = find_device(name, table), find_named_board(name, table)
    rows = new_table(device.title, "")
    rows.add_column("")
    for label, value in _facts(device).items():
        rows.add_row(label, Text(value))
    on_it = {
        key: one
        for key, one in load_boards().items()
        if one.device == device.name and board in (None, one)
    }
    return Group(rows, "", _board_table(on_it)) if on_it else Group(rows)


def _facts(device: Device) -> dict[str, str]:
    """All that is known of a device, by words."""
    counts = {
        heading.replace("\n", " "): f"{count:,}"
        for name, heading in _COUNTS.items()
        if (count := getattr(device, name))
    }
    return {
        "name": device.name,
        "family": FAMILIES[device.family].title,
        **counts,
        "memory, peak": f"{format_quantity(device.bandwidth, 'B/s')} ({device.bandwidth_from})",
        "memory, part": device.part or "none of the table",
        "other names": ", ".join(device.aliases) or "none",
        "source": device.source,
    }


def _board_table(boards: dict[str, Board]) -> WideTable:
    """A row for each board."""
    table = WideTable("Boards, for --config (with an accelerator) and for --device")
    for heading in (
        "board",
        "",
        "device",
        "memory",
        "clock, MHz",
        "lanes",
        "where the clock is from",
    ):
        table.add_column(heading, justify="right" if heading == "clock, MHz" else "left")
    for name, board in boards.items():
        config = load_configuration(name)
        lanes = f"{config.outputs}x{config.inputs}x{config.pixels}"
        table.add_row(
            Text(name),
            board.title,
            board.device,
            board.memory,
            f"{board.clock_hz / 1e6:g}",
            lanes if config.frames == 1 else f"{lanes}x{config.frames}",
            board.clock_source,
        )
    return table


def devices_as_dict(name: str | None = None, table: str | Path | None = None) -> dict[str, Any]:
    """Devices and boards in values that JSON holds; of a name its own alone."""
    chosen = load_devices(table).values() if name is None else [find_device(name, table)]
    devices = {one.name: dataclasses.asdict(one) for one in chosen}
    return {
        "devices": devices,
        "boards": {
            key: dataclasses.asdict(board)
            for key, board in load_boards().items()
            if board.device in devices
        },
    }
