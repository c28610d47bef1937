"""Two frames abreast: both equal golden, every figure is predicted, and pairs share multipliers."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from mnv2.golden.synthetic import random_activation
from mnv2.sim.cycles.predict import predict_frames
from mnv2.sim.errors import UserError
from mnv2.sim.prediction.layers import compare_layers
from mnv2.sim.rtl.check import Mismatch
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.multipliers import count_multipliers
from mnv2.sim.rtl.run_blocks import network_tasks, run_tasks
from mnv2.sim.rtl.run_network import run_network
from tests.sim.rtl.machines import MACHINES, model_and_tensors, network_of

CONFIG = replace(MACHINES["tiny"], frames=2, packing="frames")
TURNS = 3
NETWORK = network_of([(1, 8, 1, 1), (6, 16, 2, 2), (3, 20, 2, 1)], 33, stem=11, head=37, classes=95)
MEMORY = MemoryModel(latency=57, stall_percent=10, seed=2)


@pytest.fixture(scope="module")
def model():
    """A model, and its tensors of two pictures."""
    made, one = model_and_tensors(CONFIG, NETWORK, 5)
    other = random_activation(np.random.default_rng(6), NETWORK.input_shape)
    return made, [one, made.run(other)]


def test_both_frames_are_right_and_every_figure_is_predicted(model):
    made, pictures = model
    run = run_network(made, pictures, config=CONFIG, memory=MEMORY, turns=TURNS, asserts=True)
    for output, tensors in zip(run.outputs, pictures, strict=True):
        np.testing.assert_array_equal(output.logits, tensors["classifier"].reshape(-1))
        for block in NETWORK.blocks:
            np.testing.assert_array_equal(output.maps[block.name], tensors[block.output_name])
    predicted = predict_frames(NETWORK, CONFIG, TURNS, **asdict(MEMORY))
    assert predicted.ends == run.frame_ends
    for rows, measured in zip(predicted.layers, run.frame_layers, strict=True):
        assert not compare_layers(NETWORK, CONFIG, rows, measured).differences()
        assert sum(row.macs for row in measured) == 2 * NETWORK.macs


def test_a_picture_in_the_other_lane_is_found(model):
    """The expected tensors of the two are exchanged, and the inputs are not."""
    made, (one, other) = model
    wrong = [{**other, "input": one["input"]}, {**one, "input": other["input"]}]
    with pytest.raises(Mismatch, match="block1 of picture 1"):
        run_network(made, wrong, config=CONFIG, memory=MEMORY, asserts=True)


def test_bottlenecks_of_both_pictures(model):
    made, pictures = model
    tasks = network_tasks(made, pictures)
    for task, (row, outputs) in zip(
        tasks, run_tasks(tasks, config=CONFIG, memory=MEMORY), strict=True
    ):
        assert row.macs == 2 * task.block.macs
        for output, tensors in zip(outputs, pictures, strict=True):
            np.testing.assert_array_equal(output, tensors[task.block.output_name])


def test_one_picture_is_not_enough(model):
    made, pictures = model
    with pytest.raises(UserError, match="two frames abreast takes 2 pictures, not 1"):
        run_network(made, pictures[0], config=CONFIG, memory=MEMORY)


def test_pairs_share_multipliers():
    found = count_multipliers(CONFIG)
    assert found.weights == CONFIG.multipliers == 192
    assert found.pairs == 96
