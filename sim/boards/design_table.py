"""The table ``[design]`` of a design's file: clock, device and memory that it was found with."""

from typing import Any

from mnv2.sim.boards.board import Board
from mnv2.sim.errors import UserError

__all__ = ["DESIGN_KEYS", "NETWORK_KEYS", "make_design_board", "read_network"]

#: Keys of the table, and the kinds of their values.
DESIGN_KEYS: dict[str, Any] = {
    "clock_mhz": (int, float),
    "clock_source": str,
    "device": str,
    "devices": str,
    "memory": str,
    "latency": int,
    "bandwidth": int,
}
#: Keys of the table ``[network]``: options of commands that name a network.
NETWORK_KEYS: dict[str, Any] = {
    "model": str,
    "width": (int, float),
    "size": int,
    "classes": int,
    "padding": str,
}
_WORDS = {str: "a text", int: "an integer"}


def make_design_board(entry: Any, where: str) -> Board:
    """The place where a design runs, of the table of its file.

    Parameters
    ----------
    entry : dict
        By the names of `DESIGN_KEYS`: the clock and its source, and either ``memory``, a part, or
        ``latency``; the others if there are any.
    where : str
        The file, for messages.

    Raises
    ------
    UserError
        If a key is missing, unknown, or of another kind.
    """
    values = _checked(entry, DESIGN_KEYS, "design", where)
    for name in ("clock_mhz", "clock_source"):
        if name not in values:
            raise UserError(f"The table [design] in {where} lacks {name}")
    if ("memory" in values) == ("latency" in values):
        raise UserError(f"The table [design] in {where} must have either memory or latency")
    if "memory" in values and "bandwidth" in values:
        raise UserError(f"The memory of the table [design] in {where} has its own bandwidth")
    if not 0.001 <= values["clock_mhz"] <= 1e6:
        raise UserError(
            f"clock_mhz of the design in {where} must be 0.001 to 1,000,000, "
            f"not {values['clock_mhz']}"
        )
    return Board(
        title=f"the design of {where}",
        device=values.get("device", ""),
        memory=values.get("memory", ""),
        clock_hz=values["clock_mhz"] * 1e6,
        clock_source=values["clock_source"],
        latency=values.get("latency"),
        bandwidth=values.get("bandwidth"),
        devices=values.get("devices", ""),
    )


def read_network(entry: Any, where: str) -> dict[str, Any]:
    """The options of a network of the table ``[network]``.

    Raises
    ------
    UserError
        If a key is unknown, or of another kind.
    """
    return _checked(entry, NETWORK_KEYS, "network", where)


def _checked(entry: Any, keys: dict[str, Any], table: str, where: str) -> dict[str, Any]:
    """A table whose keys are known and whose values are of their kinds."""
    if not isinstance(entry, dict):
        raise UserError(f"[{table}] in {where} must be a table of {', '.join(keys)}, not {entry!r}")
    for name, value in entry.items():
        if name not in keys:
            raise UserError(
                f"The table [{table}] in {where} has {name!r}; its keys are {', '.join(keys)}"
            )
        if isinstance(value, bool) or not isinstance(value, keys[name]):
            raise UserError(
                f"{name} of the {table} in {where} must be {_WORDS.get(keys[name], 'a number')}, "
                f"not {value!r}"
            )
    return dict(entry)
