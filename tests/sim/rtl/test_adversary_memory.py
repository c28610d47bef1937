"""The memory of the bench promises no more than AXI4 does, unless it is told to be kind."""

import subprocess
from pathlib import Path

import pytest

import mnv2.sim.rtl
from mnv2.sim.rtl.build import build_simulation
from tests.sim.rtl.test_axi_monitor import MAIN

NOTHING = [0, 0]
#: Half of the second beat was written.
WRITTEN = [0x1111_2222_3333_4444, 0x3333_4444]


@pytest.fixture(scope="module")
def play():
    """A function that runs `memory_testbench.sv`, and returns the beats that were read."""
    memory = Path(mnv2.sim.rtl.__file__).with_name("axi_memory.sv")
    bench = Path(__file__).with_name("memory_testbench.sv")
    build = build_simulation([memory, bench], "memory_testbench", main=MAIN, cocotb=False)

    def run(*plusargs):
        words = subprocess.run(
            [build.directory / "memory_testbench", "+latency=20", *plusargs],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout.splitlines()
        return [int(line.split()[1], 16) for line in words if line.startswith("memory_testbench")]

    return run


def test_writes_show_when_their_response_is_taken(play):
    """A read whose address was taken before that sees what was there, whenever its data come."""
    assert play() == NOTHING + NOTHING + WRITTEN


def test_a_kind_memory(play):
    assert play("+adversary=0") == 3 * WRITTEN
