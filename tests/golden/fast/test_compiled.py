"""The compiled inner loops equal numpy's, on arrays of any steps, and need not be there."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from mnv2.golden.fast import choice, compiled
from mnv2.golden.fast.compiled import NUMBA
from mnv2.golden.fast.kernels import NUMPY
from mnv2.golden.fast.prepared import prepare_layer
from mnv2.golden.network import build_network
from mnv2.golden.synthetic import random_model


def layers(kind, stride=None):
    """Random layers of a kind, with clamps of one sign and of both."""
    found = []
    for seed in range(6):
        network = build_network(
            ((3, 6, 1, 1), (2, 9, 1, 2)),
            stem_channels=5,
            head_channels=16,
            classes=7,
            input_size=24,
        )
        model, _ = random_model(np.random.default_rng(seed), network)
        found += [
            layer for layer in model.layers if layer.kind == kind and stride in (None, layer.stride)
        ]
    assert len(found) >= 6
    return found


def plant_exceptions(prepared, sums):
    """The same layer, with sums [..., M] that occur replaced by others."""
    channels = sums.shape[-1]
    flat, places = sums.reshape(-1, channels), np.arange(channels)
    chosen = np.concatenate([flat[0], flat[-1]])
    form = replace(
        prepared.form,
        exception_channels=np.tile(places, 2),
        exception_sums=chosen,
        replacements=chosen + np.float32(2.0**15),
    )
    return replace(prepared, form=form)


@pytest.mark.parametrize("shape", [(2, 3, 5), (1, 1, 1), (3, 7, 14)])
@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("planted", [False, True])
def test_scale_into_a_part_of_an_array(shape, inside, planted):
    rng, forms = np.random.default_rng(1), set()
    for layer in [*layers("project"), *layers("expand")]:
        prepared = prepare_layer(layer, -128, 127, shape[1] * shape[2], shape[2])
        forms.add(prepared.form.half is None)
        channels = layer.output_channels
        sums = rng.integers(-30000, 30000, (int(np.prod(shape)), channels)).astype(np.float32)
        if planted:
            prepared = plant_exceptions(prepared, sums)
        results = []
        for chosen in (NUMPY, NUMBA):
            whole = np.full((shape[0], shape[1] + 2, shape[2] + 2, channels), 99, np.float32)
            target = whole[:, 1:-1, 1:-1] if inside else np.empty((*shape, channels), np.float32)
            chosen.scale(prepared, sums.copy(), target)
            results.append((target.copy(), whole))
        for ours, theirs in zip(*results, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert forms == {True, False}


def test_products_are_rounded_before_half_is_added():
    """Sums whose rounded product plus half is a tie, which goes up; fused steps stay below it."""
    layer = next(x for x in layers("project") if x.minimum < x.output_zero_point)
    prepared, channels = prepare_layer(layer, -128, 127, 1), layer.output_channels
    sums = np.random.default_rng(3).integers(2000, 3000, (4096, channels)).astype(np.float32)
    scale = np.full(channels, 3.5 / 2500 + 1e-7, np.float32)
    values = sums * scale
    # half such that values + half is 4 less half of the last place below 4
    half = (np.float64(4) - 2.0**-23 - values).astype(np.float32)
    exact = sums.astype(np.float64) * scale.astype(np.float64)
    sharp = (exact < values) & (values > 3) & (values < 3.75)
    rows = np.array([np.flatnonzero(column)[0] for column in sharp.T])
    places = np.arange(channels)
    form = replace(
        prepared.form,
        offset=np.zeros(channels, np.float32),
        scale=scale,
        half=half[rows, places],
        exception_channels=places[:0],
        exception_sums=scale[:0],
        replacements=scale[:0],
    )
    fused = (exact + half)[rows, places].astype(np.float32)
    assert np.all(np.trunc(fused) == 3)
    chosen = sums[rows, places][None]
    for loops in (NUMPY, NUMBA):
        target = np.empty((1, channels), np.float32)
        loops.scale(replace(prepared, form=form, tile=1), chosen.copy(), target)
        np.testing.assert_array_equal(
            target[0], np.clip(4 + layer.output_zero_point, layer.minimum, layer.maximum)
        )
    assert layer.minimum < 4 + layer.output_zero_point <= layer.maximum


def test_additions_round_each_product():
    """Scales so large that a fused step would show in the integer."""
    rng = np.random.default_rng(4)
    a, b = rng.integers(-128, 128, (2, 5, 4, 300)).astype(np.float32)
    form = tuple(np.float32(x) for x in (2**14 / 3, 2**13 / 7, 0.3, -(2.0**23), 2.0**23))
    expected = NUMPY.add(form, a, b)
    np.testing.assert_array_equal(NUMBA.add(form, a, b), expected)
    fused = (a * np.float64(form[0]) + (b * form[1]).astype(np.float64)).astype(np.float32)
    assert np.any(np.rint(fused + form[2]) != expected)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(1, 1), (3, 8), (6, 5)])
def test_filters(stride, size):
    rng = np.random.default_rng(2)
    rows, columns = size
    for layer in layers("depthwise", stride):
        prepared = prepare_layer(layer, -128, 127, rows * columns, columns)
        channels = layer.output_channels
        whole = rng.integers(
            -128, 128, (4, (rows - 1) * stride + 5, (columns - 1) * stride + 3, channels)
        ).astype(np.float32)
        padded = whole[1:3, 1:-1]  # some images, some rows of a larger window
        shape = (2, rows, columns, channels)
        sums, filtered, scaled = (np.empty(shape, np.float32) for _ in range(3))
        NUMPY.filter(prepared, padded, sums)
        NUMBA.filter(prepared, padded, filtered)
        np.testing.assert_array_equal(filtered, sums)
        for form in (prepared, plant_exceptions(prepared, sums)):
            NUMBA.filter_and_scale(form, padded, scaled)
            expected = np.empty(shape, np.float32)
            NUMPY.scale(form, sums.reshape(-1, channels).copy(), expected)
            np.testing.assert_array_equal(scaled, expected)


def test_runs_of_several_pixels():
    """Narrow layers at stride 1 go over some pixels at a time, as many as divide a row."""
    narrow = layers("depthwise", 1)[0]
    channels = narrow.output_channels
    prepared = prepare_layer(narrow, -128, 127, 3 * 8, 8)
    assert compiled._pixels_of_run(8, channels, prepared.tile) == 8
    assert [
        compiled._pixels_of_run(*sizes) for sizes in ((112, 32, 99), (7, 960, 99), (9, 100, 4))
    ] == [16, 1, 3]


def test_without_a_folder_to_keep_it_in():
    """Code that lies in no file cannot be kept, as in an installation where nothing can be."""
    names = {}
    exec("def double(values):\n    for k in range(len(values)):\n        values[k] *= 2\n", names)
    values = np.arange(3, dtype=np.float32)
    compiled._compile(compiled._vector)(names["double"])(values)
    np.testing.assert_array_equal(values, [0, 2, 4])


def test_without_numba_numpy_does_it(monkeypatch):
    for name in ("compiled", "byte_cpu"):
        monkeypatch.setitem(sys.modules, f"mnv2.golden.fast.{name}", None)
    loaders = choice.load_compiled, choice.has_bytes
    for loader in loaders:
        loader.cache_clear()
    try:
        assert choice.choose(100, True).kernels is NUMPY
    finally:
        for loader in loaders:
            loader.cache_clear()
