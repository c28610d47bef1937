"""The external memory of the accelerator, as `axi_memory.sv` models it."""

from dataclasses import dataclass

from mnv2.sim.memory.parts import find_part
from mnv2.sim.memory.timing import shared_bytes_per_cycle, timing_of

__all__ = ["MemoryModel"]


@dataclass(frozen=True)
class MemoryModel:
    """External memory in simulation.

    Attributes
    ----------
    latency : int
        Cycles from the transfer of a read address to its first beat, 2 or more. With a part, the
        part's own: at rest, of a closed row, without the time of the beat.
    bytes_per_cycle : int
        Bandwidth shared by reads and writes; 0 for a beat a cycle in each direction.
    stall_percent : int
        Share of the cycles in which each AXI4 channel pauses at random, 0 to 99.
    seed : int
        Seed of the pauses.
    part : str
        Name of a part of `mnv2.sim.memory.parts`, which then decides on latency and bandwidth.
    part_clock_hz : float
        Clock of the accelerator, in whose cycles the part's times are counted; with a part alone.
    """

    latency: int = 100
    bytes_per_cycle: int = 0
    stall_percent: int = 0
    seed: int = 1
    part: str = ""
    part_clock_hz: float = 0.0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("latency", 2, 100_000),
            ("bytes_per_cycle", 0, 1024),
            ("stall_percent", 0, 99),
            ("seed", 1, 2**32 - 1),
        ):
            value = getattr(self, name)
            if not isinstance(value, int) or not low <= value <= high:
                raise ValueError(
                    f"Memory {name} must be an integer from {low} to {high}, not {value!r}"
                )
        if self.part:
            if not self.part_clock_hz > 0:
                raise ValueError(
                    f"Memory {self.part} needs the accelerator's clock, part_clock_hz in Hz, not "
                    f"{self.part_clock_hz!r}"
                )
            if self.bytes_per_cycle:
                raise ValueError(f"Memory {self.part} has a bandwidth of its own")
            # Frozen: what a part says replaces what was given.
            object.__setattr__(self, "part", find_part(self.part).name)
            timing = timing_of(self.part, self.part_clock_hz)
            object.__setattr__(self, "latency", max(timing.unloaded_cycles, 2))
        elif self.part_clock_hz:
            raise ValueError("Memory part_clock_hz needs a part: cycles of a latency have no clock")

    def plusargs(self) -> list[str]:
        """Arguments of the memory model in `axi_memory.sv`."""
        return [
            f"+latency={self.latency}",
            f"+bytes_per_cycle={self.bytes_per_cycle}",
            f"+stall_percent={self.stall_percent}",
            f"+stall_seed={self.seed}",
            *(timing_of(self.part, self.part_clock_hz).plusargs() if self.part else []),
        ]

    @property
    def shared_bytes_per_cycle(self) -> int:
        """Bytes a cycle that reads and writes share at most, rounded up; 0 for a beat each way."""
        return shared_bytes_per_cycle(self.bytes_per_cycle, self.part, self.part_clock_hz)
