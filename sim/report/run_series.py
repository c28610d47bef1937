"""Series of the figures of a run, as numbers: matplotlib and the page draw the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from mnv2.sim.report.colors import (
    DEPTHWISE_COLOR,
    INK,
    KIND_COLORS,
    POINTWISE_COLOR,
    STALL_COLORS,
    WRITTEN_COLOR,
    choose_colors,
)
from mnv2.sim.report.names import name_frames, short_name, words
from mnv2.sim.report.run_report import RunReport

__all__ = [
    "FramePart",
    "Roofline",
    "Series",
    "cycle_series",
    "frame_parts",
    "frame_titles",
    "byte_series",
    "limit_bars",
    "roofline",
    "tick_names",
    "timeline_shares",
    "wait_series",
]

#: Causes of waiting with a smaller share of all cycles than this are drawn as one.
SMALL_SHARE = 0.001
#: Causes whose share of every layer's cycles is smaller than this are drawn as one.
SMALL_FRAME_SHARE = 0.005


@dataclass(frozen=True)
class Series:
    """One colour of a figure.

    Attributes
    ----------
    label : str
    values : list of int or list of float
        One for each layer, part or step.
    color : str
        ``#rrggbb``.
    """

    label: str
    values: Sequence[float]
    color: str


@dataclass(frozen=True)
class FramePart:
    """A layer, or two that work in turn, in the frame in time.

    Attributes
    ----------
    name : str
        Short name of the layer, or of two that work in turn.
    begin, cycles : int
        Clock cycle of the frame in which it begins, and how many it takes.
    macs, multipliers : int
        The network's, and products a cycle of the hardware.
    stalls : dict of str to int
        Cycles that the array waited, by cause.
    """

    name: str
    begin: int
    cycles: int
    macs: int
    multipliers: int
    stalls: dict[str, int]

    @property
    def end(self) -> int:
        """One past its last cycle."""
        return self.begin + self.cycles

    @property
    def mac_utilization(self) -> float:
        """The network's MACs as a share of the products that the cycles have room for, 0 to 1."""
        return self.macs / (self.cycles * self.multipliers)


@dataclass(frozen=True)
class Roofline:
    """Points of layers under the limits of the array and of the memory port.

    Attributes
    ----------
    peak : int
        MACs a cycle at most.
    bandwidth : int
        Bytes a cycle at most.
    ridge : float
        MACs a byte, right of which the array binds.
    limits : tuple of float
        Left and right end of the figure, MACs a byte.
    heights : tuple of float
        Lower and upper end of the figure, MACs a cycle; both axes are logarithmic, so that the roof
        is straight on both sides of the ridge.
    roof : list of (float, float)
        Points of the roof's line.
    points : list of (float, float)
        MACs a byte and MACs a cycle of each layer and, last, of all together.
    groups : dict of str to list of int
        Numbers of the layers of each kind.
    """

    peak: int
    bandwidth: int
    ridge: float
    limits: tuple[float, float]
    heights: tuple[float, float]
    roof: list[tuple[float, float]]
    points: list[tuple[float, float]]
    groups: dict[str, list[int]]


def tick_names(report: RunReport) -> list[str]:
    """Short names of the layers; in a second line the stride where it is 2, ``+`` for a residual.

    Returns
    -------
    list of str
    """
    return [
        f"{short_name(result)}\n{f's{result.stride}' if result.stride > 1 else ''}"
        f"{'+' if result.residual else ''}"
        for result in report.layers
    ]


def cycle_series(report: RunReport) -> list[Series]:
    """Cycles of each layer: work, then each cause of waiting; the smallest causes in one.

    Parameters
    ----------
    report : mnv2.sim.report.run_report.RunReport

    Returns
    -------
    list of Series
        They add up to the cycles of the layers.
    """
    layers, total = report.layers, report.total
    series = [
        Series("works: pointwise", [r.pointwise_cycles for r in layers], POINTWISE_COLOR),
        Series("works: depthwise", [r.depthwise_cycles for r in layers], DEPTHWISE_COLOR),
    ]
    causes = report.stall_causes
    small = [cause for cause in causes if total.stalls[cause] < SMALL_SHARE * total.cycles]
    if len(small) < 2:
        small = []
    for cause, color in choose_colors(causes, STALL_COLORS).items():
        if cause not in small:
            cycles = [result.stalls.get(cause, 0) for result in layers]
            series.append(Series(f"waits: {words(cause)}", cycles, color))
    if small:
        cycles = [sum(result.stalls.get(cause, 0) for cause in small) for result in layers]
        series.append(Series(f"waits: {', '.join(map(words, small))}", cycles, "#BBBBBB"))
    return series


def byte_series(report: RunReport) -> list[Series]:
    """Bytes of external memory of each layer: read by kind, and written.

    Returns
    -------
    list of Series
    """
    series = []
    for kind, color in choose_colors(report.read_kinds, KIND_COLORS).items():
        values = [result.dram_read_bytes_by_kind.get(kind, 0) for result in report.layers]
        series.append(Series(f"read: {kind}", values, color))
    written = [result.dram_write_bytes for result in report.layers]
    return [*series, Series("written", written, WRITTEN_COLOR)]


def limit_bars(report: RunReport) -> tuple[tuple[str, int, str], ...]:
    """Bytes of a frame, or of frames abreast, and computed bytes to compare with, most first.

    Returns
    -------
    tuple of (str, int, str)
        Label, bytes, colour.
    """
    limits = report.limits
    return (
        ("layer by layer (computed)", limits.layer_by_layer_bytes, "#BBBBBB"),
        ("bottlenecks fused (computed)", limits.fused_bytes, "#BBBBBB"),
        (
            "predicted" if report.predicted else "measured in RTL",
            report.total.dram_bytes,
            POINTWISE_COLOR,
        ),
        ("floor (computed)", limits.floor_bytes, INK),
    )


def roofline(report: RunReport) -> Roofline:
    """MACs a cycle over MACs a byte of each layer, and the roof above them.

    Returns
    -------
    Roofline
    """
    peak, bandwidth = report.multipliers, report.memory_bytes_per_cycle
    # A layer that moved no byte is drawn as if it had moved one.
    points = [
        (result.macs / max(result.dram_bytes, 1), result.macs_per_cycle)
        for result in (*report.layers, report.total)
    ]
    ridge = peak / bandwidth
    left = min(min(x for x, _ in points), ridge) / 2
    right = max(max(x for x, _ in points), ridge) * 2.4
    roof = [(left, left * bandwidth), (ridge, peak), (right, peak)]
    # A layer without products has no height on a logarithmic axis.
    low = min([left * bandwidth, *(y for _, y in points if y > 0)]) / 1.4
    groups: dict[str, list[int]] = {
        "stem, head, classifier": [],
        "bottleneck": [],
        "bottleneck with residual": [],
    }
    for number, result in enumerate(report.layers):
        kind = "bottleneck with residual" if result.residual else "bottleneck"
        groups[kind if result.kind == "block" else "stem, head, classifier"].append(number)
    return Roofline(peak, bandwidth, ridge, (left, right), (low, 1.5 * peak), roof, points, groups)


def timeline_shares(report: RunReport) -> tuple[list[int], tuple[list[float], ...]]:
    """The frame in time.

    Returns
    -------
    edges : list of int
        Borders of the steps in cycles, one more than steps.
    shares : tuple of list of float
        For each step the shares of its cycles, 0 to 1: pointwise work, depthwise work, beats read,
        beats written.
    """
    timeline = report.timeline
    assert timeline is not None
    steps, length = timeline.steps, timeline.step_cycles
    last = max(report.total.cycles - length * (len(steps) - 1), 1)
    edges = [length * number for number in range(len(steps))]
    edges.append(edges[-1] + last)
    lengths = [end - begin for begin, end in zip(edges, edges[1:], strict=False)]
    shares = tuple(
        [value / length for value, length in zip(column, lengths, strict=True)]
        for column in zip(*steps, strict=True)
    )
    return edges, shares


def frame_parts(report: RunReport) -> list[FramePart]:
    """The layers in time. The stem works in turn with the first block, whose input it makes.

    Returns
    -------
    list of FramePart
    """
    merged, ahead = [], None
    for result in report.layers:
        one = (short_name(result), result.cycles, result.macs, dict(result.stalls))
        if ahead is not None:
            stalls = {cause: cycles + ahead[3].get(cause, 0) for cause, cycles in one[3].items()}
            one = (f"{ahead[0]}, {one[0]}", ahead[1] + one[1], ahead[2] + one[2], stalls)
        ahead = one if result.kind == "stem" else None
        if ahead is None:
            merged.append(one)
    begins = accumulate((cycles for _, cycles, _, _ in merged), initial=0)
    return [
        FramePart(name, begin, cycles, macs, report.multipliers, stalls)
        for (name, cycles, macs, stalls), begin in zip(merged, begins, strict=False)
    ]


def wait_series(report: RunReport, parts: Sequence[FramePart]) -> list[Series]:
    """Share of each part's cycles that the array waited, by cause.

    Parameters
    ----------
    report : mnv2.sim.report.run_report.RunReport
    parts : list of FramePart

    Returns
    -------
    list of Series
        Values from 0 to 1.
    """
    shares = {
        cause: [part.stalls.get(cause, 0) / part.cycles for part in parts]
        for cause in report.stall_causes
    }
    small = [cause for cause, heights in shares.items() if max(heights) < SMALL_FRAME_SHARE]
    series = [
        Series(words(cause), shares[cause], color)
        for cause, color in choose_colors(shares, STALL_COLORS).items()
        if cause not in small
    ]
    if small:
        sums = [sum(column) for column in zip(*map(shares.get, small), strict=True)]
        series.append(Series(", ".join(map(words, small)), sums, "#CCCCCC"))
    return series


def frame_titles(report: RunReport) -> tuple[str, str]:
    """Title and subtitle of frames: their cycles, and the shares of work and waiting.

    Returns
    -------
    tuple of str
    """
    total = report.total
    causes = sorted(total.stalls.items(), key=lambda item: -item[1])[:3]
    waited = ", ".join(f"{words(cause)} {cycles / total.cycles:.1%}" for cause, cycles in causes)
    title = (
        f"{name_frames(report.abreast).capitalize()}: {total.cycles:,} cycles, "
        f"{total.microseconds(report.clock_hz) / 1e3:.2f} ms at {report.clock_hz / 1e6:g} MHz, "
        f"{total.mac_utilization:.1%} of {total.multipliers:,} products a cycle"
    )
    each = "" if report.abreast == 1 else f", {report.dram_bytes_per_frame:,.0f} a frame"
    below = (
        f"The array works in {total.busy_share:.1%} of the cycles; it waits most for {waited}. "
        f"The port moves {total.dram_bytes:,} bytes{each}, {report.over_floor:.3f} times the floor."
    )
    return title, below
