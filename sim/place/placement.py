"""A whole accelerator placed and routed: steps, seeds, speed grades, and the report of the best.

Every finished step is kept in the cache by what decides it: the netlist's hash, the version of
the tool, the device, the seed and the speed grade. A run that was killed resumes.
"""

import dataclasses
import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cost.devices import Use, check_device
from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.jobs.cache import cache_folder
from mnv2.sim.jobs.files import write_whole
from mnv2.sim.place.flow import Flow
from mnv2.sim.place.nextpnr import FORMAT, Seed, Watch, read_back, route
from mnv2.sim.place.target import Target
from mnv2.sim.report.provenance import find_commit, package_versions
from mnv2.sim.synthesis.owners import Owners
from mnv2.sim.synthesis.process import ToolFailure, run_program
from mnv2.sim.synthesis.tools import Tool, find_ecppack, find_nextpnr, find_yosys
from mnv2.sim.synthesis.whole_netlist import (
    COMMANDS,
    convert_accelerator,
    map_netlist,
    netlist_folder,
    read_netlist,
)
from mnv2.sim.synthesis.yosys import netlist_hash

__all__ = ["Misfit", "PlaceReport", "PlaceRequest", "place_accelerator"]


class Misfit(UserError):
    """A design that a device has too little for."""


@dataclass(frozen=True)
class PlaceRequest:
    """A design, a device, and the runs of the tools that are asked for.

    Attributes
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    target : mnv2.sim.place.target.Target
    speed : int
        Grade that is placed and routed for.
    seeds : tuple of int
        Of the placer.
    nextpnr : str, optional
        Program to use in place of the one that is found.
    bitstream : bool
        Whether to pack the best seed's bits as well.
    timeout : float
        Seconds for Yosys, and for each run of nextpnr.
    yosys : str, optional
        Program to use in place of YoWASP's.
    """

    config: AcceleratorConfig
    target: Target
    speed: int
    seeds: tuple[int, ...] = (1,)
    nextpnr: str | None = None
    bitstream: bool = False
    timeout: float = 6 * 3600
    yosys: str | None = None


@dataclass(frozen=True)
class PlaceReport:
    """An accelerator placed and routed.

    Attributes
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    target : mnv2.sim.place.target.Target
    speed : int
        Grade that was placed and routed for.
    netlist_sha256 : str
        Of the RTLIL of the accelerator between registers.
    versions : dict of str to str
    commit : str
    synthesis : dict
        ``cells`` by kind, and ``effort`` of Yosys.
    seeds : tuple of dict
        Of each seed ``seed``, ``megahertz``, ``placed_megahertz`` and ``effort``, or ``failed``,
        why it has none of them, and ``log``.
    best : int
        The seed with the highest clock.
    clocks : dict of int to float
        MHz of the best seed by speed grade; other grades than `speed` are read back.
    result : dict
        Of the best seed, as `mnv2.sim.place.nextpnr.Seed.result`.
    bitstream : bytes or None
    """

    config: AcceleratorConfig
    target: Target
    speed: int
    netlist_sha256: str
    versions: dict[str, str]
    commit: str
    synthesis: dict[str, Any]
    seeds: tuple[dict[str, Any], ...]
    best: int
    clocks: dict[int, float]
    result: dict[str, Any]
    bitstream: bytes | None = None

    @property
    def timing(self) -> str:
        """All its clocks and delays are this: ``"complete"``, or "optimistic", and why."""
        return self.target.flow.caveat or "complete"

    @property
    def uses(self) -> list[Use]:
        """Use of the device, as nextpnr counts what it packed."""
        found, units = self.result["resources"], self.result["units"].values()
        uses = []
        for one in self.target.flow.resources:
            kind = next(iter(one.cells))
            if one.places == 1:
                used = sum(share * found[kind]["used"] for kind, share in one.cells.items())
            else:
                count = self.target.flow.units[kind]
                used = sum(unit.get(count, 0) for unit in units)
            uses.append(Use(one.name, used, found[kind]["available"] // one.places))
        return uses


def place_accelerator(request: PlaceRequest, watch: Watch) -> PlaceReport:
    """Place and route an accelerator with each seed, and report the fastest.

    Parameters
    ----------
    request : PlaceRequest
    watch : function
        As `mnv2.sim.place.nextpnr.Watch`.

    Returns
    -------
    PlaceReport

    Raises
    ------
    Misfit
        If the device has too little of something for the design.
    UserError
        If a tool is missing or too old, or the disk is full.
    SimulationError
        If Yosys fails, or no seed can be routed.
    """
    device, flow = request.target.device, request.target.flow
    check_device(request.config, device)
    yosys, nextpnr = find_yosys(request.yosys), find_nextpnr(request.nextpnr, flow.program)
    ecppack = find_ecppack() if request.bitstream else None
    watch("writing the netlist", 0, 0, "")
    text = convert_accelerator(request.config)
    name = netlist_hash(text)
    watch("mapping with Yosys", 0, 0, "")
    netlist = map_netlist(
        text,
        netlist_folder(text, flow.family, yosys),
        yosys,
        family=flow.family,
        timeout=request.timeout,
    )
    _check_fit(netlist.resources, request)
    content, module = read_netlist(netlist)
    owners = Owners(module)
    # The netlist's folder is named by all that decides what is in it.
    base = (netlist.file.parent.name, nextpnr.version, *request.target.arguments(request.speed))
    seeds, failures = _route_all(request, content, owners, nextpnr, base, watch)
    best = max(seeds, key=lambda seed: seed.result["megahertz"])
    clocks = {request.speed: best.result["megahertz"]}
    for speed in flow.speeds:
        if speed != request.speed:
            clocks[speed] = read_back(
                best,
                owners,
                best.log.parent,
                nextpnr,
                request.target,
                speed=speed,
                timeout=request.timeout,
                watch=watch,
            )["megahertz"]
    return PlaceReport(
        config=request.config,
        target=request.target,
        speed=request.speed,
        netlist_sha256=name,
        versions={
            "yosys": yosys.version,
            "nextpnr": nextpnr.version,
            **({"ecppack": ecppack.version} if ecppack else {}),
            **package_versions(("mnv2", "amaranth")),
        },
        commit=find_commit(),
        synthesis={"cells": netlist.cells, "effort": dataclasses.asdict(netlist.effort)},
        seeds=tuple(
            sorted((*map(_summary, seeds), *failures), key=lambda summary: summary["seed"])
        ),
        best=best.number,
        clocks=dict(sorted(clocks.items())),
        result=best.result,
        bitstream=_pack(best, ecppack, request.timeout, watch) if ecppack else None,
    )


def _route_all(
    request: PlaceRequest,
    netlist: bytes,
    owners: Owners,
    nextpnr: Tool,
    base: Sequence[str],
    watch: Watch,
) -> tuple[list[Seed], list[dict[str, Any]]]:
    """Each seed that was routed, and why the others were not.

    Raises
    ------
    SimulationError
        If none was.
    """
    seeds, failures = [], []
    for number, seed in enumerate(request.seeds, 1):
        title = f"seed {seed}, {number} of {len(request.seeds)}: " if request.seeds[1:] else ""
        folder = cache_folder("place") / _key(request.target.flow, *base, str(seed))
        try:
            seeds.append(
                route(
                    netlist,
                    owners,
                    folder,
                    nextpnr,
                    request.target,
                    seed=seed,
                    speed=request.speed,
                    timeout=request.timeout,
                    watch=lambda step, done, total, words, title=title: watch(  # type: ignore[misc]
                        title + step, done, total, words
                    ),
                )
            )
        except ToolFailure as error:
            failures.append(
                {"seed": seed, "failed": str(error), "log": str(folder / "nextpnr.log")}
            )
    if not seeds:
        raise SimulationError(
            f"nextpnr could not route the design with any of {len(failures)} seeds; the last one: "
            f"{failures[-1]['failed']}; its log is {failures[-1]['log']}"
        )
    return seeds, failures


def _check_fit(resources: dict[str, int], request: PlaceRequest) -> None:
    """Refuse a design that the device has too little for, by what Yosys counts.

    Raises
    ------
    Misfit
    """
    device = request.target.device
    short = []
    for one in request.target.flow.resources:
        used = sum(share * resources.get(kind, 0) for kind, share in one.counts.items())
        available = getattr(device, one.held)
        # Functions may share: how many do is known when they are packed.
        if used > available * one.places:
            short.append(f"{used:,} {one.name} of {available:,}, {used - available:,} too many")
    if short:
        raise Misfit(
            f"The accelerator does not fit {device.name}, as Yosys maps it: it takes "
            f"{'; '.join(short)}"
        )


def _summary(seed: Seed) -> dict[str, Any]:
    """Figures of a routed seed."""
    figures = {key: seed.result[key] for key in ("megahertz", "placed_megahertz", "effort")}
    return {"seed": seed.number, **figures}


def _pack(seed: Seed, ecppack: Tool, timeout: float, watch: Watch) -> bytes:
    """Bitstream of a routed design."""
    watch("packing the bitstream", 0, 0, "")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_whole(folder / "top.config", seed.configuration)
        run_program(
            [*ecppack.command, "--compress", "--input", "top.config", "--bit", "top.bit"],
            folder,
            folder / "ecppack.log",
            timeout=timeout,
        )
        return (folder / "top.bit").read_bytes()


def _key(flow: Flow, *parts: str) -> str:
    """Name of a folder, of all that decides what is in it."""
    state = "\n".join((*parts, COMMANDS[flow.family], *flow.options, str(FORMAT)))
    return f"{parts[0][:8]}-{hashlib.sha256(state.encode()).hexdigest()[:12]}"
