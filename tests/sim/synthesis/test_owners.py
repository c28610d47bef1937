"""Cells of a flattened netlist belong to the units that they were made in, as Yosys maps them."""

import json
from collections import Counter

import pytest
from amaranth import Module, Signal
from amaranth.back import rtlil
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mnv2.sim.synthesis.enclosed import Enclosed
from mnv2.sim.synthesis.owners import WRAPPER, Owners
from mnv2.sim.synthesis.tools import find_yosys
from mnv2.sim.synthesis.whole_netlist import map_netlist, read_netlist
from tests.sim.place.small import map_small


class _Inner(wiring.Component):
    """Adds to a sum of its own."""

    a: In(8)
    o: Out(8)

    def elaborate(self, platform):
        m = Module()
        total = Signal(8)
        m.d.sync += total.eq(total + self.a)
        m.d.comb += self.o.eq(total)
        return m


class Outer(wiring.Component):
    """Multiplies the sums of two units, and keeps the product."""

    a: In(8)
    b: In(8)
    o: Out(16)

    def elaborate(self, platform):
        m = Module()
        m.submodules.left = left = _Inner()
        m.submodules.right = right = _Inner()
        m.d.comb += [left.a.eq(self.a), right.a.eq(self.b)]
        product = Signal(16)
        m.d.sync += product.eq(left.o * right.o)
        m.d.comb += self.o.eq(product)
        return m


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    """A module of three units, flattened and mapped, and its owners."""
    text = rtlil.convert(Enclosed(Outer()), name="top", emit_src=False)
    folder = tmp_path_factory.mktemp("netlist")
    netlist = map_netlist(text, folder, find_yosys(), timeout=600, tell=lambda line: None)
    _, module = read_netlist(netlist)
    return module, Owners(module)


def _flip_flops(module, owners):
    return [name for name, cell in module["cells"].items() if cell["type"] == "TRELLIS_FF"]


def test_registers_are_of_their_units(mapped):
    module, owners = mapped
    found = Counter(
        (owners.unit_of(name), owners.register(name))
        for name in _flip_flops(module, owners)
        if owners.unit_of(name) != WRAPPER
    )
    # The product is registered outside its DSP, whose registers Yosys does not use; Amaranth calls
    # it by the name of the port that it drives.
    assert found == {("left", "total"): 8, ("right", "total"): 8, ("", "o"): 16}


def test_logic_is_of_the_unit_that_it_feeds(mapped):
    """The adders feed sums, the multiplier the product, though all are one module by now."""
    module, owners = mapped
    carries = Counter(
        owners.unit_of(name) for name, cell in module["cells"].items() if cell["type"] == "CCU2C"
    )
    assert carries == {"left": 4, "right": 4}
    (multiplier,) = [name for name, cell in module["cells"].items() if cell["type"] == "MULT18X18D"]
    assert owners.unit_of(multiplier) == ""


def test_what_is_around_is_the_wrapper(mapped):
    """Sixteen inputs are shifted in, sixteen outputs sampled and folded by four twice."""
    module, owners = mapped
    wrapper = Counter(
        owners.register(name)
        for name in _flip_flops(module, owners)
        if owners.unit_of(name) == WRAPPER
    )
    assert wrapper == {"chain": 16, "sample": 16, "fold": 4, "o": 1}


def _register(mark, read, driven):
    return {
        "type": "TRELLIS_FF",
        "attributes": {"unit_register": mark},
        "port_directions": {"DI": "input", "Q": "output"},
        "connections": {"DI": [read], "Q": [driven]},
    }


def _table(read, driven):
    return {
        "type": "LUT4",
        "port_directions": {"A": "input", "Z": "output"},
        "connections": {"A": [read], "Z": [driven]},
    }


def test_majority_of_the_readers_decides():
    """Two of three registers are of unit b; logic that feeds only their logic follows it."""
    owners = Owners(
        {
            "cells": {
                "a": _register("unit.a x", 2, 11),
                "b": _register("unit.b y", 2, 12),
                "c": _register("unit.b z", 2, 13),
                "near": _table(3, 2),
                "far": _table(11, 3),
            },
            "netnames": {},
        }
    )
    assert [owners.unit_of(cell) for cell in ("a", "near", "far")] == ["a", "b", "b"]


def test_cells_that_nextpnr_adds_are_adopted(mapped):
    module, owners = mapped
    (product,) = [
        name
        for name in _flip_flops(module, owners)
        if owners.unit_of(name) == "left" and owners.register(name) == "total"
    ][:1]
    added = {
        "$nextpnr_CCU2C_1$CCU2_COMB0": {
            "port_directions": {"A": "input", "F": "output"},
            "connections": {"A": [1], "F": [2]},
        },
        product: {
            "port_directions": {"DI": "input", "Q": "output"},
            "connections": {"DI": [2], "Q": [3]},
        },
    }
    assert owners.unit_of("$nextpnr_CCU2C_1$CCU2_COMB0") == WRAPPER
    owners.adopt(added)
    assert owners.unit_of("$nextpnr_CCU2C_1$CCU2_COMB0") == "left"


def test_memories_and_fields_have_names(tmp_path):
    """A unit of the hardware: its queue's memory, and the fields of its registers."""
    _, content, owners = map_small(tmp_path)
    cells = json.loads(content)["modules"]["top"]["cells"]
    memories = {
        (owners.unit_of(name), owners.register(name))
        for name, cell in cells.items()
        if cell["type"] == "TRELLIS_DPR16X4"
    }
    assert memories == {("queue", "storage")}
    registers = {
        owners.register(name)
        for name, cell in cells.items()
        if cell["type"] == "TRELLIS_FF" and owners.unit_of(name) == ""
    }
    assert not [name for name in registers if "$" in name or "[" in name]
