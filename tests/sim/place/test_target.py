"""Devices that are placed, and a sentence for each that is not."""

import pytest

from mnv2.sim.cost.devices import find_device, load_devices
from mnv2.sim.errors import UserError
from mnv2.sim.place.target import find_target


def test_boards_and_parts():
    target = find_target(find_device("orangecrab-85f"))
    assert target.arguments(6) == ("--85k", "--package", "CABGA381", "--speed", "6")


def test_tiles_are_within_the_device():
    """The largest device has the most of them; halves of slices take eight of a tile."""
    for name, device in load_devices().items():
        if "ECP5" in name:
            target = find_target(device)
            assert device.luts / 8 < target.columns * target.rows < device.luts / 5


@pytest.mark.parametrize("name", [name for name in load_devices() if "ECP5" not in name])
def test_others_are_named(name):
    with pytest.raises(
        UserError, match=f"^{name} cannot be placed here: .*; devices that can are ECP5-25, ECP5-45"
    ):
        find_target(find_device(name))
