"""Units that the cells of a flattened netlist belong to, and the names of its registers.

Before Yosys flattens the modules, each register is marked with its module and its wire, and the
wires that a module drives are marked, so that of the many names that a net has in the modules
that it passes through, Yosys keeps the driver's.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

__all__ = ["DRIVER_MARK", "OUTPUT_MARK", "REGISTER_MARK", "WRAPPER", "Owners", "mark_registers"]

#: Attributes of wires: driven in the module, and driven for the module around it. Of two names of
#: a net, Yosys keeps the one with more attributes.
DRIVER_MARK = "unit_driver"
OUTPUT_MARK = "unit_output"

#: Attribute of registers: the module and the wire, with a space between them.
REGISTER_MARK = "unit_register"

#: Name of what is around the accelerator, whose own instance in it is `_INSTANCE`.
WRAPPER = "wrapper"
_TOP = "top"
_INSTANCE = "unit"

#: What nextpnr appends to the names of cells, of ECP5 and of 7 series; numbers that Amaranth and
#: Yosys append to names, and those of elements.
_PART = re.compile(
    r"\$(?:CCU2_COMB|DPRAM_COMB|RAMW_|split\$|LUT\d+$).*$|/(?:ADDR|DPR?|SP|LOW|HIGH)[\d_]*$"
)
_NUMBER = re.compile(r"\$\d+|<\d+>")

#: A name in RTLIL.
_IDENTIFIER = re.compile(r"\\\S+")

#: Ports by which logic, registers and distributed memories drive nets.
_OUTPUTS = ("Q", "Z", "F", "S0", "S1", "COUT", "O")


def mark_registers(text: str) -> str:
    """RTLIL whose registers carry their module and wire, and whose elements are no bits.

    An element of an array, ``words[2]``, is then called ``words<2>``: abc9 takes it for bit 2 of
    ``words`` (YosysHQ/yosys issue 4349).

    Parameters
    ----------
    text : str
        As Amaranth writes it: modules are named by their place, ``top.unit.core``.
    """
    lines: list[str] = []
    module, cell = "", -1
    for plain in text.splitlines():
        line = _IDENTIFIER.sub(lambda name: name[0].replace("[", "<").replace("]", ">"), plain)
        if line.startswith("module "):
            module = line.split()[1].removeprefix("\\").removeprefix(_TOP).removeprefix(".")
        elif line.startswith("  cell "):
            cell = len(lines) if line.startswith("  cell $dff ") else -1
        elif line.startswith("    connect \\Q ") and cell >= 0:
            wire = line.split()[2].removeprefix("\\")
            lines.insert(cell, f'  attribute \\{REGISTER_MARK} "{module} {wire}"')
            cell = -1
        lines.append(line)
    return "\n".join(lines) + "\n"


class Owners:
    """Owners of the cells of a module that was flattened.

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
        self._nets = self._name_nets(module["netnames"])
        self._owners = {
            name: unit for name in self._cells if (unit := self._stated_owner(name)) is not None
        }
        self._spread(self._cells)

    def unit_of(self, cell: str) -> str:
        """Unit of a cell, such as ``"core.array"``; ``""`` is the accelerator itself.

        `WRAPPER` is what is around it. Logic whose net has no name belongs to the unit that it
        feeds most cells of.
        """
        return self._owners.get(_PART.sub("", cell), WRAPPER)

    def register(self, cell: str) -> str:
        """Name of a register or memory in its unit, such as ``"block.load"``, without the bit."""
        name = _PART.sub("", cell)
        found = self._cells.get(name)
        if found is None:
            return name
        mark = found.get("attributes", {}).get(REGISTER_MARK)
        net = next((self._nets[bit] for bit in _driven(found) if bit in self._nets), None)
        if mark is None:
            return net[1] if net else _below(name, self._stated_instance(name))
        instance, _, wire = mark.partition(" ")
        register = _below(wire, "")
        # A net may have the name of a field of the register.
        is_field = net is not None and net[0] == instance and net[1].startswith(f"{register}.")
        return net[1] if net is not None and is_field else register

    def adopt(self, cells: Mapping[str, Any]) -> None:
        """Give owners to cells that nextpnr added: to each that of most cells it feeds.

        Parameters
        ----------
        cells : dict
            Of the routed design, as nextpnr writes them.
        """
        self._spread(cells)

    def _name_nets(self, netnames):
        """Instance and name in it of each bit that its driver gave a name."""
        best: dict[int, tuple[tuple[int, int, int], str, str]] = {}
        for name, net in netnames.items():
            attributes = net.get("attributes", {})
            if net.get("hide_name") or DRIVER_MARK not in attributes:
                continue
            instance = self._instance_of(name)
            # The deepest module's, and of its names the one with the most fields.
            rank = (OUTPUT_MARK in attributes, len(instance.split(".")), name.count("."))
            for bit in net["bits"]:
                if isinstance(bit, int) and (bit not in best or rank > best[bit][0]):
                    best[bit] = (rank, instance, _below(name, instance))
        return {bit: (instance, name) for bit, (_, instance, name) in best.items()}

    def _instance_of(self, name):
        """Instance of the module that a flattened name is in: the longest that begins it."""
        while name:
            name = name.rpartition(".")[0]
            if name in self._instances:
                return name
        return ""

    def _stated_instance(self, cell):
        """Instance of a cell by its own name; Yosys hides those that had none of their own."""
        return self._instance_of(cell.removeprefix("$flatten").replace("\\", ""))

    def _stated_owner(self, name):
        """Unit of a cell by its mark, by its name or by its net; None where none has one."""
        cell = self._cells[name]
        mark = cell.get("attributes", {}).get(REGISTER_MARK)
        if mark is not None:
            return _unit(mark.partition(" ")[0])
        if instance := self._stated_instance(name):
            return _unit(instance)
        return next((_unit(self._nets[bit][0]) for bit in _driven(cell) if bit in self._nets), None)

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


def _driven(cell):
    """Bits that a cell drives."""
    for port in _OUTPUTS:
        yield from cell["connections"].get(port, ())


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
