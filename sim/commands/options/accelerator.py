"""Options of the accelerator and of the memory beside it, for every command that has them."""

from typing import Annotated

import typer

from mnv2.sim.errors import UserError

__all__ = [
    "Bandwidth",
    "Clock",
    "Config",
    "Draws",
    "Latency",
    "Seed",
    "Settings",
    "Stalls",
    "make_memory",
]

Config = Annotated[
    str,
    typer.Option(
        metavar="PRESET|FILE.toml",
        help="The accelerator: tiny, small, base or large, or a TOML file of its options.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="OPTION=INTEGER",
        help="Change one option of the accelerator, such as pixels=4; may be repeated.",
    ),
]
Clock = Annotated[
    float,
    typer.Option(
        min=0.001,
        max=1e6,
        metavar="MHZ",
        help="Clock that times and bandwidths are stated at, in MHz. It changes no cycle.",
    ),
]
Latency = Annotated[
    int,
    typer.Option(
        metavar="CYCLES", help="Cycles from a read address to its first data, 2 to 100,000."
    ),
]
Bandwidth = Annotated[
    int | None,
    typer.Option(
        metavar="BYTES",
        help="Bytes a cycle that memory moves at most, reads and writes together. Without it, "
        "a beat a cycle each way.",
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
        help="With --stalls: seeds that the model takes for the distribution of every figure.",
    ),
]
Seed = Annotated[int, typer.Option(help="Seed of the random pauses.")]


def make_memory(latency, bandwidth, stalls=0, seed=1):
    """Memory model of these options; no ``bandwidth`` means a beat a cycle each way."""
    from mnv2.sim.rtl.memory_model import MemoryModel

    if bandwidth is not None and bandwidth < 1:
        raise UserError(f"The bandwidth must be 1 byte a cycle or more, not {bandwidth}")
    try:
        return MemoryModel(
            latency=latency, bytes_per_cycle=bandwidth or 0, stall_percent=stalls, seed=seed
        )
    except ValueError as error:
        raise UserError(f"The memory cannot be modelled so: {error}") from None
