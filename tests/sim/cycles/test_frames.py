"""Back-to-back frames: every row of every frame, and the cycle in which its logits are there."""

from dataclasses import asdict

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.cycles.predict import predict_frames, predict_network
from mnv2.sim.prediction.layers import compare_layers
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.run_network import run_network
from tests.sim.rtl.machines import MACHINES, model_and_tensors, network_of

FRAMES = 4
#: 95 classes in three parts, and no more blocks than parts.
NETWORK = network_of([(1, 8, 1, 1), (6, 16, 2, 2), (3, 20, 2, 1)], 33, stem=11, head=37, classes=95)
#: A memory of its own for each machine.
MEMORIES = {
    "tiny": MemoryModel(latency=57),
    "narrow": MemoryModel(latency=60, stall_percent=25),
    "wide": MemoryModel(latency=57, stall_percent=15, seed=3, bytes_per_cycle=20),
    "few_bits": MemoryModel(latency=40, bytes_per_cycle=5),
    "padded": MemoryModel(latency=23),
}


@pytest.mark.parametrize("name", list(MACHINES))
def test_equal_the_rtl(name):
    config, memory = MACHINES[name], MEMORIES[name]
    model, tensors = model_and_tensors(config, NETWORK, 5)
    run = run_network(model, tensors, config=config, memory=memory, turns=FRAMES, asserts=True)
    predicted = predict_frames(NETWORK, config, FRAMES, **asdict(memory))
    assert predicted.ends == run.frame_ends
    for rows, measured in zip(predicted.layers, run.frame_layers, strict=True):
        assert not compare_layers(NETWORK, config, rows, measured).differences()
    # Another number of frames is another program, from the first frame's start on.
    fewer = predict_frames(NETWORK, config, FRAMES - 1, **asdict(memory))
    assert fewer.layers[0] != run.frame_layers[0]


def test_one_frame_is_the_network():
    made, config = mobilenet_v2(0.35, 96), PRESETS["base"]
    frames = predict_frames(made, config, 1)
    assert frames.layers == (predict_network(made, config),)
    assert frames.ends == (sum(row.cycles for row in frames.layers[0]),)


def test_rows_add_up_to_the_last_end():
    frames = predict_frames(mobilenet_v2(0.35, 96), PRESETS["base"], 3)
    assert sum(row.cycles for rows in frames.layers for row in rows) == frames.ends[-1]
    assert list(frames.ends) == sorted(set(frames.ends))
