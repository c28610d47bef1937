"""Records of what was measured; figures that follow from others are computed, not stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["LayerResult", "Measurement"]


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Work, time and traffic of a bottleneck, or of several together.

    Attributes
    ----------
    name : str
        Name of the bottleneck, or ``"total"``.
    macs : int
        Multiplications with a weight that the architecture asks for.
    multipliers : int
        Multipliers of the hardware that touch weights, counted in its netlist.
    cycles : int
        Clock cycles from start to end.
    ideal_cycles : int
        Cycles that the tiles of the layers take if nothing ever waits.
    pointwise_cycles, depthwise_cycles : int
        Cycles in which the array worked on 1x1 convolutions and the stem, and on depthwise windows.
    stalls : dict of str to int
        Cycles in which it waited, by cause; with `busy_cycles` they add up to `cycles`.
    dram_read_bytes_by_kind : dict of str to int
        Bytes read from external memory, by what they are.
    dram_write_bytes : int
        Bytes written to external memory.
    mismatches : int
        Elements of the output that differ from golden.

    Raises
    ------
    ValueError
        If the cycles do not add up.
    """

    name: str
    macs: int
    multipliers: int
    cycles: int
    ideal_cycles: int
    pointwise_cycles: int
    depthwise_cycles: int
    stalls: Mapping[str, int] = field(hash=False)
    dram_read_bytes_by_kind: Mapping[str, int] = field(hash=False)
    dram_write_bytes: int
    mismatches: int

    def __post_init__(self):
        explained = self.busy_cycles + sum(self.stalls.values())
        if explained != self.cycles:
            raise ValueError(
                f"Busy and stalled cycles of {self.name} must add up to its {self.cycles} cycles, "
                f"not {explained}"
            )

    def __repr__(self):
        return (
            f"{type(self).__name__}({self.name}, {self.cycles:,} cycles, "
            f"{self.mac_utilization:.1%} of {self.multipliers:,} multipliers, "
            f"{self.dram_bytes:,} bytes of DRAM)"
        )

    @property
    def busy_cycles(self):
        """Cycles in which the array worked."""
        return self.pointwise_cycles + self.depthwise_cycles

    @property
    def busy_share(self):
        """Share of the cycles in which the array worked, 0 to 1."""
        return self.busy_cycles / self.cycles if self.cycles else 0.0

    @property
    def over_ideal(self):
        """Cycles, as a multiple of the ideal."""
        return self.cycles / self.ideal_cycles if self.ideal_cycles else 0.0

    @property
    def largest_stall(self):
        """Cause of most waiting and its cycles; ``("", 0)`` if nothing waited."""
        cause, cycles = max(self.stalls.items(), key=lambda item: item[1], default=("", 0))
        return (cause, cycles) if cycles else ("", 0)

    @property
    def bound(self):
        """What took most cycles: ``"array"`` for its work, or the cause of a stall."""
        cause, cycles = self.largest_stall
        return cause if cycles > self.busy_cycles else "array"

    @property
    def bound_share(self):
        """Share of the cycles that `bound` took, 0 to 1."""
        cycles = self.busy_cycles if self.bound == "array" else self.largest_stall[1]
        return cycles / self.cycles if self.cycles else 0.0

    @property
    def mac_utilization(self):
        """Share of the multipliers' cycles that were asked for, 0 to 1."""
        return self.macs / (self.cycles * self.multipliers) if self.cycles else 0.0

    @property
    def dram_read_bytes(self):
        """Bytes read from external memory."""
        return sum(self.dram_read_bytes_by_kind.values())

    @property
    def dram_bytes(self):
        """Bytes read from and written to external memory."""
        return self.dram_read_bytes + self.dram_write_bytes

    @property
    def bytes_per_cycle(self):
        """External memory bytes a cycle, on average."""
        return self.dram_bytes / self.cycles if self.cycles else 0.0

    @property
    def macs_per_cycle(self):
        """MACs a cycle, on average."""
        return self.macs / self.cycles if self.cycles else 0.0

    def gigabytes_per_second(self, clock_hz):
        """External memory bandwidth, in 10**9 bytes a second, at a clock in Hz."""
        return self.bytes_per_cycle * clock_hz / 1e9

    def microseconds(self, clock_hz):
        """Time at a clock in Hz."""
        return self.cycles / clock_hz * 1e6


@dataclass(frozen=True, kw_only=True, repr=False)
class LayerResult(Measurement):
    """What the RTL did with the stem, a bottleneck, the head with its pool, or the classifier.

    Attributes
    ----------
    kind : str
        ``"stem"``, ``"block"``, ``"head"`` or ``"classifier"``.
    input_shape, output_shape : tuple of int
        ``(rows, columns, channels)``.
    stride : int
        Stride of the 3x3 layer, 1 where there is none.
    residual : bool
        Whether the input is added to the output.
    """

    kind: str
    input_shape: tuple[int, int, int]
    output_shape: tuple[int, int, int]
    stride: int
    residual: bool
