"""Runs a unit whose ports are not all streams, cycle by cycle, in Amaranth's simulator."""

import warnings

from amaranth.sim import Simulator

__all__ = ["bits", "run"]

PERIOD = 1e-8


def run(unit, testbench, *, cycles=20_000):
    """Run a coroutine next to a unit until it returns.

    Parameters
    ----------
    unit : Component
        A new one for each call: a simulator elaborates it.
    testbench : coroutine function of (ctx)
        Drives the ports and checks them.
    cycles : int
        Deadline.

    Raises
    ------
    AssertionError
        If the coroutine has not returned by then.
    """
    finished = []

    async def to_its_end(ctx):
        await testbench(ctx)
        finished.append(True)

    simulator = Simulator(unit)
    simulator.add_clock(PERIOD)
    simulator.add_testbench(to_its_end)
    with warnings.catch_warnings():
        # Amaranth leaves a coroutine open when a testbench raises.
        warnings.simplefilter("ignore", ResourceWarning)
        simulator.run_until(PERIOD * cycles)
    assert finished, f"Not done within {cycles} cycles"


def bits(port):
    """A port, or payload, as a plain value, for payloads of `pack_items`."""
    return port.as_value() if hasattr(port, "as_value") else port
