"""Cells and nets of a mapped accelerator, with the unit of each register, memory and multiplier."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mnv2.sim.synthesis.owners import WRAPPER, Owners

__all__ = ["Cell", "FlatNetlist", "list_cells"]

#: Cells that paths begin and end in.
_KEEPING = ("TRELLIS_FF", "DP16KD", "TRELLIS_DPR16X4")

#: What reports call the accelerator itself, and what is around it.
_NAMES = {"": "accelerator", WRAPPER: "pins"}


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


def list_cells(module: dict[str, Any]) -> FlatNetlist:
    """Cells of a mapped module.

    Parameters
    ----------
    module : dict
        As of `mnv2.sim.synthesis.whole_netlist.read_netlist`, mapped for ECP5.

    Returns
    -------
    FlatNetlist
    """
    owners = Owners(module)
    cells = []
    fanout: dict[int, int] = {}
    for name, cell in module["cells"].items():
        kind = cell["type"]
        if kind.startswith("$"):
            continue
        pins = dict(_pins(cell))
        outputs = frozenset(pin for pin in pins if cell["port_directions"][_port(pin)] == "output")
        for pin, net in pins.items():
            if pin not in outputs:
                fanout[net] = fanout.get(net, 0) + 1
        cells.append(Cell(kind, *_origin(kind, name, owners), pins, outputs))
    return FlatNetlist(cells, fanout)


def _origin(kind: str, name: str, owners: Owners) -> tuple[str, str]:
    """Unit and name of a cell that is no mere logic."""
    if kind not in _KEEPING and kind != "MULT18X18D":
        return "", ""
    unit = owners.unit_of(name)
    own = owners.register(name) if kind in _KEEPING else "product"
    return _NAMES.get(unit, unit), own


def _port(pin: str) -> str:
    return pin.partition(":")[0]


def _pins(cell: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Connected pins and their nets; pins of a port of several bits have numbers."""
    for port, bits in cell["connections"].items():
        for number, net in enumerate(bits):
            if isinstance(net, int):
                yield (port if len(bits) == 1 else f"{port}:{number}"), net
