"""Networks of random weights run like others, and are the same in every run."""

import numpy as np
import pytest

from mnv2.golden.network import build_network, mobilenet_v2
from mnv2.sim.configuration import load_configuration
from mnv2.sim.errors import UserError
from mnv2.sim.mapping.bounds import check_network
from mnv2.sim.networks.open import BUNDLED_NAME, open_model
from mnv2.sim.networks.untrained import untrained_network
from mnv2.sim.rtl.check import accelerator_arithmetic

NETWORK = build_network(
    [(1, 8, 1, 1), (6, 16, 2, 2)], stem_channels=8, head_channels=32, classes=10, input_size=33
)


def test_weights_are_the_same_every_time():
    one, other = untrained_network(NETWORK), untrained_network(NETWORK)
    for name, layer in one.layers.items():
        assert np.array_equal(layer.weights, other.layers[name].weights)


def test_it_suits_the_accelerator():
    config = load_configuration("base")
    model = open_model(network=NETWORK, arithmetic=accelerator_arithmetic(config))
    check_network(model.integer, config)
    assert model.name.endswith("random weights")
    assert model.network == NETWORK
    # Its activations are not all at an end of their range.
    image = np.random.default_rng(1).integers(-128, 128, NETWORK.input_shape, dtype=np.int8)
    tensors = model.integer.run(image)
    assert all(len(np.unique(tensors[block.output_name])) > 20 for block in NETWORK.blocks)


def test_the_bundled_weights_suit_another_size():
    model = open_model(network=mobilenet_v2(input_size=64))
    assert model.name == f"{BUNDLED_NAME}, 64x64"
    assert model.network == mobilenet_v2(input_size=64)
    assert np.array_equal(
        model.float_model.layers["stem"].weights, open_model().float_model.layers["stem"].weights
    )


def test_a_file_has_its_own_network(tmp_path):
    with pytest.raises(UserError, match="not both"):
        open_model(tmp_path / "model.npz", network=NETWORK)
