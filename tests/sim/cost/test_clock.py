"""The clock is given, the slowest unit's, or a setting that says so."""

import math

import pytest

from mnv2.sim.cost.clock import UNMEASURED_HZ, estimate_clock, load_unit_clocks
from mnv2.sim.cost.families import FAMILIES


def test_given():
    clock = estimate_clock("ecp5", 123e6)
    assert (clock.hz, clock.limited_by, clock.source) == (123e6, "", "given")


def test_the_slowest_unit_limits():
    clock = estimate_clock("ecp5")
    assert clock.hz == 1e6 * min(unit["megahertz"] for unit in load_unit_clocks().values())
    assert load_unit_clocks()[clock.limited_by]["megahertz"] * 1e6 == clock.hz
    assert "nextpnr" in clock.source
    assert "of base" in clock.source


def test_clocks_of_the_configuration_itself():
    clocks = {
        "Issue": {"megahertz": 90.0, "device": "D"},
        "Pool": {"megahertz": 80.5, "device": "D"},
    }
    clock = estimate_clock("ecp5", unit_clocks=clocks)
    assert (clock.hz, clock.limited_by) == (80.5e6, "Pool")
    assert "of this configuration" in clock.source


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "ecp5"])
def test_nothing_is_measured_elsewhere(family):
    clock = estimate_clock(family)
    assert clock.hz == UNMEASURED_HZ[family]
    assert clock.limited_by == ""
    assert "nothing was placed and routed" in clock.source


@pytest.mark.parametrize("hz", [0, -1.0, math.inf, math.nan])
def test_bad_clock(hz):
    with pytest.raises(ValueError, match="The clock must be positive and finite"):
        estimate_clock("xcup", hz)


def test_bad_family():
    with pytest.raises(ValueError, match="not 'virtex'"):
        estimate_clock("virtex")
