"""Records of what a run measured; figures that follow from others are computed, not stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sim.report.limits import TrafficLimits

__all__ = ["ClassRankings", "LayerResult", "Measurement", "RunReport", "Timeline"]

#: Whole network in one program, or bottlenecks one by one from memory to memory.
MODES = ("network", "blocks")


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


@dataclass(frozen=True)
class ClassRankings:
    """Likeliest classes of the picture, three times, likeliest first.

    Attributes
    ----------
    float_top, golden_top, rtl_top : tuple of sim.classify.Prediction
        Of the float network, of the integer model, and of the accumulators that the RTL wrote.
    """

    float_top: tuple
    golden_top: tuple
    rtl_top: tuple

    @property
    def agree(self):
        """Whether all three name the same class first."""
        return len({top[0].index for top in (self.float_top, self.golden_top, self.rtl_top)}) == 1


@dataclass(frozen=True)
class Timeline:
    """The frame in time, in steps of equal length; the last step may be shorter.

    Attributes
    ----------
    step_cycles : int
        Cycles of a step.
    steps : tuple of tuple of int
        For each step: cycles of pointwise work, cycles of depthwise work, beats read, beats
        written.
    """

    step_cycles: int
    steps: tuple[tuple[int, int, int, int], ...]


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """A whole run.

    Attributes
    ----------
    mode : str
        ``"network"`` if one program ran from the image to the logits, ``"blocks"`` if bottlenecks
        ran alone, each from memory to memory.
    image : str
        Path of the picture.
    layers : tuple of LayerResult
        In order of the network; those that were run.
    block_limits : tuple of TrafficLimits
        Computed DRAM bytes of the bottlenecks among them.
    limits : TrafficLimits
        Computed DRAM bytes of all that was run.
    configuration, memory : dict
        Parameters of the accelerator and of the memory model, by name.
    buffer_bytes : dict of str to int
        Bytes of the on-chip buffers, by name.
    port_bytes : int
        Bytes of a beat of the memory port.
    shared_bytes_per_cycle : int
        What memory moves at most, reads and writes together; 0 for a beat a cycle each way.
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
    classes : ClassRankings, optional
        What the picture shows; in mode ``"network"``.
    timeline : Timeline, optional
        In mode ``"network"``.

    Raises
    ------
    ValueError
        If the parts contradict each other.
    """

    mode: str
    image: str
    layers: tuple[LayerResult, ...]
    block_limits: tuple[TrafficLimits, ...]
    limits: TrafficLimits
    configuration: Mapping[str, object] = field(hash=False)
    memory: Mapping[str, object] = field(hash=False)
    buffer_bytes: Mapping[str, int] = field(hash=False)
    port_bytes: int
    shared_bytes_per_cycle: int = 0
    clock_hz: float
    seed: int
    versions: Mapping[str, str] = field(hash=False)
    commit: str
    wall_seconds: float
    classes: ClassRankings | None = None
    timeline: Timeline | None = None

    def __post_init__(self):
        if self.mode not in MODES:
            raise ValueError(f"The mode must be one of {', '.join(MODES)}, not {self.mode!r}")
        if not self.layers:
            raise ValueError("A report must have a layer, not none")
        names = [result.name for result in self.bottlenecks]
        if names != [limit.name for limit in self.block_limits]:
            raise ValueError(
                f"Limits must be those of {names}, in this order, not {self.block_limits!r}"
            )

    @property
    def bottlenecks(self):
        """The layers that are bottlenecks."""
        return tuple(result for result in self.layers if result.kind == "block")

    @property
    def multipliers(self):
        """Multipliers of the hardware that touch weights."""
        return self.layers[0].multipliers

    @property
    def on_chip_bytes(self):
        """Bytes of all on-chip buffers."""
        return sum(self.buffer_bytes.values())

    @property
    def memory_bytes_per_cycle(self):
        """What can be read from memory at most."""
        return min(self.port_bytes, self.shared_bytes_per_cycle or self.port_bytes)

    @property
    def over_floor(self):
        """Measured DRAM bytes, as a multiple of the computed floor."""
        return self.total.dram_bytes / self.limits.floor_bytes

    @property
    def total(self):
        """All layers together.

        Returns
        -------
        Measurement
        """

        def add(name):
            return sum(getattr(result, name) for result in self.layers)

        return Measurement(
            name="total",
            multipliers=self.multipliers,
            stalls=_add_up(result.stalls for result in self.layers),
            dram_read_bytes_by_kind=_add_up(
                result.dram_read_bytes_by_kind for result in self.layers
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
        """Causes that occur in any layer, in the order they were given."""
        return tuple(name for name, cycles in self.total.stalls.items() if cycles)

    @property
    def read_kinds(self):
        """Kinds of data that any layer read, in the order they were given."""
        return tuple(self.total.dram_read_bytes_by_kind)


def _add_up(mappings):
    """Sum of mappings, key by key."""
    result = {}
    for mapping in mappings:
        for key, value in mapping.items():
            result[key] = result.get(key, 0) + value
    return result
