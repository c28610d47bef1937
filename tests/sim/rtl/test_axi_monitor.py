"""The AXI monitor is silent where the rules are kept, and says which one is broken."""

import subprocess
from pathlib import Path

import pytest

import mnv2.sim.rtl
from mnv2.sim.rtl.build import build_simulation

MAIN = """
#include <memory>
#include "Vtop.h"
#include "verilated.h"

double sc_time_stamp() { return 0; }

int main(int argc, char** argv) {
    Verilated::commandArgs(argc, argv);
    const auto top = std::make_unique<Vtop>("");
    top->clk = 0;
    while (!Verilated::gotFinish()) {
        top->clk = !top->clk;
        top->eval();
    }
    top->final();
    return Verilated::threadContextp()->errorCount() > 0;
}
"""

#: In the order in which `monitor_testbench.sv` reads them.
SIGNALS = (
    "rst program_runs arvalid arready araddr arlen arsize arburst arid "
    "rvalid rready rlast rdata rresp rid "
    "awvalid awready awaddr awlen awsize awburst awid wvalid wready wlast wdata wstrb "
    "bvalid bready bresp bid"
).split()

RESET = {"rst": 1}
IDLE: dict[str, int] = {}
STOPPED = {"program_runs": 0}


def read(address=0x40, beats=2, ready=1, **others):
    burst = {"araddr": address, "arlen": beats - 1, "arsize": 3, "arburst": 1}
    return {"arvalid": 1, "arready": ready, **burst, **others}


def data(last=0, ready=1, **others):
    return {"rvalid": 1, "rready": ready, "rlast": last, **others}


def write(address=0x40, beats=2, ready=1, **others):
    burst = {"awaddr": address, "awlen": beats - 1, "awsize": 3, "awburst": 1}
    return {"awvalid": 1, "awready": ready, **burst, **others}


def written(last=0, ready=1, **others):
    return {"wvalid": 1, "wready": ready, "wlast": last, "wstrb": 0xFF, **others}


def answer(ready=1, **others):
    return {"bvalid": 1, "bready": ready, **others}


#: Cycles after a reset in which every rule is kept.
GOOD = {
    "nothing": [IDLE],
    "reads": [read(), read(beats=1), data(), data(1, rresp=2), data(1), read(arid=1), data(rid=1)],
    "reads that wait": [read(ready=0), read(ready=0), read(), data(ready=0), data(), data(1)],
    "writes": [write(), written(), written(1), IDLE, answer(ready=0, bresp=3), answer(bresp=3)],
    "all of a burst at once": [write(beats=1) | written(1), answer()],
    "data before their address": [written(), written(1), IDLE, write(), answer()],
    "address with the last data": [written(), written(1) | write(), answer()],
    "data in time": [write(ready=0) | written(ready=0), write() | written(), written(1), answer()],
    "two under way": [write(beats=1) | written(1), write(beats=1) | written(1), answer(), answer()],
    "up to the page": [read(address=0xFE0, beats=4), data(), data(), data(), data(1)],
    "the end of a program": [read(beats=1), data(1), STOPPED, STOPPED, STOPPED],
    "reset in the middle": [read(), data(), write(), RESET, RESET, read(beats=1), data(1)],
}

#: Message, and the cycles that lead to it.
BROKEN = {
    "valid in reset": ("a valid is high in reset", [RESET, RESET | {"wvalid": 1}]),
    "AR withdrawn": ("AR changed", [read(ready=0), IDLE]),
    "AR changed": ("AR changed", [read(ready=0), read(address=0x80)]),
    "AW changed": ("AW changed", [write(ready=0), write(beats=1)]),
    "W changed": ("W changed", [written(ready=0), written(wdata=1)]),
    "W strobes changed": ("W changed", [written(ready=0), written() | {"wstrb": 0x7F}]),
    "R changed": ("R changed", [read(), data(ready=0), data(rdata=1)]),
    "R withdrawn": ("R changed", [read(), data(ready=0), IDLE]),
    "B changed": ("B changed", [write(beats=1) | written(1), answer(ready=0), answer(bresp=2)]),
    "wrapping": ("is not INCR", [read() | {"arburst": 2}]),
    "narrow": ("has size 2", [write() | {"awsize": 2}]),
    "inside a beat": ("is not aligned", [read(address=0x44)]),
    "over a page": ("crosses 4 KiB", [write(address=0xFE8, beats=4)]),
    "too long": ("has 5 beats, more than 4", [read(beats=5)]),
    "too many reads": ("more than 2 read bursts", [read(), read(), read()]),
    "too many writes": ("more than 2 write bursts", [write(), write(), write()]),
    "too much data": ("data of more than 2 bursts", [written(1), written(1), written(1)]),
    "data unasked": ("R belongs to no burst", [data(1)]),
    "data with their address": ("R belongs to no burst", [read(beats=1) | data(1)]),
    "RLAST early": ("RLAST is 1 on beat 1 of 2", [read(), data(1)]),
    "RLAST missing": ("RLAST is 0 on beat 2 of 2", [read(), data(), data()]),
    "R of another": ("R has identifier 1", [read(), data(rid=1)]),
    "WLAST early": ("WLAST is 1 on beat 1 of 2", [write(), written(1)]),
    "WLAST missing": ("WLAST is 0 on beat 2 of 2", [write(), written(), written()]),
    "WLAST early, address later": ("WLAST was on beat 1 of 2", [written(1), write()]),
    "WLAST early, address with it": ("WLAST is 1 on beat 1 of 2", [written(1) | write()]),
    "WLAST late, address with it": (
        "WLAST is 0 on beat 2",
        [written(), written() | write(beats=1)],
    ),
    "answer unasked": ("B belongs to no burst", [answer()]),
    "answer before the data": ("B belongs to no burst", [write(), written(), answer()]),
    "answer before the address": ("B belongs to no burst", [written(1), answer()]),
    "answer with the data": ("B belongs to no burst", [write(beats=1), written(1) | answer()]),
    "B of another": ("B has identifier 1", [write(beats=1) | written(1), answer(bid=1)]),
    "read at the end": ("and no program runs", [read(), data(), STOPPED, STOPPED]),
    "no answer at the end": (
        "and no program runs",
        [write(beats=1) | written(1), STOPPED, STOPPED],
    ),
    "data at the end": ("and no program runs", [written(1), STOPPED, STOPPED]),
    "asked after the end": ("and no program runs", [STOPPED, STOPPED | read(ready=0)]),
}


@pytest.fixture(scope="module")
def play(tmp_path_factory):
    """A function that shows cycles to the monitor, and returns its exit status and its words."""
    monitor = Path(mnv2.sim.rtl.__file__).with_name("axi_monitor.sv")
    bench = Path(__file__).with_name("monitor_testbench.sv")
    build = build_simulation([monitor, bench], "monitor_testbench", main=MAIN, cocotb=False)
    path = tmp_path_factory.mktemp("monitor") / "signals.txt"

    def run(cycles):
        lines = [RESET, RESET, RESET, *cycles, *([cycles[-1]] if "rst" in cycles[-1] else [])]
        with path.open("w") as file:
            for line in lines:
                values = {"program_runs": 1, **line}
                file.write(" ".join(f"{values.get(name, 0):x}" for name in SIGNALS) + "\n")
        done = subprocess.run(
            [build.directory / "monitor_testbench", f"+signals={path}"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.mark.parametrize("name", GOOD)
def test_silent(play, name):
    code, words = play(GOOD[name])
    assert code == 0, words
    assert "axi_monitor" not in words


@pytest.mark.parametrize("name", BROKEN)
def test_says_what_is_broken(play, name):
    message, cycles = BROKEN[name]
    code, words = play(cycles)
    assert code != 0
    assert message in words.partition("axi_monitor: ")[2]
    # Without the last cycle nothing is wrong yet.
    assert play(cycles[:-1] or [IDLE])[0] == 0
