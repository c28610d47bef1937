"""7 series: what nextpnr-himbaechel-xilinx needs of a netlist and of a device.

It takes pins only with their buffers, and with a place on the package each. Yosys leaves both out
of a netlist of `mnv2.sim.synthesis.whole_netlist`, as the accelerator's ports are no pins; what
is given pins here is the clock, the reset, the input and the output of the wrapper.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["PARTS", "Part", "find_database", "prepare_netlist", "write_pins"]

#: Widths of ports of block RAM (AMD UG473, tables 1-8 and 1-9): Yosys cuts wider connections to
#: them in its check, which comes after what is run here.
_WIDTHS = {
    kind: {
        **dict.fromkeys(("ADDRARDADDR", "ADDRBWRADDR"), address),
        **dict.fromkeys(("DIADI", "DIBDI", "DOADO", "DOBDO"), data),
        **dict.fromkeys(("DIPADIP", "DIPBDIP", "DOPADOP", "DOPBDOP"), data // 8),
        "WEA": data // 8,
        "WEBWE": data // 4,
    }
    for kind, address, data in (("RAMB18E1", 14, 16), ("RAMB36E1", 16, 32))
}


@dataclass(frozen=True)
class Part:
    """A device in a package.

    Attributes
    ----------
    name : str
        nextpnr's, without the speed grade.
    die : str
        Of nextpnr's database.
    package : str
    pins : dict of str to str
        Places of the wrapper's ports.
    columns, rows : int
        Of the tiles of the database.
    """

    name: str
    die: str
    package: str
    pins: Mapping[str, str]
    columns: int
    rows: int


def _part(name: str, package: str, pins: str, size: tuple[int, int], die: str = "") -> Part:
    ports = dict(zip(("clk", "rst", "i", "o"), pins.split(), strict=True))
    return Part(f"{name}{package}", die or name, package.upper(), ports, *size)


#: Parts by the names of sim/cost/devices.toml, as boards carry them; the pins are those that the
#: boards' manuals give for the clock, a button, a switch and an LED.
PARTS = {
    # Arty A7-35T; the die is that of an XC7A50T.
    "Artix-7-35T": _part("xc7a35t", "csg324", "E3 C2 A8 H5", (115, 156), "xc7a50t"),
    # Arty A7-100T.
    "Artix-7-100T": _part("xc7a100t", "csg324", "E3 C2 A8 H5", (148, 208)),
    # Nexys Video.
    "Artix-7-200T": _part("xc7a200t", "sbg484", "R4 G4 E22 T14", (265, 260)),
    # Zybo Z7-10.
    "Zynq-7010": _part("xc7z010", "clg400", "K17 K18 G15 M14", (128, 104)),
    # PYNQ-Z2.
    "Zynq-7020": _part("xc7z020", "clg400", "H16 D19 M20 R14", (187, 156)),
}


def write_pins(part: Part) -> str:
    """Constraints that put the ports at pins, as nextpnr reads them."""
    return "".join(
        f"set_property LOC {pin} [get_ports {port}]\n"
        f"set_property IOSTANDARD LVCMOS33 [get_ports {port}]\n"
        for port, pin in part.pins.items()
    )


def find_database(program: Path, part: Part) -> Path | None:
    """nextpnr's database of a die: next to the program, or where Debian has it; None if nowhere."""
    name = Path("nextpnr", "himbaechel", "xilinx", f"chipdb-{part.die}.bin")
    folders = (program.resolve().parent.parent / "share", Path("/usr/share"))
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def prepare_netlist(netlist: bytes) -> bytes:
    """A netlist of Yosys with buffers at its ports, and block RAM connected as wide as its ports.

    Parameters
    ----------
    netlist : bytes
        As of `mnv2.sim.synthesis.whole_netlist.read_netlist`.

    Returns
    -------
    bytes
        Names of cells that are added end in ``$pin`` and ``$clock``.
    """
    content = json.loads(netlist)
    module = content["modules"]["top"]
    for cell in module["cells"].values():
        for port, width in _WIDTHS.get(cell["type"], {}).items():
            cell["connections"][port] = cell["connections"][port][:width]
    _add_buffers(module)
    return json.dumps(content).encode()


def _add_buffers(module: dict[str, Any]) -> None:
    """Put a buffer between each port and its net; two at the clock."""
    number = max(
        bit for net in module["netnames"].values() for bit in net["bits"] if isinstance(bit, int)
    )
    for name, port in module["ports"].items():
        (inner,) = port["bits"]
        outer = number = number + 1
        port["bits"] = [outer]
        module["netnames"][f"{name}$pad"] = {"hide_name": 0, "bits": [outer], "attributes": {}}
        if port["direction"] == "output":
            module["cells"][f"{name}$pin"] = _buffer("OBUF", inner, outer)
            continue
        driven = inner
        if name == "clk":
            driven = number = number + 1
            module["netnames"][f"{name}$pin"] = {"hide_name": 0, "bits": [driven], "attributes": {}}
            module["cells"][f"{name}$clock"] = _buffer("BUFG", driven, inner)
        module["cells"][f"{name}$pin"] = _buffer("IBUF", outer, driven)


def _buffer(kind: str, source: int, sink: int) -> dict[str, Any]:
    return {
        "hide_name": 0,
        "type": kind,
        "parameters": {},
        "attributes": {},
        "port_directions": {"I": "input", "O": "output"},
        "connections": {"I": [source], "O": [sink]},
    }
