"""Random models spread their outputs, also on inputs that they were not fitted to."""

import numpy as np
import pytest

from mnv2.golden.fixed_point import signed_range
from mnv2.golden.network import build_block, build_network
from mnv2.golden.quantized_block import run_block
from mnv2.golden.synthetic import random_activation, random_block, random_model


def assert_spread(tensors, bits):
    low, high = signed_range(bits)
    for name, tensor in tensors.items():
        assert low <= tensor.min() <= tensor.max() <= high, name
        if tensor.size < 400:
            continue
        values, counts = np.unique(tensor, return_counts=True)
        assert len(values) > 0.4 * (high - low), name
        assert counts.max() < 0.55 * tensor.size, name


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("expansion", [1, 6])
@pytest.mark.parametrize("bits", [(8, 8), (4, 4), (5, 7), (8, 4), (6, 8)])
def test_blocks(bits, expansion, stride):
    rng = np.random.default_rng([*bits, expansion, stride])
    block, x = random_block(rng, build_block(1, (14, 11, 8), expansion, 8, stride), *bits)
    assert (block.add is not None) == (stride == 1)
    assert (block.expand is None) == (expansion == 1)
    top = 2 ** (bits[0] - 1) - 1
    every = [layer.weights.astype(int) for layer in block.layers]
    for weights in every:
        assert 0.9 * top <= np.abs(weights).max() <= top + 1
        assert weights.max() <= top
        # The lowest of its width, that no quantiser makes, is there.
        assert weights.min() == -top - 1
    assert_spread(run_block(block, x), bits[1])
    assert_spread(run_block(block, random_activation(rng, x.shape, bits[1])), bits[1])


@pytest.mark.parametrize("bits", [4, 8])
def test_models(bits):
    rng = np.random.default_rng(bits)
    network = build_network(
        ((1, 8, 2, 1), (3, 12, 2, 2), (4, 16, 2, 2)),
        stem_channels=8,
        head_channels=32,
        classes=12,
        input_size=40,
    )
    model, image = random_model(rng, network, bits, bits)
    for x in (image, random_activation(rng, image.shape, bits)):
        tensors = model.run(x)
        tensors.pop("logits_accumulator")
        assert_spread(tensors, bits)
        assert len(np.unique(tensors["classifier"])) >= 5


def test_the_same_seed_makes_the_same_block():
    made = [
        random_block(np.random.default_rng(1), build_block(1, (5, 5, 4), 2, 4, 1)) for _ in range(2)
    ]
    first, second = (run_block(block, x) for block, x in made)
    assert all(np.array_equal(first[name], second[name]) for name in first)
