"""Options of the accelerator and of its external memory, shared by several commands."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mnv2.sim.boards.board import board_files
from mnv2.sim.commands.options.option_help import show_options, show_presets
from mnv2.sim.errors import UserError

if TYPE_CHECKING:
    from mnv2.sim.rtl.memory_model import MemoryModel

__all__ = [
    "DEFAULT_LATENCY",
    "CONFIG_HELP",
    "MEMORY_HELP",
    "Bandwidth",
    "Bandwidths",
    "Clock",
    "Config",
    "Configs",
    "Draws",
    "Latencies",
    "Latency",
    "Memories",
    "Memory",
    "Seed",
    "Settings",
    "Stalls",
    "check_once",
    "complete_device",
    "make_memory",
    "parse_counts",
]

#: Latency of the memory, in cycles, where neither it nor a part is named.
DEFAULT_LATENCY = 100

#: What an accelerator may be named by, for the help of ``--config``.
CONFIG_HELP = (
    "Accelerator: a preset, tiny (12x4x2 lanes of outputs, inputs and pixels), small (16x4x2), "
    "base (16x4x7), pair (base with two frames abreast and a memory port of 256 bits) or large "
    f"(16x16x7); that of a board, with its clock and memory: {', '.join(board_files())}; or a TOML "
    "file of options, such as mnv2 explore writes, with the clock, memory and network in it. "
    "--config help describes each."
)


def _complete_config(incomplete: str) -> list[str]:
    """Names of presets and boards that begin so, for shell completion."""
    from mnv2.hw.config import PRESETS

    return [name for name in (*PRESETS, *board_files()) if name.startswith(incomplete)]


def _complete_setting(incomplete: str) -> list[str]:
    """Options of an accelerator that begin so, for shell completion."""
    from mnv2.sim.configuration import OPTION_KINDS

    return [f"{name}=" for name in OPTION_KINDS if name.startswith(incomplete)]


def complete_device(incomplete: str) -> list[str]:
    """Names of devices and boards that begin so, for shell completion."""
    from mnv2.sim.cost.devices import load_devices

    begin = incomplete.lower()
    return [name for name in (*load_devices(), *board_files()) if name.lower().startswith(begin)]


def _complete_memory(incomplete: str) -> list[str]:
    """Names of memory parts that begin so, for shell completion."""
    from mnv2.sim.memory.parts import load_parts

    return [name for name in load_parts() if name.startswith(incomplete)]


Config = Annotated[
    str,
    typer.Option(
        metavar="PRESET|BOARD|FILE.toml",
        help=CONFIG_HELP,
        callback=show_presets,
        autocompletion=_complete_config,
    ),
]
Configs = Annotated[
    list[str] | None,
    typer.Option(
        "--config",
        metavar="PRESET|BOARD|FILE.toml",
        help=f"{CONFIG_HELP} May be repeated: several are predicted and compared, the first is the "
        "reference. Default base.",
        callback=show_presets,
        autocompletion=_complete_config,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="OPTION=VALUE",
        help="Change one option of the accelerator, such as pixels=4, packing=pixels or "
        "counters=false; may be repeated. --set help describes every option.",
        callback=show_options,
        autocompletion=_complete_setting,
    ),
]
Clock = Annotated[
    float | None,
    typer.Option(
        min=0.001,
        max=1e6,
        metavar="MHZ",
        help="Clock for times and bandwidths, in MHz. The number of cycles does not depend on it, "
        "unless the memory is a part. Default 200, or the board's.",
    ),
]
Latency = Annotated[
    int | None,
    typer.Option(
        metavar="CYCLES",
        help=f"Cycles from a read address to its first data, 2 to 100,000. Default "
        f"{DEFAULT_LATENCY}, or what --memory says.",
    ),
]
#: What a memory part is, for the help of ``--memory``.
MEMORY_HELP = (
    "A memory by its part, at the accelerator's --clock, in place of --latency and "
    "--bandwidth: its latency and bandwidth, refresh, closed rows and turns between reading "
    "and writing. Such as ddr3-800x16, ddr4-2400x64, sdr-133x16 or ps-hp-ddr3-1066x32; any "
    "other name lists all."
)
Memory = Annotated[
    str | None,
    typer.Option("--memory", metavar="PART", help=MEMORY_HELP, autocompletion=_complete_memory),
]
Bandwidth = Annotated[
    int | None,
    typer.Option(
        metavar="BYTES",
        help="Bytes that memory moves in a cycle at most, reads and writes together. Default: one "
        "beat in each direction.",
    ),
]
Latencies = Annotated[
    str | None,
    typer.Option(
        "--latency",
        metavar="CYCLES,…",
        help=f"Cycles from a read address to its first data, 2 to 100,000. Several, such as "
        f"50,100,200, are predicted and compared. Default {DEFAULT_LATENCY}, or what --memory "
        "says.",
    ),
]
Bandwidths = Annotated[
    str | None,
    typer.Option(
        "--bandwidth",
        metavar="BYTES,…",
        help="Bytes that memory moves in a cycle at most, reads and writes together. Several, such "
        "as 4,8,16, are predicted and compared. Default: one beat in each direction.",
    ),
]
Memories = Annotated[
    str | None,
    typer.Option(
        "--memory",
        metavar="PART,…",
        help=f"{MEMORY_HELP} Several are predicted and compared.",
    ),
]
Stalls = Annotated[
    int,
    typer.Option(
        metavar="PERCENT",
        help="Share of the cycles in which each channel of the memory port pauses at random, "
        "0 to 99.",
    ),
]
Draws = Annotated[
    int,
    typer.Option(
        metavar="N",
        help="With --stalls: number of seeds from which the model predicts the distribution of "
        "every figure.",
    ),
]
Seed = Annotated[int, typer.Option(help="Seed of the random pauses of --stalls.")]


def parse_counts(text: str | None, option: str) -> list[int | None]:
    """Integers of an option such as ``50,100,200``; a single None where it was not given.

    Raises
    ------
    UserError
        If one is no integer, or is named twice.
    """
    if text is None:
        return [None]
    try:
        values = [int(part) for part in text.split(",")]
    except ValueError:
        raise UserError(
            f"{option} must be an integer, or several such as 50,100,200, not {text!r}"
        ) from None
    check_once(values, option)
    return list(values)


def check_once(values: Sequence[object], option: str) -> None:
    """Refuse a value that an option names twice."""
    for number, value in enumerate(values):
        if value in values[:number]:
            raise UserError(f"{option} names {value} twice")


def make_memory(
    latency: int | None,
    bandwidth: int | None,
    stalls: int = 0,
    seed: int = 1,
    part: str | None = None,
    clock_hz: float = 0.0,
) -> "MemoryModel":
    """Memory model of these options.

    Parameters
    ----------
    latency : int, optional
        Default `DEFAULT_LATENCY`.
    bandwidth : int, optional
        Default a beat a cycle in each direction.
    stalls, seed : int
    part : str, optional
        Name of a part, in place of latency and bandwidth.
    clock_hz : float
        Clock of the accelerator; for a part alone.

    Raises
    ------
    UserError
        If one of them is not valid, or they contradict each other.
    """
    from mnv2.sim.memory.parts import find_part
    from mnv2.sim.rtl.memory_model import MemoryModel

    if part is not None and not (latency is None and bandwidth is None):
        raise UserError(
            "A part has its own latency and bandwidth: leave out --latency and --bandwidth, or "
            "--memory"
        )
    if bandwidth is not None and bandwidth < 1:
        raise UserError(f"The bandwidth must be 1 byte a cycle or more, not {bandwidth}")
    try:
        if part is not None:
            find_part(part)
            return MemoryModel(stall_percent=stalls, seed=seed, part=part, part_clock_hz=clock_hz)
        return MemoryModel(
            latency=DEFAULT_LATENCY if latency is None else latency,
            bytes_per_cycle=bandwidth or 0,
            stall_percent=stalls,
            seed=seed,
        )
    except ValueError as error:
        raise UserError(f"The memory options are invalid: {error}") from None
