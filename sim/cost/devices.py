"""A table of devices: what each holds, what a design takes of it, and what binds."""

import functools
from dataclasses import dataclass
from pathlib import Path

from mnv2.hw.config import OPERAND_BITS, AcceleratorConfig, packed_products
from mnv2.sim.boards.board import Board, find_board, load_boards
from mnv2.sim.cost.families import FAMILIES
from mnv2.sim.cost.record import Resources
from mnv2.sim.errors import UserError
from mnv2.sim.jobs.files import read_toml
from mnv2.sim.memory.parts import find_part
from mnv2.sim.report.names import find_by_name, plain_name

__all__ = [
    "Device",
    "Use",
    "check_device",
    "device_use",
    "family_advice",
    "family_lacks",
    "find_device",
    "find_named_board",
    "fits",
    "load_devices",
]

TABLE = Path(__file__).with_name("devices.toml")

_COUNTS = (
    "dsp",
    "block_ram_18k",
    "block_ram_36k",
    "block_ram_4k",
    "ultra_ram",
    "luts",
    "flip_flops",
)
_KEYS = {*_COUNTS, "title", "aliases", "family", "memory", "source"}


@dataclass(frozen=True)
class Device:
    """Resources and memory of a device.

    Attributes
    ----------
    name, title : str
        Short and full name.
    family : str
        A key of `mnv2.sim.cost.resources.FAMILIES`.
    dsp, block_ram_18k, ultra_ram, luts, flip_flops : int
        Of the whole device; a block RAM of 36 kbit is two of 18 kbit.
    bandwidth : float
        Peak of the board's external memory, bytes a second.
    bandwidth_from : str
        The board, and how the peak comes about.
    source : str
        Where the counts are from.
    block_ram_4k : int
        Block RAMs of 4 kbit, iCE40's.
    aliases : tuple of str
        Other names: part numbers, boards.
    part : str
        The memory's part, of `mnv2.sim.memory.parts`, or of one of several; empty if it is none.
    """

    name: str
    title: str
    family: str
    dsp: int
    block_ram_18k: int
    ultra_ram: int
    luts: int
    flip_flops: int
    bandwidth: float
    bandwidth_from: str
    source: str
    block_ram_4k: int = 0
    aliases: tuple[str, ...] = ()
    part: str = ""


@dataclass(frozen=True)
class Use:
    """Use of one resource of a device by a design.

    Attributes
    ----------
    resource : str
        Its name, as reports show it.
    used, available : int
    """

    resource: str
    used: int
    available: int

    @property
    def share(self) -> float:
        """Used of available; infinite where there is none of what is used."""
        if self.available:
            return self.used / self.available
        return float("inf") if self.used else 0.0


def load_devices(path: str | Path | None = None) -> dict[str, Device]:
    """Read a table of devices.

    Parameters
    ----------
    path : Path, optional
        TOML like `devices.toml`, which is the default.

    Returns
    -------
    dict of str to Device
        In the order of the file.

    Raises
    ------
    UserError
        If it cannot be read, or an entry is not a device.
    """
    return _load(TABLE if path is None else Path(path).expanduser())


@functools.cache
def _load(path):
    entries = read_toml(path, "table of devices")
    if not entries:
        raise UserError(f"The table of devices {str(path)!r} holds no device")
    return {name: _device(name, entry) for name, entry in entries.items()}


def _device(name, entry):
    """A device of an entry of the table."""

    def wrong(what):
        return UserError(f"Device {name!r} {what}")

    if not isinstance(entry, dict):
        raise wrong("must be a table")
    unknown = sorted(set(entry) - _KEYS)
    if unknown:
        raise wrong(f"has an unknown key {unknown[0]!r}; the keys are {', '.join(sorted(_KEYS))}")
    for key in _COUNTS:
        value = entry.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise wrong(f"must have 0 or more as {key}, not {value!r}")
    for key in ("title", "family", "source"):
        if not isinstance(entry.get(key), str):
            raise wrong(f"needs a text as {key}")
    if entry["family"] not in FAMILIES:
        raise wrong(f"must be of a family {', '.join(FAMILIES)}, not {entry['family']!r}")
    memory = entry.get("memory")
    if (
        not isinstance(memory, dict)
        or not isinstance(memory.get("board"), str)
        or not all(
            isinstance(memory.get(key), int) and memory[key] > 0
            for key in ("bits", "megatransfers")
        )
    ):
        raise wrong("needs as memory a board, bits and megatransfers")
    bits, rate = memory["bits"], memory["megatransfers"]
    if "part" in memory:
        find_part(memory["part"])
    return Device(
        name=name,
        title=entry["title"],
        family=entry["family"],
        dsp=entry.get("dsp", 0),
        block_ram_18k=entry.get("block_ram_18k", 0) + 2 * entry.get("block_ram_36k", 0),
        ultra_ram=entry.get("ultra_ram", 0),
        luts=entry.get("luts", 0),
        flip_flops=entry.get("flip_flops", 0),
        bandwidth=bits / 8 * rate * 1e6,
        bandwidth_from=f"{memory['board']}: {bits} bits x {rate:,} MT/s",
        source=entry["source"],
        block_ram_4k=entry.get("block_ram_4k", 0),
        aliases=tuple(entry.get("aliases", ())),
        part=memory.get("part", ""),
    )


def find_device(name: str, path: str | Path | None = None) -> Device:
    """The device of a name, in any case, with or without hyphens; a board or a part number will do.

    Raises
    ------
    UserError
        If there is none, with the names nearest to it.
    """
    devices = load_devices(path)
    names = {
        alias: device for device in devices.values() for alias in (device.name, *device.aliases)
    }
    for board, found in load_boards().items():
        if found.device in devices:
            names[board] = devices[found.device]
    return find_by_name("device", name, names, lambda device: device.name)


def find_named_board(name: str, path: str | Path | None = None) -> Board | None:
    """The board that an option's device names; None where it names a device itself, or neither.

    A device's own name, such as ZU3EG, is never a board's: nothing is known of its memory or clock.
    """
    own = {plain_name(device) for device in load_devices(path)}
    return None if plain_name(name) in own else find_board(name)


def family_lacks(config: AcceleratorConfig, family: str) -> str:
    """The reasons why a family cannot hold a configuration as it is; empty if it can."""
    return "; ".join(reason for reason, _ in _lacking(config, family))


def family_advice(config: AcceleratorConfig, family: str) -> str:
    """The options with which a family holds a configuration; empty if it does already."""
    return ", and ".join(advice for _, advice in _lacking(config, family))


def _lacking(config, family):
    """Each reason why a family cannot hold a configuration, with the options that would do."""
    found = []
    widest = FAMILIES[family].multiplier.operand_bits
    if config.packing != "none" and config.operand_bits > widest:
        reason = (
            f"the multipliers of {FAMILIES[family].title} take {widest} bits, and pairs are packed "
            f"into {config.operand_bits}, so that each takes several"
        )
        narrower = [
            bits
            for bits in OPERAND_BITS
            if bits <= widest and packed_products(bits, config.activation_bits, config.weight_bits)
        ]
        advice = "".join(f"--set operand_bits={bits} or " for bits in narrower[-1:])
        found.append((reason, f"{advice}--set packing=none"))
    ultra = [name for name in ("map_ram", "weight_ram") if getattr(config, name) == "ultra"]
    if ultra and not FAMILIES[family].ultra_ram:
        reason = f"{FAMILIES[family].title} has no UltraRAM, which a memory is made of"
        found.append((reason, " ".join(f"--set {name}=block" for name in ultra)))
    return found


def check_device(config: AcceleratorConfig, device: Device) -> None:
    """Refuse a device whose family cannot hold a configuration as it is.

    Raises
    ------
    UserError
        With every reason, and what to set instead.
    """
    reasons = family_lacks(config, device.family)
    if reasons:
        raise UserError(
            f"This configuration is not for {device.name}: {reasons}; use "
            f"{family_advice(config, device.family)}"
        )


def device_use(resources: Resources, device: Device) -> tuple[Use, ...]:
    """Use of each resource of a device by a design.

    Parameters
    ----------
    resources : Resources
        Counted for the device's family.
    device : Device

    Returns
    -------
    tuple of Use
        The largest share first: that one binds. Only what the device has or the design takes.
    """
    uses = (
        Use("DSPs", resources.dsp, device.dsp),
        Use("block RAM, 18 kbit", resources.block_ram_halves, device.block_ram_18k),
        Use("block RAM, 4 kbit", resources.block_ram_4k, device.block_ram_4k),
        Use("UltraRAM", resources.ultra_ram, device.ultra_ram),
        Use("LUTs", resources.all_luts, device.luts),
        Use("flip-flops", resources.flip_flops, device.flip_flops),
    )
    return tuple(
        sorted((use for use in uses if use.used or use.available), key=lambda use: -use.share)
    )


def fits(resources: Resources, device: Device) -> bool:
    """Whether a device has enough of every resource, if the design has it alone."""
    return all(use.share <= 1 for use in device_use(resources, device))
