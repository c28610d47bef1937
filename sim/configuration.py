"""The accelerator's configuration as the user gives it.

A preset, a board or a file, then single changes.
"""

import dataclasses
import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mnv2.hw.config import PRESETS, AcceleratorConfig
from mnv2.sim.boards.board import Board, board_files, make_board
from mnv2.sim.boards.design_table import make_design_board, read_network
from mnv2.sim.cost.devices import find_device, find_named_board
from mnv2.sim.errors import UserError
from mnv2.sim.jobs.files import read_toml
from mnv2.sim.report.names import plain_name

__all__ = [
    "DEFAULT_CLOCK_HZ",
    "OPTION_KINDS",
    "Setting",
    "load_configuration",
    "load_setting",
    "toml_value",
]

#: Kind of each option of a configuration, by name: int, str or bool.
OPTION_KINDS = {field.name: field.type for field in dataclasses.fields(AcceleratorConfig)}

#: Clock that times are stated at, where neither an option nor a board says one.
DEFAULT_CLOCK_HZ = 200e6

_SWITCHES = {"true": True, "false": False}


@dataclass(frozen=True)
class Setting:
    """An accelerator, and where it is to run.

    Attributes
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    board : mnv2.sim.boards.board.Board or None
        Of the table ``[board]`` of a file, or of ``[design]``.
    network : dict of str to (str or int or float)
        Options that name the network that a design was found for: of the table ``[network]``.
    source : str
        The file of the design, where it has one of these tables.
    """

    config: AcceleratorConfig
    board: Board | None = None
    network: Mapping[str, Any] = field(default_factory=dict, hash=False)
    source: str = ""

    def on(self, device: str | None, table: Path | None = None) -> "Setting":
        """The same accelerator where an option names a board or a device for it.

        Parameters
        ----------
        device : str, optional
            A board's name puts it on that board; a device's leaves it on the board that it has if
            that board has this device, else on none.
        table : Path, optional
            Another table of devices.

        Raises
        ------
        UserError
            If there is no such device.
        """
        if device is None:
            return self
        board = find_named_board(device, table)
        if board is None and self.board is not None and not self.board.device:
            # A design that was found for no device runs on this one as on any.
            find_device(device, table)
            return self
        if board is None and self.board is not None:
            other = find_device(device, table)
            same = {plain_name(name) for name in (other.name, *other.aliases)}
            board = self.board if plain_name(self.board.device) in same else None
        return dataclasses.replace(self, board=board)

    def clock_hz(self, megahertz: float | None) -> float:
        """The clock that an option gives in MHz, else the board's, else `DEFAULT_CLOCK_HZ`."""
        if megahertz is not None:
            return megahertz * 1e6
        return DEFAULT_CLOCK_HZ if self.board is None else self.board.clock_hz

    def clock_source(self, megahertz: float | None) -> str:
        """Source of that clock: ``"given"`` by an option, or the board's ``clock_source``."""
        if megahertz is not None or self.board is None:
            return "given"
        return self.board.clock_source

    def part(self, part: str | None, *others: int | None) -> str | None:
        """The part of memory that an option names, else the board's.

        Parameters
        ----------
        part : str, optional
        *others : int, optional
            Options that describe a memory otherwise; one that is given stands for the board's.
        """
        return self.memory(part, *others)[0]

    def memory(
        self, part: str | None, latency: int | None = None, bandwidth: int | None = None
    ) -> tuple[str | None, int | None, int | None]:
        """Part, latency and bandwidth of the memory: those of options, else the board's.

        An option of a memory that is no part stands for a board's part as a whole; next to a
        design's latency and bandwidth each stands for itself.
        """
        if part is not None or self.board is None:
            return part, latency, bandwidth
        if self.board.memory:
            given = latency is not None or bandwidth is not None
            return (None if given else self.board.memory), latency, bandwidth
        return (
            None,
            self.board.latency if latency is None else latency,
            self.board.bandwidth if bandwidth is None else bandwidth,
        )

    @property
    def words(self) -> str:
        """A line on what a design's file says next to the accelerator; empty if nothing."""
        if not self.source:
            return ""
        parts = []
        if self.board is not None:
            board = self.board
            parts.append(f"clock {board.clock_hz / 1e6:g} MHz ({board.clock_source})")
            parts += [f"device {board.device}"] if board.device else []
            memory = board.memory or f"latency {board.latency} cycles"
            if board.bandwidth:
                memory += f" and {board.bandwidth} bytes a cycle"
            parts.append(f"memory {memory}")
        if self.network:
            network = ", ".join(f"{name} {value}" for name, value in self.network.items())
            parts.append(f"network {network}")
        return f"From {self.source}: {'; '.join(parts)}"


def load_configuration(choice: str = "base", settings: Sequence[str] = ()) -> AcceleratorConfig:
    """Read a configuration.

    Parameters
    ----------
    choice : str
        Name of a preset or of a board, in any case, or path of a TOML file whose keys are the
        options of `mnv2.hw.config.AcceleratorConfig`, and ``preset``, the name of the preset that
        has the other options (default ``"base"``). Tables ``[board]``, ``[design]`` and
        ``[network]`` of the file are for `load_setting`.
    settings : sequence of str
        Changes to that, each ``option=value``: an integer, a word, or ``true`` or ``false``.

    Returns
    -------
    mnv2.hw.config.AcceleratorConfig

    Raises
    ------
    UserError
        If there is no such preset or file, an option is unknown, or the values do not fit together.

    Examples
    --------
    >>> import mnv2
    >>> mnv2.load_configuration("base", ["pixels=4"]).multipliers
    256
    >>> mnv2.load_configuration("base", ["packing=pixels", "counters=false"]).packing
    'pixels'
    """
    return load_setting(choice, settings).config


def load_setting(choice: str = "base", settings: Sequence[str] = ()) -> Setting:
    """Read a configuration and its board; see `load_configuration`.

    Returns
    -------
    Setting
        Its board is that of the table ``[board]`` of the file, or of ``[design]``; presets have
        none.
    """
    values = {}
    choice = _known_name(choice)
    preset, board, source = choice, None, ""
    network: dict[str, Any] = {}
    if choice not in PRESETS:
        boards = board_files()
        values = read_toml(
            boards.get(choice, choice),
            "configuration",
            missing=f"A configuration must be a preset ({', '.join(PRESETS)}), a board "
            f"({', '.join(boards)}) or a TOML file, and there is no file {choice!r}"
            f"{_nearest(choice, (*PRESETS, *boards))}",
        )
        if "board" in values:
            board = make_board(values.pop("board"), repr(choice))
        if "design" in values:
            if board is not None:
                raise UserError(f"{choice!r} has two tables of one kind: [board] and [design]")
            board, source = make_design_board(values.pop("design"), repr(choice)), choice
        if "network" in values:
            network, source = read_network(values.pop("network"), repr(choice)), choice
        preset = values.pop("preset", "base")
        if preset not in PRESETS:
            raise UserError(
                f"Preset in {choice!r} must be one of {', '.join(PRESETS)}, not {preset!r}"
            )
    if isinstance(settings, str):
        raise UserError(f"The settings must be a list, such as [{settings!r}], not {settings!r}")
    for name in values:
        _check_option(name)
    changed: dict[str, str] = {}
    for setting in settings:
        name, separator, text = (part.strip() for part in setting.partition("="))
        if not separator:
            raise UserError(
                f"A setting must be option=value, such as pixels=4 or packing=pixels, "
                f"not {setting!r}"
            )
        _check_option(name)
        if name in changed:
            raise UserError(f"{name} is set twice, to {changed[name]} and to {text}: set it once")
        changed[name] = text
        values[name] = _read_value(name, text)
    try:
        config = dataclasses.replace(PRESETS[preset], **values)
    except (TypeError, ValueError) as error:
        raise UserError(f"The configuration does not fit: {error}") from None
    return Setting(config, board, network, source)


def toml_value(value: int | str | bool) -> str:
    """The value of an option as TOML has it."""
    # Integers, strings without control characters and booleans are the same in JSON.
    return json.dumps(value)


def _known_name(choice: str) -> str:
    """The preset or board that a name in any case means; a file's name stays as it is."""
    names = (*PRESETS, *board_files())
    if choice in names or Path(choice).expanduser().is_file():
        return choice
    known = {plain_name(name): name for name in names}
    return known.get(plain_name(choice), choice)


def _nearest(name: str, names: Sequence[str]) -> str:
    """``; did you mean base?`` of the names nearest to one; empty if none is near."""
    known = {plain_name(one): one for one in names}
    near = difflib.get_close_matches(plain_name(name), known, n=2, cutoff=0.6)
    return f"; did you mean {' or '.join(known[one] for one in near)}?" if near else ""


def _check_option(name: str) -> None:
    """Refuse an option that configurations do not have."""
    if name not in OPTION_KINDS:
        raise UserError(
            f"There is no configuration option {name!r}"
            + (_nearest(name, list(OPTION_KINDS)) or f"; the options are {', '.join(OPTION_KINDS)}")
        )


def _read_value(name: str, text: str) -> int | str | bool:
    """The value that a text means to an option; its range is the configuration's to check."""
    kind = OPTION_KINDS[name]
    if kind is str:
        return text
    if kind is bool:
        if text.lower() not in _SWITCHES:
            raise UserError(f"{name} must be true or false, not {text!r}")
        return _SWITCHES[text.lower()]
    try:
        return int(text, 0)
    except ValueError:
        raise UserError(f"{name} must be an integer, not {text!r}") from None
