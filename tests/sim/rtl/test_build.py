"""Builds are made once for each content, and a run that did not pass raises."""

import fcntl
import os
import sys
from dataclasses import replace

import pytest
from amaranth import Assert, Const, Format, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.rtl import build as build_module
from mnv2.sim.rtl import toolchain
from mnv2.sim.rtl.build import _lock, build_simulation
from mnv2.sim.rtl.cocotb_run import run_cocotb
from mnv2.sim.rtl.toolchain import find_toolchain
from mnv2.sim.rtl.verilog import convert
from tests.mounts import needs_mounts, run_on_disk

TEST_MODULE = "tests.sim.rtl.cocotb_counter"


class Counter(wiring.Component):
    """Counts to a limit and stays there; breaks an assertion at a chosen count."""

    count: Out(32)
    done: Out(1)

    def __init__(self, *, limit, break_at=None):
        self.limit = limit
        self.break_at = break_at
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.done.eq(self.count == self.limit)
        with m.If(~self.done):
            m.d.sync += self.count.eq(self.count + 1)
        broken = Signal()
        m.d.comb += broken.eq(Const(0) if self.break_at is None else self.count == self.break_at)
        m.d.sync += Assert(~broken, Format("Count must not be {}", self.count))
        return m


@pytest.fixture(scope="module")
def testbench(request):
    """Text of the wrapper that owns the clock."""
    return (request.path.parent / "counter_testbench.sv").read_text()


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache of these tests' own, so that what is built there is known."""
    with pytest.MonkeyPatch.context() as patch:
        # Everything that make, Verilator or a shell would take for something else, but a slash.
        folder = tmp_path_factory.mktemp("cache") / "ü 'q' \"w\" #1; $HOME & (a) %s: b\t*=~ {}"
        patch.setenv("MNV2_CACHE", str(folder))
        yield folder


def build(testbench, *, limit=1000, break_at=None, **options):
    """Build the counter with its testbench."""
    texts = {
        "counter.v": convert(Counter(limit=limit, break_at=break_at)),
        "counter_testbench.sv": testbench,
    }
    return build_simulation(texts, "counter_testbench", **options)


@pytest.fixture(scope="module")
def built(cache, testbench):
    """The counter, built once for this module."""
    return build(testbench)


def run(built, folder, *, expected=1000, **options):
    """Run the counter's test."""
    return run_cocotb(
        built,
        test_module=TEST_MODULE,
        work_directory=folder,
        extra_env={"EXPECTED_CYCLES": str(expected)},
        **options,
    )


def test_passes_and_counts_tests(built, tmp_path):
    assert run(built, tmp_path) == 1


def test_second_build_builds_nothing(built, testbench):
    again = build(testbench)
    assert built.built
    assert not again.built
    assert again.directory == built.directory


def test_nothing_half_built_is_left(built, cache):
    left = {path.name for path in (cache / "build").iterdir() if path.is_dir()}
    assert {name.partition(".")[2] for name in left} == {""}


def test_project_below_any_folder(cache, testbench, tmp_path, monkeypatch):
    """Verilator and cocotb's libraries lie below a folder with such a name."""
    import cocotb_tools.config

    folder = tmp_path / "ü 'q' #1 & (a) %s *=~"
    folder.mkdir()
    tools = find_toolchain()
    verilator = tools.verilator
    if verilator.root is not None:
        (folder / "verilator").symlink_to(verilator.root)
        verilator = replace(
            verilator,
            path=folder / "verilator" / verilator.path.relative_to(verilator.root),
            root=folder / "verilator",
        )
    (folder / "libs").symlink_to(cocotb_tools.config.libs_dir)
    (folder / "python").symlink_to(sys.executable)
    with monkeypatch.context() as patch:
        patch.setattr(cocotb_tools.config, "libs_dir", folder / "libs")
        patch.setattr(sys, "executable", str(folder / "python"))
        patch.setattr(toolchain, "find_verilator", lambda: verilator)
        tools = find_toolchain()
    monkeypatch.setattr(build_module, "find_toolchain", lambda *, cocotb: tools)
    moved = build(testbench, limit=50)
    assert moved.built
    assert run(moved, tmp_path / "run", expected=50) == 1


def test_settings_of_a_cocotb_user_do_not_reach_a_run(built, tmp_path, monkeypatch):
    for name, value in {
        "COCOTB_TESTCASE": "another",
        "COCOTB_TEST_FILTER": "another",
        "COCOTB_TEST_MODULES": "another",
        "COCOTB_TOPLEVEL": "another",
        "COCOTB_RESULTS_FILE": str(tmp_path / "another.xml"),
        "COCOTB_USER_COVERAGE": "1",
        "COVERAGE": "1",
        "GPI_EXTRA": "another.so:entry",
        "GPI_USERS": "another.so,entry",
        "GUI": "1",
        "LIBPYTHON_LOC": "/missing/libpython.so",
        "PYTHONHOME": "/missing",
        "PYTHONOPTIMIZE": "2",
        "SIM_CMD_PREFIX": "false",
        "TESTCASE": "another",
        "WAVES": "1",
    }.items():
        monkeypatch.setenv(name, value)
    assert run(built, tmp_path) == 1
    with pytest.raises(SimulationError, match=r"Counted 1000, not 999"):
        run(built, tmp_path, expected=999)
    assert not (tmp_path / "another.xml").exists()


def test_lock_that_another_holds_is_waited_for(tmp_path):
    with (tmp_path / "x.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with _lock(tmp_path / "x.lock", other.close) as waited:
            assert waited
    with _lock(tmp_path / "x.lock", other.close) as waited:
        assert not waited


def test_damaged_build_is_made_again_and_killed_ones_are_removed(built, cache, testbench, tmp_path):
    folder = cache / "build"
    program = built.directory / built.top
    program.write_bytes(program.read_bytes()[:5000])
    # What builds leave that are killed: of this content, of others, and one that is under way.
    left = [f"{built.directory.name}.abcd", "other-1.abcd", "busy-1.abcd"]
    for name in left:
        (folder / name / "build").mkdir(parents=True)
    announced = []
    with (folder / "busy-1.lock").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        again = build(testbench, building=lambda: announced.append(1))
    assert (again.built, again.directory, len(announced)) == (True, built.directory, 1)
    assert [(folder / name).exists() for name in left] == [False, False, True]
    (folder / "busy-1.abcd" / "build").rmdir()
    (folder / "busy-1.abcd").rmdir()
    assert run(again, tmp_path) == 1


@needs_mounts
def test_cache_that_cannot_be_written_serves_what_it_has(built, cache, testbench):
    program = (
        "from tests.sim.rtl.test_build import build\n"
        f"made = build({testbench!r})\nprint(made.built, made.directory)\n"
    )
    done = run_on_disk(cache, "ro,bind", program, PYTHONPATH=os.pathsep.join(sys.path))
    assert (done.stdout, done.stderr) == (f"False {built.directory}\n", "")


def test_simulator_that_the_system_does_not_run(built, tmp_path):
    (tmp_path / built.top).write_bytes(b"")
    with pytest.raises(UserError, match=r"cannot be run \(Permission denied\): if its disk"):
        run(replace(built, directory=tmp_path), tmp_path / "run")


def test_other_content_is_another_build(built, testbench, tmp_path):
    other = build(testbench, limit=500)
    assert other.built
    assert other.directory != built.directory
    assert run(other, tmp_path, expected=500) == 1


def test_failed_test_raises_its_message(built, tmp_path):
    with pytest.raises(SimulationError, match=r"counts_to_limit failed: .*Counted 1000, not 999"):
        run(built, tmp_path, expected=999)


def test_no_test_raises(built, tmp_path):
    with pytest.raises(SimulationError, match="No tests were discovered"):
        run_cocotb(built, test_module="mnv2.sim.errors", work_directory=tmp_path)


def test_filtered_to_no_test_raises(built, tmp_path):
    with pytest.raises(SimulationError, match="No cocotb test ran"):
        run(built, tmp_path, testcase="no_such_test")


def test_missing_module_raises(built, tmp_path):
    with pytest.raises(SimulationError, match="no_such_module"):
        run_cocotb(built, test_module="no_such_module", work_directory=tmp_path)


def test_hardware_assertion_raises(cache, testbench, tmp_path):
    broken = build(testbench, break_at=100)
    with pytest.raises(SimulationError, match="Count must not be"):
        run(broken, tmp_path)


def test_asserts_can_be_left_out(cache, testbench, tmp_path):
    broken = build(testbench, break_at=100, asserts=False)
    assert run(broken, tmp_path) == 1


def test_waveform(cache, testbench, tmp_path):
    built = build(testbench, limit=100, waves=True)
    waves_file = tmp_path / f"counter.{built.waves}"
    run(built, tmp_path / "run", expected=100, waves_file=waves_file)
    assert waves_file.stat().st_size > 1000


def test_waveform_needs_its_build(built, tmp_path):
    with pytest.raises(ValueError, match=r"A waveform needs a build with waves=True"):
        run(built, tmp_path, waves_file=tmp_path / "counter.fst")


def test_refused_source_raises_with_log(cache):
    with pytest.raises(SimulationError, match=r"(?s)refused broken:.*syntax error"):
        build_simulation({"broken.sv": "module broken; wire endmodule"}, "broken")


def test_two_sources_of_one_name(tmp_path):
    with pytest.raises(ValueError, match="Names of sources must differ"):
        build_simulation([tmp_path.parent / __file__, __file__], "top")


@pytest.mark.parametrize("missing", ["c++", "make", "perl"])
def test_missing_tool_names_its_package(missing, monkeypatch, tmp_path):
    for kind, names in toolchain.CANDIDATES.items():
        if kind != missing:
            (tmp_path / names[0]).symlink_to(toolchain.find_tool(kind).path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        UserError, match=r"No .* was found in PATH: install it with 'apt-get install"
    ):
        build_simulation({"empty.sv": "module empty; endmodule"}, "empty")
