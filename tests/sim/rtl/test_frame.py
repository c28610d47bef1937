"""MobileNetV2 itself: a photograph on the accelerator `base`, at 224x224, from image to class."""

import numpy as np
import pytest

from mnv2.golden.quantize import quantize_image
from mnv2.hw.config import PRESETS
from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.networks.open import load_model
from mnv2.sim.networks.ranking import rank
from mnv2.sim.pictures.photographs import calibration_photographs
from mnv2.sim.prediction.layers import compare_layers
from mnv2.sim.report.limits import frame_limits
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.run_network import run_network
from tests.sim.pictures.inputs import load_input


@pytest.fixture(scope="module")
def frame():
    """The model, its tensors for the photograph, and the run, memory 100 cycles away."""
    model = load_model()
    (path,) = (found.path for found in calibration_photographs() if found.name == "chelsea")
    tensors = model.run(quantize_image(load_input(path), model))
    return (
        model,
        tensors,
        run_network(model, tensors, config=PRESETS["base"], memory=MemoryModel(latency=100)),
    )


def test_every_block_and_the_logits_equal_golden(frame):
    model, tensors, run = frame
    assert set(run.maps) == {"pool"} | {block.name for block in model.network.blocks}
    for block in model.network.blocks:
        np.testing.assert_array_equal(run.maps[block.name], tensors[block.output_name])
    np.testing.assert_array_equal(run.accumulators, tensors["logits_accumulator"].reshape(-1))
    top = rank(model.logits({"logits_accumulator": run.accumulators}))
    assert top[0].name == "Egyptian cat"


def test_near_the_limits(frame):
    """Single engines reach 14 to 68 % of their multipliers; every byte crosses the port once."""
    model, _, run = frame
    config = PRESETS["base"]
    assert config.multipliers <= 600
    assert config.on_chip_bytes <= 1 << 20
    assert model.network.macs / (run.cycles * run.layers[0].multipliers) >= 0.8
    assert run.read_bytes + run.write_bytes <= 1.08 * frame_limits(model.network).floor_bytes
    assert run.cycles == sum(layer.cycles for layer in run.layers)


def test_the_model_predicts_every_figure(frame):
    """Cycles, work and waits by cause and bytes by kind of every row, before anything is run."""
    model, _, run = frame
    predicted = predict_network(model.network, PRESETS["base"], latency=100)
    assert not compare_layers(model.network, PRESETS["base"], predicted, run.layers).differences()
