"""Parts that LiteDRAM can be asked about: its own entry of the chip, and the controller's clock."""

from dataclasses import dataclass

from mnv2.sim.errors import UserError
from mnv2.sim.memory.parts import Part, find_part

__all__ = ["CHIPS", "DEFAULT_PART", "JUDGE", "Chip", "find_chip", "judge_clock_hz", "judged_part"]

#: What `--memory` of `mnv2 validate` begins with where LiteDRAM is the memory.
JUDGE = "litedram"

#: The part where none is named.
DEFAULT_PART = "ddr3-800x16"


@dataclass(frozen=True)
class Chip:
    """A part of the table as LiteDRAM has it.

    Attributes
    ----------
    module : str
        Class of ``litedram.modules`` with the chip's geometry and times.
    grade : str
        Speed grade of that class; empty where it has one alone.
    phases : int
        Clocks of the memory in one of the controller: 1 for SDR, 4 for DDR3 and DDR4.
    """

    module: str
    grade: str
    phases: int

    def clock_hz(self, part: Part) -> float:
        """Clock of the controller, and so of the accelerator, with a part at its own rate."""
        transfers_a_clock = 1 if self.phases == 1 else 2
        return part.megatransfers * 1e6 / transfers_a_clock / self.phases


#: By the part's name in `mnv2.sim.memory.parts`. LiteDRAM 2024.12 has no model of LPDDR4 chips, and
#: its word on a bus of 64 bits is wider than the port of most accelerators here.
CHIPS = {
    "sdr-133x16": Chip("MT48LC16M16", "", 1),
    "ddr3-667x16": Chip("MT41K128M16", "800", 4),
    "ddr3-800x16": Chip("MT41K256M16", "800", 4),
    "ddr3-1600x16": Chip("MT41K256M16", "1600", 4),
    "ddr4-2400x16": Chip("MT40A256M16", "2400", 4),
}


def judged_part(memory: str | None) -> str | None:
    """The part that an option asks LiteDRAM about.

    Parameters
    ----------
    memory : str, optional
        ``"litedram"``, ``"litedram:PART"``, or anything else.

    Returns
    -------
    str or None
        Name of the part; None where LiteDRAM is not asked.

    Raises
    ------
    UserError
        If LiteDRAM has no such part.
    """
    if memory is None:
        return None
    judge, _, name = memory.partition(":")
    if judge.lower() != JUDGE:
        return None
    part = find_part(name or DEFAULT_PART)
    find_chip(part.name)
    return part.name


def find_chip(name: str) -> Chip:
    """LiteDRAM's chip of a part.

    Parameters
    ----------
    name : str
        Of `mnv2.sim.memory.parts`.

    Raises
    ------
    UserError
        If it has none, with the parts that it has.
    """
    chip = CHIPS.get(name)
    if chip is None:
        raise UserError(
            f"LiteDRAM has no model of the memory part {name}; it has one of {', '.join(CHIPS)}"
        )
    return chip


def judge_clock_hz(name: str, megahertz: float | None) -> float:
    """Clock of LiteDRAM's controller with a part, which is the accelerator's.

    Parameters
    ----------
    name : str
        Of the part.
    megahertz : float, optional
        That an option gives.

    Raises
    ------
    UserError
        If the option gives another.
    """
    clock_hz = find_chip(name).clock_hz(find_part(name))
    if megahertz is not None and abs(megahertz * 1e6 / clock_hz - 1) > 1e-6:
        raise UserError(
            f"LiteDRAM's controller and the accelerator have one clock, {clock_hz / 1e6:g} MHz "
            f"with {name}: leave out --clock, or set it so, not to {megahertz:g}"
        )
    return clock_hz
