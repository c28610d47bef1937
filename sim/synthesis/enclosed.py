"""A wrapper that gives a unit registers at its ports and two pins, so that no pin is in a path."""

from amaranth import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Enclosed"]


class Enclosed(wiring.Component):
    """A unit between registers, with two pins.

    Parameters
    ----------
    unit : amaranth.lib.wiring.Component

    Members
    -------
    i
        Shifted through all inputs of the unit.
    o
        Exclusive or of all its outputs, some cycles later.
    """

    def __init__(self, unit):
        self.unit = unit
        super().__init__({"i": In(1), "o": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.unit = self.unit
        inputs: list[Value] = []
        outputs: list[Value] = []
        for _, member, value in self.unit.signature.flatten(self.unit):
            (inputs if member.flow == In else outputs).append(Value.cast(value))
        chain = Signal(sum(len(value) for value in inputs))
        m.d.sync += chain.eq(Cat(self.i, chain))
        m.d.comb += Cat(inputs).eq(chain)
        level = Signal(sum(len(value) for value in outputs), name="sample")
        m.d.sync += level.eq(Cat(outputs))
        while len(level) > 1:
            folded = Signal(-(-len(level) // 4), name="fold")
            m.d.sync += folded.eq(Cat(level[4 * k : 4 * k + 4].xor() for k in range(len(folded))))
            level = folded
        m.d.comb += self.o.eq(level)
        return m
