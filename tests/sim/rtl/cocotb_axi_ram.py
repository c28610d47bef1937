"""cocotbext-axi's memory and master at the accelerator's pins; inside the simulator."""

import json
import logging
import os
import random
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiRam


def pauses(rng, share):
    """Cycles in which a channel pauses."""
    while True:
        yield rng.random() < share


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def run_program(dut):
    """Runs the program that ``MNV2_RUN`` (a JSON file) describes, twice without a reset between."""
    run = json.loads(Path(os.environ["MNV2_RUN"]).read_text())
    registers, rng = run["registers"], random.Random(run["seed"])
    logging.getLogger("cocotb").setLevel(logging.WARNING)
    dut.rst.value = 1
    ram = AxiRam(AxiBus.from_prefix(dut, "bus_"), dut.clk, dut.rst, size=run["memory_bytes"])
    master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "control_"), dut.clk, dut.rst)
    if run["stall"]:
        for channel in (
            ram.read_if.ar_channel,
            ram.read_if.r_channel,
            ram.write_if.aw_channel,
            ram.write_if.w_channel,
            ram.write_if.b_channel,
            master.write_if.aw_channel,
            master.write_if.w_channel,
            master.write_if.b_channel,
            master.read_if.ar_channel,
            master.read_if.r_channel,
        ):
            channel.set_pause_generator(pauses(rng, run["stall"]))
    ram.write(run["base"], Path(run["image"]).read_bytes())
    Clock(dut.clk, 10, unit="ns").start()
    await ClockCycles(dut.clk, 5)
    dut.rst.value = 0

    results = []
    await master.write_dword(registers["INTERRUPT_ENABLE"], 1)
    for name, value in run["settings"].items():
        await master.write_dword(registers[name], value)
        assert await master.read_dword(registers[name]) == value
    for _ in range(2):
        ram.write(run["output_address"], bytes(run["output_bytes"]))
        await master.write_dword(registers["START"], 1)
        await RisingEdge(dut.interrupt)
        counters = [
            await master.read_dword(run["counter_offset"] + 4 * column)
            for column in range(run["counters"])
        ]
        results.append(
            {
                "status": await master.read_dword(registers["STATUS"]),
                "finished": await master.read_dword(registers["FINISHED"]),
                "counters": counters,
                "output": ram.read(run["output_address"], run["output_bytes"]).hex(),
            }
        )
        await master.write_dword(registers["INTERRUPT"], 1)
        await ClockCycles(dut.clk, 2)
        assert not int(dut.interrupt.value)
    Path(run["result"]).write_text(json.dumps(results))
