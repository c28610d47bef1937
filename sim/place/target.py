"""Devices that open tools place, and what their tools call them."""

from dataclasses import dataclass

from mnv2.sim.cost.devices import Device, load_devices
from mnv2.sim.errors import UserError

__all__ = ["FAMILY", "SPEEDS", "Target", "find_target"]

#: Family of all of them.
FAMILY = "ecp5"

#: Speed grades of an ECP5; 8 is the fastest, and most boards carry a 6.
SPEEDS = (6, 7, 8)

#: Of each: nextpnr-ecp5's option, and the columns and rows of its tiles (Project Trellis,
#: devices.json). The package is one that all three are made in.
_ECP5 = {
    "ECP5-25": ("--25k", 73, 51),
    "ECP5-45": ("--45k", 91, 72),
    "ECP5-85": ("--85k", 127, 96),
}
_PACKAGE = "CABGA381"

#: Why no other family is placed, in words that follow a device's name.
_REASONS = {
    "xcup": "no open tool places UltraScale+",
    "xc7": "the open tools' timing of 7 series leaves out the DSPs, so its clock would be no "
    "figure",
    "ice40": "it holds none of the accelerators",
}


@dataclass(frozen=True)
class Target:
    """A device as nextpnr-ecp5 takes it.

    Attributes
    ----------
    device : mnv2.sim.cost.devices.Device
    option : str
        nextpnr's option of the device.
    package : str
    columns, rows : int
        Of its tiles.
    """

    device: Device
    option: str
    package: str
    columns: int
    rows: int

    def arguments(self, speed: int) -> tuple[str, ...]:
        """nextpnr's arguments for the device at a speed grade."""
        return (self.option, "--package", self.package, "--speed", str(speed))


def find_target(device: Device) -> Target:
    """The target of a device.

    Raises
    ------
    UserError
        If no open tool places it, with those that are placed.
    """
    if device.name in _ECP5:
        option, columns, rows = _ECP5[device.name]
        return Target(device, option, _PACKAGE, columns, rows)
    names = [name for name in load_devices() if name in _ECP5]
    reason = _REASONS.get(device.family, "its family has no open tool")
    raise UserError(
        f"{device.name} cannot be placed here: {reason}; devices that can are {', '.join(names)}"
    )
