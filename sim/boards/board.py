"""A board: its device, its memory by part, and the clock of the accelerator on it."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnv2.sim.errors import UserError
from mnv2.sim.jobs.files import read_toml
from mnv2.sim.report.names import plain_name

__all__ = ["BOARD_KEYS", "Board", "board_files", "find_board", "load_boards", "make_board"]

BOARD_KEYS = ("title", "device", "memory", "clock_mhz", "clock_source")


@dataclass(frozen=True)
class Board:
    """The board that an accelerator is to run on: the table ``[board]`` of a configuration's file.

    Or where a design was found to be good: the table ``[design]`` of a file of `mnv2 explore`, see
    `mnv2.sim.boards.design_table`, which may name no device, and a memory by its latency.

    Attributes
    ----------
    title : str
    device : str
        A name of `mnv2.sim.cost.devices`; of a design, empty where none was named.
    memory : str
        A name of `mnv2.sim.memory.parts`; of a design, empty where ``latency`` is given.
    clock_hz : float
        Clock of the accelerator.
    clock_source : str
        Where that clock comes from.
    latency, bandwidth : int or None
        Of a design's memory that is no part: cycles to the first data, and bytes a cycle at most.
    devices : str
        Another table that the design's device is of; empty for the one installed.
    """

    title: str
    device: str
    memory: str
    clock_hz: float
    clock_source: str
    latency: int | None = None
    bandwidth: int | None = None
    devices: str = ""

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


@functools.cache
def load_boards() -> dict[str, Board]:
    """Every board by its name."""
    return {
        name: make_board(read_toml(path, "board")["board"], repr(name))
        for name, path in board_files().items()
    }


def find_board(name: str) -> Board | None:
    """The board of a name, in any case, with or without hyphens; None if there is none."""
    boards = {plain_name(known): board for known, board in load_boards().items()}
    return boards.get(plain_name(name))


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
        raise UserError(
            f"The board in {where} must be a table [board] of {', '.join(BOARD_KEYS)}, "
            f"not {entry!r}"
        )
    missing = [name for name in BOARD_KEYS if name not in entry]
    unknown = [name for name in entry if name not in BOARD_KEYS]
    if missing or unknown:
        wrong = [
            *([f"lacks {', '.join(missing)}"] if missing else []),
            *([f"has {', '.join(map(repr, unknown))}, which no board has"] if unknown else []),
        ]
        raise UserError(
            f"The table [board] in {where} {' and '.join(wrong)}; its keys are "
            f"{', '.join(BOARD_KEYS)}, and no others"
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
