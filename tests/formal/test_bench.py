"""The proofs' own machinery: what is false is found, by name, and what is vacuous is told."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tests.formal import tools
from tests.formal.bench import Bench
from tests.formal.fault import Fault, planted


class Stage(wiring.Component):
    """A register between two streams; faulty, it takes an item while one waits."""

    def __init__(self, faulty=False):
        self._faulty = faulty
        super().__init__({"i": In(stream.Signature(2)), "o": Out(stream.Signature(2))})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.i.ready.eq(1 if self._faulty else ~self.o.valid | self.o.ready)
        with m.If(self.i.ready):
            m.d.sync += [self.o.valid.eq(self.i.valid), self.o.payload.eq(self.i.payload)]
        return m


class Count(wiring.Component):
    """Counts to 5 and stays there."""

    def __init__(self):
        super().__init__({"value": Out(4)})

    def elaborate(self, platform):
        m = Module()
        with m.If(self.value != 5):
            m.d.sync += self.value.eq(self.value + 1)
        return m


@pytest.fixture
def folder(tmp_path_factory):
    """A folder that the tools in WebAssembly can see."""
    sentence = tools.missing()
    if sentence and not os.environ.get("CI"):
        pytest.skip(sentence)
    return tmp_path_factory.mktemp("bench")


def stage(faulty):
    b = Bench(Stage(faulty))
    b.source(b.unit.i, "i")
    give, _ = b.sink(b.unit.o, "o")
    b.cover(give)
    return b


def counter(bound):
    b = Bench(Count())
    b.check("bounded", b.unit.value <= bound)
    b.cover(b.unit.value == 5)
    return b


def test_invariant_of_a_stream(folder):
    tools.prepare(stage(faulty=False), folder, aiger=True)
    assert tools.pdr(folder, 60).holds
    assert tools.cover(folder, 5, 60) == tools.Answer(True, 1)


def test_payload_that_changes_is_found_and_named(folder):
    tools.prepare(stage(faulty=True), folder, aiger=True)
    assert not tools.pdr(folder, 60).holds
    answer = tools.find_violation(folder, 6, 60)
    assert not answer.holds
    assert "o holds" in answer.detail
    assert (folder / "violation.vcd").stat().st_size


def test_induction(folder):
    # From 6 on the count goes to 15 and past every bound: only some depth tells that it is never 6.
    tools.prepare(counter(5), folder, aiger=True)
    assert tools.induction(folder, 1, 60).holds
    assert tools.pdr(folder, 60).holds


def test_induction_needs_its_depth(folder):
    tools.prepare(counter(8), folder, aiger=True)
    answer = tools.induction(folder, 1, 60)
    assert not answer.holds
    assert answer.detail == "no induction of 1 steps"
    assert tools.pdr(folder, 60).holds


def test_violation_in_the_base_case(folder):
    tools.prepare(counter(4), folder, aiger=True)
    answer = tools.induction(folder, 8, 60)
    assert answer == tools.Answer(False, 5, "bounded")
    assert not tools.pdr(folder, 60).holds


def test_vacuous_bench_is_told(folder):
    b = counter(5)
    b.assume(b.unit.value != 3)
    tools.prepare(b, folder)
    assert tools.cover(folder, 8, 60) == tools.Answer(False, 8, "not reached in 8 cycles")


def test_what_is_not_done_in_time_ends_with_all_that_it_started(tmp_path):
    started = tmp_path / "started"
    script = f"sleep 60 & echo $! > '{started}'; wait"
    with pytest.raises(tools.ToolError, match="^sh was not done after 2 s$"):
        tools._run(["sh", "-c", script], tmp_path, 2)
    process = int(started.read_text())
    for _ in range(100):
        # Ended, if nobody has asked yet how.
        state = Path(f"/proc/{process}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    pytest.fail("the process that it started goes on")


def test_property_twice():
    b = counter(5)
    with pytest.raises(ValueError, match="Property 'bounded' is stated twice"):
        b.check("bounded", Signal())


def test_planted_fault_is_found_by_imports_and_goes():
    import mnv2.hw.gearbox as right

    fault = Fault("gearbox_shape", "return self.taken + self.given", "return 1 + self.given")
    with planted(fault):
        from mnv2.hw import gearbox
        from mnv2.hw.gearbox_shape import gearbox_shape

        assert gearbox is not right
        assert gearbox_shape(8, 12).capacity == 1 + 3 + 2 - 1
    from mnv2.hw import gearbox, gearbox_shape

    assert gearbox is right
    assert gearbox_shape.gearbox_shape(8, 12).capacity == 2 + 3 + 2 - 1


def test_fault_that_is_not_there():
    with pytest.raises(ValueError, match="must hold 'no such text' exactly once, not 0 times"):
        with planted(Fault("ring", "no such text", "")):
            pass


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--list", "ring-5"], 0, "ring-5"),
        (["nothing"], 2, "PROOF must begin a name that --list shows, not 'nothing'"),
    ],
)
def test_command(arguments, status, text):
    done = subprocess.run(
        [sys.executable, "-m", "tests.formal", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status
    assert text in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
