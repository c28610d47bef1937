"""Use of a memory's effective bandwidth by a design, over a frame and by bottleneck."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.memory.effective import effective_bandwidth
from mnv2.sim.memory.parts import Part
from mnv2.sim.report.results import LayerResult

__all__ = ["BandwidthUse", "MemoryUse", "memory_use"]


@dataclass(frozen=True)
class BandwidthUse:
    """Use of a memory by a row of a report, or by a frame.

    Attributes
    ----------
    name : str
    needed : float
        Bytes a second, averaged over its cycles.
    effective : float
        Bytes a second that the part moves for its traffic; see
        `mnv2.sim.memory.effective.effective_bandwidth`.
    """

    name: str
    needed: float
    effective: float

    @property
    def share(self) -> float:
        """Needed of effective."""
        return self.needed / self.effective


@dataclass(frozen=True)
class MemoryUse:
    """Use of a part.

    Attributes
    ----------
    part : mnv2.sim.memory.parts.Part
    frame : BandwidthUse
    rows : tuple of BandwidthUse
        Of the stem, each bottleneck, head and classifier, in order.
    """

    part: Part
    frame: BandwidthUse
    rows: tuple[BandwidthUse, ...]


def memory_use(
    layers: Sequence[LayerResult], config: AcceleratorConfig, part: Part, clock_hz: float
) -> MemoryUse:
    """Compare what each row needs of a part with what the part gives it.

    Parameters
    ----------
    layers : sequence of mnv2.sim.report.results.LayerResult
        Predicted.
    config : mnv2.hw.config.AcceleratorConfig
    part : mnv2.sim.memory.parts.Part
    clock_hz : float

    Returns
    -------
    MemoryUse
    """

    def use(name: str, rows: Sequence[LayerResult]) -> BandwidthUse:
        read: Counter[str] = Counter()
        for row in rows:
            read.update(row.dram_read_bytes_by_kind)
        moved, cycles = sum(row.dram_bytes for row in rows), sum(row.cycles for row in rows)
        written = sum(row.dram_write_bytes for row in rows)
        return BandwidthUse(
            name,
            moved * clock_hz / cycles,
            effective_bandwidth(part, clock_hz, config, read, written),
        )

    return MemoryUse(part, use("frame", layers), tuple(use(row.name, [row]) for row in layers))
