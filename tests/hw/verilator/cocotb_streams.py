"""cocotb test that plays vectors from a file through the streams of a unit; runs in the simulator.

Environment: ``STREAM_VECTORS`` names a JSON file

    {"inputs":  {port: {"items": [hexadecimal, ...], "width": bits}},
     "outputs": {port: number of items},
     "seed": int, "options": keywords of tests.hw.traffic.Traffic}

and ``STREAM_RESULTS`` the file that gets

    {"items": {port: [hexadecimal, ...]}, "cycles": {port: [int, ...]}}

A port ``"outer.inner"`` has the signals ``outer__inner__valid``, ``__ready`` and ``__payload``.
"""

import json
import os
from pathlib import Path

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from tests.hw.traffic import Traffic

PERIOD_NS = 10


def _signal(unit, port, name):
    """Signal of a stream's port."""
    return getattr(unit, f"{port.replace('.', '__')}__{name}")


@cocotb.test(timeout_time=50, timeout_unit="ms")
async def streams(unit):
    """Drive all inputs, collect all outputs, and write down every transfer."""
    vectors = json.loads(Path(os.environ["STREAM_VECTORS"]).read_text())
    traffic = Traffic(
        {
            port: ([int(item, 16) for item in source["items"]], source["width"])
            for port, source in vectors["inputs"].items()
        },
        vectors["outputs"],
        rng=np.random.default_rng(vectors["seed"]),
        **vectors["options"],
    )
    sources = [
        (_signal(unit, port, "valid"), _signal(unit, port, "payload"), source)
        for port, source in traffic.sources.items()
    ]
    sinks = [(_signal(unit, port, "ready"), sink) for port, sink in traffic.sinks.items()]
    readies = {port: _signal(unit, port, "ready") for port in traffic.sources}
    outputs = {
        port: (_signal(unit, port, "valid"), _signal(unit, port, "payload"))
        for port in traffic.sinks
    }

    for valid, _, _ in sources:
        valid.value = 0
    for ready, _ in sinks:
        ready.value = 0
    unit.rst.value = 1
    Clock(unit.clk, PERIOD_NS, unit="ns").start()
    for _ in range(2):
        await RisingEdge(unit.clk)
    unit.rst.value = 0
    while not traffic.finished:
        for valid, payload, source in sources:
            valid.value = int(source.valid)
            payload.value = source.payload
        for ready, sink in sinks:
            ready.value = int(sink.ready)
        await RisingEdge(unit.clk)
        valids = {port: valid.value == 1 for port, (valid, _) in outputs.items()}
        traffic.observe(
            {port: ready.value == 1 for port, ready in readies.items()},
            valids,
            {
                port: payload.value.to_unsigned() if valids[port] else None
                for port, (_, payload) in outputs.items()
            },
        )

    trace = traffic.trace()
    Path(os.environ["STREAM_RESULTS"]).write_text(
        json.dumps(
            {
                "items": {
                    port: [f"{item:x}" for item in items] for port, items in trace.items.items()
                },
                "cycles": {port: cycles.tolist() for port, cycles in trace.cycles.items()},
            }
        )
    )
