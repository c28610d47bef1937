"""Adaptive rounding never does worse than rounding to nearest, by its own measure."""

import itertools

import numpy as np
import pytest

from mnv2.golden.quantize.adaptive_rounding import (
    adaptive_integers,
    damped,
    descend,
    squared_error,
    successive_rounding,
)
from mnv2.golden.quantize.moments import group_weights
from mnv2.golden.quantize.range_statistics import collect_statistics
from mnv2.golden.quantize.scales import nearest_integers, weight_scales
from tests.golden.quantize.networks import small_model, small_network, small_pictures

LAYERS = [layer for layer in small_network().layers if layer.kind != "pool"]


@pytest.fixture(scope="module")
def model():
    return small_model(np.random.default_rng(1))


@pytest.fixture(scope="module")
def statistics(model):
    return collect_statistics(model, small_pictures(np.random.default_rng(2), 8), gram=True)


def reconstruction_error(layer, weights, integers, scales, gram):
    """Squared error of the layer's outputs over all positions seen: float64 [Cout]."""
    error = np.asarray(integers, np.float64) * scales.astype(np.float64) - weights
    return squared_error(group_weights(layer, error), gram).reshape(-1)


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_error_never_rises(model, statistics, layer, bits):
    record = model.layers[layer.name]
    scales = weight_scales(record.weights, record.bias, 0.05, bits)
    nearest = nearest_integers(record.weights, scales, bits)
    moments = statistics.moments[layer.name]
    for gram in (moments.gram, moments.covariance()):
        made = adaptive_integers(layer, record.weights, scales, gram, bits)
        assert made.dtype == np.int8
        assert np.abs(made.astype(int)).max() <= 2 ** (bits - 1) - 1
        before, after = (
            reconstruction_error(layer, record.weights, x, scales, gram) for x in (nearest, made)
        )
        assert (after <= before * (1 + 1e-9) + 1e-9).all()
        assert after.sum() < 0.99 * before.sum()


@pytest.mark.parametrize("name", ["block2.project", "block2.depthwise"])
def test_error_is_that_of_the_layers_outputs(model, statistics, name):
    record = model.layers[name]
    scales = weight_scales(record.weights, record.bias, 0.05, 4)
    integers = nearest_integers(record.weights, scales, 4)
    error = 0
    wrong = type(record)(record.layer, (integers * scales - record.weights).astype(np.float32))
    for picture in small_pictures(np.random.default_rng(2), 8):
        inputs = {}
        model.run(picture, lambda layer, x, kept=inputs: kept.update({layer.name: x}))
        error = error + np.square(wrong.accumulate(inputs[name])).sum(axis=(0, 1))
    np.testing.assert_allclose(
        reconstruction_error(
            record.layer, record.weights, integers, scales, statistics.moments[name].gram
        ),
        error,
        rtol=1e-3,
    )


def test_the_best_of_all_roundings_is_nearly_reached():
    """Ten inputs, each up or down: 1024 roundings, all tried."""
    rng = np.random.default_rng(3)
    x = rng.normal(0, 1, (200, 4)) @ rng.normal(0, 1, (4, 10))
    x += 0.3 * rng.normal(0, 1, (200, 10))
    gram = damped((x.T @ x)[None])
    wanted = rng.normal(0, 2, (1, 10, 12))
    made = descend(successive_rounding(wanted, gram, 7), wanted, gram, 7)
    assert (made == np.rint(made)).all()
    choices = np.array(list(itertools.product((0, 1), repeat=10))).T[None]
    ratios, plain = [], []
    for column in range(12):
        one = wanted[:, :, [column]]
        best = squared_error(np.clip(np.floor(one) + choices, -7, 7) - one, gram).min()
        ratios.append(squared_error(made[:, :, [column]] - one, gram)[0, 0] / best)
        plain.append(squared_error(np.clip(np.rint(one), -7, 7) - one, gram)[0, 0] / best)
    assert np.mean(ratios) < 1.6
    assert np.mean(plain) > 3


@pytest.mark.parametrize("inputs", [5, 32, 33, 70])
def test_blocks_change_nothing(inputs, monkeypatch):
    """The products that are put off to the end of a block are the same products."""
    rng = np.random.default_rng(inputs)
    x = rng.normal(0, 1, (300, inputs)) @ rng.normal(0, 1, (inputs, inputs))
    gram, wanted = damped((x.T @ x)[None]), rng.normal(0, 2, (1, inputs, 6))
    results = []
    for block in (1, 32, 1000):
        monkeypatch.setattr("mnv2.golden.quantize.adaptive_rounding.BLOCK", block)
        nearest = np.clip(np.rint(wanted), -7, 7)
        results.append((successive_rounding(wanted, gram, 7), descend(nearest, wanted, gram, 7)))
    for other in results[1:]:
        assert np.array_equal(other[0], results[0][0])
        assert np.array_equal(other[1], results[0][1])


def test_descent_ends_where_no_single_step_helps(monkeypatch):
    monkeypatch.setattr("mnv2.golden.quantize.adaptive_rounding.MAXIMUM_PASSES", 100)
    rng = np.random.default_rng(4)
    x = rng.normal(0, 1, (90, 20)) + 1
    gram, wanted = (x.T @ x)[None], rng.normal(0, 3, (1, 20, 5))
    made = descend(np.clip(np.rint(wanted), -7, 7), wanted, gram, 7)
    least = squared_error(made - wanted, gram)
    for i, step in itertools.product(range(20), (-1, 1)):
        moved = made.copy()
        moved[:, i] = np.clip(moved[:, i] + step, -7, 7)
        assert (squared_error(moved - wanted, gram) >= least - 1e-9).all()
