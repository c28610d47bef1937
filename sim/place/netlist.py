"""The netlist of a whole accelerator: RTLIL between registers, mapped by Yosys as one flat module.

RTLIL spares Yosys the reading of Verilog. The netlist is flattened, as everybody builds, and
mapped with abc: abc9 gives two wires one name on it (YosysHQ/yosys issue 4349). It ends before
the check, whose naming of cells takes longer than all the rest of a large flat module.
"""

import gzip
import json
import os
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from amaranth.hdl import UnusedElaboratable

from mnv2.hw.accelerator import Accelerator
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.errors import SimulationError
from mnv2.sim.place.owners import DRIVER_MARK, OUTPUT_MARK, mark_registers
from mnv2.sim.place.process import Effort, check_disk, run_program
from mnv2.sim.place.step import missing_step
from mnv2.sim.place.tools import Tool
from mnv2.sim.synthesis.enclosed import Enclosed
from mnv2.sim.synthesis.yosys import count_cells

__all__ = ["COMMANDS", "Netlist", "convert_accelerator", "map_netlist", "read_netlist"]

#: Commands that map it. Assertions and messages are for simulators; memories power up with
#: anything, since no unit reads a word that it has not written.
COMMANDS = f"""read_rtlil top.il
delete */t:$check */t:$print */t:$meminit*
setattr -set {DRIVER_MARK} 1 */w:* */i:* %d
setattr -set {OUTPUT_MARK} 1 */o:*
synth_ecp5 -top top -noabc9 -run begin:check
tee -q -o cells.json stat -json
select -module top
write_json -selected netlist.json
"""


@dataclass(frozen=True)
class Netlist:
    """A mapped accelerator, kept in a folder.

    Attributes
    ----------
    file : Path
        Yosys's JSON, compressed.
    cells : dict of str to int
        Of the device, by kind.
    effort : Effort
        That Yosys took.
    """

    file: Path
    cells: dict[str, int]
    effort: Effort

    @property
    def resources(self) -> dict[str, int]:
        """Resources by the names of `mnv2.sim.synthesis.yosys.RESOURCES`."""
        return count_cells(self.cells)


def convert_accelerator(config: AcceleratorConfig) -> str:
    """RTLIL of an accelerator between registers, the same text for the same configuration."""
    from amaranth.back import rtlil

    with warnings.catch_warnings():
        # A unit that is only made to ask for its latency.
        warnings.simplefilter("ignore", UnusedElaboratable)
        return rtlil.convert(Enclosed(Accelerator(config=config)), name="top", emit_src=False)


def map_netlist(
    text: str, folder: Path, yosys: Tool, *, timeout: float, tell: Callable[[str], None]
) -> Netlist:
    """Map RTLIL to the cells of an ECP5, or read what an earlier run left in the folder.

    Parameters
    ----------
    text : str
        As of `convert_accelerator`.
    folder : Path
        Of this text and this version of Yosys; it takes the netlist.
    yosys : Tool
    timeout : float
        Seconds after which Yosys is stopped.
    tell : function of (str)
        Given each line that Yosys prints.

    Returns
    -------
    Netlist

    Raises
    ------
    UserError
        If the disk is full.
    SimulationError
        If Yosys fails.
    """
    kept, summary = folder / "netlist.json.gz", folder / "netlist.summary.json"
    with missing_step(summary) as work:
        if work is not None:
            (work / "top.il").write_text(mark_registers(text), encoding="utf-8")
            (work / "top.ys").write_text(COMMANDS, encoding="utf-8")
            effort = run_program(
                [*yosys.command, "top.ys"], work, work / "yosys.log", timeout=timeout, tell=tell
            )
            cells = _count(_read_whole(work / "cells.json", folder))
            content = (work / "netlist.json").read_bytes()
            check_disk(folder)
            (work / kept.name).write_bytes(gzip.compress(content, 4))
            state = {"cells": cells, "effort": asdict(effort)}
            (work / summary.name).write_text(json.dumps(state), encoding="utf-8")
            # The summary last: where it is, all of it is.
            for name in ("yosys.log", kept.name, summary.name):
                os.replace(work / name, folder / name)
    state = json.loads(summary.read_text(encoding="utf-8"))
    return Netlist(kept, state["cells"], Effort(**state["effort"]))


def read_netlist(netlist: Netlist) -> tuple[bytes, dict[str, Any]]:
    """Yosys's JSON, and its one module: ``cells``, ``netnames`` and ``ports``."""
    content = gzip.decompress(netlist.file.read_bytes())
    return content, json.loads(content)["modules"]["top"]


def _read_whole(path: Path, folder: Path) -> Any:
    """JSON of a tool that may have met a full disk without a word."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        check_disk(folder)
        raise SimulationError(f"Yosys left no whole {path.name}") from None


def _count(stat: Any) -> dict[str, int]:
    """Cells by kind, of Yosys's statistics."""
    (module,) = stat["modules"].values()
    return dict(Counter(module["num_cells_by_type"]))
