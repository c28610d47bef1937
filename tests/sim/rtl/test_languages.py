"""The accelerator's Verilog in other tools: Verilog-2005 in Icarus, SystemVerilog in slang."""

import os
import shutil
import subprocess

import pytest

from mnv2.hw.accelerator import Accelerator
from mnv2.hw.config import PRESETS
from mnv2.sim.commands.verilog import accelerator_files
from mnv2.sim.rtl.assertion_guard import guard_assertions
from mnv2.sim.rtl.axi_wrapper import WRAPPER, wrapper_ports
from mnv2.sim.rtl.build import LINT_WAIVERS
from mnv2.sim.rtl.toolchain import find_toolchain
from mnv2.sim.rtl.verilog import generate

CONFIG = PRESETS["tiny"]
TOPS = ("accelerator", WRAPPER)
#: As synthesis reads it, and as a simulation does.
MACROS = {"synthesis": ["-DSYNTHESIS"], "simulation": []}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("languages")
    for name, text in accelerator_files(CONFIG, "of tests").items():
        (path / name).write_text(text)
    return path


def call(command, **options):
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, **options
    )


def icarus(folder, language, *options):
    if shutil.which("iverilog") is None:
        pytest.skip("Icarus Verilog is not installed: apt-get install iverilog")
    sources = (folder / "accelerator.v", folder / f"{WRAPPER}.v")
    return call(["iverilog", f"-g{language}", "-Wall", "-t", "null", *options, *sources])


@pytest.mark.parametrize("top", TOPS)
def test_verilog_2005(folder, top):
    """Not a word from Icarus, with all of its warnings."""
    done = icarus(folder, 2005, "-DSYNTHESIS", "-s", top)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_assertions_are_not_verilog_2005(folder):
    """They are what the macro leaves out, and nothing else."""
    done = icarus(folder, 2005, "-s", "accelerator")
    assert done.returncode != 0
    complaints = [line for line in done.stderr.splitlines() if "error:" in line]
    assert complaints
    assert all("assert" in line for line in complaints)


@pytest.mark.parametrize("macro", list(MACROS))
@pytest.mark.parametrize("top", TOPS)
def test_systemverilog(folder, top, macro, capfd):
    """slang finds no error, and nothing that it warns of by default."""
    driver = pytest.importorskip("pyslang.driver")
    one = driver.Driver()
    one.addStandardArgs()
    sources = f"{folder / 'accelerator.v'} {folder / WRAPPER}.v"
    words = f"slang {' '.join(MACROS[macro])} --top {top} {sources}"
    assert one.parseCommandLine(words, driver.CommandLineOptions())
    assert one.processOptions()
    assert one.parseAllSources()
    assert one.runFullCompilation(True)
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


@pytest.mark.parametrize("macro", list(MACROS))
@pytest.mark.parametrize("top", TOPS)
def test_verilator(folder, top, macro):
    """No warning but those of Amaranth's widths, and of a name that only C++ reserves."""
    tools = find_toolchain()
    done = call(
        [
            *(tools.verilator.path, "--lint-only", *LINT_WAIVERS, "-Wno-SYMRSVDWORD"),
            *(*MACROS[macro], "--top-module", top),
            *(folder / "accelerator.v", folder / f"{WRAPPER}.v"),
        ],
        env={**os.environ, **tools.environment},
    )
    assert done.returncode == 0, done.stderr
    assert "%Warning" not in done.stderr


def test_a_fault_is_seen(folder, tmp_path):
    """A port of the accelerator that the wrapper forgets is warned of."""
    wrapper = (folder / f"{WRAPPER}.v").read_text()
    line = "        .bus__rdata(m_axi_rdata),\n"
    assert line in wrapper
    (tmp_path / f"{WRAPPER}.v").write_text(wrapper.replace(line, ""))
    shutil.copy(folder / "accelerator.v", tmp_path)
    done = icarus(tmp_path, 2005, "-DSYNTHESIS", "-s", WRAPPER)
    assert "bus__rdata" in done.stderr


def test_the_text_is_the_simulations(folder):
    """But for the lines of the guards."""
    text = (folder / "accelerator.v").read_text()
    lines = text.splitlines(keepends=True)
    guards = [line for line in lines if line in ("`ifndef SYNTHESIS\n", "`endif\n")]
    assert len(guards) > 4
    assert guards[::2] == len(guards) // 2 * ["`ifndef SYNTHESIS\n"]
    kept = "".join(line for line in lines if line not in guards)
    assert kept == generate(Accelerator, name="accelerator", config=CONFIG)


def test_an_assertion_elsewhere_is_not_overlooked():
    text = "module m(clk);\n  always @* begin\n    assert (clk);\n  end\nendmodule\n"
    with pytest.raises(AssertionError, match="not in a process of its own"):
        guard_assertions(text)


def test_names_of_ports():
    """Those that Vivado groups by prefix, each channel complete, with the accelerator's widths."""
    ports = wrapper_ports(CONFIG)
    for prefix, sent in (("s_axi", "input"), ("m_axi", "output")):
        back = {"input": "output", "output": "input"}[sent]
        for channel in ("aw", "w", "ar"):
            assert ports[f"{prefix}_{channel}valid"][0] == sent
            assert ports[f"{prefix}_{channel}ready"][0] == back
        for channel in ("b", "r"):
            assert ports[f"{prefix}_{channel}valid"][0] == back
            assert ports[f"{prefix}_{channel}ready"][0] == sent
    assert ports["m_axi_wdata"][:2] == ("output", CONFIG.data_bits)
    assert ports["m_axi_araddr"][:2] == ("output", CONFIG.address_bits)
    assert ports["s_axi_wdata"][:2] == ("input", 32)
    others = [name for name in ports if not name.startswith(("s_axi_", "m_axi_"))]
    assert others == ["aclk", "aresetn", "interrupt"]
