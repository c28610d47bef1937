"""The module for LiteX that `mnv2 verilog --litex` writes."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from mnv2.hw.config import PRESETS
from mnv2.hw.register_map import REGISTER_ADDRESS_BITS
from mnv2.sim import cli
from tests.sim.system.machines import needs_litex

#: A SoC without a CPU, and one whose memory lies out of reach.
PROGRAM = """
import sys
from litex.build.generic_platform import Pins
from litex.build.io import CRG
from litex.build.sim import SimPlatform
from litex.soc.integration.soc import SoCRegion
from litex.soc.integration.soc_core import SoCMini
from mnv2_litex import *

print(DATA_BITS, ADDRESS_BITS, REGISTER_ADDRESS_BITS)
platform = SimPlatform("SIM", [("sys_clk", 0, Pins(1))])
soc = SoCMini(platform, clk_freq=int(1e8))
if "far" in sys.argv:
    soc.sdram = None
    soc.bus.regions["main_ram"] = SoCRegion(origin=2**32 - 4096, size=8192)
add_accelerator(soc)
"""


def invoke(*arguments):
    return CliRunner().invoke(cli.app, ["verilog", *map(str, arguments)], env={"COLUMNS": "120"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("litex")
    done = invoke("--config", "tiny", "--litex", "--output", path)
    assert done.exit_code == 0, done.output
    return path


def run_program(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_files(folder):
    names = {path.name for path in folder.iterdir()}
    assert {"accelerator.v", "mnv2_litex.py"} <= names


@needs_litex
def test_widths_are_the_accelerators(folder):
    done = run_program(folder)
    config = PRESETS["tiny"]
    widths = [config.data_bits, config.address_bits, REGISTER_ADDRESS_BITS]
    assert [int(word) for word in done.stdout.split()] == widths


@needs_litex
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "The SoC must have the memory sdram with the region main_ram by now"),
        (["far"], "The region main_ram must end within addresses of 32 bits"),
    ],
)
def test_refusals(folder, arguments, message):
    done = run_program(folder, *arguments)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"ValueError: {message}"


def test_a_unit_alone_has_none(tmp_path):
    done = invoke("--unit", "depthwise", "--litex", "--output", tmp_path / "x")
    assert done.exit_code == 2
    assert "--litex is for the accelerator as a whole" in done.stderr
    assert list(tmp_path.iterdir()) == []
