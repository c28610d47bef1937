"""Bandwidth that a part leaves for a design: its peak less refresh, rows, turns and the port."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from mnv2.hw.config import PAGE_BYTES, WRITE_OUTSTANDING, AcceleratorConfig
from mnv2.sim.cycles.port.interface import NEVER
from mnv2.sim.cycles.port.part import PartSchedule
from mnv2.sim.memory.parts import Part
from mnv2.sim.memory.timing import part_timing

__all__ = ["effective_bandwidth"]

#: Bursts that are played through the part.
BURSTS = 256
#: Distance of the streams in memory: pages that begin in different rows of different banks.
STREAM_BYTES = (1 << 20) + PAGE_BYTES


def effective_bandwidth(
    part: Part,
    clock_hz: float,
    config: AcceleratorConfig,
    read_bytes: Mapping[str, int],
    write_bytes: int = 0,
) -> float:
    """Bytes a second that a part moves for the traffic of a design, if the design never rests.

    Bursts of the design's length are played through `mnv2.sim.cycles.port.part.PartSchedule`: of
    each stream as many as its share of the bytes, evenly mixed, and each stream in order of
    addresses. As many are under way as the design allows. What the part's refresh takes is taken
    off: ``1 - tRFC / tREFI``. Frames that saturate a part move within 2 % of this in the cycle
    model (tests/sim/cost/test_memory_use.py), single layers within 5 %: their bursts are mixed
    otherwise.

    Parameters
    ----------
    part : Part
    clock_hz : float
        Of the accelerator.
    config : mnv2.hw.config.AcceleratorConfig
        Its port: width, length of bursts, and how many may be under way.
    read_bytes : dict of str to int
        Bytes read by stream; their proportion counts.
    write_bytes : int

    Returns
    -------
    float
        No more than the part's peak, nor than a beat of the port in each cycle and direction.
    """
    streams = [count for count in read_bytes.values() if count]
    mix = (*streams, write_bytes)
    if not any(mix):
        mix = (1, 0)
    timing = part_timing(part, clock_hz)
    steady = replace(timing, refresh_interval=NEVER)
    cycles, beats = _play(
        steady, config.data_bytes, config.burst_beats, config.outstanding, _shares(mix)
    )
    moved = beats * config.data_bytes * clock_hz / cycles
    return moved * (1 - timing.refresh / timing.refresh_interval)


def _shares(mix: tuple[int, ...]) -> tuple[int, ...]:
    """Bursts of each stream out of `BURSTS`, one at least where there are bytes."""
    total = sum(mix)
    return tuple(max(round(BURSTS * one / total), 1) if one else 0 for one in mix)


@lru_cache(maxsize=4096)
def _play(timing, beat_bytes, burst_beats, outstanding, shares):
    """Cycles that bursts of streams take, the last of which is written, and their beats."""
    schedule = PartSchedule(timing, beat_bytes)
    # Evenly mixed: the k-th of n bursts of a stream is at (k + 1/2) / n.
    order = sorted(
        ((k + 0.5) / count, stream, k) for stream, count in enumerate(shares) for k in range(count)
    )
    written = len(shares) - 1
    ends: list[int] = []  # of bursts that were read
    answers: list[int] = []
    cycle = sent = last = 0
    for _, stream, number in order:
        address = stream * STREAM_BYTES + number * burst_beats * beat_bytes
        if stream == written:
            # Its beats cross the port one a cycle.
            sent = max(sent + burst_beats, cycle)
            if len(answers) >= WRITE_OUTSTANDING:
                sent = max(sent, answers[-WRITE_OUTSTANDING] + burst_beats)
            cycle = max(cycle, sent)
            answers.append(schedule.write(cycle, address, burst_beats))
            last = max(last, answers[-1])
        else:
            if len(ends) >= outstanding:
                cycle = max(cycle, ends[-outstanding] + 1)
            ends.append(schedule.read(cycle, address, burst_beats)[-1])
            last = max(last, ends[-1])
    return last, len(order) * burst_beats
