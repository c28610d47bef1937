"""Options of the accelerator and of its external memory, shared by several commands."""

from typing import TYPE_CHECKING, Annotated

import typer

from mnv2.sim.errors import UserError

if TYPE_CHECKING:
    from mnv2.sim.rtl.memory_model import MemoryModel

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
        help="Accelerator: tiny, small, base, pair (base with two frames abreast) or large, or a "
        "TOML file of its options.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="OPTION=VALUE",
        help="Change one option of the accelerator, such as pixels=4, packing=pixels or "
        "counters=false; may be repeated.",
    ),
]
Clock = Annotated[
    float,
    typer.Option(
        min=0.001,
        max=1e6,
        metavar="MHZ",
        help="Clock for times and bandwidths, in MHz. The number of cycles does not depend on it.",
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
        help="Bytes that memory moves in a cycle at most, reads and writes together. Default: one "
        "beat in each direction.",
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


def make_memory(
    latency: int, bandwidth: int | None, stalls: int = 0, seed: int = 1
) -> "MemoryModel":
    """Memory model of these options; ``bandwidth`` None is a beat a cycle in each direction."""
    from mnv2.sim.rtl.memory_model import MemoryModel

    if bandwidth is not None and bandwidth < 1:
        raise UserError(f"The bandwidth must be 1 byte a cycle or more, not {bandwidth}")
    try:
        return MemoryModel(
            latency=latency, bytes_per_cycle=bandwidth or 0, stall_percent=stalls, seed=seed
        )
    except ValueError as error:
        raise UserError(f"The memory options are invalid: {error}") from None
