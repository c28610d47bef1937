"""The loops on bytes equal numpy's in float32: odd shapes, parts of arrays, exceptions, ties."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnv2.golden.fast.choice import has_bytes
from mnv2.golden.fast.kernels import NUMPY
from mnv2.golden.fast.maps import ByteMaps
from mnv2.golden.fast.prepared import aligned, prepare_layer
from tests.golden.fast.test_compiled import layers, plant_exceptions

if not has_bytes():
    pytest.skip("this CPU does not multiply bytes four at a time", allow_module_level=True)

from mnv2.golden.fast import byte_kernels, vector_code


def held(values):
    """Integers as bytes."""
    return ByteMaps().of_integers(np.asarray(values, np.int8))


def wide_layer(inputs, outputs, low=-128, high=127, seed=0):
    """A random projection of a shape, its clamp given."""
    rng = np.random.default_rng(seed)
    layer = layers("project")[0]
    return replace(
        layer,
        weights=rng.integers(-127, 128, (inputs, outputs)).astype(np.int8),
        bias=rng.integers(-1000, 1000, outputs).astype(np.int32),
        multiplier=rng.integers(2**30, 2**31, outputs).astype(np.int32),
        shift=rng.integers(6, 9, outputs).astype(np.int32),
        minimum=low,
        maximum=high,
    )


def expected_outputs(prepared, source):
    """uint8 [..., M], by numpy."""
    sums = source.astype(np.float32).reshape(-1, source.shape[-1]) @ prepared.weights
    shape = (*source.shape[:-1], prepared.layer.output_channels)
    target = np.empty(shape, np.float32)
    NUMPY.scale(prepared, sums, target)
    return (target + 128).astype(np.uint8)


@pytest.mark.parametrize("shape", [(2, 3, 5), (1, 1, 1), (3, 7, 14), (1, 2, 29)])
@pytest.mark.parametrize(
    ("inputs", "outputs"), [(4, 16), (5, 7), (27, 33), (64, 24), (3, 48), (96, 100)]
)
@pytest.mark.parametrize("planted", [False, True])
def test_products_of_matrices(shape, inputs, outputs, planted):
    rng, kinds = np.random.default_rng(1), set()
    for low, high in ((-128, 127), (-20, 90)):
        layer = wide_layer(inputs, outputs, low, high)
        prepared = prepare_layer(layer, -128, 127, shape[1] * shape[2], shape[2])
        source = rng.integers(-128, 128, (*shape, inputs)).astype(np.int8)
        if planted:
            sums = source.astype(np.float32).reshape(-1, inputs) @ prepared.weights
            prepared = plant_exceptions(prepared, sums)
        assert prepared.plain
        kinds.add(prepared.form.half is None)
        expected = expected_outputs(prepared, source)
        assert len(np.unique(expected)) > 2
        whole = np.full((shape[0], shape[1] + 2, shape[2] + 2, outputs), 99, np.uint8)
        target = whole[:, 1:-1, 1:-1]
        byte_kernels.run_pointwise(byte_kernels.pack_layer(prepared), held(source), target)
        np.testing.assert_array_equal(target, expected)
        # Nothing is written next to it.
        target[...] = 99
        assert (whole == 99).all()


def test_both_roundings_are_tried():
    kinds = {
        prepare_layer(layer, -128, 127, 4).form.half is None
        for layer in (*layers("project"), *layers("expand"))
    }
    assert kinds == {True, False}


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(1, 1), (3, 8), (6, 5)])
def test_filters(stride, size):
    rng = np.random.default_rng(2)
    rows, columns = size
    for layer in layers("depthwise", stride):
        prepared = prepare_layer(layer, -128, 127, rows * columns, columns)
        channels = layer.output_channels
        shape = (4, (rows - 1) * stride + 5, (columns - 1) * stride + 3, channels)
        integers = rng.integers(-128, 128, shape).astype(np.int8)
        padded = held(integers)[1:3, 1:-1]  # some images, some rows of a larger window
        sums = np.empty((2, rows, columns, channels), np.float32)
        NUMPY.filter(prepared, integers[1:3, 1:-1].astype(np.float32), sums)
        for form in (prepared, plant_exceptions(prepared, sums)):
            out = aligned((2, rows, columns, channels), np.uint8)
            byte_kernels.run_filter(byte_kernels.pack_layer(form), stride, padded, out)
            expected = np.empty(sums.shape, np.float32)
            NUMPY.scale(form, sums.reshape(-1, channels).copy(), expected)
            np.testing.assert_array_equal(out, expected + 128)


def test_products_are_rounded_before_half_is_added():
    """Sums whose rounded product plus half is a tie, which goes up; fused steps stay below it."""
    layer = replace(wide_layer(1, 16, -100, 100), output_zero_point=0)
    prepared = prepare_layer(layer, -128, 127, 1)
    assert prepared.form.half is not None
    sums = np.arange(-127 * 127, 127 * 127 + 1, dtype=np.float32)
    scale = np.float32(3.5 / 2500 + 1e-7)
    values = sums * scale
    half = (np.float64(4) - 2.0**-23 - values).astype(np.float32)
    exact = sums.astype(np.float64) * np.float64(scale)
    sharp = np.flatnonzero((exact < values) & (values > 3) & (values < 3.75))
    # Of those, sums that one product of bytes gives.
    found = [
        (place, factor)
        for place in sharp
        for factor in range(20, 128)
        if sums[place] % factor == 0 and sums[place] // factor <= 127
    ]
    place, factor = found[0]
    full = np.full(16, 1, np.float32)
    layer = replace(layer, weights=np.full((1, 16), factor, np.int8))
    prepared = replace(
        prepared,
        layer=layer,
        weights=layer.weights.astype(np.float32),
        tile=1,
        form=replace(
            prepared.form,
            offset=0 * full,
            scale=scale * full,
            half=half[place] * full,
            exception_channels=np.array([], np.intp),
            exception_sums=full[:0],
            replacements=full[:0],
        ),
    )
    assert np.trunc(np.float32(exact[place] + half[place])) == 3
    source = held(np.full((1, 1, 1, 1), sums[place] // factor))
    target = aligned((1, 1, 1, 16), np.uint8)
    byte_kernels.run_pointwise(byte_kernels.pack_layer(prepared), source, target)
    assert target.tolist() == [[[[128 + 4] * 16]]]


def test_additions():
    """Two forms: scales, with products that are rounded, and a table of all pairs."""
    rng = np.random.default_rng(4)
    a, b = rng.integers(-128, 128, (2, 5, 4, 3, 30)).astype(np.int8)
    form = tuple(np.float32(x) for x in (0.7, 0.31, 3.2, -90, 100))
    table = (rng.integers(-128, 128, 2**16).astype(np.float32),)
    for one in (form, table):
        expected = NUMPY.add(one, a.astype(np.float32), b.astype(np.float32))
        made = byte_kernels.run_add(one, held(a), held(b))
        np.testing.assert_array_equal(made, expected + 128)
        assert len(np.unique(made)) > 50


def test_parts_of_larger_maps_are_added():
    rng = np.random.default_rng(5)
    a, b = rng.integers(-128, 128, (2, 2, 6, 3, 8)).astype(np.int8)
    form = tuple(np.float32(x) for x in (0.5, 0.25, 1.1, -128, 127))
    made = byte_kernels.run_add(form, held(a)[:, 1:-1], held(b)[:, 2:])
    expected = NUMPY.add(form, *(x.astype(np.float32) for x in (a[:, 1:-1], b[:, 2:])))
    np.testing.assert_array_equal(made, expected + 128)


def test_changed_code_has_another_version():
    """Numba keeps what it compiled: code that changes needs another VERSION, and this hash."""
    known = {1: "4942afe365a890189c3976780649ebfd10f9cfbc1cba89d3649f7e6984e85735"}
    content = Path(vector_code.__file__).read_bytes()
    assert hashlib.sha256(content).hexdigest() == known[vector_code.VERSION]
