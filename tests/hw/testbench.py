"""Runs a unit whose ports are not all streams, cycle by cycle, in Amaranth's simulator."""

import inspect
import warnings
from pathlib import Path

from amaranth.sim import Simulator

__all__ = ["bits", "run"]

PERIOD = 1e-8
TESTS = Path(__file__).parents[1]


def run(unit, testbench, *, others=(), cycles=20_000, stuck=None):
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
    stuck : callable, optional
        Asked in each cycle; the run ends with its answer if that is not empty.

    Raises
    ------
    AssertionError
        If the coroutine has not returned by then, or the unit is stuck: with the lines in which the
        coroutine waits.
    """
    simulator = Simulator(unit)
    simulator.add_clock(PERIOD)
    for other in others:
        simulator.add_testbench(other, background=True)
    running = []

    async def bench(ctx):
        running.append(testbench(ctx))
        await running[0]

    simulator.add_testbench(bench)

    async def limit(ctx):
        for _ in range(cycles):
            await ctx.tick()
            reason = stuck and stuck()
            if reason:
                raise AssertionError(f"{reason}; {_waits(running[0])}")
        raise AssertionError(f"Not done within {cycles} cycles; {_waits(running[0])}")

    simulator.add_testbench(limit, background=True)
    with warnings.catch_warnings():
        # Amaranth leaves a coroutine open when a testbench raises.
        warnings.simplefilter("ignore", ResourceWarning)
        simulator.run()


def _waits(coroutine):
    """Functions of the tests, and their lines, in which a coroutine waits, the innermost first."""
    places = []
    while inspect.iscoroutine(coroutine) and coroutine.cr_frame is not None:
        code = coroutine.cr_code
        file = Path(code.co_filename)
        if TESTS in file.parents:
            places.append(f"{code.co_name} ({file.name}:{coroutine.cr_frame.f_lineno})")
        coroutine = coroutine.cr_await
    return f"waits in {', called by '.join(reversed(places))}"


def bits(port):
    """A port, or payload, as a plain value, for payloads of `pack_items`."""
    return port.as_value() if hasattr(port, "as_value") else port
