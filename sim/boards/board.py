"""A board: its device, its memory by part, and the clock of the accelerator on it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnv2.sim.errors import UserError

__all__ = ["BOARD_KEYS", "Board", "board_files", "make_board"]

BOARD_KEYS = ("title", "device", "memory", "clock_mhz", "clock_source")


@dataclass(frozen=True)
class Board:
    """The board that an accelerator is to run on: the table ``[board]`` of a configuration's file.

    Attributes
    ----------
    title : str
    device : str
        A name of `mnv2.sim.cost.devices`.
    memory : str
        A name of `mnv2.sim.memory.parts`.
    clock_hz : float
        Clock of the accelerator.
    clock_source : str
        Where that clock comes from.
    """

    title: str
    device: str
    memory: str
    clock_hz: float
    clock_source: str

    @property
    def text(self) -> str:
        """One line about it."""
        return (
            f"{self.title}: {self.device}, memory {self.memory}, {self.clock_hz / 1e6:g} MHz "
            f"({self.clock_source})"
        )


def board_files() -> dict[str, Path]:
    """The file of each board by its name."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.toml"))}


def make_board(entry: Any, where: str) -> Board:
    """A board of the table of a file.

    Parameters
    ----------
    entry : dict
        By the names of `BOARD_KEYS`, all of them.
    where : str
        The file, for messages.

    Raises
    ------
    UserError
        If a key is missing, unknown, or of another kind.
    """
    if not isinstance(entry, dict):
        raise UserError(f"The board in {where} must be a table [board]")
    wrong = sorted(set(BOARD_KEYS) ^ set(entry))
    if wrong:
        raise UserError(
            f"The board in {where} lacks, or should not have, {wrong[0]!r}: it has "
            f"{', '.join(BOARD_KEYS)}"
        )
    for name in BOARD_KEYS:
        kind: Any = (int, float) if name == "clock_mhz" else str
        if isinstance(entry[name], bool) or not isinstance(entry[name], kind):
            words = "a number of MHz" if name == "clock_mhz" else "a text"
            raise UserError(f"{name} of the board in {where} must be {words}, not {entry[name]!r}")
    if not 0.001 <= entry["clock_mhz"] <= 1e6:
        raise UserError(
            f"clock_mhz of the board in {where} must be 0.001 to 1,000,000, "
            f"not {entry['clock_mhz']}"
        )
    return Board(
        title=entry["title"],
        device=entry["device"],
        memory=entry["memory"],
        clock_hz=entry["clock_mhz"] * 1e6,
        clock_source=entry["clock_source"],
    )
