"""MobileNetV1 whole in RTL: no head, ReLU6 after each projection, nothing added."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from mnv2.golden.graph.family import lower_family
from mnv2.golden.importers.tflite import read_graph
from mnv2.golden.mobilenet_v1 import mobilenet_v1
from mnv2.golden.network import build_network
from mnv2.golden.synthetic import random_activation, random_model
from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.mapping import network_program
from mnv2.sim.mapping.placement import place_network
from mnv2.sim.mapping.pool_input_integers import quantized_pool_feed
from mnv2.sim.prediction.layers import compare_layers
from mnv2.sim.rtl.check import Mismatch
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.run_network import run_network
from tests.golden.litert import run_litert_by_index
from tests.sim.rtl.machines import MACHINES, model_and_tensors

CASES = Path(__file__).parents[2] / "golden" / "graph" / "cases"
MEMORY = MemoryModel(latency=40, stall_percent=10, seed=4)


def network(size=(27, 38)):
    return build_network(
        [(1, 12, 1, 1), (1, 16, 2, 2), (1, 20, 1, 1), (1, 28, 2, 2)],
        stem_channels=8,
        head_channels=None,
        classes=5,
        input_size=size,
        padding="tensorflow",
        plain=True,
    )


def run(name, model, tensors):
    """Rows of a run, after every map was compared, and each counter with the model's."""
    config = MACHINES[name]
    found = run_network(model, tensors, config=config, memory=MEMORY, asserts=True)
    predicted = predict_network(model.network, config, **asdict(MEMORY))
    assert not compare_layers(model.network, config, predicted, found.layers).differences()
    return found


@pytest.mark.parametrize("name", list(MACHINES))
def test_runs_whole_as_predicted(name):
    model, tensors = model_and_tensors(MACHINES[name], network(), 9)
    rows = run(name, model, tensors).layers
    assert [row.name for row in rows] == [
        *("stem", "block1", "block2", "block3", "block4", "block5", "block6"),
        *("pool", "classifier"),
    ]
    assert sum(row.macs for row in rows) == model.network.macs


def test_the_last_map_comes_from_memory():
    """The layer before the pool loads a last map that spills."""
    made = network((60, 60))
    assert place_network(made, MACHINES["narrow"]).spilled[-1]
    run("narrow", *model_and_tensors(MACHINES["narrow"], made, 9))


def test_a_file_equals_litert():
    """A small model as people publish them: LiteRT, golden and RTL agree in every map."""
    content = (CASES / "mobilenet_v1.tflite").read_bytes()
    family = lower_family(read_graph(content))
    made = family.model.network
    assert made.head is None
    assert made.separable
    image = np.random.default_rng(24).integers(-128, 128, made.input_shape, dtype=np.int8)
    tensors = family.model.run(image)
    found = run("tiny", family.model, tensors)
    maps = {block.output_name: found.maps[block.name] for block in made.blocks}
    expected = run_litert_by_index(content, [image[None]])
    compared = family.indexed({**maps, "pool": found.maps["pool"]})
    assert len(compared) == len(made.blocks) + 1
    for index, tensor in compared.items():
        np.testing.assert_array_equal(tensor, expected[index])
    for index, tensor in family.indexed(tensors).items():
        np.testing.assert_array_equal(tensor, expected[index])


def test_a_feed_that_changes_a_channel_is_seen(monkeypatch):
    """Planted in the program: one weight of the diagonal is a step too large."""

    def faulty(model):
        layer = quantized_pool_feed(model)
        weights = layer.weights.copy()
        weights[3, 3] += 1
        return replace(layer, weights=weights)

    monkeypatch.setattr(network_program, "quantized_pool_feed", faulty)
    model, tensors = model_and_tensors(MACHINES["tiny"], network(), 9)
    with pytest.raises(Mismatch, match="in the pool"):
        run_network(model, tensors, config=MACHINES["tiny"], memory=MEMORY)


@pytest.mark.parametrize(("weight_bits", "bits"), [(8, 8), (4, 8), (5, 6), (2, 4)])
def test_the_feed_hands_on_every_value(weight_bits, bits):
    """In golden's arithmetic, through its roundings; with a clamp of the last block's own."""
    rng = np.random.default_rng(5)
    model, _ = random_model(rng, network(), weight_bits, bits)
    feed = quantized_pool_feed(model)
    channels = feed.weights.shape[0]
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    values = np.arange(low, high + 1, dtype=np.int8)
    image = np.repeat(values[:, None, None], channels, axis=2)
    np.testing.assert_array_equal(feed.run(image), image)
    assert np.abs(feed.weights).max() < 1 << weight_bits - 1


def test_the_papers_network():
    made = mobilenet_v1(0.25, 96, 2)
    # MLPerf Tiny's visual wake words has 7.49 million MACs; 1.0 at 224 the paper's 569 million.
    assert (made.title, made.blocks[-1].output_shape) == (
        "MobileNetV1 0.25, 96x96x3, 13 blocks, 2 classes",
        (3, 3, 256),
    )
    assert made.macs == 7_489_664
    assert round(mobilenet_v1().macs / 1e6) == 569
    assert mobilenet_v1().parameters == 4_231_976
    rng = np.random.default_rng(3)
    model, _ = random_model(rng, made)
    image = random_activation(rng, made.input_shape, 8)
    tensors = model.run(image)
    for name, tensor in model.run(image, exact_loops=True).items():
        np.testing.assert_array_equal(tensors[name], tensor)
