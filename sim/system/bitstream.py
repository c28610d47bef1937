"""A bitstream of a whole system for the ULX3S with an ECP5-85: mapped, placed, routed and packed.

Every finished step is kept in the cache by what decides it; a run that was killed resumes.
"""

import dataclasses
import gzip
import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth.hdl import UnusedElaboratable

from mnv2.hw.accelerator import Accelerator
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.boards.board import load_boards
from mnv2.sim.cost.devices import Use, find_device
from mnv2.sim.errors import SimulationError
from mnv2.sim.jobs.cache import cache_folder
from mnv2.sim.jobs.files import write_whole
from mnv2.sim.place.design_check import check_design
from mnv2.sim.place.target import Target, find_target
from mnv2.sim.report.provenance import find_commit, package_versions
from mnv2.sim.synthesis.process import check_disk, run_program
from mnv2.sim.synthesis.step import missing_step
from mnv2.sim.synthesis.tools import Tool, find_ecppack, find_nextpnr, find_yosys
from mnv2.sim.system.loader import TOP, Loader, make_loader

__all__ = [
    "BAUD",
    "BOARD",
    "KEPT",
    "SPEED",
    "Bitstream",
    "clock_of",
    "keep_bitstream",
    "make_bitstream",
    "uses_of",
]

#: The board by its name, the speed grade of its device, and bits a second of its serial line.
BOARD, SPEED, BAUD = "ulx3s-85f", 6, 1_000_000

#: Results that are kept with the project.
KEPT = Path(__file__).with_name("bitstreams.json")

#: The accelerator as `mnv2.sim.synthesis.whole_netlist` maps it, then LiteX's part with its
#: memories as they are.
_COMMANDS = f"""read_rtlil accelerator.il
delete */t:$check */t:$print */t:$meminit*
setparam -set COLLISION_X_MASK 1'1 *core*/t:$memrd_v2 */r:CLK_ENABLE=1 %i
read_verilog {TOP}.v
synth_ecp5 -top {TOP} -run begin:check
select -module {TOP}
write_json -selected netlist.json
"""

#: Told of a step's name, how much of it is done of how much (0 where that is unknown), and words.
_Watch = Callable[[str, int, int, str], None]


@dataclass(frozen=True)
class Bitstream:
    """A whole system, routed and packed.

    Attributes
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    seed : int
        Of the placer.
    clock_hz : float
        That the PLL makes.
    megahertz : float
        That the routed system reaches by nextpnr.
    uses : tuple of mnv2.sim.cost.devices.Use
        As nextpnr counts what it packed.
    effort : dict
        Of Yosys and of nextpnr, each as `mnv2.sim.synthesis.process.Effort`.
    versions : dict of str to str
    commit : str
    system : dict
        What a host must know of it.
    bits : bytes
    """

    config: AcceleratorConfig
    seed: int
    clock_hz: float
    megahertz: float
    uses: tuple[Use, ...]
    effort: dict[str, Any]
    versions: dict[str, str]
    commit: str
    system: dict[str, Any]
    bits: bytes

    @property
    def meets_clock(self) -> bool:
        """Whether the routed system is as fast as its clock."""
        return self.megahertz * 1e6 >= self.clock_hz

    def describe(self) -> dict[str, Any]:
        """Values that JSON holds, without the bits."""
        return {
            "configuration": dataclasses.asdict(self.config),
            "board": BOARD,
            "speed": SPEED,
            "seed": self.seed,
            "clock_mhz": self.clock_hz / 1e6,
            "megahertz": self.megahertz,
            "resources": {
                use.resource: {"used": use.used, "available": use.available} for use in self.uses
            },
            "effort": self.effort,
            "versions": self.versions,
            "commit": self.commit,
        }


def make_bitstream(
    config: AcceleratorConfig,
    watch: _Watch,
    *,
    seed: int = 1,
    yosys: str | None = None,
    nextpnr: str | None = None,
    timeout: float = 6 * 3600,
) -> Bitstream:
    """Make the system of an accelerator for the board, and its bitstream.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    watch : function of (step, done, total, words)
    seed : int
        Of the placer.
    yosys, nextpnr : str, optional
        Programs to use in place of those that are found.
    timeout : float
        Seconds for Yosys, and for nextpnr.

    Returns
    -------
    Bitstream
        Whether or not it is as fast as its clock.

    Raises
    ------
    UserError
        If a tool or a package is missing, the device has too little, or the disk is full.
    SimulationError
        If a tool fails.
    """
    board = load_boards()[BOARD]
    target = find_target(find_device(board.device))
    check_design(config, target.device)
    tools = find_yosys(yosys), find_nextpnr(nextpnr, target.flow.program), find_ecppack()
    watch("writing the system", 0, 0, "")
    loader = make_loader(config, board.clock_hz, BAUD)
    folder = _folder(loader, tools, seed, target)
    watch("mapping with Yosys", 0, 0, "")
    mapping = _map(config, loader, folder, tools[0], timeout)
    watch("placing and routing", 0, 0, "")
    routing, report = _route(loader, folder, tools[1], target, seed, timeout)
    watch("packing the bitstream", 0, 0, "")
    return Bitstream(
        config=config,
        seed=seed,
        clock_hz=board.clock_hz,
        megahertz=clock_of(report, board.clock_hz),
        uses=uses_of(report, target),
        effort={"yosys": mapping, "nextpnr": routing},
        versions={
            **{tool.version.split()[0]: tool.version for tool in tools},
            **package_versions(("mnv2", "amaranth", "litex", "litedram", "migen")),
        },
        commit=find_commit(),
        system=loader.system,
        bits=_pack(folder, tools[2], timeout),
    )


def _folder(loader: Loader, tools: tuple[Tool, ...], seed: int, target: Target) -> Path:
    """Folder of the cache, of all that decides what is in it."""
    state = (
        *(loader.verilog, loader.accelerator, loader.constraints, _COMMANDS, str(seed)),
        # Packing takes seconds, and is not kept.
        *(tool.version for tool in tools[:2]),
        *target.flow.options,
        *target.arguments(SPEED),
    )
    return cache_folder("bitstreams") / hashlib.sha256("\n".join(state).encode()).hexdigest()[:20]


def _convert(config: AcceleratorConfig) -> str:
    """RTLIL of the accelerator, which spares Yosys the reading of Verilog."""
    from amaranth.back import rtlil

    with warnings.catch_warnings():
        # A unit that is only made to ask for its latency.
        warnings.simplefilter("ignore", UnusedElaboratable)
        return rtlil.convert(Accelerator(config=config), name="accelerator", emit_src=False)


def _map(
    config: AcceleratorConfig, loader: Loader, folder: Path, yosys: Tool, timeout: float
) -> dict[str, Any]:
    """Map the system to the device's cells, and keep the netlist; Yosys's effort."""
    done = folder / "yosys.json"
    with missing_step(done) as work:
        if work is not None:
            (work / "accelerator.il").write_text(_convert(config), encoding="utf-8")
            (work / f"{TOP}.v").write_text(loader.verilog, encoding="utf-8")
            (work / "top.ys").write_text(_COMMANDS, encoding="utf-8")
            effort = run_program(
                [*yosys.command, "top.ys"], work, work / "yosys.log", timeout=timeout
            )
            check_disk(folder)
            netlist = (work / "netlist.json").read_bytes()
            write_whole(folder / "netlist.json.gz", gzip.compress(netlist, 4))
            write_whole(done, json.dumps(dataclasses.asdict(effort)).encode())
    return json.loads(done.read_text())


def _route(
    loader: Loader, folder: Path, nextpnr: Tool, target: Target, seed: int, timeout: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Place and route the netlist, and keep the settings of the bits; effort, and report."""
    done = folder / "nextpnr.json"
    with missing_step(done) as work:
        if work is not None:
            target.write_inputs(gzip.decompress((folder / "netlist.json.gz").read_bytes()), work)
            (work / "top.lpf").write_text(loader.constraints, encoding="utf-8")
            command = [
                *(*nextpnr.command, *target.arguments(SPEED), *target.flow.options),
                *("--json", "netlist.json", "--lpf", "top.lpf", "--seed", str(seed)),
                *("--textcfg", "top.config", "--report", "report.json"),
            ]
            log = work / "nextpnr.log"
            try:
                effort = run_program(command, work, log, timeout=timeout)
            finally:
                if log.is_file():
                    os.replace(log, folder / log.name)
            check_disk(folder)
            write_whole(
                folder / "top.config.gz", gzip.compress((work / "top.config").read_bytes(), 4)
            )
            report = json.loads((work / "report.json").read_text(encoding="utf-8"))
            kept = {key: report[key] for key in ("fmax", "utilization")}
            write_whole(
                done, json.dumps({"effort": dataclasses.asdict(effort), "report": kept}).encode()
            )
    result = json.loads(done.read_text())
    return result["effort"], result["report"]


def clock_of(report: dict[str, Any], clock_hz: float) -> float:
    """MHz of the clock that the PLL makes, by nextpnr's report.

    Raises
    ------
    SimulationError
        If nextpnr did not find that clock.
    """
    found = [
        clock["achieved"]
        for clock in report["fmax"].values()
        if abs(clock["constraint"] - clock_hz / 1e6) < 0.1
    ]
    if len(found) != 1:
        raise SimulationError(f"nextpnr reports no single clock of {clock_hz / 1e6:g} MHz")
    return round(found[0], 2)


def uses_of(report: dict[str, Any], target: Target) -> tuple[Use, ...]:
    """Use of the device, of the resources that reports show."""
    found = report["utilization"]
    return tuple(
        Use(
            one.name,
            sum(share * found[kind]["used"] for kind, share in one.cells.items()),
            found[next(iter(one.cells))]["available"],
        )
        for one in target.flow.resources
    )


def _pack(folder: Path, ecppack: Tool, timeout: float) -> bytes:
    """The bits, of the settings that nextpnr wrote."""
    with tempfile.TemporaryDirectory(prefix="mnv2-") as temporary:
        work = Path(temporary)
        (work / "top.config").write_bytes(gzip.decompress((folder / "top.config.gz").read_bytes()))
        run_program(
            [*ecppack.command, "--compress", "--input", "top.config", "--bit", "top.bit"],
            work,
            work / "ecppack.log",
            timeout=timeout,
        )
        return (work / "top.bit").read_bytes()


def keep_bitstream(made: Bitstream, title: str, path: Path = KEPT) -> None:
    """Add a result to those that the project keeps, in place of an earlier one of its title."""
    results = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    results[title] = made.describe()
    lines = [
        f" {json.dumps(name)}: {{\n"
        + ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in found.items())
        + "}"
        for name, found in results.items()
    ]
    write_whole(path, ("{\n" + ",\n".join(lines) + "\n}\n").encode())
