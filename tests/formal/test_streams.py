"""No unit's valid depends on its ready in the same cycle: valid waits for no ready."""

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from mnv2.hw.config import PRESETS
from mnv2.hw.units import UNITS
from tests.formal.paths import netlists

#: Too large to be looked at here: their streams are those of their parts.
_LARGE = {"accelerator", "core"}
UNDER_TEST = sorted(set(UNITS) - _LARGE)


class Waits(wiring.Component):
    """Offers its item only to who is ready: what must be found."""

    def __init__(self):
        super().__init__({"i": In(stream.Signature(1)), "o": Out(stream.Signature(1))})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.o.valid.eq(self.i.valid & self.o.ready),
            self.o.payload.eq(self.i.payload),
            self.i.ready.eq(self.o.ready),
        ]
        return m


def waits_for(netlist):
    """Pairs of a valid and its ready, which it depends on."""
    found = []
    for valid in netlist.outputs("valid"):
        ready = valid.removesuffix("valid") + "ready"
        if ready in netlist.sources(valid):
            found.append((valid, ready))
    return found


@pytest.fixture(scope="module")
def of_units(tmp_path_factory):
    texts = {"waits": rtlil.convert(Waits(), emit_src=False)}
    for name in UNDER_TEST:
        unit = UNITS[name].build(PRESETS["tiny"], few_lanes=UNITS[name].few_lanes is not None)
        texts[name] = rtlil.convert(unit, emit_src=False)
    return netlists(texts, tmp_path_factory.mktemp("paths"))


def test_a_valid_that_waits_is_found(of_units):
    assert waits_for(of_units["waits"]) == [("o__valid", "o__ready")]


@pytest.mark.parametrize("name", UNDER_TEST)
def test_valid_waits_for_no_ready(name, of_units):
    assert waits_for(of_units[name]) == []


def test_ports_are_looked_at(of_units):
    # The names by which streams and AXI's channels are found are those of the netlists.
    assert of_units["gearbox"].outputs("valid") == ["o__valid"]
    assert set(of_units["read-master"].outputs("valid")) >= {"bus__arvalid", "o__0__valid"}
    assert set(of_units["write-master"].outputs("valid")) == {"bus__awvalid", "bus__wvalid"}
    assert set(of_units["registers"].outputs("valid")) == {"bus__bvalid", "bus__rvalid"}
