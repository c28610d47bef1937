"""Whole accelerators, flattened: resources of the units, and `tiny` as the project maps it."""

import pytest
from amaranth.back import rtlil

from mnv2.hw.config import PRESETS
from mnv2.sim.cost.synthesised import load_results
from mnv2.sim.cost.unit_list import list_memories
from mnv2.sim.synthesis.enclosed import Enclosed
from mnv2.sim.synthesis.tools import find_yosys
from mnv2.sim.synthesis.whole_netlist import (
    COMMANDS,
    convert_accelerator,
    map_netlist,
    netlist_folder,
    read_netlist,
)
from mnv2.sim.synthesis.whole_result import count_module, summarize_netlist
from mnv2.sim.synthesis.yosys import SHOWN
from tests.sim.synthesis.test_owners import Outer


@pytest.mark.parametrize("family", COMMANDS)
def test_resources_of_units(family, tmp_path):
    """Two sums of eight bits each, and their product."""
    text = rtlil.convert(Enclosed(Outer()), name="top", emit_src=False)
    netlist = map_netlist(text, tmp_path, find_yosys(), family=family, timeout=600)
    found = count_module(read_netlist(netlist)[1])
    assert found["memories"] == {}
    if family == "xc7":
        # Its DSP keeps the product and one of the sums.
        assert (found["total"]["dsp"], found["total"]["flip_flops"]) == (1, 8)
        assert found["units"]["right"]["flip_flops"] == 8
        return
    for path in ("left", "right"):
        assert found["units"][path]["flip_flops"] == 8
        assert 8 <= found["units"][path]["luts"] <= 16
    product = found["units"][""]
    assert product["dsp"] == 1
    assert product["flip_flops"] == 16
    assert found["total"]["dsp"] == 1
    assert found["total"]["flip_flops"] == 16 + product["flip_flops"]
    assert found["total"]["luts"] == sum(unit.get("luts", 0) for unit in found["units"].values())
    # Around it are as many registers as it has ports, and more.
    assert netlist.resources["flip_flops"] >= found["total"]["flip_flops"] + 16 + 16


@pytest.mark.parametrize("family", SHOWN)
def test_tiny_maps_as_it_is_kept(family, tmp_path):
    """With the Yosys that is installed; the kept counts may be another version's.

    Yosys 0.70 takes 6 to 8 % fewer look-up tables than 0.66, whose counts are kept.
    """
    config, yosys = PRESETS["tiny"], find_yosys()
    text = convert_accelerator(config)
    kept = load_results()["tiny"][family]
    netlist = map_netlist(text, tmp_path, yosys, family=family, timeout=3600)
    found = summarize_netlist(text, netlist, yosys)
    assert found["netlist_sha256"] == kept["netlist_sha256"]
    for name, count in kept["total"].items():
        exact = name not in ("luts", "flip_flops") or yosys.version == kept["tool"]
        assert found["total"][name] == (count if exact else pytest.approx(count, rel=0.08)), name
    assert found["memories"] == kept["memories"]
    # Two products of a weight are one DSP, where it is wide enough.
    products = {"xcup": 2, "ecp5": 1}[family]
    assert found["units"]["core.array"]["dsp"] == config.multipliers // products
    assert len(found["memories"]) == len(list_memories(config))


def test_a_netlist_is_kept_by_all_that_decides_it():
    one, other = find_yosys(), find_yosys()
    folders = {
        netlist_folder(text, family, tool)
        for text in ("a", "b")
        for family in COMMANDS
        for tool in (one, type(one)(one.command, "another version"))
    }
    assert len(folders) == 2 * len(COMMANDS) * 2
    assert netlist_folder("a", "ecp5", one) == netlist_folder("a", "ecp5", other)
