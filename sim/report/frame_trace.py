"""The frame in time as a trace for Perfetto: layers, the array's work, the memory port.

Ref: Trace Event Format, Google, 2016: complete events (X), counters (C), metadata (M).
"""

import json
from pathlib import Path

from mnv2.sim.report.names import words
from mnv2.sim.report.run_report import RunReport
from mnv2.sim.report.run_series import frame_parts, timeline_shares

__all__ = ["TRACE_FILE", "frame_trace", "write_trace"]

TRACE_FILE = "trace.json"

#: Counters of a timeline, in the order of its columns: name, and what they are of.
_COUNTERS = (
    ("array: pointwise", "% of the cycles"),
    ("array: depthwise", "% of the cycles"),
    ("port: beats read", "% of the cycles"),
    ("port: beats written", "% of the cycles"),
)


def frame_trace(report: RunReport) -> dict:
    """Events of a frame.

    Parameters
    ----------
    report : RunReport
        Of a whole network, measured.

    Returns
    -------
    dict
        A slice for each layer, and counters for each step of the timeline; times are microseconds
        at the report's clock.
    """
    scale = 1e6 / report.clock_hz
    named = [
        {"ph": "M", "name": "process_name", "pid": 1, "args": {"name": "MobileNetV2 in RTL"}},
        {"ph": "M", "name": "thread_name", "pid": 1, "tid": 1, "args": {"name": "layers"}},
    ]
    layers = [
        {
            "ph": "X",
            "name": part.name,
            "cat": "layer",
            "pid": 1,
            "tid": 1,
            "ts": part.begin * scale,
            "dur": part.cycles * scale,
            "args": {
                "cycles": part.cycles,
                "begins at cycle": part.begin,
                "MACs": part.macs,
                "MAC utilisation": round(part.mac_utilization, 4),
                **{
                    f"waits for {words(cause)}, cycles": cycles
                    for cause, cycles in part.stalls.items()
                    if cycles
                },
            },
        }
        for part in frame_parts(report)
    ]
    return {
        "displayTimeUnit": "ns",
        "otherData": {"clock_hz": report.clock_hz, "commit": report.commit},
        "traceEvents": [*named, *layers, *_counters(report, scale)],
    }


def _counters(report, scale):
    """A value of each counter at the begin of each step, and 0 at the end."""
    edges, columns = timeline_shares(report)
    for (name, unit), shares in zip(_COUNTERS, columns, strict=True):
        for begin, share in zip(edges, [*shares, 0.0], strict=True):
            yield {
                "ph": "C",
                "name": name,
                "pid": 1,
                "ts": begin * scale,
                "args": {unit: round(100 * share, 2)},
            }


def write_trace(report: RunReport, folder: Path) -> None:
    """Write ``trace.json``; nothing for a report without a timeline."""
    if report.timeline is not None:
        (folder / TRACE_FILE).write_text(json.dumps(frame_trace(report)) + "\n")
