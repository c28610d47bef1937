"""cocotb side of the testbench: start a program, wait, read the counters; in the simulator.

Names and addresses come with the run, so that the simulator's Python need not load Amaranth.
"""

import json
import os
from pathlib import Path

import cocotb
from cocotb.queue import Queue
from cocotb.triggers import FallingEdge, First, RisingEdge


async def access_register(dut, address, value=None):
    """Read 32 bits from a byte address of the AXI4-Lite port, or write a value there."""
    dut.request_address.value = address
    dut.request_write.value = int(value is not None)
    dut.request_data.value = value or 0
    dut.request.value = 1
    await RisingEdge(dut.acknowledge)
    assert int(dut.response.value) == 0, f"There is no register at {address:#x}"
    result = int(dut.response_data.value)
    dut.request.value = 0
    await FallingEdge(dut.acknowledge)
    return result


async def read_counters(dut, run, finished):
    """Counters of each descriptor whose number comes through a queue, until None does.

    They are read while the program goes on: the accelerator has room for the last few alone.
    """
    rows = []
    while (number := await finished.get()) is not None:
        later = int(dut.finished.value) - number
        assert later < run["counter_rows"], f"The counters of descriptor {number} are gone"
        offset = run["counter_offset"] + run["counter_row_bytes"] * (number % run["counter_rows"])
        block, stem = [
            {
                name: await access_register(dut, offset + half + 4 * column)
                for column, name in enumerate(run["counters"])
            }
            for half in (0, run["counter_row_bytes"] // 2)
        ]
        rows.append({"block": block, "stem": stem})
    return rows


async def watch(dut, run, descriptors):
    """Note progress, and look at maps, as descriptors are finished; until the program ends.

    The number of each goes into a queue, and None after the last. Returns the cycle in which each
    descriptor ended.
    """
    waiting, ends = list(run["snapshots"]), []
    while not int(dut.done.value):
        await First(dut.finished.value_change, RisingEdge(dut.done))
        finished = int(dut.finished.value)
        ends.append(int(dut.cycles.value))
        Path(run["progress"]).write_text(f"{finished} {int(dut.cycles.value)}")
        if waiting and waiting[0][0] == finished:
            _, (dut.map_start.value, dut.map_end.value) = waiting.pop(0)
            dut.map_dump.value = 1
            await RisingEdge(dut.map_dumped)
            dut.map_dump.value = 0
        if len(ends) <= finished:
            descriptors.put_nowait(finished - 1)
    descriptors.put_nowait(None)
    return ends[:finished]


@cocotb.test(timeout_time=60, timeout_unit="sec")
async def run_program(dut):
    """Runs the program that ``MNV2_RUN`` (a JSON file) describes and writes what was counted."""
    run = json.loads(Path(os.environ["MNV2_RUN"]).read_text())
    if not int(dut.ready.value):
        await RisingEdge(dut.ready)
    registers = run["registers"]
    for name, value in run["settings"].items():
        await access_register(dut, registers[name], value)
    await access_register(dut, registers["START"], 1)
    descriptors: Queue[int | None] = Queue()
    reader = cocotb.start_soon(read_counters(dut, run, descriptors))
    ends = await watch(dut, run, descriptors)
    assert not int(dut.timed_out.value), (
        f"The program did not end within {int(dut.cycles.value)} cycles"
    )
    rows = await reader
    status = await access_register(dut, registers["STATUS"])
    frames_done = await access_register(dut, registers["FRAMES_DONE"])
    dut.dump_start.value, dut.dump_end.value = run["output"]
    dut.dump.value = 1
    await RisingEdge(dut.dumped)
    Path(run["result"]).write_text(
        json.dumps(
            {
                "cycles": int(dut.cycles.value),
                "status": status,
                "frames_done": frames_done,
                "read_bytes": int(dut.read_bytes.value),
                "write_bytes": int(dut.write_bytes.value),
                "write_beats": int(dut.write_beats.value),
                "counters": rows,
                "ends": ends,
            }
        )
    )
