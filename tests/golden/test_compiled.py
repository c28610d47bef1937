"""The compiled inner loops equal numpy's, on arrays of any steps, and need not be there."""

import sys

import numpy as np
import pytest

from golden import kernels
from golden.compiled import NUMBA
from golden.kernels import NUMPY
from golden.network import build_network
from golden.prepared import prepare_layer
from golden.synthetic import random_model


def layers(kind, stride=None):
    """Random layers of a kind, with clamps of one sign and of both."""
    found = []
    for seed in range(6):
        network = build_network(((3, 6, 1, 1), (2, 9, 1, 2)), stem_channels=5, head_channels=16,
                                classes=7, input_size=24)
        model, _ = random_model(np.random.default_rng(seed), network)
        found += [layer for layer in model.layers
                  if layer.kind == kind and stride in (None, layer.stride)]
    assert len(found) >= 6
    return found


@pytest.mark.parametrize("shape", [(2, 3, 5), (1, 1, 1), (3, 7, 14)])
@pytest.mark.parametrize("inside", [False, True])
def test_scale_into_a_part_of_an_array(shape, inside):
    rng, forms = np.random.default_rng(1), set()
    for layer in [*layers("project"), *layers("expand")]:
        prepared = prepare_layer(layer, -128, 127, shape[1] * shape[2], shape[2])
        forms.add(prepared.form.half is None)
        channels = layer.output_channels
        sums = rng.integers(-30000, 30000, (int(np.prod(shape)), channels)).astype(np.float32)
        results = []
        for chosen in (NUMPY, NUMBA):
            whole = np.full((shape[0], shape[1] + 2, shape[2] + 2, channels), 99, np.float32)
            target = whole[:, 1:-1, 1:-1] if inside else np.empty((*shape, channels), np.float32)
            chosen.scale(prepared, sums.copy(), target)
            results.append((target.copy(), whole))
        for ours, theirs in zip(*results, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert forms == {True, False}


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(1, 1), (3, 8), (6, 5)])
def test_filters(stride, size):
    rng = np.random.default_rng(2)
    rows, columns = size
    for layer in layers("depthwise", stride):
        prepared = prepare_layer(layer, -128, 127, rows * columns, columns)
        channels = layer.output_channels
        whole = rng.integers(-128, 128, (4, (rows - 1) * stride + 5, (columns - 1) * stride + 3,
                                         channels)).astype(np.float32)
        padded = whole[1:3, 1:-1]                   # some images, some rows of a larger window
        shape = (2, rows, columns, channels)
        sums, filtered, scaled = (np.empty(shape, np.float32) for _ in range(3))
        NUMPY.filter(prepared, padded, sums)
        NUMBA.filter(prepared, padded, filtered)
        np.testing.assert_array_equal(filtered, sums)
        NUMBA.filter_and_scale(prepared, padded, scaled)
        expected = np.empty(shape, np.float32)
        NUMPY.scale(prepared, sums.reshape(-1, channels), expected)
        np.testing.assert_array_equal(scaled, expected)


def test_without_numba_numpy_does_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "golden.compiled", None)
    kernels.load_compiled.cache_clear()
    try:
        assert kernels.choose(100) is NUMPY
    finally:
        kernels.load_compiled.cache_clear()
