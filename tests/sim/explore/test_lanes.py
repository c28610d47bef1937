"""Lanes that a layer leaves idle, from shapes alone, and the words about them."""

from dataclasses import replace

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.explore.lanes import lane_use, lane_warnings, warning_words
from tests.sim.explore.small import small_network


@pytest.mark.parametrize("preset", ["small", "base", "large"])
def test_cycles_are_those_of_the_rows(preset):
    config, network = PRESETS[preset], mobilenet_v2()
    rows = lane_use(network, config)
    assert sum(layer.macs for layer, _, _ in rows) == network.macs
    predicted = predict_network(network, config)
    assert sum(cycles for _, cycles, _ in rows) == sum(row.ideal_cycles for row in predicted)
    for layer, cycles, busy in rows:
        assert busy == layer.macs / (cycles * config.multipliers)
        assert 0 < busy <= 1


def test_depthwise_layers_use_nine_of_the_outputs():
    config = replace(PRESETS["base"], outputs=32, queue_words=64)
    rows = {layer.name: busy for layer, _, busy in lane_use(mobilenet_v2(), config)}
    assert rows["block2.depthwise"] == pytest.approx(9 / 32)
    warned = {warning.layer: warning for warning in lane_warnings(mobilenet_v2(), config)}
    assert set(warned) == {name for name, busy in rows.items() if busy < 0.5}
    assert warned["block2.depthwise"].reason == "9 of 32 products a channel"
    assert warned["block2.depthwise"].busy_share == pytest.approx(9 / 32)
    assert warned["classifier"].reason == "31.2 of 32 output lanes, 1 of 7 pixel lanes"


def test_base_wastes_the_classifier_alone():
    assert [warning.layer for warning in lane_warnings(mobilenet_v2(), PRESETS["base"])] == [
        "classifier"
    ]


def test_words_join_layers_of_a_kind_and_say_how_much_time():
    config = replace(PRESETS["base"], outputs=32, queue_words=64)
    first, second = warning_words(lane_warnings(mobilenet_v2(), config))
    assert first.startswith("17 depthwise layers, worst block1.depthwise: 28% of the lanes busy")
    assert "of the frame's ideal cycles" in first
    assert second.startswith("classifier: 14% of the lanes busy (31.2 of 32 output lanes, 1 of 7")
    assert warning_words(()) == []


def test_channels_that_fill_no_tile():
    config = replace(PRESETS["tiny"], outputs=48, inputs=16, pixels=1)
    warned = {one.layer: one for one in lane_warnings(small_network(), config)}
    assert warned["block1.project"].reason == "8 of 48 output lanes, 8 of 16 input lanes"
    assert warned["block1.project"].busy_share == pytest.approx(8 * 8 / (48 * 16))
