"""The designs as a table: data frame, files, terminal."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Group

from mnv2.sim.cost.clock import estimate_clock
from mnv2.sim.explore.design import Design
from mnv2.sim.explore.evaluate import Judge
from mnv2.sim.explore.front import balanced, spread_choice
from mnv2.sim.explore.lanes import warning_words
from mnv2.sim.memory.parts import find_part
from mnv2.sim.report.data_frame import import_pandas, write_frame
from mnv2.sim.report.names import words
from mnv2.sim.report.quantities import format_quantity
from mnv2.sim.report.run_tables import worst_wait
from mnv2.sim.report.wide_table import WideTable

if TYPE_CHECKING:
    # It writes what is worded here.
    from mnv2.sim.explore.search_results import SearchResults

__all__ = [
    "binding_words",
    "check_pandas",
    "clock_words",
    "design_frame",
    "differing_options",
    "headline",
    "nearest_misses",
    "render_front",
    "time_words",
    "write_tables",
]

Figure = TypeVar("Figure")

#: Extra of this package that installs the libraries of tables.
EXTRA = "explore"
#: Rows at most in the terminal; the files have all.
TERMINAL_ROWS = 16


def check_pandas() -> ModuleType:
    """The library that tables are made with, or one sentence if it is missing."""
    return import_pandas("The tables of designs", EXTRA)


def design_frame(results: "SearchResults") -> Any:
    """A row for each candidate: the front first, in its order.

    Parameters
    ----------
    results : mnv2.sim.explore.search_results.SearchResults

    Returns
    -------
    pandas.DataFrame
        ``name``, of those on the front; ``on_front``; ``state``: ``predicted``, ``ruled out`` by
        its costs, or ``failed``; the fields of the configuration; the clock; its costs; predicted
        figures, in columns that say so: cycles are those of all frames abreast, bytes those of a
        frame; ``misses``, the limits it misses.
    """
    pandas = check_pandas()
    numbered = {design.key: design for design in results.front}
    others = [design for design in results.designs if design.key not in numbered]
    frame = pandas.DataFrame([_row(design, results) for design in (*results.front, *others)])
    counts = [
        name
        for name in frame
        if name.startswith("predicted_") and name.endswith(("_cycles", "_bytes"))
    ]
    for name in counts:
        frame[name] = frame[name].astype("Int64")
    return frame


def _row(design: Design, results: "SearchResults") -> dict[str, Any]:
    total = design.total
    use = design.binding_use
    state = (
        "predicted"
        if design.layers
        else "failed"
        if design.key in results.failures
        else "ruled out"
    )
    return {
        "name": "" if design.number is None else design.name,
        "on_front": design.number is not None,
        "state": state,
        **dataclasses.asdict(design.config),
        "clock_hz": design.clock_hz,
        "multipliers": design.config.multipliers,
        "on_chip_bytes": design.config.on_chip_bytes,
        **dataclasses.asdict(design.resources),
        "binding_resource": use.resource if use else None,
        "binding_share": use.share if use else None,
        "accuracy": design.accuracy,
        "accuracy_format": design.accuracy_format or None,
        "memory_latency_cycles": design.memory["latency"],
        "memory_bytes_per_cycle": design.memory["bytes_per_cycle"],
        "memory_part": design.memory.get("part"),
        "predicted_cycles": design.cycles,
        "predicted_ideal_cycles": total and total.ideal_cycles,
        "predicted_frames_per_second": design.frames_per_second,
        "predicted_latency_seconds": design.latency_seconds,
        "predicted_mac_utilization": total and total.mac_utilization,
        "predicted_bound": total and total.bound,
        "predicted_bound_share": total and total.bound_share,
        "predicted_worst_wait": total and total.largest_stall[0],
        "predicted_worst_wait_share": total and total.largest_stall_share,
        "predicted_dram_bytes": design.dram_bytes,
        "predicted_dram_read_bytes": total and total.dram_read_bytes // design.config.frames,
        "predicted_dram_write_bytes": total and total.dram_write_bytes // design.config.frames,
        "predicted_bandwidth_bytes_per_second": design.bandwidth,
        "peak_bandwidth_bytes_per_second": design.peak_bandwidth,
        "predicted_relative_energy": design.energy.total if design.energy else None,
        "layers_with_idle_lanes": len(design.lane_warnings) if design.layers else None,
        "misses": ", ".join(design.violations),
        "failure": results.failures.get(design.key),
    }


def write_tables(results: "SearchResults", folder: Path) -> None:
    """Write ``designs.csv`` and ``designs.parquet``, which contain no times of the search.

    Raises
    ------
    UserError
        If pyarrow is not installed.
    """
    write_frame(design_frame(results), folder / "designs", EXTRA)


def headline(results: "SearchResults") -> str:
    """The front, and the candidates it is of, in one line."""
    way = (
        "exhaustive search"
        if results.method == "whole"
        else f"NSGA-II, seed {results.prepared.request.seed}"
    )
    objectives = ", ".join(f"{figure.best} {figure.name}" for figure in results.prepared.objectives)
    return (
        f"{len(results.front)} Pareto-optimal designs for {objectives}: "
        f"{len(results.predicted):,} of {len(results.designs):,} candidates predicted ({way})"
    )


def render_front(results: "SearchResults", limit: int = TERMINAL_ROWS) -> Group:
    """Table of the front for the terminal.

    Parameters
    ----------
    results : mnv2.sim.explore.search_results.SearchResults
        With a front.
    limit : int
        Rows at most; of a longer front, designs that are far from each other.

    Returns
    -------
    rich.console.Group
    """
    prepared, front = results.prepared, results.front
    middle = balanced(front, prepared.objectives)
    title, shown = "The Pareto front, predicted", front
    if len(front) > limit:
        chosen = {design.number for design in spread_choice(front, prepared.objectives, limit)}
        shown = [design for design in front if design.number in chosen]
        title += f"; {limit} shown, all in designs.csv"
    table = WideTable(title, keys=1)
    columns = list(_columns(results))
    for heading, _ in columns:
        table.add_column(heading, justify="left" if heading in _WORDS else "right")
    for design in shown:
        table.add_row(
            *(cell(design) for _, cell in columns),
            style="bold" if design.number == middle.number else None,
        )
    return Group(table, *_notes(results, middle))


_WORDS = (
    "design",
    "lanes",
    "pairs\nof",
    "rounding",
    "device binds",
    "time is bound by",
    "worst wait",
)


def _columns(results: "SearchResults") -> Iterator[tuple[str, Callable[[Design], str]]]:
    """(heading, function of Design giving its cell) of the terminal's table."""
    yield "design", lambda design: f"{design.number:03}"
    yield "frames\n/s", lambda design: f"{design.frames_per_second:,.1f}"
    yield "latency\nms", lambda design: f"{_known(design.latency_seconds) * 1e3:,.3f}"
    yield "DSP", lambda design: f"{design.resources.dsp:,}"
    yield "BRAM\n18 kbit", lambda design: f"{design.block_ram_18k:,}"
    yield "kLUT", lambda design: f"{design.resources.all_luts / 1e3:,.1f}"
    yield "port\nGB/s", lambda design: f"{_known(design.bandwidth) / 1e9:.3f}"
    yield "relative\nenergy", lambda design: f"{_known(design.energy).total:.2f}"
    if any(design.accuracy is not None for design in results.front):
        yield "accuracy\n%", lambda design: f"{100 * _known(design.accuracy):.1f}"
        yield (
            "W x A\nbits",
            lambda design: f"{design.config.weight_bits} x {design.config.activation_bits}",
        )
    if len({design.clock_hz for design in results.front}) > 1:
        yield "clock\nMHz", lambda design: f"{design.clock_hz / 1e6:g}"
    yield "lanes", lambda design: design.lanes
    for name, words_of_it in differing_options(results.front).items():
        yield words_of_it.replace(" ", "\n"), partial(_option, name)
    yield "on chip\nkB", lambda design: f"{design.config.on_chip_bytes / 1e3:,.0f}"
    yield "port\nbits", lambda design: f"{design.config.data_bits}"
    if any(design.uses for design in results.front):
        yield "device binds", lambda design: binding_words(design)
    yield "time is bound by", lambda design: time_words(design)
    yield "worst wait", lambda design: worst_wait(_known(design.total))
    yield "MACs\nused %", lambda design: f"{100 * _known(design.total).mac_utilization:.0f}"
    yield "layers\nidle", lambda design: f"{len(design.lane_warnings)}"


def differing_options(designs: Sequence[Design]) -> dict[str, str]:
    """Options of the datapath in which designs differ, with the words of a heading."""
    return {
        name: heading
        for name, heading in (
            ("packing", "pairs of"),
            ("requantize", "rounding"),
            ("residual_lanes", "residual lanes"),
        )
        if len({getattr(design.config, name) for design in designs}) > 1
    }


def _option(name: str, design: Design) -> str:
    return str(getattr(design.config, name))


def binding_words(design: Design) -> str:
    """``LUTs 93%``: the resource of the device that a design uses most of."""
    use = _known(design.binding_use)
    return f"{use.resource.split(',')[0]} {use.share:.0%}"


def time_words(design: Design) -> str:
    """``array 88%``: the work or wait that takes most cycles."""
    total = _known(design.total)
    return f"{words(total.bound)} {total.bound_share:.0%}"


def _known(figure: Figure | None) -> Figure:
    """A figure of a design of the front, which has all that its table shows."""
    assert figure is not None
    return figure


def _notes(results: "SearchResults", middle: Design) -> Iterator[str]:
    """Notes for the table's reader."""
    prepared = results.prepared
    request, judge = prepared.request, prepared.judge
    yield (
        f"Bold: {middle.name}, the balanced one, nearest to the best in all objectives. "
        "All figures are predicted: --prove N builds designs and runs them in RTL."
    )
    if "clock_mhz" not in prepared.space.values:
        yield f"Clock: {clock_words(results)}."
    if judge.part:
        part = find_part(judge.part)
        yield f"Memory: {part.name}, {part.title}, at the clock of each design ({part.source})."
    else:
        yield (
            f"Memory: {request.latency} cycles away, a beat a cycle each way"
            f"{_device_memory(judge)}."
        )
    if judge.accuracies:
        pictures = next(iter(judge.accuracies.values())).pictures
        yield (
            f"Accuracy: share of {pictures:,} pictures that get float's first class, with the "
            f"best format of those bits in {request.accuracy}."
        )
    for design, limit in _nearest_limits(results):
        yield f"{limit}: {design.name} is nearest to it."
    for end in results.axis_ends:
        yield f"{end.words}."
    for sentence in middle.notes:
        yield f"{middle.name}: {sentence}."
    for sentence in warning_words(middle.lane_warnings):
        yield f"{middle.name} maps badly: {sentence}."


def clock_words(results: "SearchResults") -> str:
    """Clocks of the front's designs and their sources, such as ``200 MHz (given)``."""
    front, judge = results.front, results.prepared.judge
    if not front:
        clock = estimate_clock(judge.family, judge.clock_hz, source=judge.clock_from)
        return f"{clock.hz / 1e6:g} MHz ({clock.source})"
    clocks = sorted({design.clock_hz / 1e6 for design in front})
    span = f"{clocks[0]:g} MHz" if len(clocks) == 1 else f"{clocks[0]:g} to {clocks[-1]:g} MHz"
    sources = dict.fromkeys(design.clock_from for design in front)
    return f"{span} ({'; '.join(sources)})"


def _device_memory(judge: Judge) -> str:
    """The bandwidth of a device's memory, and where it counts."""
    if judge.device is None:
        return ""
    given = format_quantity(judge.device.bandwidth, "B/s")
    return (
        f", or the {given} of the device where a port reads more in a burst "
        f"({judge.device.bandwidth_from})"
    )


def _nearest_limits(results: "SearchResults") -> Iterator[tuple[Design, str]]:
    """(design, limit in words) of the front's design that is nearest to each limit."""
    for limit in results.prepared.judge.limits:
        values = [
            (abs(_known(limit.figure.of(design)) / limit.bound - 1), number, design)
            for number, design in enumerate(results.front)
        ]
        _, _, design = min(values)
        value = limit.figure.text(design)
        yield design, f"Limit: {limit.words}, closest {value}"


def nearest_misses(results: "SearchResults") -> str:
    """The reason why there is no front: the limits missed, and the design that misses least.

    Parameters
    ----------
    results : mnv2.sim.explore.search_results.SearchResults
        Without a front.

    Returns
    -------
    str
        A sentence.
    """
    missed = Counter(name for design in results.designs for name in design.violations)
    words_ = ", ".join(f"{count:,} miss {name}" for name, count in missed.most_common())
    judged = [design for design in results.designs if design.violations]
    if not judged:
        reason = next(iter(results.failures.values()), "none was predicted")
        return f"No design was found: {reason}"
    nearest = min(judged, key=lambda design: (sum(design.violations.values()), design.key))
    by = ", ".join(f"{name} by {share:.1%}" for name, share in nearest.violations.items())
    over = [use for use in nearest.uses if use.share > 1]
    if over:
        by += (
            " ("
            + ", ".join(f"{use.used:,} of {use.available:,} {use.resource}" for use in over)
            + ")"
        )
    return (
        f"No design meets all limits: of {len(results.designs):,}, {words_}; the "
        f"nearest, {nearest.lanes} lanes, misses {by}"
    )
