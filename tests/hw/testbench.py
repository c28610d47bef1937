"""Runs a unit whose ports are not all streams, cycle by cycle, in Amaranth's simulator."""

import warnings

from amaranth.sim import Simulator

__all__ = ["bits", "run"]

PERIOD = 1e-8


def run(unit, testbench, *, others=(), cycles=20_000):
    """Run a coroutine next to a unit until it returns.

    Parameters
    ----------
    unit : Component
        A new one for each call: a simulator elaborates it.
    testbench : coroutine function of (ctx)
        Drives the ports and checks them.
    others : sequence of coroutine functions of (ctx)
        Run as long; in each cycle they act before it, in this order.
    cycles : int
        Deadline.

    Raises
    ------
    AssertionError
        If the coroutine has not returned by then.
    """
    simulator = Simulator(unit)
    simulator.add_clock(PERIOD)
    for other in others:
        simulator.add_testbench(other, background=True)
    simulator.add_testbench(testbench)

    async def limit(ctx):
        for _ in range(cycles):
            await ctx.tick()
        raise AssertionError(f"Not done within {cycles} cycles")

    simulator.add_testbench(limit, background=True)
    with warnings.catch_warnings():
        # Amaranth leaves a coroutine open when a testbench raises.
        warnings.simplefilter("ignore", ResourceWarning)
        simulator.run()


def bits(port):
    """A port, or payload, as a plain value, for payloads of `pack_items`."""
    return port.as_value() if hasattr(port, "as_value") else port
