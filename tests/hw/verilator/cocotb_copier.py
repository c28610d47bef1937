"""cocotb side of the copier: results go to the file named by ``RESULT``."""

import json
import logging
import os
import random
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge


def write_result(top, **more):
    """Write what the hardware counted."""
    result = {
        name: getattr(top, name).value.to_unsigned()
        for name in ("error", "checksum", "read_beats", "written_beats", "written_bytes", "cycles")
    }
    Path(os.environ["RESULT"]).write_text(json.dumps(result | more))


@cocotb.test(timeout_time=200, timeout_unit="us")
async def runs_on_model(top):
    """The memory is the SystemVerilog model; Python waits once."""
    await RisingEdge(top.done)
    names = (
        "read_bursts",
        "read_beats",
        "read_bytes",
        "write_bursts",
        "write_beats",
        "write_bytes",
    )
    counts = {
        name: top.memory_counts[index].value.to_unsigned() for index, name in enumerate(names)
    }
    write_result(
        top,
        memory=counts,
        request_cycle=top.request_cycle.value.to_signed(),
        beat_cycle=top.beat_cycle.value.to_signed(),
        last_beat_cycle=top.last_beat_cycle.value.to_signed(),
    )


@cocotb.test(timeout_time=200, timeout_unit="us")
async def runs_on_axi_ram(top):
    """The memory is cocotbext-axi's, with pauses on every channel."""
    from cocotbext.axi import AxiBus, AxiRam

    logging.getLogger("cocotb").setLevel(logging.WARNING)
    rng = random.Random(int(os.environ["SEED"]))
    stall = float(os.environ["STALL"])

    def pauses():
        while True:
            yield rng.random() < stall

    memory = Path(os.environ["IMAGE"]).read_bytes()
    ram = AxiRam(AxiBus.from_entity(top), top.clk, top.rst, size=len(memory))
    ram.write(0, memory)
    if stall:
        for channel in (
            ram.read_if.ar_channel,
            ram.read_if.r_channel,
            ram.write_if.aw_channel,
            ram.write_if.w_channel,
            ram.write_if.b_channel,
        ):
            channel.set_pause_generator(pauses())
    Clock(top.clk, 2, unit="ns").start()
    await RisingEdge(top.done)
    Path(os.environ["DUMP"]).write_bytes(ram.read(0, len(memory)))
    write_result(top)
