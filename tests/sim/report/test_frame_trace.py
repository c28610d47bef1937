"""The frame as a trace for Perfetto."""

import json

import pytest

from mnv2.sim.report.frame_trace import frame_trace, write_trace
from tests.sim.report.example import example_network_report, example_report


@pytest.fixture(scope="module")
def report():
    return example_network_report()


def events(report, phase):
    return [one for one in frame_trace(report)["traceEvents"] if one["ph"] == phase]


def test_slices_are_the_layers_one_after_another(report):
    slices, scale = events(report, "X"), report.clock_hz / 1e6
    assert len(slices) == len(report.layers) - 1  # the stem with the first block
    assert slices[0]["name"] == "stem, B1"
    end = 0.0
    for one in slices:
        assert one["ts"] == pytest.approx(end)
        end = one["ts"] + one["dur"]
        assert one["dur"] * scale == pytest.approx(one["args"]["cycles"])
    assert end * scale == pytest.approx(report.total.cycles)
    waits = sum(
        value for one in slices for key, value in one["args"].items() if key.startswith("waits")
    )
    assert waits == sum(report.total.stalls.values())


def test_counters_have_the_timeline(report):
    steps, length = report.timeline.steps, report.timeline.step_cycles
    for name, column in (("array: pointwise", 0), ("port: beats written", 3)):
        chosen = [one for one in events(report, "C") if one["name"] == name]
        assert len(chosen) == len(steps) + 1
        values = [one["args"]["% of the cycles"] for one in chosen]
        assert values[:3] == pytest.approx(
            [round(100 * step[column] / length, 2) for step in steps[:3]]
        )
        assert values[-1] == 0


def test_file_is_json(report, tmp_path):
    write_trace(report, tmp_path)
    content = json.loads((tmp_path / "trace.json").read_text())
    assert {one["ph"] for one in content["traceEvents"]} == {"M", "X", "C"}
    assert all(isinstance(one.get("ts", 0.0), (int, float)) for one in content["traceEvents"])


def test_blocks_alone_have_no_frame(tmp_path):
    write_trace(example_report(), tmp_path)
    assert not list(tmp_path.iterdir())
