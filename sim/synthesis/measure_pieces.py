"""Measure the pieces of `mnv2.sim.cost.pieces` with Yosys, many in one run."""

from amaranth import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mnv2.hw.gearbox import Gearbox
from mnv2.sim.rtl.verilog import convert
from mnv2.sim.synthesis.yosys import synthesize

__all__ = ["Collection", "measure_gearboxes"]


class Collection(wiring.Component):
    """Units side by side, each with its own inputs and an output, so that none is optimised away.

    Parameters
    ----------
    units : dict of str to amaranth.lib.wiring.Component

    Members
    -------
    i
        All inputs of all units.
    o
        Exclusive or of the outputs of each.
    """

    def __init__(self, units):
        self.units = units
        self._inputs, self._outputs = {}, {}
        for name, unit in units.items():
            ports = [
                (member.flow, Value.cast(value))
                for _, member, value in unit.signature.flatten(unit)
            ]
            self._inputs[name] = Cat(value for flow, value in ports if flow == In)
            self._outputs[name] = Cat(value for flow, value in ports if flow == Out)
        super().__init__({"i": In(sum(map(len, self._inputs.values()))), "o": Out(len(units))})

    def elaborate(self, platform):
        m = Module()
        begin = 0
        for number, (name, unit) in enumerate(self.units.items()):
            m.submodules[name] = unit
            inputs, outputs = self._inputs[name], self._outputs[name]
            m.d.comb += inputs.eq(self.i[begin : begin + len(inputs)])
            begin += len(inputs)
            seen = Signal(name=f"seen_{name}")
            m.d.comb += [seen.eq(outputs.xor()), self.o[number].eq(seen)]
        return m


def measure_gearboxes(shapes, family, timeout=3600):
    """LUTs for each bit of a unit, by the shape of a gearbox.

    Parameters
    ----------
    shapes : sequence of (int, int, str)
        Units taken and given, and what becomes of partial words.
    family : str
    timeout : float
        Seconds for all.

    Returns
    -------
    dict of str to float
        By ``"taken:given partial"``.
    """
    units, bits = {}, {}
    for taken, given, partial in shapes:
        name = f"{partial}_{taken}_{given}"
        # Of a unit: enough that what selects them counts little, few where there are many of them.
        bits[name] = 64 if 1 in (taken, given) else 16 if taken + given <= 16 else 4
        units[name] = Gearbox(
            input_bits=taken * bits[name], output_bits=given * bits[name], partial=partial
        )
    found = synthesize(convert(Collection(units), name="accelerator"), family, timeout=timeout)[
        "units"
    ]
    return {
        f"{taken}:{given} {partial}": round(
            found[f"accelerator.{partial}_{taken}_{given}"]["luts"]
            / bits[f"{partial}_{taken}_{given}"],
            2,
        )
        for taken, given, partial in shapes
    }
