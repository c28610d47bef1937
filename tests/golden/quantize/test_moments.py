"""Moments of a layer's inputs against the layer itself, run on those inputs."""

import numpy as np
import pytest

from mnv2.golden.quantize.moments import (
    UNCERTAIN,
    LayerMoments,
    group_weights,
    layer_moments,
    ungroup_weights,
)
from tests.golden.quantize.networks import small_model, small_network, small_pictures

LAYERS = [layer for layer in small_network().layers if layer.kind != "pool"]


@pytest.fixture(scope="module")
def model():
    return small_model(np.random.default_rng(1))


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_mean_and_power_of_any_weights_outputs(model, layer):
    """Means and squares of other weights' outputs follow without running them."""
    rng = np.random.default_rng(2)
    pictures = [np.abs(x) for x in small_pictures(rng, 3, layer.input_shape)]
    moments = sum(
        (layer_moments(layer, x, gram=True) for x in pictures[1:]),
        layer_moments(layer, pictures[0], gram=True),
    )
    outputs = np.concatenate(
        [
            model.layers[layer.name].accumulate(x).reshape(-1, layer.output_channels)
            for x in pictures
        ]
    ).astype(np.float64)
    weights = group_weights(layer, model.layers[layer.name].weights.astype(np.float64))
    assert moments.count == len(outputs)
    mean = np.einsum("gi,gio->go", moments.mean(), weights).reshape(-1)
    np.testing.assert_allclose(mean, outputs.mean(axis=0), rtol=1e-4, atol=1e-5)
    power = np.einsum("gio,gij,gjo->go", weights, moments.gram, weights).reshape(-1)
    np.testing.assert_allclose(power, np.square(outputs).sum(axis=0), rtol=1e-4)
    spread = np.einsum("gio,gij,gjo->go", weights, moments.covariance(), weights).reshape(-1)
    diagonal = UNCERTAIN * np.einsum("gio,gii->go", np.square(weights), moments.gram).reshape(-1)
    np.testing.assert_allclose(
        spread, len(outputs) * outputs.var(axis=0) + diagonal, rtol=1e-4, atol=1e-3
    )


def test_inputs_that_never_vary_have_a_covariance():
    """Differences of large float32 sums must not become negative variances."""
    layer = next(x for x in LAYERS if x.kind == "expand")
    rng = np.random.default_rng(3)
    x = 3 + 1e-5 * rng.normal(0, 1, (40, 40, layer.input_channels)).astype(np.float32)
    moments = layer_moments(layer, x, gram=True)
    assert np.linalg.eigvalsh(moments.covariance()).min() > 0


@pytest.mark.parametrize("layer", LAYERS[:4], ids=lambda layer: layer.name)
def test_grouping_is_undone(model, layer):
    weights = model.layers[layer.name].weights
    again = ungroup_weights(layer, group_weights(layer, weights), weights.shape)
    assert np.array_equal(again, weights)


def test_gram_matrices_are_added_or_missing_together():
    layer = LAYERS[0]
    x = np.ones(layer.input_shape, np.float32)
    assert layer_moments(layer, x).gram is None
    with pytest.raises(ValueError, match="both have a Gram matrix"):
        layer_moments(layer, x) + layer_moments(layer, x, gram=True)
    assert isinstance(layer_moments(layer, x) + layer_moments(layer, x), LayerMoments)
