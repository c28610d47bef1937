"""Frames predicted and measured: each difference is reported with its frame."""

import json
from dataclasses import replace

from rich.console import Console

from mnv2.hw.config import PRESETS
from mnv2.sim.cycles.predict import predict_frames, predict_network
from mnv2.sim.prediction.frames import (
    FrameComparison,
    render_frame_rows,
    render_frames,
    write_frames,
)
from mnv2.sim.prediction.layers import compare_layers
from mnv2.sim.prediction.prediction_report import (
    make_prediction,
    prediction_as_dict,
    prediction_headline,
)
from mnv2.sim.report.limits import frame_limits
from tests.sim.rtl.machines import network_of

NETWORK = network_of([(1, 8, 1, 1), (6, 16, 2, 2)], 33, classes=40)
CONFIG = PRESETS["tiny"]
TWO = replace(CONFIG, frames=2)


def comparison(change=0, ends=0, config=CONFIG):
    """Three frames and themselves, with cycles added to the last classifier, and to its end."""
    frames = predict_frames(NETWORK, config, 3)
    *others, last = frames.layers
    *rows, classifier = last
    late = replace(
        classifier,
        cycles=classifier.cycles + change,
        pointwise_cycles=classifier.pointwise_cycles + change,
    )
    changed = (*others, (*rows, late))
    return FrameComparison(
        tuple(
            compare_layers(NETWORK, config, *pair)
            for pair in zip(changed, frames.layers, strict=True)
        ),
        (*frames.ends[:-1], frames.ends[-1] + ends),
        frames.ends,
    )


def shown(found, tmp_path):
    console = Console(width=160, record=True, file=(tmp_path / "text").open("w"))
    console.print(render_frames(found))
    return console.export_text()


def test_equal_frames(tmp_path):
    found = comparison()
    assert found.equal
    assert "figures are equal" in shown(found, tmp_path)


def test_a_wrong_row_is_named_with_its_frame(tmp_path):
    found = comparison(change=5)
    assert not found.equal
    text = shown(found, tmp_path)
    assert "frame 3, classifier: cycles" in text
    assert "figures are not equal" in text


def test_a_wrong_end_is_seen(tmp_path):
    found = comparison(ends=1)
    assert not found.equal
    assert "logits are in memory are not equal" in shown(found, tmp_path)
    write_frames(found, tmp_path)
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["equal"] is False
    assert content["predicted_end_cycles"][-1] == content["measured_end_cycles"][-1] + 1
    assert [len(frame["layers"]) for frame in content["frames"]] == 3 * [6]
    assert (tmp_path / "validate.png").stat().st_size > 10_000


def test_frames_abreast_are_named_together(tmp_path):
    """Three pairs, which end together; of each row there is one for both."""
    found = comparison(change=5, config=TWO)
    assert found.abreast == 2
    text = shown(found, tmp_path)
    assert "frames 5 and 6, classifier: cycles" in text
    assert "The model against the RTL, frames 3 and 4 of 6" in text
    assert "and each of 2 frames" in text
    write_frames(found, tmp_path)
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["frames_abreast"] == 2
    assert [frame["frame"] for frame in content["frames"]] == [1, 3, 5]


def test_rows_of_frames_abreast(tmp_path):
    frames = predict_frames(NETWORK, TWO, 2)
    console = Console(width=160, record=True, file=(tmp_path / "text").open("w"))
    console.print(render_frame_rows(frames, 2))
    text = console.export_text()
    assert "two frames abreast" in text
    assert "frames 1" in text
    assert "and 4" in text


def test_predicted_macs_are_those_of_all_frames():
    one, two = (predict_network(NETWORK, config) for config in (CONFIG, TWO))
    assert [2 * row.macs for row in one] == [row.macs for row in two]
    assert {row.multipliers for row in two} == {2 * CONFIG.multipliers}
    assert sum(row.macs for row in two) == 2 * NETWORK.macs


def test_a_prediction_of_two_frames_abreast():
    frames = predict_frames(NETWORK, TWO, 3)
    prediction = make_prediction(
        NETWORK,
        frames.layers[0],
        TWO,
        latency=100,
        bytes_per_cycle=0,
        clock_hz=200e6,
        seconds=0.01,
        sequence=frames,
    )
    total, interval = prediction.total, prediction.frames.interval_cycles
    headline = prediction_headline(prediction)
    assert headline.startswith(f"predicted, not run: two frames abreast, {total.cycles:,} cycles")
    assert f"{2 * 200e6 / total.cycles:,.1f} frames/s" in headline
    content = prediction_as_dict(prediction)
    assert "second_picture" not in content
    assert content["frames"]["count"] == 6
    assert content["frames"]["frames_per_second"] == 2 * 200e6 / interval
    assert content["frames"]["mac_utilization"] == 2 * NETWORK.macs / (interval * TWO.multipliers)
    assert content["dram_floor_bytes"] == frame_limits(NETWORK, 2).floor_bytes
    assert content["computed_scale_sim_array"] == [2 * TWO.inputs * TWO.pixels, TWO.outputs]
