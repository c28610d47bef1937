"""The parts that LiteDRAM is asked about: names, clocks, and what is refused."""

import pytest

from mnv2.sim.dram.chips import CHIPS, find_chip, judge_clock_hz, judged_part
from mnv2.sim.errors import UserError
from mnv2.sim.memory.parts import find_part


def test_every_chip_is_a_part_with_litedram_as_its_controller():
    assert len(CHIPS) >= 5
    for name in CHIPS:
        part = find_part(name)
        assert part.name == name
        assert part.controller.startswith("LiteDRAM")


@pytest.mark.parametrize(
    ("option", "part"),
    [
        (None, None),
        ("ddr3-800x16", None),
        ("litedram", "ddr3-800x16"),
        ("LiteDRAM:sdram", "sdr-133x16"),
        ("litedram:DDR3-1600x16", "ddr3-1600x16"),
    ],
)
def test_names(option, part):
    assert judged_part(option) == part


def test_parts_that_it_lacks_are_refused():
    with pytest.raises(UserError, match="no model of the memory part lpddr4-2133x32; it has one"):
        judged_part("litedram:lpddr4-2133x32")
    with pytest.raises(UserError, match="no memory part 'flash'"):
        judged_part("litedram:flash")
    with pytest.raises(UserError, match="LiteDRAM has no model"):
        find_chip("ddr3-1600x64")


@pytest.mark.parametrize(
    ("part", "megahertz"),
    [("sdr-133x16", 133), ("ddr3-667x16", 83.375), ("ddr3-800x16", 100), ("ddr4-2400x16", 300)],
)
def test_one_clock(part, megahertz):
    assert judge_clock_hz(part, None) == megahertz * 1e6
    assert judge_clock_hz(part, megahertz) == megahertz * 1e6
    with pytest.raises(UserError, match=f"{megahertz:g} MHz with {part}: leave out --clock"):
        judge_clock_hz(part, megahertz + 1)
