"""A program turn after turn until it is told to stop; inside the simulator.

``MNV2_RUN`` names a JSON file: registers by name, settings, after which turn to stop, where the
output lies, and where to write what was seen.
"""

import json
import os
from pathlib import Path

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge

from mnv2.sim.rtl.testbench import access_register


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def run_until_stopped(dut):
    """Acknowledges the interrupt of each turn, and stops after some."""
    run = json.loads(Path(os.environ["MNV2_RUN"]).read_text())
    registers, seen = run["registers"], []

    async def read(name):
        return await access_register(dut, registers[name])

    async def write(name, value):
        await access_register(dut, registers[name], value)

    if not int(dut.ready.value):
        await RisingEdge(dut.ready)
    for name, value in run["settings"].items():
        await write(name, value)
    await write("START", 1)
    while True:
        if not int(dut.done.value):
            await RisingEdge(dut.done)
        assert not int(dut.timed_out.value), "A turn does not end"
        pending = await read("INTERRUPT")
        await write("INTERRUPT", pending)
        seen.append((pending, await read("FRAMES_DONE"), await read("STATUS")))
        if int(dut.done.value):
            await FallingEdge(dut.done)
        if pending & 1:
            break
        if len(seen) == run["stop_after"]:
            await write("STOP", 1)
    errors = await read("ERRORS")
    dut.dump_start.value, dut.dump_end.value = run["output"]
    dut.dump.value = 1
    await RisingEdge(dut.dumped)
    Path(run["result"]).write_text(json.dumps({"seen": seen, "errors": errors}))
