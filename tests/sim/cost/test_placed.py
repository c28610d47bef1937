"""Kept results of place and route are of the hardware as it is."""

import pytest

from mnv2.sim.cost.devices import find_device
from mnv2.sim.cost.placed import find_placed, load_placed
from mnv2.sim.synthesis.whole_netlist import convert_accelerator
from mnv2.sim.synthesis.yosys import netlist_hash


@pytest.mark.parametrize("name", load_placed())
def test_kept_results_are_of_the_netlist(name):
    """Run scripts/place with --keep again where this fails."""
    design = load_placed()[name]
    assert design.netlist_sha256 == netlist_hash(convert_accelerator(design.config))


@pytest.mark.parametrize("name", load_placed())
def test_kept_results_are_found_and_fit(name):
    design = load_placed()[name]
    device = find_device(design.device)
    for speed, clock in design.megahertz_by_speed.items():
        found = find_placed(design.config, design.device, speed)
        assert found.megahertz_by_speed[speed] >= clock
    assert design.resources["LUTs"] <= device.luts
    assert design.resources["DSPs"] <= device.dsp
    assert design.resources["block RAM, 18 kbit"] <= device.block_ram_18k


def test_no_file_no_results(tmp_path):
    assert load_placed(tmp_path / "placed.json") == {}
