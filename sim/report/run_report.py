"""Record of a whole run, made of the results of its layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from mnv2.golden.summary import short_repr
from mnv2.hw.register_map import SLOTS_BITS
from mnv2.sim.errors import UserError
from mnv2.sim.report.limits import TrafficLimits
from mnv2.sim.report.results import LayerResult, Measurement, sum_layers
from mnv2.sim.report.systolic_formula import ScaleSimEstimate

__all__ = [
    "ClassRankings",
    "FrameSequence",
    "RankedClassLike",
    "RunReport",
    "Timeline",
    "check_frames",
]

#: Whole network in one program, or bottlenecks one by one from memory to memory.
MODES = ("network", "blocks")


class RankedClassLike(Protocol):
    """One class of a ranking, as `mnv2.sim.networks.classify.rank` makes them."""

    @property
    def index(self) -> int: ...

    @property
    def name(self) -> str: ...

    @property
    def logit(self) -> float: ...

    @property
    def probability(self) -> float: ...


@dataclass(frozen=True)
class ClassRankings:
    """Likeliest classes of a picture, up to three times, likeliest first.

    Attributes
    ----------
    float_top, golden_top, rtl_top : sequence of RankedClassLike
        Of the float network, of the integer model, and of the accumulators that the RTL wrote. The
        first is empty where the model came as integers.
    """

    __repr__ = short_repr

    float_top: Sequence[RankedClassLike]
    golden_top: Sequence[RankedClassLike]
    rtl_top: Sequence[RankedClassLike]

    @property
    def agree(self) -> bool:
        """Whether all name the same class first."""
        tops = (self.float_top, self.golden_top, self.rtl_top)
        return len({top[0].index for top in tops if top}) == 1


def check_frames(frames: int, abreast: int = 1) -> None:
    """Refuse a number of frames that cannot be run, or that gives no interval.

    What ends last is not counted in it, and each turn of a run has a slot for its logits.

    Parameters
    ----------
    frames : int
    abreast : int
        Of them, those that the accelerator computes together.

    Raises
    ------
    UserError
    """
    most = abreast * (2**SLOTS_BITS - 1)
    if frames > most:
        raise UserError(
            f"The number of frames must be at most {most}, since each has a slot for its logits, "
            f"not {frames}"
        )
    if frames == 1 or (frames >= 3 * abreast and frames % abreast == 0):
        return
    even = "" if abreast == 1 else f" and a multiple of {abreast}, since as many end together"
    raise UserError(f"The number of frames must be 1, or {3 * abreast} or more{even}, not {frames}")


@dataclass(frozen=True)
class FrameSequence:
    """Several back-to-back frames, in a run of their own.

    Attributes
    ----------
    ends : tuple of int
        Cycle in which the logits of each frame, or of each pair abreast, were in memory; three or
        more.
    macs, multipliers : int
        Of one frame, or of a pair, and products a cycle of the hardware.
    dram_bytes : int
        Bytes read and written, of all frames.
    abreast : int
        Frames that end together.

    Raises
    ------
    ValueError
        If there are less than three ends.
    """

    ends: tuple[int, ...]
    macs: int
    multipliers: int
    dram_bytes: int
    abreast: int = 1

    def __post_init__(self):
        if len(self.ends) < 3:
            raise ValueError(f"A sequence must have 3 frames or more, not {len(self.ends)}")

    @property
    def count(self) -> int:
        """Number of frames."""
        return self.abreast * len(self.ends)

    @property
    def interval_cycles(self) -> float:
        """Mean cycles from logits to the next logits, without the last, which nothing follows."""
        return (self.ends[-2] - self.ends[0]) / (len(self.ends) - 2)

    @property
    def mac_utilization(self) -> float:
        """The network's MACs as a share of the products that an interval has room for, 0 to 1."""
        return self.macs / (self.interval_cycles * self.multipliers)

    @property
    def dram_bytes_per_frame(self) -> float:
        """Bytes read and written, of one frame."""
        return self.dram_bytes / self.count

    def frames_per_second(self, clock_hz: float) -> float:
        """Frames that end in a second, at a clock in Hz."""
        return self.abreast * clock_hz / self.interval_cycles


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

    __repr__ = short_repr

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
        Path of the picture, or of the first of two that were computed abreast.
    model : str
        Path of the model's file, or the name of the bundled one.
    layers : tuple of LayerResult
        In order of the network; those that were run.
    block_limits : tuple of TrafficLimits
        Computed DRAM bytes of the bottlenecks among them, of all frames abreast.
    limits : TrafficLimits
        Computed DRAM bytes of all that was run, of all frames abreast.
    configuration, memory : dict
        Parameters of the accelerator and of the memory model, by name.
    buffer_bytes : dict of str to int
        Bytes of the on-chip buffers, by name.
    port_bytes : int
        Bytes of a beat of the memory port.
    shared_bytes_per_cycle : int
        At most moved by memory in a cycle, reads and writes together; 0 for a beat each way.
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
        Likeliest classes of the picture; in mode ``"network"``.
    timeline : Timeline, optional
        In mode ``"network"``.
    frames : FrameSequence, optional
        If several frames were run too.
    scale_sim : ScaleSimEstimate, optional
        Cycles of each layer by SCALE-Sim's formula: computed, to compare with the measured.
    second_image : str
        Path of the other picture of two.
    second_classes : ClassRankings, optional
        Likeliest classes of that.
    energy : dict of str to float, optional
        Relative energy of a frame by operation; of a whole network.
    preparation : str
        What was done to pixels, and where names of classes and ranges are from.

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
    configuration: Mapping[str, Any] = field(hash=False)
    memory: Mapping[str, int] = field(hash=False)
    buffer_bytes: Mapping[str, int] = field(hash=False)
    port_bytes: int
    shared_bytes_per_cycle: int = 0
    clock_hz: float
    seed: int
    versions: Mapping[str, str] = field(hash=False)
    commit: str
    wall_seconds: float
    model: str = ""
    classes: ClassRankings | None = None
    timeline: Timeline | None = None
    frames: FrameSequence | None = None
    scale_sim: ScaleSimEstimate | None = None
    second_image: str = ""
    second_classes: ClassRankings | None = None
    preparation: str = ""
    energy: Mapping[str, float] | None = field(default=None, hash=False)

    #: Whether the layers were predicted, not measured; no report holds both.
    predicted: ClassVar[bool] = False

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
        rows = [result.name for result in self.layers]
        if self.scale_sim is not None and list(self.scale_sim.cycles) != rows:
            raise ValueError(
                f"SCALE-Sim's cycles must be those of {rows}, in this order, not {self.scale_sim!r}"
            )

    def __repr__(self):
        cycles, moved = (
            sum(getattr(layer, name) for layer in self.layers) for name in ("cycles", "dram_bytes")
        )
        return (
            f"{type(self).__name__}({self.mode}, {len(self.layers)} layers, "
            f"{cycles:,} cycles, {moved:,} bytes of DRAM, "
            f"{self.multipliers:,} products a cycle, {self.clock_hz / 1e6:g} MHz)"
        )

    @property
    def bottlenecks(self) -> tuple[LayerResult, ...]:
        """The layers that are bottlenecks."""
        return tuple(result for result in self.layers if result.kind == "block")

    @property
    def multipliers(self) -> int:
        """Products with weights that the hardware makes in a cycle."""
        return self.layers[0].multipliers

    @property
    def abreast(self) -> int:
        """Frames that the hardware computes together; every figure of a layer is that of all."""
        return self.configuration.get("frames", 1)

    @property
    def frames_per_second(self) -> float:
        """Frames of the whole network in a second, those abreast alone between start and end."""
        return self.abreast * self.clock_hz / self.total.cycles

    @property
    def dram_bytes_per_frame(self) -> float:
        """Measured DRAM bytes of one frame."""
        return self.total.dram_bytes / self.abreast

    @property
    def rounds_once(self) -> bool:
        """Whether the results of layers are rounded once, and not as in LiteRT."""
        return self.configuration.get("requantize") == "single"

    @property
    def on_chip_bytes(self) -> int:
        """Bytes of all on-chip buffers."""
        return sum(self.buffer_bytes.values())

    @property
    def memory_bytes_per_cycle(self) -> int:
        """Bytes that can be read from memory in a cycle at most."""
        return min(self.port_bytes, self.shared_bytes_per_cycle or self.port_bytes)

    def bound_cycles(self, result: Measurement) -> float:
        """Lower bound of the cycles of a layer: of its tiles, and of the bytes moved meanwhile.

        Parameters
        ----------
        result : Measurement
            One of `layers`, or `total`, whose bound is the sum of theirs.

        Returns
        -------
        float
            The larger of the ideal cycles of the array and of the bytes that the layer moved, over
            what memory moves in a cycle at most.
        """
        if result.name == "total":
            return sum(map(self.bound_cycles, self.layers))
        moved = max(result.dram_read_bytes, result.dram_write_bytes) / self.port_bytes
        if self.shared_bytes_per_cycle:
            moved = max(moved, result.dram_bytes / self.shared_bytes_per_cycle)
        return max(result.ideal_cycles, moved)

    def over_bound(self, result: Measurement) -> float:
        """Cycles of a layer or of the total, as a multiple of `bound_cycles`."""
        bound = self.bound_cycles(result)
        return result.cycles / bound if bound else 0.0

    @property
    def over_floor(self) -> float:
        """Measured DRAM bytes, as a multiple of the computed floor."""
        return self.total.dram_bytes / self.limits.floor_bytes

    @property
    def total(self) -> Measurement:
        """All layers together."""
        return sum_layers(self.layers, self.multipliers)

    @property
    def simulated_cycles_per_second(self) -> float:
        """Cycles of the hardware simulated in a second of wall time."""
        return self.total.cycles / self.wall_seconds if self.wall_seconds else 0.0

    @property
    def stall_causes(self) -> tuple[str, ...]:
        """Causes that occur in any layer, in the order they were given."""
        return tuple(name for name, cycles in self.total.stalls.items() if cycles)

    @property
    def read_kinds(self) -> tuple[str, ...]:
        """Kinds of data that any layer read, in the order they were given."""
        return tuple(self.total.dram_read_bytes_by_kind)
