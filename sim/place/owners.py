"""Units that the cells and nets of a flattened netlist belong to, and the names of its registers.

Before Yosys flattens the modules, wires are marked: those that a module takes from outside, and
those that are registers. A net then has many names, one for each module that it passes through;
its owner is the module that drives it.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

__all__ = ["INPUT_MARK", "REGISTER_MARK", "WRAPPER", "Owners"]

#: Attributes of wires that `mnv2.sim.place.netlist` sets before the modules are flattened.
INPUT_MARK = "unit_input"
REGISTER_MARK = "unit_register"

#: Name of what is around the accelerator, whose own instance in it is `_INSTANCE`.
WRAPPER = "wrapper"
_INSTANCE = "unit"

#: What nextpnr appends to the names of cells, and numbers that Amaranth and Yosys append.
_PART = re.compile(r"\$(?:CCU2_COMB|DPRAM_COMB|RAMW_).*$")
_NUMBER = re.compile(r"\$\d+")


class Owners:
    """Owners of the cells and nets of a module that was flattened.

    Parameters
    ----------
    module : dict
        As Yosys writes it in JSON: ``cells`` and ``netnames``.
    """

    def __init__(self, module: Mapping[str, Any]):
        self._cells = module["cells"]
        self._instances = {
            name for name, cell in self._cells.items() if cell["type"] == "$scopeinfo"
        }
        self._nets = self._name_nets(
            {name: net for name, net in module["netnames"].items() if not net.get("hide_name")}
        )
        self._owners = {
            name: unit for name in self._cells if (unit := self._stated_owner(name)) is not None
        }
        self._spread(self._cells)

    def unit_of(self, cell: str) -> str:
        """Unit of a cell, such as ``"core.array"``; ``""`` is the accelerator itself.

        `WRAPPER` is what is around it. A cell of logic that lost its name belongs to the unit
        whose registers it feeds.
        """
        return self._owners.get(_PART.sub("", cell), WRAPPER)

    def register(self, cell: str) -> str:
        """Name of a register or memory in its unit, such as ``"step.rows"``, without the bit."""
        name = _PART.sub("", cell)
        found = self._cells.get(name)
        if found is None:
            return name
        for bit in found["connections"].get("Q", ()):
            if bit in self._nets:
                return self._nets[bit][1]
        return _below(name, self._stated_instance(name))

    def _name_nets(self, netnames):
        """Unit and name of each bit that has a public name."""
        best: dict[int, tuple[tuple[bool, bool, int, int], str, str]] = {}
        for name, net in netnames.items():
            attributes = net.get("attributes", {})
            instance = self._instance_of(name)
            # A register's own name first, then any but an input's, the deepest module, and of its
            # names the one with the most fields: "block.stem" rather than "block".
            rank = (
                REGISTER_MARK in attributes,
                INPUT_MARK not in attributes,
                instance.count(".") + bool(instance),
                name.count("."),
            )
            for bit in net["bits"]:
                if isinstance(bit, int) and (bit not in best or rank > best[bit][0]):
                    best[bit] = (rank, instance, name)
        # Fields of a register carry no mark: they are names in the same module.
        fields: dict[tuple[int, str], str] = {}
        for name, net in netnames.items():
            instance = self._instance_of(name)
            for bit in net["bits"]:
                key = (bit, instance)
                if bit in best and best[bit][1] == instance:
                    known = fields.get(key, best[bit][2])
                    if name.startswith(f"{best[bit][2]}.") and name.count(".") > known.count("."):
                        fields[key] = name
        return {
            bit: (
                _unit(instance),
                _below(fields.get((bit, instance), name), instance),
            )
            for bit, (_, instance, name) in best.items()
        }

    def _instance_of(self, name):
        """Instance of the module that a flattened name is in: the longest that begins it."""
        while name:
            name = name.rpartition(".")[0]
            if name in self._instances:
                return name
        return ""

    def _stated_instance(self, cell):
        """Instance of a cell by its own name; Yosys hides those that had none of their own."""
        plain = cell.removeprefix("$flatten").replace("\\", "")
        return self._instance_of(plain)

    def _stated_owner(self, cell):
        """Unit of a cell by its name or that of what it drives; None where neither has one."""
        for port, bits in self._cells[cell]["connections"].items():
            if port in ("Q", "Z", "S0", "S1", "F"):
                for bit in bits:
                    if bit in self._nets:
                        return self._nets[bit][0]
        instance = self._stated_instance(cell)
        return _unit(instance) if instance else None

    def adopt(self, cells: Mapping[str, Any]) -> None:
        """Give owners to cells that nextpnr added: to each that of most cells it feeds.

        Parameters
        ----------
        cells : dict
            Of the routed design, as nextpnr writes them.
        """
        self._spread(cells)

    def _spread(self, cells):
        """Give each cell without an owner that of most cells it feeds, from registers backwards."""
        readers: dict[int, list[str]] = {}
        drives: dict[str, list[int]] = {}
        for name, cell in cells.items():
            part = _PART.sub("", name)
            directions = cell.get("port_directions", {})
            for port, bits in cell["connections"].items():
                for bit in bits:
                    if not isinstance(bit, int):
                        continue
                    if directions.get(port) == "output":
                        drives.setdefault(part, []).append(bit)
                    else:
                        readers.setdefault(bit, []).append(part)
        left = [part for part in drives if part not in self._owners]
        while left:
            found = {}
            for part in left:
                units = Counter(
                    self._owners[reader]
                    for bit in drives[part]
                    for reader in readers.get(bit, ())
                    if reader in self._owners
                )
                if units:
                    found[part] = min(units, key=lambda unit: (-units[unit], unit))
            if not found:
                return
            self._owners |= found
            left = [part for part in left if part not in found]


def _unit(instance):
    """Name of a unit in reports, from its instance in the flattened netlist."""
    if instance == "":
        return WRAPPER
    return _NUMBER.sub("", instance.removeprefix(_INSTANCE).lstrip("."))


def _below(name, instance):
    """A name without the instance's, and without what tools append."""
    plain = name.removeprefix("$flatten").replace("\\", "")
    rest = plain.removeprefix(instance).lstrip(".") if instance else plain
    return _NUMBER.sub("", re.sub(r"\.\d+\.\d+$", "", rest))
