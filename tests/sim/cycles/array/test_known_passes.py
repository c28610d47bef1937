"""A pass that is known from another accelerator is as long as if it were stepped."""

from dataclasses import replace

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.cycles import core_state
from mnv2.sim.cycles.array import known_passes
from mnv2.sim.cycles.predict import predict_network

NETWORK = mobilenet_v2(0.5, 128)
#: The same lanes, and other buffers, buses and memories.
DESIGNS = [
    ({}, 100),
    ({"weight_words": 2600}, 100),
    ({"data_bits": 64}, 20),
    ({"strip_words": 700}, 250),
    ({"strip_words": 500}, 100),
]


def predictions():
    return [
        predict_network(NETWORK, replace(PRESETS["base"], **changes), latency=latency)
        for changes, latency in DESIGNS
    ]


def test_designs_with_the_same_lanes_share_passes(monkeypatch):
    known_passes._known.cache_clear()
    first = predictions()
    shapes = known_passes.known_passes(PRESETS["base"])
    assert len(shapes) > 20
    left_over = {shape[17] for shape in shapes}
    assert len(left_over) > 1, "passes that begin with words for the requantiser"
    assert any(len(shape) > 18 for shape in shapes), "and with words for the residual adder"
    # Now every one of them is known from the start, and in another order.
    assert predictions() == first
    monkeypatch.setattr(core_state.CoreState, "skips", False)
    assert predictions() == first


@pytest.mark.parametrize("changes", [{"pixels": 8}, {"queue_words": 9}, {"outputs": 20}])
def test_other_lanes_and_queues_share_none(changes):
    """The same groups of pixels, and passes of another length."""
    other = replace(PRESETS["base"], **changes)
    known_passes._known.cache_clear()
    alone = predict_network(NETWORK, other)
    known_passes._known.cache_clear()
    predict_network(NETWORK, PRESETS["base"])
    assert predict_network(NETWORK, other) == alone
