"""Delays of a routed design, from the SDF that nextpnr writes, and the arrival times they give.

Ref: IEEE 1497-2001, Standard Delay Format: INTERCONNECT, IOPATH and SETUPHOLD, each with the
triple (minimum:typical:maximum). The maximum is taken, as nextpnr does for its own figures.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Arrivals", "Delays", "Hop", "find_arrivals", "read_delays", "settle_endpoints"]

_TRIPLE = r"\([-\d]*:[-\d]*:([-\d]+)\)"
_WIRE = re.compile(rf"\(INTERCONNECT (\S+) (\S+) {_TRIPLE} {_TRIPLE}\)")
_LOGIC = re.compile(rf"\(IOPATH (\S+) (\S+) {_TRIPLE} {_TRIPLE}\)")
_SETUP = re.compile(rf"\(SETUPHOLD \((?:pos|neg)edge (\S+)\) \(\w+ (\S+)\) {_TRIPLE}")
_INSTANCE = re.compile(r"\(INSTANCE (\S+)\)")
_ESCAPE = re.compile(r"\\(.)")


@dataclass
class Delays:
    """Delays between pins, each named ``"cell/port"``, in picoseconds.

    Attributes
    ----------
    wires, logic : dict of str to list of (str, int)
        From a pin to others: over a net, and through a cell.
    setups : dict of str to int
        Of pins that a register or a memory samples.
    clocks : set of str
        Pins that take a clock.
    samplers : dict of str to str
        The clock pin of each pin that is sampled.
    """

    wires: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    logic: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    setups: dict[str, int] = field(default_factory=dict)
    clocks: set[str] = field(default_factory=set)
    samplers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hop:
    """A step of a path.

    Attributes
    ----------
    pin : str
        Where it ends.
    picoseconds : int
        That it takes.
    wire : bool
        Whether it is over a net, not through a cell.
    """

    pin: str
    picoseconds: int
    wire: bool


def read_delays(lines: Iterable[str]) -> Delays:
    """Read the SDF of a design.

    Parameters
    ----------
    lines : iterable of str

    Returns
    -------
    Delays

    Raises
    ------
    ValueError
        If it is in other units than picoseconds.
    """
    delays = Delays()
    cell = ""
    clocks = set()
    for line in lines:
        text = line.lstrip()
        if text.startswith("(INTERCONNECT"):
            if (found := _WIRE.match(text)) is not None:
                source, sink = (_ESCAPE.sub(r"\1", name) for name in found.group(1, 2))
                delay = max(int(found.group(3)), int(found.group(4)))
                delays.wires.setdefault(source, []).append((sink, delay))
        elif text.startswith("(IOPATH"):
            if (found := _LOGIC.match(text)) is not None:
                source, sink = (f"{cell}/{port}" for port in found.group(1, 2))
                delay = max(int(found.group(3)), int(found.group(4)))
                delays.logic.setdefault(source, []).append((sink, delay))
        elif text.startswith("(SETUPHOLD"):
            if (found := _SETUP.match(text)) is not None:
                sampled, clock = (f"{cell}/{port}" for port in found.group(1, 2))
                delays.setups[sampled] = int(found.group(3))
                delays.samplers[sampled] = clock
                clocks.add(clock)
        elif text.startswith("(INSTANCE") and (found := _INSTANCE.match(text)) is not None:
            cell = _ESCAPE.sub(r"\1", found.group(1))
        elif text.startswith("(TIMESCALE") and "1ps" not in text:
            raise ValueError(f"Delays must be in picoseconds, not {text.strip()}")
    delays.clocks = clocks | _sinks_of_nets(delays, clocks)
    return delays


def _sinks_of_nets(delays: Delays, clocks: set[str]) -> set[str]:
    """Pins on the nets of clock pins: of a memory that is only read, nothing is sampled."""
    return {
        sink
        for sinks in delays.wires.values()
        if any(sink in clocks for sink, _ in sinks)
        for sink, _ in sinks
    }


@dataclass
class Arrivals:
    """Latest arrivals at pins after the edge of the clock, in picoseconds.

    Attributes
    ----------
    at : dict of str to int
    came_from : dict of str to (str, int, bool)
        The pin before on the latest path, the delay from there, and whether it is over a net.
    endpoints : dict of str to int
        Arrival and setup together at each pin that is sampled and that a register reaches.
    """

    at: dict[str, int]
    came_from: dict[str, tuple[str, int, bool]]
    endpoints: dict[str, int]

    def path(self, endpoint: str) -> tuple[str, list[Hop]]:
        """Start of the latest path to a pin, an output of a register, and its steps."""
        hops = []
        pin = endpoint
        while pin in self.came_from:
            before, delay, wire = self.came_from[pin]
            hops.append(Hop(pin, delay, wire))
            pin = before
        return hops[-1].pin, hops[::-1]


def find_arrivals(delays: Delays) -> Arrivals:
    """Latest arrival at each pin that a register reaches; every register is taken as one clock's.

    Parameters
    ----------
    delays : Delays

    Returns
    -------
    Arrivals
        Paths begin at clock pins, whose clock arrives everywhere at once, and lead through a
        cell to its output; inputs of the device begin none.

    Raises
    ------
    ValueError
        If logic feeds itself, so that arrivals do not exist.
    """
    at: dict[str, int] = dict.fromkeys(delays.clocks, 0)
    came_from: dict[str, tuple[str, int, bool]] = {}
    waiting = _count_reached(delays)
    ready = [pin for pin in delays.clocks if pin in delays.logic]
    while ready:
        pin = ready.pop()
        for sink, delay, wire in _follow(delays, pin):
            if sink in delays.clocks:
                continue
            if at[pin] + delay > at.get(sink, -1):
                at[sink] = at[pin] + delay
                came_from[sink] = (pin, delay, wire)
            waiting[sink] -= 1
            if not waiting[sink]:
                ready.append(sink)
    if any(waiting.values()):
        raise ValueError("The design has a loop of logic")
    endpoints = {pin: at[pin] + setup for pin, setup in delays.setups.items() if pin in at}
    return Arrivals(at, came_from, endpoints)


def settle_endpoints(delays: Delays, arrivals: Arrivals, report: Mapping[str, Any]) -> Arrivals:
    """Arrivals at endpoints as nextpnr reports them, where it does so in detail.

    Of 7 series it writes the delays after it has permuted the inputs of LUTs, and takes those of
    wires to permuted inputs for unrouted ones: what it writes for them is its estimate. Which way
    leads to an endpoint last is then by estimates, but not how long it takes.

    Parameters
    ----------
    delays : Delays
    arrivals : Arrivals
        Of these delays.
    report : dict
        As nextpnr writes it: ``detailed_net_timings``, with delays in nanoseconds, from the edge at
        the clock's source.

    Returns
    -------
    Arrivals
        With other delays of endpoints, and without those that nextpnr does not report.
    """
    if "detailed_net_timings" not in report:
        return arrivals
    reported: dict[str, int] = {}
    for net in report["detailed_net_timings"]:
        for one in net["endpoints"]:
            pin = f"{one['cell']}/{one['port']}"
            reported[pin] = max(reported.get(pin, 0), round(1e3 * one["delay"][1]))
    late = {
        sink: delay
        for sinks in delays.wires.values()
        for sink, delay in sinks
        if sink in delays.clocks
    }
    at = {
        pin: reported[pin] - late.get(delays.samplers[pin], 0)
        for pin in arrivals.endpoints
        if pin in reported
    }
    return dataclasses.replace(
        arrivals,
        at=arrivals.at | at,
        endpoints={pin: at[pin] + delays.setups[pin] for pin in at},
    )


def _follow(delays: Delays, pin: str) -> Iterator[tuple[str, int, bool]]:
    """Steps from a pin."""
    for sink, delay in delays.logic.get(pin, ()):
        yield sink, delay, False
    for sink, delay in delays.wires.get(pin, ()):
        yield sink, delay, True


def _count_reached(delays: Delays) -> dict[str, int]:
    """Steps by which each pin is reached from clock pins."""
    waiting: dict[str, int] = {}
    seen = {pin for pin in delays.clocks if pin in delays.logic}
    stack = list(seen)
    while stack:
        for sink, _, _ in _follow(delays, stack.pop()):
            if sink in delays.clocks:
                continue
            waiting[sink] = waiting.get(sink, 0) + 1
            if sink not in seen:
                seen.add(sink)
                stack.append(sink)
    return waiting
