"""Worst paths of netlists that are not placed: by hand, of a small design, of an accelerator."""

import pytest
from amaranth import Cat, Module, Signal
from amaranth.back import rtlil
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from typer.testing import CliRunner

from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cli import app
from mnv2.sim.synthesis.enclosed import Enclosed
from mnv2.sim.synthesis.flat_netlist import Cell, FlatNetlist, list_cells
from mnv2.sim.synthesis.flat_timing import time_accelerator, wire_delay, worst_paths
from mnv2.sim.synthesis.tools import Tool, find_yosys
from mnv2.sim.synthesis.whole_netlist import map_netlist, read_netlist

#: The smallest accelerator that has every unit but the counters; it is mapped in half a minute.
SMALL = {
    "outputs": 9,
    "inputs": 3,
    "pixels": 1,
    "packing": "none",
    "residual_lanes": 1,
    "data_bits": 64,
    "padded_words": True,
    "counters": False,
    "map_words": 1024,
    "strip_words": 256,
    "line_words": 128,
    "weight_words": 128,
    "tap_words": 64,
    "parameter_words": 64,
}

#: Nanoseconds that no path of it exceeds, as Yosys 0.70 maps it: 11.19, from the program's gearbox
#: to the streams that begin with a header.
BOUND = 11.2


def register(unit, name, data, output):
    return Cell("TRELLIS_FF", unit, name, {"DI": data, "Q": output}, frozenset("Q"))


def table(inputs, output):
    pins = dict(zip("ABCD", inputs, strict=False))
    return Cell("LUT4", "", "", {**pins, "Z": output}, frozenset("Z"))


def netlist(*cells):
    fanout = {}
    for cell in cells:
        for pin, net in cell.pins.items():
            if pin not in cell.outputs:
                fanout[net] = fanout.get(net, 0) + 1
    return FlatNetlist(list(cells), fanout)


def test_a_path_by_hand():
    """Two look-up tables, the second in the slice of the register that it leads to."""
    found = worst_paths(
        netlist(
            register("a", "first", 9, 1),
            table([1], 2),
            table([2, 1], 3),
            register("b", "second", 3, 4),
        )
    )
    (path,) = [path for path in found if path.begin_unit == "a"]
    assert (path.begin, path.end_unit, path.end, path.pin) == ("first", "b", "second", "DI")
    expected = 0.395 + wire_delay(2) + 0.180 + wire_delay(1) + 0.180
    assert path.nanoseconds == pytest.approx(expected, abs=0.006)
    assert [step.fanout for step in path.steps] == [2, 1]
    assert path.levels == 2


def test_carries_are_one_level_and_have_no_wires():
    cells = [register("a", "first", 9, 1)]
    carry = 10
    cells.append(Cell("CCU2C", "", "", {"A0": 1, "COUT": carry}, frozenset({"COUT"})))
    for _ in range(5):
        pins = {"CIN": carry, "COUT": carry + 1}
        cells.append(Cell("CCU2C", "", "", pins, frozenset({"COUT"})))
        carry += 1
    pins = {"CIN": carry, "S0": 30}
    cells += [Cell("CCU2C", "", "", pins, frozenset({"S0"})), register("a", "sum", 30, 31)]
    (path,) = worst_paths(netlist(*cells))
    expected = 0.395 + wire_delay(1) + 0.355 + 5 * 0.056 + 0.328
    assert path.nanoseconds == pytest.approx(expected, abs=0.006)
    assert path.levels == 1
    assert len(path.steps) == 7


def test_pairs_of_units_are_kept_apart():
    found = worst_paths(
        netlist(
            register("a", "x", 9, 1),
            register("b", "y", 8, 2),
            table([1, 2], 3),
            table([3], 4),
            register("c", "z", 4, 5),
            register("c", "w", 2, 6),
        )
    )
    pairs = {(path.begin_unit, path.end_unit): path.end for path in found}
    assert pairs == {("a", "c"): "z", ("b", "c"): "z"}


def test_memories_and_pins_without_a_path():
    """A memory gives its data late; its clock leads nowhere, nor does what a small one writes."""
    small = Cell(
        "TRELLIS_DPR16X4",
        "q",
        "storage",
        {"WCK": 1, "WAD:0": 2, "RAD:0": 3, "DO:0": 4},
        frozenset({"DO:0"}),
    )
    large = Cell("DP16KD", "m", "words", {"CLKA": 1, "DOA0": 3}, frozenset({"DOA0"}))
    found = worst_paths(netlist(register("a", "x", 9, 2), large, small, register("b", "y", 4, 5)))
    times = {(path.begin_unit, path.end_unit): path.nanoseconds for path in found}
    assert times["m", "b"] == pytest.approx(4.263 + wire_delay(1) + 0.180, abs=0.006)
    assert ("a", "b") not in times
    assert ("a", "q") in times


def test_a_loop_is_refused():
    with pytest.raises(ValueError, match="must have no loop without a register"):
        worst_paths(netlist(table([1], 2), table([2], 1)))


class _Adder(wiring.Component):
    """Registers of operands in one unit, of their sum in another."""

    i: In(24)
    o: Out(24)

    def elaborate(self, platform):
        m = Module()
        m.submodules.source = source = Module()
        m.submodules.sink = sink = Module()
        operand = Signal(24)
        total = Signal(24)
        source.d.sync += operand.eq(self.i)
        sink.d.sync += total.eq((operand + Cat(operand[12:], operand[:12]))[:24])
        m.d.comb += self.o.eq(total)
        return m


def test_units_survive_flattening(tmp_path):
    text = rtlil.convert(Enclosed(_Adder()), name="top", emit_src=False)
    mapped = map_netlist(text, tmp_path, find_yosys(), timeout=600)
    path, *others = worst_paths(list_cells(read_netlist(mapped)[1]))
    assert ("pins", "source") in {(other.begin_unit, other.end_unit) for other in others}
    assert (path.begin_unit, path.begin) == ("source", "operand")
    assert (path.end_unit, path.end) == ("sink", "total")
    assert path.levels == 1
    assert 1.5 < path.nanoseconds < 4
    # The second time it comes from the folder: no Yosys is run.
    assert map_netlist(text, tmp_path, Tool(("none",), ""), timeout=600) == mapped


def test_no_path_of_an_accelerator_is_longer_than_the_bound():
    found = time_accelerator(AcceleratorConfig(**SMALL))
    worst = found.paths[0]
    assert worst.nanoseconds < BOUND, f"{worst.begin_unit}.{worst.begin} to {worst.end_unit}"
    assert found.cells["MULT18X18D"] == 9 * 3 + 3 * 4 + 6
    units = {path.begin_unit for path in found.paths} | {path.end_unit for path in found.paths}
    assert {"pins", "core.issue", "core.line_buffer", "sequencer", "supervisor"} <= units
    # Paths begin and end in registers that have names.
    named = sum("?" not in path.begin + path.end for path in found.paths)
    assert named > 0.9 * len(found.paths)


def test_the_command_prints_the_worst_paths():
    settings = [part for name, value in SMALL.items() for part in ("--set", f"{name}={value}")]
    settings = [part.replace("True", "true").replace("False", "false") for part in settings]
    done = CliRunner().invoke(
        app, ["lab", "timing", "--paths", "3", *settings], env={"COLUMNS": "160"}
    )
    assert done.exit_code == 0
    assert "Worst path of each pair of units" in done.stdout
    assert "nothing is placed" in done.stdout
    rows = [line for line in done.stdout.splitlines() if ": " in line and "." in line.split()[0]]
    assert len(rows) == 3
