"""The kept part of a mapped accelerator: its resources, in all and by unit, and its memories."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from mnv2.sim.synthesis.owners import WRAPPER, Owners
from mnv2.sim.synthesis.tools import Tool
from mnv2.sim.synthesis.whole_netlist import Netlist, read_netlist
from mnv2.sim.synthesis.yosys import count_cells, netlist_hash

__all__ = ["count_module", "summarize_netlist"]

#: Kinds of RAM, by what the names of their cells begin with.
_RAMS = {
    "block RAM": r"RAMB(18|36)E[12]|DP16KD|PDPW16KD",
    "ultra RAM": r"URAM288",
    "distributed RAM": r"RAM\d+(M|X1)\w*|TRELLIS_DPR16X4",
}


def summarize_netlist(text: str, netlist: Netlist, yosys: Tool) -> dict[str, Any]:
    """A result as it is kept.

    Parameters
    ----------
    text : str
        RTLIL that was mapped, as of `mnv2.sim.synthesis.whole_netlist.convert_accelerator`.
    netlist : Netlist
    yosys : Tool

    Returns
    -------
    dict
        ``netlist_sha256`` of the RTLIL, ``tool``, ``seconds`` of a processor, ``total``, ``units``
        and ``memories`` as of `count_module`.
    """
    return {
        "netlist_sha256": netlist_hash(text),
        "tool": yosys.version,
        "seconds": round(netlist.effort.processor_seconds),
        **count_module(read_netlist(netlist)[1]),
    }


def count_module(module: Mapping[str, Any]) -> dict[str, Any]:
    """Resources of the accelerator in a flattened netlist, without the registers around it.

    Parameters
    ----------
    module : dict
        As of `mnv2.sim.synthesis.whole_netlist.read_netlist`.

    Returns
    -------
    dict
        ``total``, resources by the names of `mnv2.sim.synthesis.yosys.RESOURCES`; ``units``, the
        same by path of each unit; ``memories``, the kind of RAM by path, of those in RAM. A look-up
        table belongs to the unit whose net it drives, or that it feeds; all of them are counted
        once.
    """
    owners = Owners(module)
    cells: dict[str, Counter[str]] = {}
    memories = {}
    for name, cell in module["cells"].items():
        unit, kind = owners.unit_of(name), cell["type"]
        if unit == WRAPPER:
            continue
        cells.setdefault(unit, Counter())[kind] += 1
        for ram, pattern in _RAMS.items():
            if re.fullmatch(pattern, kind):
                memories[".".join(filter(None, (unit, owners.register(name))))] = ram
    units = {path: count_cells(found) for path, found in sorted(cells.items())}
    return {
        "total": count_cells(sum(cells.values(), Counter())),
        "units": {path: found for path, found in units.items() if found},
        "memories": dict(sorted(memories.items())),
    }
