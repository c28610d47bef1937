"""One run of nextpnr: pack, place, route, and read its files.

What is kept of a run is small but for the routed design, which is compressed: it is read back to
get the delays of another speed grade without routing again.
"""

import dataclasses
import gzip
import json
import math
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mnv2.sim.place.delays import (
    Arrivals,
    Delays,
    find_arrivals,
    read_delays,
    settle_endpoints,
)
from mnv2.sim.place.floor_plan import find_tiles
from mnv2.sim.place.flow import Flow
from mnv2.sim.place.paths import delay_counts, worst_paths
from mnv2.sim.place.target import Target
from mnv2.sim.synthesis.owners import Owners
from mnv2.sim.synthesis.process import Effort, ToolFailure, check_disk, run_program
from mnv2.sim.synthesis.step import missing_step
from mnv2.sim.synthesis.tools import Tool

__all__ = ["FORMAT", "Seed", "Watch", "read_back", "route"]

#: Number of the form of what is kept: another where the analysis of a routed design changes.
FORMAT = 1

#: Told of a step's name, how much of it is done of how much (0 where that is unknown), and words.
Watch = Callable[[str, int, int, str], None]

_ROUTED, _CONFIG, _RESULT, _LOG = "routed.json.gz", "top.config.gz", "result.json", "nextpnr.log"


class Seed:
    """A finished run of nextpnr with one seed, in its folder.

    Attributes
    ----------
    number : int
    result : dict
        ``megahertz`` after routing and ``placed_megahertz``, the estimate before it;
        ``resources``, used and available by nextpnr's names; ``paths``, as of
        `mnv2.sim.place.paths.worst_paths`; ``delays``, numbers of endpoints by delay; ``units``
        and ``tiles``, as of `mnv2.sim.place.floor_plan.find_tiles`; ``effort``, as of
        `mnv2.sim.synthesis.process.Effort`.
    """

    def __init__(self, number: int, folder: Path):
        self.number = number
        self._folder = folder
        self.result: dict[str, Any] = json.loads((folder / _RESULT).read_text(encoding="utf-8"))

    @property
    def routed(self) -> bytes:
        """The routed design as nextpnr's JSON."""
        return gzip.decompress((self._folder / _ROUTED).read_bytes())

    @property
    def configuration(self) -> bytes:
        """Settings of the device's bits, as ecppack takes them."""
        return gzip.decompress((self._folder / _CONFIG).read_bytes())

    @property
    def log(self) -> Path:
        """nextpnr's output."""
        return self._folder / _LOG


def route(
    netlist: bytes,
    owners: Owners,
    folder: Path,
    nextpnr: Tool,
    target: Target,
    *,
    seed: int,
    speed: int,
    timeout: float,
    watch: Watch,
) -> Seed:
    """Place and route a netlist, or read what an earlier run left in the folder.

    Parameters
    ----------
    netlist : bytes
        Yosys's JSON.
    owners : Owners
        Of that netlist.
    folder : Path
        Of this netlist, device, version of nextpnr, seed and speed.
    nextpnr : Tool
    target : Target
    seed, speed : int
        Seed of the placer; speed grade that it works for.
    timeout : float
        Seconds after which nextpnr is stopped.
    watch : function
        As `Watch`.

    Returns
    -------
    Seed

    Raises
    ------
    UserError
        If the disk is full.
    ToolFailure
        If nextpnr fails; its log is then in the folder.
    """
    with missing_step(folder / _RESULT) as work:
        if work is not None:
            target.write_inputs(netlist, work)
            design = [*target.arguments(speed), "--json", "netlist.json", "--seed", str(seed)]
            outputs = ["--write", "routed.json", "--report", "report.json"]
            kept_files = {"routed.json": _ROUTED}
            if target.flow.bits:
                outputs += ["--textcfg", "top.config"]
                kept_files["top.config"] = _CONFIG
            follow = _Follower(watch)
            arguments = [*design, *outputs]
            effort = _run(work, folder / _LOG, nextpnr, target, arguments, timeout, follow)
            result = {
                **_read_report(work / "report.json"),
                "placed_megahertz": follow.placed_megahertz,
                "effort": dataclasses.asdict(effort),
            }
            watch("reading the delays", 0, 0, "")
            result |= _analyse(work, owners, target.flow)
            watch("keeping the routed design", 0, 0, "")
            check_disk(folder)
            for plain, kept in kept_files.items():
                (work / kept).write_bytes(gzip.compress((work / plain).read_bytes(), 4))
            (work / _RESULT).write_text(json.dumps(result), encoding="utf-8")
            # The result last: where it is, all of it is.
            for name in (*kept_files.values(), _RESULT):
                os.replace(work / name, folder / name)
    return Seed(seed, folder)


def read_back(
    seed: Seed,
    owners: Owners,
    folder: Path,
    nextpnr: Tool,
    target: Target,
    *,
    speed: int,
    timeout: float,
    watch: Watch,
) -> dict[str, Any]:
    """Clock and worst paths of a routed design at another speed grade, without routing again.

    What is placed and routed is legal at each grade, since they differ in delays alone; a design
    that is routed for the grade may be faster.

    Returns
    -------
    dict
        ``megahertz`` and ``paths``, kept in the folder.
    """
    kept = folder / f"speed-{speed}.json"
    with missing_step(kept) as work:
        if work is not None:
            (work / "routed.json").write_bytes(seed.routed)
            watch(f"reading back at speed {speed}", 0, 0, "")
            design = [*target.arguments(speed), "--json", "routed.json"]
            steps = ["--no-pack", "--no-place", "--no-route"]
            log = folder / f"speed-{speed}.log"
            _run(work, log, nextpnr, target, [*design, *steps], timeout, lambda line: None)
            _, arrivals = _read_arrivals(work / "top.sdf", restore_carries)
            # nextpnr reports no clock of what it did not route: its longest delay is the period.
            clock = round(1e6 / max(arrivals.endpoints.values()), 2)
            result = {"megahertz": clock, "paths": worst_paths(arrivals, owners, flow=target.flow)}
            (work / kept.name).write_text(json.dumps(result), encoding="utf-8")
            os.replace(work / kept.name, kept)
    return json.loads(kept.read_text(encoding="utf-8"))


def _run(
    work: Path,
    log: Path,
    nextpnr: Tool,
    target: Target,
    arguments: Sequence[str],
    timeout: float,
    tell: Callable[[str], None],
) -> Effort:
    """Run nextpnr in a folder of its own; its log stays even where it fails."""
    options = [*target.flow.options, *target.find_arguments(Path(nextpnr.command[0]))]
    command = [*nextpnr.command, *arguments, *options, "--sdf", "top.sdf"]
    try:
        return run_program(command, work, work / log.name, timeout=timeout, tell=tell)
    finally:
        if (work / log.name).is_file():
            os.replace(work / log.name, log)


def restore_carries(delays: Delays) -> Delays:
    """Delays of a design that was read back, with the carries of whole slices.

    nextpnr packs two carries into a slice and counts the delay of both at the first. In a design
    that it reads back it does not know first from second, and counts it at each. Here the second
    passes its carry on at once, as when it was routed. Its sum keeps the delay of the first's,
    which is 35 ps longer at speed 8, so that a path may be that much too long.
    """
    logic = {
        pin: [(sink, 0 if sink.endswith("/FCO") else delay) for sink, delay in sinks]
        if pin.endswith("$CCU2_COMB1/FCI")
        else sinks
        for pin, sinks in delays.logic.items()
    }
    return dataclasses.replace(delays, logic=logic)


def _read_report(path: Path) -> dict[str, Any]:
    """Clock and resources of a report of nextpnr."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        (clock,) = report["fmax"].values()
    except (OSError, ValueError):
        check_disk(path.parent)
        raise ToolFailure(f"nextpnr left no whole {path.name} of one clock") from None
    return {"megahertz": round(clock["achieved"], 2), "resources": report["utilization"]}


def _read_arrivals(
    path: Path, correct: Callable[[Delays], Delays] = lambda delays: delays
) -> tuple[Delays, Arrivals]:
    """The delays that nextpnr wrote, and the arrivals that they give."""
    try:
        with path.open(encoding="utf-8") as lines:
            delays = correct(read_delays(lines))
        return delays, find_arrivals(delays)
    except (OSError, ValueError) as error:
        check_disk(path.parent)
        raise ToolFailure(f"The delays that nextpnr wrote cannot be read: {error}") from None


def _analyse(work: Path, owners: Owners, flow: Flow) -> dict[str, Any]:
    """Paths, delays and floor plan, of the files that nextpnr wrote."""
    delays, arrivals = _read_arrivals(work / "top.sdf")
    try:
        report = json.loads((work / "report.json").read_text(encoding="utf-8"))
        module = json.loads((work / "routed.json").read_text(encoding="utf-8"))["modules"]["top"]
    except (OSError, ValueError) as error:
        check_disk(work)
        raise ToolFailure(f"The design that nextpnr wrote cannot be read: {error}") from None
    owners.adopt(module["cells"])
    arrivals = settle_endpoints(delays, arrivals, report)
    return {
        "paths": worst_paths(arrivals, owners, flow=flow),
        "delays": delay_counts(arrivals),
        **find_tiles(module["cells"], owners, flow),
    }


class _Follower:
    """Tells of nextpnr's own steps, by the lines that it prints."""

    def __init__(self, watch: Watch):
        self._watch = watch
        self._arcs = self._overused = 0
        self.placed_megahertz: float | None = None
        watch("packing", 0, 0, "")

    def __call__(self, line: str) -> None:
        text = line.removeprefix("Info:").strip()
        if found := re.match(r"at iteration #(\d+), .* legal = (\d+)", text):
            self._watch("placing", 0, 0, f"iteration {found[1]}, {int(found[2]):,} units of wire")
        elif found := re.match(r"at iteration #(\d+): .* wirelen = (\d+)", text):
            self._watch(
                "refining the placement",
                0,
                0,
                f"iteration {found[1]}, {int(found[2]):,} units of wire",
            )
        elif found := re.match(r"Routing (\d+) arcs", text):
            self._arcs = int(found[1])
        elif self._arcs and (found := re.match(r"\d+ \|[\s\d]+\|[\s\d]+\|\s*(\d+)\|", text)):
            # Ripped arcs come back: what is left may exceed what there was.
            left = min(int(found[1]), self._arcs)
            self._watch("routing", self._arcs - left, self._arcs, f"{left:,} arcs left")
        elif found := re.match(r"iter=(\d+) steplen=", text):
            self._watch("placing", 0, 0, f"iteration {found[1]}")
        elif found := re.match(r"iter=(\d+) wires=\d+ overused=(\d+)", text):
            # Of router2, which lets nets share wires at first: it is done when none does.
            left = int(found[2])
            self._overused = max(self._overused, left)
            done = self._overused - left
            words = f"iteration {found[1]}, {left:,} wires of two nets left"
            self._watch("routing", done, self._overused, words)
        elif found := re.search(r"Max frequency for clock .*: ([\d.]+) MHz", line):
            # The first is the estimate after placement, the last the routed clock.
            if self.placed_megahertz is None and not self._arcs and not self._overused:
                self.placed_megahertz = _rounded(found[1])


def _rounded(text: str) -> float | None:
    value = float(text)
    return round(value, 2) if math.isfinite(value) else None
