"""A table of memory parts: what their standards and data sheets say, each with its source."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnv2.sim.errors import UserError
from mnv2.sim.jobs.files import read_toml
from mnv2.sim.report.names import find_by_name

__all__ = ["Part", "find_part", "load_parts"]

TABLE = Path(__file__).with_name("parts.toml")

#: Keys of a part: texts, integers, and times in nanoseconds or clocks of the memory.
_TEXTS = ("title", "controller", "source")
_COUNTS = ("bits", "megatransfers", "transfers_a_clock", "burst", "banks", "row_bytes")
_TIMES = (
    "column_ns",
    "activate_ns",
    "precharge_ns",
    "write_recovery_ns",
    "write_to_read_ns",
    "read_to_write_clocks",
    "refresh_interval_ns",
    "refresh_ns",
)
#: Keys of a controller.
_WAYS = ("request", "response", "opening", "resting", "beat_rest", "ahead")
_CONTROLLER_KEYS = {
    "title",
    "source",
    "port_bits",
    "port_megahertz",
    "lookahead",
    *(f"{way}_{unit}" for way in _WAYS for unit in ("ns", "clocks")),
}


@dataclass(frozen=True)
class Part:
    """A memory on a board, with its controller. Times are nanoseconds.

    Attributes
    ----------
    name, title : str
    bits, megatransfers : int
        Width of the data bus, and millions of transfers a second.
    access_bytes : int
        The least that it moves: a burst of the part.
    banks, row_bytes : int
    column_ns, activate_ns, precharge_ns : float
        tCL, tRCD, tRP of the standard.
    write_recovery_ns, write_to_read_ns, read_to_write_ns : float
        tWR, tWTR, and the rest of the bus from a read's last data to a write's first.
    refresh_interval_ns, refresh_ns : float
        tREFI and tRFC.
    request_ns, response_ns : float
        Of the controller: from a burst at its port to the part, and from the part's data to the
        port.
    opening_ns, resting_ns : float
        Of the controller: what it adds to the opening of a row, and to a refresh.
    beat_rest_ns, ahead_ns : float
        Of the controller, where its port is wider than the part's bus: its rest after each beat,
        and how far its queue lets it be ahead of the bus.
    lookahead : bool
        Whether it opens rows of other banks while data are moved.
    port_bits : int
        Width of the controller's own port; 0 where it is as wide as the accelerator's.
    port_hz : float
        Highest clock of that port; it runs with the accelerator's clock, or with this one.
    controller, source : str
        What the controller is, with the source of its times; source of the part's.
    aliases : tuple of str
    """

    name: str
    title: str
    bits: int
    megatransfers: int
    access_bytes: int
    banks: int
    row_bytes: int
    column_ns: float
    activate_ns: float
    precharge_ns: float
    write_recovery_ns: float
    write_to_read_ns: float
    read_to_write_ns: float
    refresh_interval_ns: float
    refresh_ns: float
    request_ns: float
    response_ns: float
    opening_ns: float
    resting_ns: float
    beat_rest_ns: float
    ahead_ns: float
    lookahead: bool
    port_bits: int
    port_hz: float
    controller: str
    source: str
    aliases: tuple[str, ...] = ()

    @property
    def peak(self) -> float:
        """Bytes a second of the data bus."""
        return self.bits / 8 * self.megatransfers * 1e6

    def data_rate(self, clock_hz: float) -> float:
        """Bytes a second between two gaps, at an accelerator's clock.

        The peak, or what the controller's port moves where that is less. Reads and writes share it.
        """
        if not self.port_bits:
            return self.peak
        return min(self.peak, self.port_bits / 8 * min(clock_hz, self.port_hz))


@functools.cache
def load_parts() -> dict[str, Part]:
    """Read the table of parts.

    Returns
    -------
    dict of str to Part
        In the order of the file.

    Raises
    ------
    UserError
        If an entry is not a part.
    """
    table = read_toml(TABLE, "table of memory parts")
    controllers = table.pop("controllers")
    return {name: _part(name, entry, controllers) for name, entry in table.items()}


def _part(name: str, entry: dict[str, Any], controllers: dict[str, dict[str, Any]]) -> Part:
    """A part of an entry of the table."""
    needed = {*_TEXTS, *_COUNTS, *_TIMES}
    wrong = sorted(needed ^ (set(entry) - {"aliases"}))
    if wrong:
        raise UserError(f"The memory part {name!r} lacks, or should not have, a key {wrong[0]!r}")
    for key in (*_COUNTS, *_TIMES):
        if (
            isinstance(entry[key], bool)
            or not isinstance(entry[key], int | float)
            or entry[key] < 0
        ):
            raise UserError(f"The memory part {name!r} must have 0 or more as {key}")
    controller = controllers.get(entry["controller"])
    if controller is None:
        raise UserError(f"The memory part {name!r} has no controller {entry['controller']!r}")
    unknown = sorted(set(controller) - _CONTROLLER_KEYS)
    if unknown:
        raise UserError(f"A controller of memory parts has an unknown key {unknown[0]!r}")
    clock_ns = 1e3 * entry["transfers_a_clock"] / entry["megatransfers"]

    def way(which: str) -> float:
        clocks = controller.get(f"{which}_clocks", 0)
        return float(controller.get(f"{which}_ns", 0) + clocks * clock_ns)

    return Part(
        name=name,
        title=entry["title"],
        bits=entry["bits"],
        megatransfers=entry["megatransfers"],
        access_bytes=entry["bits"] * entry["burst"] // 8,
        banks=entry["banks"],
        row_bytes=entry["row_bytes"],
        **{key: float(entry[key]) for key in _TIMES if key.endswith("_ns")},
        read_to_write_ns=entry["read_to_write_clocks"] * clock_ns,
        **{f"{one}_ns": way(one) for one in _WAYS},
        lookahead=controller.get("lookahead", True),
        port_bits=controller.get("port_bits", 0),
        port_hz=controller.get("port_megahertz", 0) * 1e6,
        controller=f"{controller['title']}: {controller['source']}",
        source=entry["source"],
        aliases=tuple(entry.get("aliases", ())),
    )


def find_part(name: str) -> Part:
    """The memory part of a name, in any case, with or without hyphens; an alias will do.

    Raises
    ------
    UserError
        If there is none, with the names nearest to it; or it is LiteDRAM, which is a judge of parts
        in `mnv2.sim.dram`.
    """
    if name.lower().partition(":")[0] == "litedram":
        raise UserError(
            "LiteDRAM is the memory of 'mnv2 validate --memory litedram:PART' alone: here, name "
            "the part itself, such as ddr3-800x16"
        )
    names = {alias: part for part in load_parts().values() for alias in (part.name, *part.aliases)}
    return find_by_name("memory part", name, names, lambda part: part.name)
