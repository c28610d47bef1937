"""Devices that are placed, and a sentence for each that is not."""

from pathlib import Path

import pytest

from mnv2.sim.cost.devices import find_device, load_devices
from mnv2.sim.errors import UserError
from mnv2.sim.place.target import find_target

#: Those that nextpnr has databases of.
PLACED = (
    *("ECP5-25", "ECP5-45", "ECP5-85"),
    *("Artix-7-35T", "Artix-7-100T", "Artix-7-200T", "Zynq-7010", "Zynq-7020"),
)


def test_boards_and_parts():
    target = find_target(find_device("orangecrab-85f"))
    assert target.arguments(6) == ("--85k", "--package", "CABGA381", "--speed", "6")
    assert target.find_arguments(Path("nextpnr-ecp5")) == ()


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("nexys-video", "xc7a200tsbg484-1"),
        ("XC7A100T", "xc7a100tcsg324-1"),
        ("pynq-z2", "xc7z020clg400-1"),
    ],
)
def test_parts_of_7_series(name, part):
    target = find_target(find_device(name))
    assert target.arguments(1) == ("--device", part, "-o", "xdc=pins.xdc")
    assert target.package.lower() in part
    assert target.flow.caveat.startswith("optimistic: ")


def test_database_next_to_the_program(tmp_path):
    """It is named if it is found; else nextpnr says where it looks for one."""
    target = find_target(find_device("Artix-7-35T"))
    program = tmp_path / "bin" / "nextpnr-himbaechel-xilinx"
    folder = tmp_path / "share" / "nextpnr" / "himbaechel" / "xilinx"
    folder.mkdir(parents=True)
    # The die of an XC7A35T is that of an XC7A50T.
    (folder / "chipdb-xc7a50t.bin").touch()
    assert target.find_arguments(program) == ("--chipdb", str(folder / "chipdb-xc7a50t.bin"))


def test_tiles_are_within_the_device():
    """The largest device has the most of them; eight LUTs are in a tile, in others none."""
    for name in PLACED:
        device = load_devices()[name]
        target = find_target(device)
        share = device.luts / 8 / (target.columns * target.rows)
        assert 0.1 < share < 1, name
        assert device.family == target.flow.family
        assert target.flow.speeds


@pytest.mark.parametrize("name", [name for name in load_devices() if name not in PLACED])
def test_others_are_named(name):
    with pytest.raises(
        UserError, match=f"^{name} cannot be placed here: .*; devices that can are ECP5-25, ECP5-45"
    ):
        find_target(find_device(name))
