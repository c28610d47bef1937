"""Programs one after another on one accelerator, good and bad; inside the simulator.

``MNV2_STEPS`` names a JSON file: registers by name, the steps with the address and the number of
settings of each, where its output lies, and where to write what each step gave.
"""

import json
import os
from pathlib import Path

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge, Timer

from mnv2.sim.rtl.testbench import access_register


async def dump_output(dut, start, end):
    """Append the output to the memory dump."""
    dut.dump_start.value = start
    dut.dump_end.value = end
    dut.dump.value = 1
    await RisingEdge(dut.dumped)
    dut.dump.value = 0
    await FallingEdge(dut.dumped)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def run_steps(dut):
    """Runs every step, whatever became of the one before."""
    run = json.loads(Path(os.environ["MNV2_STEPS"]).read_text())
    registers, results = run["registers"], []

    async def read(name):
        return await access_register(dut, registers[name])

    async def write(name, value):
        await access_register(dut, registers[name], value)

    if not int(dut.ready.value):
        await RisingEdge(dut.ready)
    await write("INTERRUPT_ENABLE", 1)
    for step in run["steps"]:
        for name, value in step["settings"].items():
            await write(name, value)
        await write("START", 1)
        running = await read("STATUS")
        if step["reset"]:
            await Timer(step["reset"] * 10, "ns")
            dut.reset_request.value = 1
            await Timer(30, "ns")
            dut.reset_request.value = 0
            await Timer(100, "ns")
            results.append({name.lower(): await read(name) for name in ("STATUS", "FINISHED")})
            await write("INTERRUPT_ENABLE", 1)
            await dump_output(dut, step["output"], step["output"] + run["output_bytes"])
            continue
        if step["abort"]:
            await Timer(step["abort"] * 10, "ns")
            await write("ABORT", 1)
        if step["start_again"]:
            await Timer(step["start_again"] * 10, "ns")
            # What a careless host does: sets another program and starts it.
            await write("START", 1)
        if not int(dut.done.value):
            await RisingEdge(dut.done)
        assert not int(dut.timed_out.value), f"Step {step} hangs"
        result = {"running": running, "interrupt": await read("INTERRUPT")}
        result["cycles"] = int(dut.cycles.value)
        await write("INTERRUPT", 3)
        if int(dut.done.value):
            await FallingEdge(dut.done)
        result |= {
            "status": await read("STATUS"),
            "finished": await read("FINISHED"),
            "errors": await read("ERRORS"),
            "cleared": await read("INTERRUPT"),
        }
        # Of the program's first descriptor, its block's.
        result["counters"] = [
            await access_register(dut, run["counter_offset"] + 4 * column)
            for column in range(run["counters"])
        ]
        await write("ERRORS", 1)
        assert await read("ERRORS") == 0
        await dump_output(dut, step["output"], step["output"] + run["output_bytes"])
        results.append(result)
    Path(run["result"]).write_text(json.dumps(results))
