"""Multipliers are counted in the netlist."""

import dataclasses

import pytest
from amaranth import *
from amaranth.lib import data, wiring
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


class Pair(wiring.Component):
    """Two activations in one operand, chosen from two sources and kept in a register.

    Parameters
    ----------
    field : int
        Place of the second activation.
    """

    def __init__(self, field):
        self._field = field
        super().__init__(
            {
                "x": In(data.ArrayLayout(signed(6), 4)),
                "w": In(signed(5)),
                "other": In(1),
                "enable": In(1),
                "o": Out(signed(40)),
            }
        )

    def elaborate(self, platform):
        m = Module()

        def pack(first, second):
            return Cat(first, C(0, self._field - 6), second)

        pair = Signal(self._field + 6, reset_less=True)
        chosen = Mux(self.other, pack(self.x[0], self.x[1]), pack(self.x[2], self.x[3]))
        with m.If(self.enable):
            # The top bits are flipped, as of a number that becomes one without a sign.
            m.d.sync += pair.eq(chosen ^ (1 << 5 | 1 << self._field + 5))
        m.d.sync += self.o.eq(pair * self.w)
        return m


class DirectPair(wiring.Component):
    """Two activations in one operand, without a register of their own."""

    x: In(data.ArrayLayout(unsigned(6), 2))
    w: In(signed(5))
    o: Out(signed(40))

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.o.eq(Cat(self.x[0], C(0, 9), self.x[1]) * self.w)
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


@pytest.mark.parametrize("packing", ["none", "pixels"])
def test_products_in_luts_are_counted(packing):
    config = dataclasses.replace(PRESETS["tiny"], packing=packing, lut_outputs=5)
    found = count_multipliers(config)
    assert found.in_luts == 5 * 4 * 2
    assert found.weights == config.multipliers == 96
    assert found.total == found.weights - found.in_luts - found.pairs + sum(found.others.values())
    assert found.pairs == (0 if packing == "none" else 7 * 4)


def test_accelerator_has_those_of_its_configuration():
    config = PRESETS["tiny"]
    found = count_multipliers(config)
    assert found.weights == config.multipliers == 96
    # Two of each product of a wide operand: a lane of requantisation for each element of a word;
    # of the residual adder one summand and the sum.
    word, lanes = config.inputs * config.pixels, config.residual_lanes
    assert found.others == {
        "core.requantize 27x17": word,
        "core.requantize 27x14": word,
        "core.residual.adder 26x9": lanes,
        "core.residual.adder 27x17": lanes,
        "core.residual.adder 27x14": lanes,
    }
