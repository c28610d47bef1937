"""Paths of a mapped design that is not placed: cells as they are, and a flat delay for each wire.

What binds a whole accelerator begins in one unit and ends in another, where no clock of a single
unit shows it. This lists the worst path of each pair of units, seconds after mapping. Its
nanoseconds serve to compare paths: a router's depend on the placement.

Ref: Project Trellis, database/ECP5/timing/speed_8/cells.json, the largest of each triple: delays
     of the cells, as nextpnr-ecp5 takes them.
"""

import math
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.synthesis.flat_netlist import Cell, FlatNetlist, list_cells
from mnv2.sim.synthesis.tools import find_yosys
from mnv2.sim.synthesis.whole_netlist import (
    convert_accelerator,
    map_netlist,
    netlist_folder,
    read_netlist,
)

__all__ = ["FlatTiming", "Path", "Step", "time_accelerator", "wire_delay", "worst_paths"]

#: Nanoseconds of a wire to one pin, and for each doubling of the pins.
WIRE, WIRE_FANOUT = 0.6, 0.15

#: Nanoseconds from the clock to the output of a register, and through a look-up table.
_REGISTER, _LUT = 0.395, 0.180

#: From the clock to data, of memories.
_CLOCKED = {"DP16KD": 4.263, "TRELLIS_DPR16X4": 0.717}

#: Setup of pins: of registers, then of memories.
_REGISTER_SETUP = {"LSR": 0.287, "WRE": 0.266}
_MEMORY_SETUP = {"AD": 0.202, "DI": 0.179, "CE": 0.256, "WE": 0.129}

#: Nanoseconds through multiplexers of look-up tables, by pin; through a multiplier.
_MULTIPLEXERS = {
    "PFUMX": {"C0": 0.193, "ALUT": 0.126, "BLUT": 0.126},
    "L6MUX21": {"SD": 0.190, "D0": 0.180, "D1": 0.180},
}
_MULTIPLIER = 3.066

#: Pins whose wires cost nothing: they stay within a slice, or within a column of them.
_INSIDE = {
    ("CCU2C", "CIN"),
    ("PFUMX", "ALUT"),
    ("PFUMX", "BLUT"),
    ("L6MUX21", "D0"),
    ("L6MUX21", "D1"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A cell on a path.

    Attributes
    ----------
    kind : str
        Of the cell.
    nanoseconds : float
        From the path's begin to the cell's output.
    fanout : int
        Pins on the wire that leads to it.
    """

    kind: str
    nanoseconds: float
    fanout: int


@dataclass(frozen=True, slots=True)
class Path:
    """The worst path from the registers of a unit to those of a unit.

    Attributes
    ----------
    begin_unit, begin : str
        Unit and register, or memory, that it begins in.
    end_unit, end, pin : str
        The same of its end, and the pin there.
    nanoseconds : float
        From clock to setup.
    steps : tuple of Step
        Cells between them.
    """

    begin_unit: str
    begin: str
    end_unit: str
    end: str
    pin: str
    nanoseconds: float
    steps: tuple[Step, ...]

    @property
    def megahertz(self) -> float:
        """Clock that it allows."""
        return 1000 / self.nanoseconds

    @property
    def levels(self) -> int:
        """Cells between the registers, a chain of carries counted once."""
        kinds = [step.kind for step in self.steps]
        return sum(
            1
            for before, kind in zip(["", *kinds], kinds, strict=False)
            if kind != "CCU2C" or before != "CCU2C"
        )


@dataclass(frozen=True, slots=True)
class FlatTiming:
    """An accelerator as it is mapped.

    Attributes
    ----------
    cells : dict of str to int
        How many there are of each kind.
    paths : list of Path
        The worst of each pair of units, the worst first. ``"pins"`` are the registers around the
        accelerator.
    """

    cells: dict[str, int]
    paths: list[Path]


def time_accelerator(config: AcceleratorConfig, *, timeout: float = 3600) -> FlatTiming:
    """Map an accelerator for ECP5, without placing it, and find its worst paths.

    A `yosys` on the PATH is taken, which is several times faster than the one from PyPI.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    timeout : float
        Seconds for Yosys; a netlist that is in the cache takes none.

    Returns
    -------
    FlatTiming

    Raises
    ------
    UserError
        If Yosys is not installed.
    SimulationError
        If it fails, or takes longer than ``timeout``.
    """
    text = convert_accelerator(config)
    yosys = find_yosys(shutil.which("yosys"))
    mapped = map_netlist(text, netlist_folder(text, "ecp5", yosys), yosys, timeout=timeout)
    netlist = list_cells(read_netlist(mapped)[1])
    return FlatTiming(dict(Counter(cell.kind for cell in netlist.cells)), worst_paths(netlist))


def wire_delay(fanout: int) -> float:
    """Nanoseconds of a wire.

    Parameters
    ----------
    fanout : int
        Pins that it leads to.
    """
    return WIRE + WIRE_FANOUT * math.log2(fanout)


def _arcs(cell: Cell) -> Iterator[tuple[str, str, float]]:
    """Ways through a cell that no clock cuts: pin, pin, nanoseconds."""
    kind, pins = cell.kind, cell.pins
    for output in cell.outputs:
        for pin in pins:
            if pin in cell.outputs:
                continue
            delay = None
            if kind == "LUT4":
                delay = _LUT
            elif kind in _MULTIPLEXERS:
                delay = _MULTIPLEXERS[kind][pin]
            elif kind == "CCU2C":
                delay = _carry(pin, output)
            elif kind == "MULT18X18D" and pin[0] in "AB" and output[0] == "P":
                delay = _MULTIPLIER
            elif kind == "TRELLIS_DPR16X4" and pin.startswith("RAD"):
                delay = _LUT
            if delay is not None:
                yield pin, output, delay


def _carry(pin: str, output: str) -> float | None:
    """Nanoseconds through two bits of an adder."""
    if pin == "CIN":
        return {"COUT": 0.056, "S0": 0.328, "S1": 0.349}[output]
    if output == "COUT":
        return 0.355
    if pin[1] == "0":
        return 0.180 if output == "S0" else 0.500
    return 0.180 if output == "S1" else None


def _setup(cell: Cell, pin: str) -> float | None:
    """Setup of a pin in nanoseconds; None if no path ends there."""
    kind = cell.kind
    if kind == "TRELLIS_FF":
        return None if pin == "CLK" else _REGISTER_SETUP.get(pin, 0.0)
    if kind == "TRELLIS_DPR16X4":
        return None if pin == "WCK" or pin.startswith("RAD") else _REGISTER_SETUP.get(pin, 0.0)
    if kind == "DP16KD" and not pin.startswith("CLK"):
        return _MEMORY_SETUP.get(pin[:2], 0.2)
    return None


def worst_paths(netlist: FlatNetlist) -> list[Path]:
    """Worst path of each pair of units, the worst pair first.

    Parameters
    ----------
    netlist : mnv2.sim.synthesis.flat_netlist.FlatNetlist

    Returns
    -------
    list of Path
    """
    cells, fanout = netlist.cells, netlist.fanout
    # For each net, by the unit that a path begins in: nanoseconds at its driver, that cell, and
    # the net before it.
    arrivals: dict[int, dict[str, tuple[float, int, int]]] = {}
    for number, cell in enumerate(cells):
        begin = _REGISTER if cell.kind == "TRELLIS_FF" else _CLOCKED.get(cell.kind)
        if begin is not None:
            for pin in cell.outputs:
                arrivals[cell.pins[pin]] = {cell.unit: (begin, number, -1)}
    for number in _in_order(cells):
        cell = cells[number]
        for pin, output, delay in _arcs(cell):
            net = cell.pins[pin]
            before = arrivals.get(net)
            if before is None:
                continue
            if (cell.kind, pin) not in _INSIDE:
                delay += wire_delay(fanout[net])
            after = arrivals.setdefault(cell.pins[output], {})
            for unit, (time, _, _) in before.items():
                if unit not in after or after[unit][0] < time + delay:
                    after[unit] = (time + delay, number, net)
    ends: dict[tuple[str, str], tuple[float, int, str]] = {}
    for number, cell in enumerate(cells):
        for pin, net in cell.pins.items():
            if pin in cell.outputs or net not in arrivals:
                continue
            setup = _setup(cell, pin)
            if setup is None:
                continue
            # A register takes the output of the look-up table in its own slice.
            inside = pin == "DI" and cell.kind == "TRELLIS_FF" and fanout[net] == 1
            setup += 0.0 if inside else wire_delay(fanout[net])
            for unit, (time, _, _) in arrivals[net].items():
                key = unit, cell.unit
                if key not in ends or ends[key][0] < time + setup:
                    ends[key] = (time + setup, number, pin)
    found = [
        _trace(netlist, arrivals, unit, time, cells[number], pin)
        for (unit, _), (time, number, pin) in ends.items()
    ]
    return sorted(found, key=lambda path: -path.nanoseconds)


def _in_order(cells: list[Cell]) -> list[int]:
    """Numbers of the cells that paths go through, each after those that drive it."""
    drivers = {}
    inner = []
    for number, cell in enumerate(cells):
        if cell.kind in ("LUT4", "PFUMX", "L6MUX21", "CCU2C", "MULT18X18D", "TRELLIS_DPR16X4"):
            inner.append(number)
            for pin in cell.outputs:
                drivers[cell.pins[pin]] = number
    # Of a small memory, only the address that is read leads to its output.
    waits: dict[int, int] = {}
    followers: dict[int, list[int]] = {}
    for number in inner:
        cell = cells[number]
        before = {
            drivers[net]
            for pin, net in cell.pins.items()
            if pin not in cell.outputs
            and net in drivers
            and (cell.kind != "TRELLIS_DPR16X4" or pin.startswith("RAD"))
        }
        waits[number] = len(before)
        for one in before:
            followers.setdefault(one, []).append(number)
    ready = [number for number in inner if not waits[number]]
    for number in ready:
        for one in followers.get(number, ()):
            waits[one] -= 1
            if not waits[one]:
                ready.append(one)
    if len(ready) != len(inner):
        raise ValueError("A netlist must have no loop without a register")
    return ready


def _trace(
    netlist: FlatNetlist,
    arrivals: dict[int, dict[str, tuple[float, int, int]]],
    unit: str,
    nanoseconds: float,
    end: Cell,
    pin: str,
) -> Path:
    """Follow a path back from its end."""
    steps: list[Step] = []
    net = end.pins[pin]
    while True:
        time, number, before = arrivals[net][unit]
        cell = netlist.cells[number]
        if before < 0:
            break
        steps.append(Step(cell.kind, round(time, 3), netlist.fanout[before]))
        net = before
    return Path(
        cell.unit, cell.name, end.unit, end.name, pin, round(nanoseconds, 2), tuple(steps[::-1])
    )
