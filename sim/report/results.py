"""Records of what a run measured; figures that follow from others are computed, not stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sim.report.limits import BlockLimits

__all__ = ["LayerResult", "Measurement", "RunReport"]


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
        Multipliers of the hardware that touch weights.
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

    @property
    def busy_cycles(self):
        """Cycles in which the array worked."""
        return self.pointwise_cycles + self.depthwise_cycles

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

    @property
    def macs_per_byte(self):
        """MACs for each byte of external memory."""
        return self.macs / self.dram_bytes if self.dram_bytes else 0.0

    def gigabytes_per_second(self, clock_hz):
        """External memory bandwidth, in 10**9 bytes a second, at a clock in Hz."""
        return self.bytes_per_cycle * clock_hz / 1e9

    def microseconds(self, clock_hz):
        """Time at a clock in Hz."""
        return self.cycles / clock_hz * 1e6


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """A whole run.

    Attributes
    ----------
    image : str
        Path of the picture.
    bottlenecks : tuple of LayerResult
        In order of the network; those that were run.
    limits : tuple of BlockLimits
        Computed DRAM bytes of the same bottlenecks.
    configuration, memory : dict
        Parameters of the accelerator and of the memory model, by name.
    memory_bytes_per_cycle : int
        What the memory port moves at most, in each direction.
    clock_hz : float
        Clock at which times and bandwidths are stated.
    seed : int
        Seed of everything random.
    versions : dict of str to str
        Tools by name.
    commit : str
        Commit of the project, with ``-dirty`` where files differ, or ``"unknown"``.
    wall_seconds : float
        Time that the simulations took together.
    """

    image: str
    bottlenecks: tuple[LayerResult, ...]
    limits: tuple[BlockLimits, ...]
    configuration: Mapping[str, object] = field(hash=False)
    memory: Mapping[str, object] = field(hash=False)
    memory_bytes_per_cycle: int
    clock_hz: float
    seed: int
    versions: Mapping[str, str] = field(hash=False)
    commit: str
    wall_seconds: float

    def __post_init__(self):
        if not self.bottlenecks:
            raise ValueError("A report must have a bottleneck, not none")
        names = [result.name for result in self.bottlenecks]
        if names != [limit.name for limit in self.limits]:
            raise ValueError(f"Limits must be those of {names}, in this order, not {self.limits!r}")

    @property
    def total(self):
        """All bottlenecks together.

        Returns
        -------
        Measurement
        """

        def add(name):
            return sum(getattr(result, name) for result in self.bottlenecks)

        return Measurement(
            name="total",
            multipliers=self.bottlenecks[0].multipliers,
            stalls=_add_up(result.stalls for result in self.bottlenecks),
            dram_read_bytes_by_kind=_add_up(
                result.dram_read_bytes_by_kind for result in self.bottlenecks
            ),
            **{
                name: add(name)
                for name in (
                    "macs",
                    "cycles",
                    "ideal_cycles",
                    "pointwise_cycles",
                    "depthwise_cycles",
                    "dram_write_bytes",
                    "mismatches",
                )
            },
        )

    @property
    def simulated_cycles_per_second(self):
        """Cycles of the hardware that a second of wall time simulated."""
        return self.total.cycles / self.wall_seconds if self.wall_seconds else 0.0

    @property
    def stall_causes(self):
        """Causes that occur in any bottleneck, in the order they were given."""
        return tuple(name for name, cycles in self.total.stalls.items() if cycles)

    @property
    def read_kinds(self):
        """Kinds of data that any bottleneck read, in the order they were given."""
        return tuple(self.total.dram_read_bytes_by_kind)


def _add_up(mappings):
    """Sum of mappings, key by key."""
    result = {}
    for mapping in mappings:
        for key, value in mapping.items():
            result[key] = result.get(key, 0) + value
    return result
