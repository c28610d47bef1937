"""cocotb side of the testbench: start a program, wait, read the counters. Runs inside the simulator."""

import json
import os
from pathlib import Path

import cocotb
from cocotb.triggers import RisingEdge

from hw.counters import COUNTERS


@cocotb.test(timeout_time=60, timeout_unit="sec")
async def run_program(dut):
    """Runs the program that ``MNV2_RUN`` (a JSON file) describes and writes what was counted."""
    run = json.loads(Path(os.environ["MNV2_RUN"]).read_text())
    if not int(dut.ready.value):
        await RisingEdge(dut.ready)
    dut.program_address.value = 0
    dut.program_records.value = run["records"]
    dut.start.value = 1
    await RisingEdge(dut.done)
    dut.start.value = 0
    assert not int(dut.timed_out.value), (
        f"The program did not end within {int(dut.cycles.value)} cycles")

    rows = []
    for row in range(run["records"] - 1):
        dut.counter_row.value = row
        counters = {}
        for column, name in enumerate(COUNTERS):
            dut.counter_column.value = column
            # The value follows the position by two edges: one to take it, one to read the memory.
            for _ in range(3):
                await RisingEdge(dut.clk)
            counters[name] = int(dut.counter_value.value)
        rows.append(counters)

    dut.dump_start.value = run["output_address"]
    dut.dump_end.value   = run["output_address"] + run["output_bytes"]
    dut.dump.value = 1
    await RisingEdge(dut.clk)
    dut.dump.value = 0
    await RisingEdge(dut.clk)
    result = {
        "cycles": int(dut.cycles.value),
        "error": int(dut.error.value),
        "read_bytes": int(dut.read_bytes.value),
        "write_bytes": int(dut.write_bytes.value),
        "counters": rows,
    }
    Path(run["result"]).write_text(json.dumps(result))
