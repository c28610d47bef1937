"""Records of measurements; figures that follow from others are computed, not stored."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["LayerResult", "Measurement", "sum_layers"]


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Work, time and traffic of a bottleneck, or of several together.

    Attributes
    ----------
    name : str
        Name of the bottleneck, or ``"total"``.
    macs : int
        Multiplications with a weight that the network requires, of all frames abreast.
    multipliers : int
        Products with weights that the hardware makes in a cycle, counted in its netlist.
    cycles : int
        Clock cycles from start to end.
    ideal_cycles : int
        Cycles that the tiles of the layers take if nothing ever waits.
    pointwise_cycles, depthwise_cycles : int
        Cycles in which the array worked on 1x1 convolutions and the stem, and on depthwise windows.
    stalls : dict of str to int
        Cycles in which it waited, by cause; with `busy_cycles` they add up to `cycles`.
    dram_read_bytes_by_kind : dict of str to int
        Bytes read from external memory, by kind of data.
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
            f"{self.mac_utilization:.1%} of {self.multipliers:,} products a cycle, "
            f"{self.dram_bytes:,} bytes of DRAM)"
        )

    @property
    def busy_cycles(self) -> int:
        """Cycles in which the array worked."""
        return self.pointwise_cycles + self.depthwise_cycles

    @property
    def busy_share(self) -> float:
        """Share of the cycles in which the array worked, 0 to 1."""
        return self.busy_cycles / self.cycles if self.cycles else 0.0

    @property
    def over_ideal(self) -> float:
        """Cycles, as a multiple of the ideal."""
        return self.cycles / self.ideal_cycles if self.ideal_cycles else 0.0

    @property
    def largest_stall(self) -> tuple[str, int]:
        """Cause of most waiting and its cycles; ``("", 0)`` if nothing waited."""
        cause, cycles = max(self.stalls.items(), key=lambda item: item[1], default=("", 0))
        return (cause, cycles) if cycles else ("", 0)

    @property
    def largest_stall_share(self) -> float:
        """Share of the cycles that the cause of most waiting took, 0 to 1."""
        return self.largest_stall[1] / self.cycles if self.cycles else 0.0

    @property
    def bound(self) -> str:
        """Largest share of the cycles: ``"array"`` for its work, or the cause of a stall."""
        cause, cycles = self.largest_stall
        return cause if cycles > self.busy_cycles else "array"

    @property
    def bound_share(self) -> float:
        """Share of the cycles that `bound` took, 0 to 1."""
        cycles = self.busy_cycles if self.bound == "array" else self.largest_stall[1]
        return cycles / self.cycles if self.cycles else 0.0

    @property
    def mac_utilization(self) -> float:
        """The network's MACs as a share of the products that the cycles have room for, 0 to 1."""
        return self.macs / (self.cycles * self.multipliers) if self.cycles else 0.0

    @property
    def dram_read_bytes(self) -> int:
        """Bytes read from external memory."""
        return sum(self.dram_read_bytes_by_kind.values())

    @property
    def dram_bytes(self) -> int:
        """Bytes read from and written to external memory."""
        return self.dram_read_bytes + self.dram_write_bytes

    @property
    def bytes_per_cycle(self) -> float:
        """External memory bytes a cycle, on average."""
        return self.dram_bytes / self.cycles if self.cycles else 0.0

    @property
    def macs_per_cycle(self) -> float:
        """MACs a cycle, on average."""
        return self.macs / self.cycles if self.cycles else 0.0

    def gigabytes_per_second(self, clock_hz: float) -> float:
        """External memory bandwidth, in 10**9 bytes a second, at a clock in Hz."""
        return self.bytes_per_cycle * clock_hz / 1e9

    def microseconds(self, clock_hz: float) -> float:
        """Time at a clock in Hz."""
        return self.cycles / clock_hz * 1e6


@dataclass(frozen=True, kw_only=True, repr=False)
class LayerResult(Measurement):
    """Measurement of the stem, a bottleneck, the head with its pool, or the classifier.

    Attributes
    ----------
    kind : str
        ``"stem"``, ``"block"``, ``"head"`` or ``"classifier"``.
    input_shape, output_shape : tuple of int
        ``(rows, columns, channels)``.
    stride : int
        Stride of the 3x3 layer, 1 if there is none.
    residual : bool
        Whether the input is added to the output.
    """

    kind: str
    input_shape: tuple[int, int, int]
    output_shape: tuple[int, int, int]
    stride: int
    residual: bool


def sum_layers(layers: Sequence[Measurement], multipliers: int) -> Measurement:
    """All layers of a network, or several of them, together.

    Parameters
    ----------
    layers : sequence of Measurement
    multipliers : int
        Products a cycle of the hardware, which the layers share.

    Returns
    -------
    Measurement
        Called ``"total"``.
    """
    return Measurement(
        name="total",
        macs=sum(layer.macs for layer in layers),
        multipliers=multipliers,
        cycles=sum(layer.cycles for layer in layers),
        ideal_cycles=sum(layer.ideal_cycles for layer in layers),
        pointwise_cycles=sum(layer.pointwise_cycles for layer in layers),
        depthwise_cycles=sum(layer.depthwise_cycles for layer in layers),
        stalls=_add_up(layer.stalls for layer in layers),
        dram_read_bytes_by_kind=_add_up(layer.dram_read_bytes_by_kind for layer in layers),
        dram_write_bytes=sum(layer.dram_write_bytes for layer in layers),
        mismatches=sum(layer.mismatches for layer in layers),
    )


def _add_up(mappings: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Sum of mappings, key by key."""
    result: dict[str, int] = {}
    for mapping in mappings:
        for key, value in mapping.items():
            result[key] = result.get(key, 0) + value
    return result
