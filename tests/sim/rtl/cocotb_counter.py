"""cocotb tests of the small design in `test_build`; they run inside the simulator."""

import os

import cocotb
from cocotb.triggers import RisingEdge


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def counts_to_limit(top):
    """Wait once for the end, then compare the cycles that the hardware counted."""
    await RisingEdge(top.done)
    expected = int(os.environ.get("EXPECTED_CYCLES", "1000000"))
    assert top.cycles.value.to_unsigned() == expected, (
        f"Counted {top.cycles.value.to_unsigned()}, not {expected}"
    )
