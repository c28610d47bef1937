"""Runs a unit that has only streams in Amaranth's simulator.

>>> items = pack_items(unit.i.payload.shape(), {"word": words, "tag": tags})
>>> trace = simulate(unit, {"i": items}, {"o": len(items)}, seed=1, stall=0.3)
>>> results = unpack_items(unit.o.payload.shape(), trace.items["o"])["word"]

`tests.hw.verilator.harness.simulate` takes the same arguments and returns the same `Trace`.
"""

import operator
import warnings

import numpy as np
from amaranth.hdl import Shape
from amaranth.sim import Simulator

from mnv2.sim.rtl.verilog import convert
from tests.hw.packing import pack_items, unpack_items
from tests.hw.traffic import Trace, Traffic

__all__ = [
    "Trace",
    "check_conversion",
    "cycles_per_item",
    "latencies",
    "pack_items",
    "port_width",
    "simulate",
    "unpack_items",
]

PERIOD = 1e-8


def port_width(unit, name):
    """Bits of a stream's payload; ``name`` is that of the port, ``"outer.inner"`` if nested."""
    return Shape.cast(operator.attrgetter(name)(unit).payload.shape()).width


def simulate(unit, inputs, outputs, *, seed, watch=None, **options):
    """Drive every input stream of a unit, collect every output stream.

    Parameters
    ----------
    unit : Component
        A new one for each call: a simulator elaborates it.
    inputs : dict of str to list of int
        Payloads by input port, from `pack_items`.
    outputs : dict of str to int
        Number of items expected by output port.
    seed : int
        Of the stalls and of what payloads carry while valid is low.
    watch : Value, optional
        A signal that must be low at the end, such as ``unit.busy``.
    **options
        ``stall``, ``reluctant``, ``deadline``, ``drain`` of `Traffic`.

    Returns
    -------
    Trace

    Raises
    ------
    AssertionError
        If an item is missing or too many, or an output does not hold while it waits.
    """
    traffic = Traffic(
        {name: (items, port_width(unit, name)) for name, items in inputs.items()},
        outputs,
        rng=np.random.default_rng(seed),
        **options,
    )
    sources = [(operator.attrgetter(name)(unit), end) for name, end in traffic.sources.items()]
    sinks = [(operator.attrgetter(name)(unit), end) for name, end in traffic.sinks.items()]
    sampled = [port.ready for port, _ in sources]
    sampled += [signal for port, _ in sinks for signal in (port.valid, _bits(port))]

    async def testbench(ctx):
        while not traffic.finished:
            for port, source in sources:
                ctx.set(port.valid, source.valid)
                ctx.set(_bits(port), source.payload)
            for port, sink in sinks:
                ctx.set(port.ready, sink.ready)
            _, _, *values = await ctx.tick().sample(*sampled)
            readies, rest = values[: len(sources)], values[len(sources) :]
            traffic.observe(
                dict(zip(traffic.sources, readies, strict=True)),
                dict(zip(traffic.sinks, rest[::2], strict=True)),
                dict(zip(traffic.sinks, rest[1::2], strict=True)),
            )
        assert watch is None or not ctx.get(watch), "The unit did not come to rest"

    simulator = Simulator(unit)
    simulator.add_clock(PERIOD)
    simulator.add_testbench(testbench)
    with warnings.catch_warnings():
        # Amaranth leaves a coroutine open when a testbench raises.
        warnings.simplefilter("ignore", ResourceWarning)
        # Ends with the testbench, which ends with the traffic: that raises after its deadline.
        simulator.run()
    return traffic.trace()


def _bits(port):
    """Payload of a stream as a plain value."""
    payload = port.payload
    return payload.as_value() if hasattr(payload, "as_value") else payload


def latencies(trace, source="i", sink="o"):
    """Cycles from each transfer at one port to the one of the same number at another: int64 [N]."""
    return trace.cycles[sink] - trace.cycles[source]


def cycles_per_item(trace, port="o"):
    """Cycles from each transfer at a port to the next: int64 [N - 1]."""
    return np.diff(trace.cycles[port])


def check_conversion(make, *, name="unit"):
    """Convert a unit to Verilog: twice from one instance, once from another, the same text.

    Conversion also refuses combinational cycles, which the simulator does not see.

    Parameters
    ----------
    make : callable
        Makes the unit, without arguments.

    Returns
    -------
    str
        The Verilog.
    """
    unit = make()
    text = convert(unit, name=name)
    assert text == convert(unit, name=name), "The second elaboration of a unit differs"
    assert text == convert(make(), name=name), "Two instances of a unit differ"
    return text
