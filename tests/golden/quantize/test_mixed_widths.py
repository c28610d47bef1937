"""Widths by layer: which layers have which, and how memory is shared out."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.golden.quantize import (
    QuantizationOptions,
    calibrate,
    expanded_maps,
    merge_overrides,
    quantize_model,
    weights_by_size,
    weights_of_kind,
)
from mnv2.golden.quantize.quantizer import quantize_image
from tests.golden.quantize.networks import small_model, small_network, small_pictures


def bits_of(options, network):
    return {layer.name: options.weight_bits_of(layer.name) for layer in network.layers}


def test_maps_inside_blocks_have_their_own_bits():
    model = small_model(np.random.default_rng(0))
    pictures = small_pictures(np.random.default_rng(1), 4)
    options = QuantizationOptions(8, 8, expanded_maps(model.network, 5))
    made = quantize_model(model, calibrate(model, pictures), options)
    for block in made.blocks:
        assert block.depthwise.activation_bits == 5
        assert block.expand is None or block.expand.activation_bits == 5
        assert block.project.activation_bits == 8
        assert block.add is None or block.add.activation_bits == 8
    assert made.stem.activation_bits == made.head.activation_bits == made.pool.activation_bits == 8
    tensors = made.run(quantize_image(pictures[0], made))
    assert np.ptp(tensors["block2.expand"].astype(int)) > 2**4
    assert np.ptp(tensors["block2.expand"].astype(int)) < 2**5


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("network", [small_network(), mobilenet_v2()], ids=["small", "full"])
def test_shared_memory_is_used_up_and_not_exceeded(network, bits):
    overrides = weights_by_size(network, bits)
    weighted = [layer for layer in network.layers if layer.weight_count]
    assert set(overrides) == {layer.name for layer in weighted}
    used = sum(layer.weight_count * overrides[layer.name][0] for layer in weighted)
    given = bits * sum(layer.weight_count for layer in weighted)
    assert used <= given
    # What is left would not hold one bit more of any layer that could have it.
    more = [layer.weight_count for layer in weighted if overrides[layer.name][0] < 8]
    assert not more or min(more) > given - used
    QuantizationOptions(bits, overrides=overrides).check_names(network)


@pytest.mark.parametrize("bits", range(3, 8))
def test_layers_with_few_weights_have_more_bits(bits):
    network = mobilenet_v2()
    overrides = weights_by_size(network, bits)
    weighted = [layer for layer in network.layers if layer.weight_count]
    largest = max(weighted, key=lambda layer: layer.weight_count)
    smallest = min(weighted, key=lambda layer: layer.weight_count)
    assert overrides[smallest.name][0] > bits >= overrides[largest.name][0]
    noise = sum(4.0 ** -overrides[layer.name][0] for layer in weighted)
    assert noise < 0.5 * len(weighted) * 4.0**-bits


@pytest.mark.parametrize("bits", range(3, 8))
def test_noise_next_to_the_least_of_all_ways_to_share(bits):
    """By trying every way, on the layers of a block and the two before it."""
    layers = [layer for layer in small_network(4).layers if layer.weight_count][:5]
    counts = [layer.weight_count for layer in layers]
    chosen = [width for width, _ in weights_by_size(SimpleNamespace(layers=layers), bits).values()]

    def noise(widths):
        return sum(4.0**-width for width in widths)

    best = min(
        noise(widths)
        for widths in itertools.product(range(2, 9), repeat=len(layers))
        if sum(c * w for c, w in zip(counts, widths, strict=True)) <= bits * sum(counts)
    )
    assert noise(chosen) <= noise([bits] * len(layers))
    assert noise(chosen) <= 1.15 * best


def test_kinds():
    network = small_network()
    options = QuantizationOptions(4, overrides=weights_of_kind(network, "depthwise", 8))
    assert bits_of(options, network) == {
        layer.name: 8 if layer.kind == "depthwise" else 4 for layer in network.layers
    }


def test_later_overrides_hold():
    merged = merge_overrides({"stem": (3, 5), "head": (4, None)}, {"stem": (8, None)}, {})
    assert merged == {"stem": (8, 5), "head": (4, None)}
    assert merge_overrides() == {}
