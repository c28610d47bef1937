"""The netlist of a whole accelerator: RTLIL between registers, mapped by Yosys as one flat module.

This is the one description of how a whole design is synthesised: what `mnv2 place` routes, what
`mnv2 lab timing` looks for long paths in, and what the coefficients of `mnv2 cost` are fitted to.

RTLIL spares Yosys the reading of Verilog. The netlist is flattened, as everybody builds. Mapping
ends before the check, whose naming of cells takes longer than all the rest of a large flat module.
"""

import gzip
import hashlib
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
from mnv2.sim.jobs.cache import cache_folder
from mnv2.sim.synthesis.enclosed import Enclosed
from mnv2.sim.synthesis.owners import DRIVER_MARK, OUTPUT_MARK, mark_registers
from mnv2.sim.synthesis.process import Effort, check_disk, run_program
from mnv2.sim.synthesis.step import missing_step
from mnv2.sim.synthesis.tools import Tool
from mnv2.sim.synthesis.yosys import count_cells, netlist_hash

__all__ = [
    "COMMANDS",
    "Netlist",
    "convert_accelerator",
    "map_netlist",
    "netlist_folder",
    "read_netlist",
]

#: What is done before a family's synthesis. Assertions and messages are for simulators; memories
#: power up with anything, since no unit reads a word that it has not written, and the core uses no
#: word of a memory that is read while it is written.
_BEFORE = f"""read_rtlil top.il
delete */t:$check */t:$print */t:$meminit*
setparam -set COLLISION_X_MASK 1'1 *core*/t:$memrd_v2 */r:CLK_ENABLE=1 %i
setattr -set {DRIVER_MARK} 1 */w:* */i:* %d
setattr -set {OUTPUT_MARK} 1 */o:*
"""

_AFTER = """tee -q -o cells.json stat -json
select -module top
write_json -selected netlist.json
"""

#: Synthesis of each family of devices, without pins: the accelerator's ports are no pins.
_SYNTHESIS = {
    "ecp5": "synth_ecp5 -top top -run begin:check\n",
    **{
        family: f"synth_xilinx -family {family} -top top -flatten -noiopad -noclkbuf "
        "-run begin:check\n"
        for family in ("xc7", "xcup")
    },
}

#: Commands that map a whole design, by family.
COMMANDS = {family: _BEFORE + synthesis + _AFTER for family, synthesis in _SYNTHESIS.items()}


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


def netlist_folder(text: str, family: str, yosys: Tool) -> Path:
    """Folder of the cache for a netlist: of all that decides what is in it."""
    state = "\n".join((mark_registers(text), COMMANDS[family], yosys.version))
    digest = hashlib.sha256(state.encode()).hexdigest()[:12]
    return cache_folder("netlists") / f"{netlist_hash(text)[:8]}-{family}-{digest}"


def map_netlist(
    text: str,
    folder: Path,
    yosys: Tool,
    *,
    family: str = "ecp5",
    timeout: float,
    tell: Callable[[str], None] = lambda line: None,
) -> Netlist:
    """Map RTLIL to the cells of a family, or read what an earlier run left in the folder.

    Parameters
    ----------
    text : str
        As of `convert_accelerator`.
    folder : Path
        Of this text, this family and this version of Yosys; it takes the netlist.
    yosys : Tool
    family : str
        A key of `COMMANDS`.
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
            (work / "top.ys").write_text(COMMANDS[family], encoding="utf-8")
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
