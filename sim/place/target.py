"""Devices that open tools place, and what their tools call them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mnv2.sim.cost.devices import Device, load_devices
from mnv2.sim.errors import UserError
from mnv2.sim.place.flow import ECP5, XC7, Flow
from mnv2.sim.place.xilinx import PARTS, Part, find_database, prepare_netlist, write_pins

__all__ = ["Ecp5Target", "Target", "Xc7Target", "find_target"]

#: nextpnr-ecp5's option of each, and the columns and rows of its tiles (Project Trellis,
#: devices.json). The package is one that all three are made in.
_ECP5 = {
    "ECP5-25": ("--25k", 73, 51),
    "ECP5-45": ("--45k", 91, 72),
    "ECP5-85": ("--85k", 127, 96),
}
_PACKAGE = "CABGA381"

#: Files of a run, in its folder.
_NETLIST, _PINS = "netlist.json", "pins.xdc"

#: Why others are not placed, in words that follow a device's name.
_REASONS = {
    "xcup": "no open tool places UltraScale+",
    "xc7": "nextpnr-himbaechel-xilinx has no database of it",
    "ice40": "it holds none of the accelerators",
}


@dataclass(frozen=True)
class Target(ABC):
    """A device as its nextpnr takes it.

    Attributes
    ----------
    device : mnv2.sim.cost.devices.Device
    package : str
    columns, rows : int
        Of its tiles.
    flow : mnv2.sim.place.flow.Flow
    """

    device: Device
    package: str
    columns: int
    rows: int
    flow: ClassVar[Flow]

    @abstractmethod
    def arguments(self, speed: int) -> tuple[str, ...]:
        """nextpnr's arguments for the device at a speed grade, the same on every machine."""

    def find_arguments(self, program: Path) -> tuple[str, ...]:
        """Arguments that depend on where a program and its files are."""
        return ()

    def write_inputs(self, netlist: bytes, folder: Path) -> None:
        """Write what nextpnr reads: ``netlist.json``, of Yosys's JSON, and what goes with it."""
        (folder / _NETLIST).write_bytes(netlist)


@dataclass(frozen=True)
class Ecp5Target(Target):
    """A device as nextpnr-ecp5 takes it.

    Attributes
    ----------
    option : str
        nextpnr's of the device.
    """

    option: str
    flow: ClassVar[Flow] = ECP5

    def arguments(self, speed: int) -> tuple[str, ...]:
        return (self.option, "--package", self.package, "--speed", str(speed))


@dataclass(frozen=True)
class Xc7Target(Target):
    """A device as nextpnr-himbaechel-xilinx takes it.

    Attributes
    ----------
    part : mnv2.sim.place.xilinx.Part
    """

    part: Part
    flow: ClassVar[Flow] = XC7

    def arguments(self, speed: int) -> tuple[str, ...]:
        return ("--device", f"{self.part.name}-{speed}", "-o", f"xdc={_PINS}")

    def find_arguments(self, program: Path) -> tuple[str, ...]:
        """The database of the die where it is found; else nextpnr looks for it itself."""
        database = find_database(program, self.part)
        return () if database is None else ("--chipdb", str(database))

    def write_inputs(self, netlist: bytes, folder: Path) -> None:
        (folder / _NETLIST).write_bytes(prepare_netlist(netlist))
        (folder / _PINS).write_text(write_pins(self.part), encoding="utf-8")


def find_target(device: Device) -> Target:
    """The target of a device.

    Raises
    ------
    UserError
        If no open tool places it, with those that are placed.
    """
    if device.name in _ECP5:
        option, columns, rows = _ECP5[device.name]
        return Ecp5Target(device, _PACKAGE, columns, rows, option)
    if device.name in PARTS:
        part = PARTS[device.name]
        return Xc7Target(device, part.package, part.columns, part.rows, part)
    names = [name for name in load_devices() if name in _ECP5 or name in PARTS]
    reason = _REASONS.get(device.family, "its family has no open tool")
    raise UserError(
        f"{device.name} cannot be placed here: {reason}; devices that can are {', '.join(names)}"
    )
