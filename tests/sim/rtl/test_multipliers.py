"""Multipliers are counted in the netlist."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mnv2.hw.config import PRESETS
from mnv2.hw.mac_array import MacArray
from mnv2.sim.rtl.multipliers import count_multipliers, find_multipliers
from mnv2.sim.rtl.verilog import convert


class Square(wiring.Component):
    """Multiplies a signal by itself, and by a constant."""

    i: In(signed(7))
    o: Out(signed(20))

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.o.eq(self.i * self.i + self.i * 11)
        return m


class Squares(wiring.Component):
    """Two of them, and a product of other widths."""

    i: In(signed(7))
    j: In(5)
    o: Out(signed(24))

    def elaborate(self, platform):
        m = Module()
        m.submodules.first = first = Square()
        m.submodules.second = second = Square()
        m.d.comb += [first.i.eq(self.i), second.i.eq(~self.i)]
        m.d.sync += self.o.eq(first.o + second.o + self.i * self.j + self.j * self.j[1:4])
        return m


def by_widths(component):
    """Multipliers of a component by the widths of their operands."""
    counts = {}
    for (_, first, second, _), count in find_multipliers(convert(component)).items():
        counts[first, second] = counts.get((first, second), 0) + count
    return counts


def test_products_of_variables_count_once_each():
    assert by_widths(Squares()) == {(7, 7): 2, (7, 5): 1, (5, 3): 1}


def test_array():
    array = MacArray(outputs=12, inputs=2, pixels=3, weight_bits=5)
    assert by_widths(array) == {(8, 5): 12 * 2 * 3}


def test_array_for_windows_alone_has_fewer():
    array = MacArray(outputs=12, inputs=2, pixels=3, pointwise=False)
    assert by_widths(array) == {(8, 8): 9 * 2 * 3}


def test_accelerator_has_those_of_its_configuration():
    config = PRESETS["tiny"]
    found = count_multipliers(config)
    assert found.weights == config.multipliers == 96
    # One lane of requantisation for each element of a word and of a mean, three multipliers for
    # each lane of the residual adder.
    word = config.inputs * config.pixels
    assert found.others == {
        "core.requantize 32x31": word,
        "core.pool.requantize 32x31": config.inputs,
        "core.residual 31x9": 2 * config.inputs,
        "core.residual 31x30": config.inputs,
    }
    assert found.total == 96 + word + config.inputs + 3 * config.inputs
