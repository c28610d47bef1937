"""The float32 form gives the integers' result for every sum that can occur, not for a sample."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from mnv2.golden import ops
from mnv2.golden.arithmetic import ROUNDINGS, Arithmetic
from mnv2.golden.fast.affine_scale import fit, thresholds
from mnv2.golden.fast.choice import load_compiled
from mnv2.golden.fast.kernels import NUMPY
from mnv2.golden.fast.prepared import prepare_layer, scale_sums
from mnv2.golden.quantized_layer import QuantizedLayer


def make_layer(
    multiplier,
    shift,
    zero_point,
    minimum,
    maximum,
    rounding="double",
    weights=None,
    bias=None,
    **arithmetic,
):
    channels = len(multiplier)
    if weights is None:
        weights = np.tile(np.arange(-100, 100, 20, dtype=np.int8)[:, None], channels)
    return QuantizedLayer(
        name="layer",
        kind="project",
        weights=weights,
        bias=np.zeros(channels, np.int32) if bias is None else bias,
        multiplier=np.asarray(multiplier, np.int32),
        shift=np.asarray(shift, np.int32),
        input_scale=1.0,
        input_zero_point=-3,
        weight_scales=np.ones(channels, np.float32),
        output_scale=1.0,
        output_zero_point=zero_point,
        minimum=minimum,
        maximum=maximum,
        arithmetic=Arithmetic(rounding=rounding, **arithmetic),
    )


def assert_every_sum(layer, low=-128, high=127):
    """Every sum between the bounds, of every channel; returns the form."""
    prepared = prepare_layer(layer, low, high, 8)
    correction = prepared.correction
    ends = [bound - correction for bound in _bounds(layer, low, high)]
    sums = np.arange(ends[0].min(), ends[1].max() + 1)[:, None]
    sums = np.clip(sums, *ends)
    expected = ops.requantize(
        (sums + correction).astype(np.int32),
        layer.multiplier,
        layer.shift,
        layer.output_zero_point,
        layer.minimum,
        layer.maximum,
        layer.arithmetic.rounding,
    )
    for kernels in (NUMPY, load_compiled()):
        target = np.empty(sums.shape, np.float32)
        scale_sums(kernels, prepared, sums.astype(np.float32), target)
        np.testing.assert_array_equal(target, expected, err_msg=kernels.name)
    return prepared, expected


def _bounds(layer, low, high):
    """The accumulator's ends by brute force: each weight times the input that suits it."""
    wide = layer.weights.astype(np.int64)
    ends = wide * (low - layer.input_zero_point), wide * (high - layer.input_zero_point)
    return (layer.bias + np.minimum(*ends).sum(axis=0), layer.bias + np.maximum(*ends).sum(axis=0))


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("clamp", [(-128, 127), (-20, 127), (-20, 60), (0, 127), (-60, -20)])
@pytest.mark.parametrize("seed", range(2))
def test_every_sum(seed, clamp, rounding):
    rng = np.random.default_rng([seed, clamp[0] + 128])
    channels = 10
    multiplier = rng.integers(2**30, 2**31, channels)
    multiplier[:3] = 2**30, 2**30, 2**31 - 1
    shift = rng.integers(5, 14, channels)
    bias = rng.integers(-(2**15), 2**15, channels).astype(np.int32)
    layer = make_layer(multiplier, shift, -20, *clamp, rounding, bias=bias)
    prepared, expected = assert_every_sum(layer)
    assert len(prepared.unproven) == 0
    assert len(np.unique(expected)) > 30


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_powers_of_two_are_all_ties(rounding):
    shift = np.arange(1, 13)
    for minimum, zero_point in itertools.product((-128, 6), (5, 6)):
        layer = make_layer(np.full(12, 2**30), shift, zero_point, minimum, 127, rounding)
        if (rounding, zero_point) == ("even", 5):  # rint goes to the wrong neighbour
            assert prepare_layer(layer, -128, 127, 1) is None
            continue
        prepared, _ = assert_every_sum(layer)
        assert len(prepared.unproven) == len(prepared.form.exception_sums) == 0


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_what_is_not_proven_comes_from_integers(rounding):
    """A multiplier of 0, shifts far to the right, left shifts that wrap."""
    multiplier = np.array([0, 2**30, 2**31 - 1, 2**30 + 5] + [2**30 + 77 * n for n in range(1, 25)])
    shift = np.array([0, 31, 23, -20] + [8] * 24)
    prepared, _ = assert_every_sum(make_layer(multiplier, shift, 5, -128, 127, rounding))
    assert set(prepared.unproven) == {0, 1, 2, 3}


@pytest.mark.parametrize("zero_point", [-128, 4])
def test_small_scales_need_exceptions(zero_point):
    """Single sums are replaced where a step of the sum is less than float32 resolves."""
    rng = np.random.default_rng(3)
    weights = rng.integers(-127, 128, (120, 6), dtype=np.int8)
    layer = make_layer(
        rng.integers(2**30, 2**31, 6), np.full(6, 13), zero_point, -128, 127, weights=weights
    )
    prepared, expected = assert_every_sum(layer)
    form = prepared.form
    channels, sums = form.exception_channels, form.exception_sums
    assert (form.half is None) == (zero_point == -128)
    assert len(sums) > 0
    assert len(prepared.unproven) == 0
    # They are exceptions indeed: without replacements those very sums come out otherwise.
    none = replace(
        form, exception_channels=channels[:0], exception_sums=sums[:0], replacements=sums[:0]
    )
    exact = ops.requantize(
        (sums + prepared.correction[channels]).astype(np.int32),
        layer.multiplier[channels],
        layer.shift[channels],
        zero_point,
        -128,
        127,
    )
    for kernels in (NUMPY, load_compiled()):
        rows, target = np.tile(sums[:, None], 6), np.empty((len(sums), 6), np.float32)
        kernels.scale(replace(prepared, form=none), rows, target)
        assert np.all(target[np.arange(len(sums)), channels] != exact)
    # One may be put in after the other.
    pairs = set(zip(channels, sums, strict=True))
    assert pairs.isdisjoint(zip(channels, form.replacements, strict=True))
    assert len(np.unique(expected)) > 100


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_thresholds_are_the_first_of_their_output(rounding):
    rng = np.random.default_rng(4)
    layer = make_layer(
        rng.integers(2**30, 2**31, 50), rng.integers(-6, 16, 50), -7, -90, 101, rounding
    )
    outputs = np.arange(-89, 102)
    edges = thresholds(layer, outputs)
    for distance, compare in ((0, np.greater_equal), (-1, np.less)):
        results = ops.requantize(
            edges + distance, layer.multiplier, layer.shift, -7, -128, 127, rounding
        )
        assert compare(results, outputs[:, None]).all()


def test_a_form_that_is_off_is_not_proven():
    """The check itself: a correction that is wrong by one sum must not pass with the other's."""
    layer = make_layer([2**30 + 12345], [9], -128, -128, 127)
    lowest, highest = np.array([-40000]), np.array([40000])
    right, wrong = (fit(layer, np.array([c]), lowest, highest, np.array([True])) for c in (7, 8))
    sums = np.arange(-40000, 40001, dtype=np.float32)
    first, second = (
        np.clip(np.rint((sums + form.offset) * form.scale), -128, 127) for form in (right, wrong)
    )
    exact = ops.requantize(
        (sums + 7).astype(np.int32)[:, None], layer.multiplier, layer.shift, -128, -128, 127
    )[:, 0]
    assert np.array_equal(first, exact)
    assert not np.array_equal(second, exact)


@pytest.mark.parametrize("side", [-1, 1])
def test_an_accumulator_that_leaves_its_range_on_one_side(side):
    layer = make_layer([2**30 + 99] * 3, [8] * 3, 0, -128, 127, accumulator_bits=14)
    prepared = prepare_layer(layer, -128, 127, 8)
    ends = _bounds(layer, -128, 127)
    assert ends[0].max() < -(2**13)
    assert ends[1].min() > 2**13
    acc = side * np.arange(8000, 8400)[:, None] + np.zeros((1, 3), int)
    counts, target = {}, np.empty(acc.shape, np.float32)
    scale_sums(NUMPY, prepared, (acc - prepared.correction).astype(np.float32), target, counts)
    wrapped = (acc + 2**13) % 2**14 - 2**13
    expected = ops.requantize(wrapped, layer.multiplier, layer.shift, 0, -128, 127)
    np.testing.assert_array_equal(target, expected)
    assert counts == {"layer": 3 * int(np.sum((acc[:, 0] > 8191) | (acc[:, 0] < -8192)))}


def test_padding_counts_where_its_zero_point_is_no_input():
    """Inputs of 10..20 keep the accumulator in range; padding alone leaves the bias out of it."""
    layer = make_layer(
        [2**30],
        [8],
        0,
        -128,
        127,
        weights=np.full((1, 1), -100, np.int8),
        bias=np.array([9000], np.int32),
        accumulator_bits=14,
    )
    assert (9000 - 100 * (10 + 3), 9000 - 100 * (20 + 3)) == (7700, 6700)
    assert prepare_layer(layer, 10, 20, 8).safe is not None
