"""Corrected biases leave no mean error."""

import numpy as np
import pytest

from mnv2.golden.quantize.bias_correction import corrected_bias
from mnv2.golden.quantize.range_statistics import collect_statistics
from mnv2.golden.quantize.scales import nearest_integers, weight_scales
from tests.golden.quantize.networks import small_model, small_network, small_pictures

LAYERS = [layer for layer in small_network().layers if layer.kind != "pool"]


@pytest.fixture(scope="module")
def seen():
    """The model, its statistics, and the inputs of each layer over the same pictures."""
    model = small_model(np.random.default_rng(1))
    pictures = small_pictures(np.random.default_rng(2), 6)
    inputs = {}
    for picture in pictures:
        model.run(picture, lambda layer, x: inputs.setdefault(layer.name, []).append(x))
    return model, collect_statistics(model, pictures), inputs


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_mean_error_is_none(seen, layer):
    model, statistics, inputs = seen
    record = model.layers[layer.name]
    scales = weight_scales(record.weights, record.bias, 0.05, 3)
    integers = nearest_integers(record.weights, scales, 3)
    bias = corrected_bias(
        layer, record.weights, record.bias, integers, scales, statistics.moments[layer.name].mean()
    )
    rounded = type(record)(layer, (integers * scales).astype(np.float32), record.bias)
    wanted, shifted = (
        np.mean([(x.accumulate(v) + x.bias).mean(axis=(0, 1)) for v in inputs[layer.name]], axis=0)
        for x in (record, rounded)
    )
    before = np.abs(shifted - wanted)
    after = np.abs(shifted - record.bias + bias - wanted)
    assert before.max() > 0.01
    assert after.max() < 1e-4
