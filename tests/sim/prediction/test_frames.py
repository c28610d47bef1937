"""Frames predicted and measured: each difference is reported with its frame."""

import json
from dataclasses import replace

from rich.console import Console

from mnv2.hw.config import PRESETS
from mnv2.sim.cycles.predict import predict_frames
from mnv2.sim.prediction.frames import FrameComparison, render_frames, write_frames
from mnv2.sim.prediction.layers import compare_layers
from tests.sim.rtl.machines import network_of

NETWORK = network_of([(1, 8, 1, 1), (6, 16, 2, 2)], 33, classes=40)
CONFIG = PRESETS["tiny"]


def comparison(change=0, ends=0):
    """Three frames and themselves, with cycles added to the last classifier, and to its end."""
    frames = predict_frames(NETWORK, CONFIG, 3)
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
            compare_layers(NETWORK, CONFIG, *pair)
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
