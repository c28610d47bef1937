"""Waits for the end of `part_testbench.sv`; inside the simulator."""

import cocotb
from cocotb.triggers import RisingEdge


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def serves_traffic(top):
    """The traffic is all served."""
    await RisingEdge(top.done)
