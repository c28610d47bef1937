"""From a float model and calibration to the integer model: records, options, the archive."""

import numpy as np
import pytest

from mnv2.golden.archive import model_from_arrays, model_to_arrays
from mnv2.golden.arithmetic import Arithmetic
from mnv2.golden.fixed_point import dequantize, quantize_multiplier, signed_range
from mnv2.golden.quantize import (
    QuantizationOptions,
    calibrate,
    choose_ranges,
    first_and_last,
    quantize_image,
    quantize_model,
    relu6_clamp,
)
from mnv2.golden.quantize.adaptive_rounding import adaptive_integers
from mnv2.golden.quantize.equalization import equalize
from mnv2.golden.quantize.range_statistics import collect_statistics
from tests.golden.quantize.networks import small_model, small_pictures


@pytest.fixture(scope="module")
def model():
    return small_model(np.random.default_rng(2), normalized=True)


@pytest.fixture(scope="module")
def pictures():
    return small_pictures(np.random.default_rng(3), 6)


@pytest.fixture(scope="module")
def calibration(model, pictures):
    """For any options."""
    return calibrate(
        model,
        pictures[:5],
        [QuantizationOptions(equalization=on, adaptive_rounding=True) for on in (False, True)],
    )


def records_of(made):
    return [*made.layers, *(block.add for block in made.blocks if block.add), made.pool]


def logits_sqnr(made, model, picture):
    expected = model.run(picture)["classifier"].reshape(-1).astype(np.float64)
    logits = made.logits(made.run(quantize_image(picture, made)))
    return 10 * np.log10(np.square(expected).sum() / np.square(logits - expected).sum())


def test_default_records_are_litert_s(model, pictures):
    """8 bits, per channel, real scales: each integer by the plainest form of the specification."""
    ranges = choose_ranges(collect_statistics(model, pictures))
    made = quantize_model(model, ranges)
    floats = model.folded().layers
    sources = {
        "stem": "input",
        "block1.depthwise": "stem",
        "block2.expand": "block1.add",
        "head": "block4.project" if made.blocks[-1].add is None else "block4.add",
        "classifier": "pool",
    }
    for record in made.layers:
        low, high = (float(end) for end in ranges[record.name])
        if record.name == "classifier":
            low, high = 1.5 * low, 1.5 * high
        low, high = min(low, 0.0), max(high, 0.0)
        assert record.output_scale == float(np.float32((high - low) / 255))
        assert record.output_zero_point == int(np.floor(-128 - low / record.output_scale + 0.5))
        if record.name in sources:
            source = ranges[sources[record.name]]
            assert record.input_scale == float(
                np.float32((max(source[1], 0.0) - min(source[0], 0.0)) / 255)
            )
        if record.kind in ("stem", "expand", "depthwise", "head"):
            six = int(np.floor(np.float32(6) / np.float32(record.output_scale) + 0.5))
            assert record.minimum == record.output_zero_point
            assert record.maximum == min(127, record.output_zero_point + six)
        else:
            assert (record.minimum, record.maximum) == (-128, 127)
        weights = floats[record.name].weights.reshape(-1, record.output_channels)
        for channel in range(record.output_channels):
            column = weights[:, channel].astype(np.float64)
            scale = np.float32(np.abs(column).max() / 127)
            assert record.weight_scales[channel] == scale
            half_away = np.trunc(column / np.float64(scale) + np.copysign(0.5, column))
            assert np.array_equal(record.weights.reshape(weights.shape)[:, channel], half_away)
            step = np.float64(np.float32(record.input_scale)) * np.float64(scale)
            bias = floats[record.name].bias[channel] / step
            assert record.bias[channel] == int(np.trunc(bias + np.copysign(0.5, bias)))
            assert (record.multiplier[channel], record.shift[channel]) == quantize_multiplier(
                step / np.float64(np.float32(record.output_scale))
            )


def test_every_tensor_is_near_float(model, pictures):
    """With 8 bits no tensor is worse than 20 dB; with 4 bits most of them are."""
    ranges = choose_ranges(collect_statistics(model, pictures[:5]))
    reference = model.folded().run(pictures[5])
    worst = {}
    for bits in (4, 6, 8):
        made = quantize_model(model, ranges, QuantizationOptions(bits, bits))
        low, high = signed_range(bits)
        tensors = made.run(quantize_image(pictures[5], made))
        ratios = []
        for record in records_of(made):
            value = tensors[record.name]
            assert low <= value.min() <= value.max() <= high
            real = dequantize(value, record.output_scale, record.output_zero_point)
            noise = np.square(reference[record.name] - real).sum()
            ratios.append(10 * np.log10(np.square(reference[record.name]).sum() / noise))
        worst[bits] = min(ratios)
        assert made.logits(tensors).shape == (10,)
    assert worst[8] > 20 > worst[4]
    assert worst[4] < worst[6] < worst[8]


@pytest.mark.parametrize(
    "options",
    [
        QuantizationOptions(weight_bits=2, activation_bits=4, weight_range_method="least-squares"),
        QuantizationOptions(weight_bits=3, range_method="entropy", granularity="tensor"),
        QuantizationOptions(
            scales="power-of-two", granularity="tensor", range_method="least-squares"
        ),
        QuantizationOptions(activation_bits=16, range_method="least-squares"),
        QuantizationOptions(4, 6, first_and_last(), range_method="percentile", equalization=True),
        QuantizationOptions(4, equalization=True, bias_correction=True, adaptive_rounding=True),
        QuantizationOptions(
            arithmetic=Arithmetic(12, "single", 20, "saturate"), bias_correction=True
        ),
        QuantizationOptions(scales="power-of-two", adaptive_rounding=True, weight_bits=5),
    ],
    ids=lambda o: f"W{o.weight_bits}A{o.activation_bits}-{o.range_method}-{o.scales}",
)
def test_every_option_makes_valid_records(model, pictures, calibration, options):
    made = quantize_model(model, calibration, options)
    tensors = made.run(quantize_image(pictures[5], made))
    for record in records_of(made):
        low, high = signed_range(options.activation_bits_of(record.name))
        assert record.activation_bits == options.activation_bits_of(record.name)
        assert record.arithmetic == options.arithmetic
        assert low <= record.minimum <= record.output_zero_point <= high
        assert low <= tensors[record.name].min() <= tensors[record.name].max() <= high
    for record in made.layers:
        top = 2 ** (options.weight_bits_of(record.name) - 1) - 1
        assert record.weight_bits == options.weight_bits_of(record.name)
        assert np.abs(record.weights.astype(int)).max() <= top
        if options.granularity == "tensor":
            assert np.ptp(record.weight_scales) == 0
        if options.scales == "power-of-two":
            scales = [*record.weight_scales, record.input_scale, record.output_scale]
            assert (np.frexp(scales)[0] == 0.5).all()
            assert (record.multiplier == 2**30).all()
            assert record.input_zero_point == record.output_zero_point == 0
    if options.weight_bits >= 5 and options.arithmetic.accumulator_bits == 32:
        assert logits_sqnr(made, model, pictures[5]) > 8


def test_overrides_land_where_they_should(model, calibration):
    made = quantize_model(
        model,
        calibration,
        QuantizationOptions(
            4, 4, {**first_and_last(), "block1.add": (None, 6), "block3.depthwise": (7, None)}
        ),
    )
    bits = {
        record.name: (getattr(record, "weight_bits", None), record.activation_bits)
        for record in records_of(made)
    }
    assert made.input_bits == 8
    assert bits.pop("stem") == (8, 4)
    assert bits.pop("classifier") == (8, 8)
    assert bits.pop("pool") == (None, 8)
    assert bits.pop("block1.add") == (None, 6)
    assert bits.pop("block3.depthwise") == (7, 4)
    assert set(bits.values()) <= {(4, 4), (None, 4)}
    with pytest.raises(ValueError, match="must name a layer of the network, not 'block7.expand'"):
        quantize_model(model, calibration, QuantizationOptions(overrides={"block7.expand": (8, 8)}))


def test_16_bit_activations_leave_the_weights_error_alone(model, pictures, calibration):
    ratios = [
        logits_sqnr(
            quantize_model(model, calibration, QuantizationOptions(8, bits, range_method="minmax")),
            model,
            pictures[0],
        )
        for bits in (6, 8, 16)
    ]
    assert ratios[0] + 3 < ratios[1] < ratios[2]


def test_repairs_help_few_bits(pictures):
    """Weights of 3 bits: bias correction and adaptive rounding each lower the logits' noise."""
    gains = {"bias_correction": [], "adaptive_rounding": []}
    for seed in range(3):
        model = small_model(np.random.default_rng(seed))
        calibration = calibrate(model, pictures[:5], QuantizationOptions(adaptive_rounding=True))

        def noise(model=model, calibration=calibration, **repairs):
            made = quantize_model(model, calibration, QuantizationOptions(3, **repairs))
            return -np.mean([logits_sqnr(made, model, x) for x in pictures])

        for repair, seen in gains.items():
            seen.append(noise() - noise(**{repair: True}))
    assert min(np.mean(seen) for seen in gains.values()) > 0.5, gains


def test_bias_correction_makes_truncation_a_rounding(model, pictures, calibration):
    ratios = {
        (rounding, on): np.mean(
            [
                logits_sqnr(
                    quantize_model(
                        model,
                        calibration,
                        QuantizationOptions(
                            arithmetic=Arithmetic(rounding=rounding), bias_correction=on
                        ),
                    ),
                    model,
                    x,
                )
                for x in pictures
            ]
        )
        for rounding in ("single", "truncate")
        for on in (False, True)
    }
    assert ratios["truncate", False] < ratios["single", False] - 6
    assert ratios["truncate", True] > ratios["single", True] - 5, ratios


@pytest.mark.parametrize("correction", [False, True])
def test_rounding_looks_at_what_the_bias_leaves(model, calibration, correction):
    """With bias correction a mean error costs nothing: the covariance counts, else the Gram."""
    made = quantize_model(
        model,
        calibration,
        QuantizationOptions(3, adaptive_rounding=True, bias_correction=correction),
    )
    layer = model.network.blocks[1].project
    moments = calibration.statistics[False].moments[layer.name]
    weights = model.folded().layers[layer.name].weights
    record = made.blocks[1].project
    by_gram, by_covariance = (
        adaptive_integers(layer, weights, record.weight_scales, x, 3)
        for x in (moments.gram, moments.covariance())
    )
    assert not np.array_equal(by_gram, by_covariance)
    assert np.array_equal(record.weights, by_covariance if correction else by_gram)


def test_equalized_layers_clamp_at_their_largest_ceiling(model, calibration):
    made = quantize_model(model, calibration, QuantizationOptions(equalization=True))
    equalized, clamped = equalize(model), 0
    for record in made.layers:
        ceiling = equalized.layers[record.name].ceiling
        if ceiling is not None:
            assert (record.minimum, record.maximum) == relu6_clamp(
                record.output_scale, record.output_zero_point, ceiling=ceiling.max()
            )
            clamped += (
                record.maximum != relu6_clamp(record.output_scale, record.output_zero_point)[1]
            )
    assert clamped


def test_statistics_are_of_both_networks(model, pictures, calibration):
    for on, network in ((False, model), (True, equalize(model))):
        expected = collect_statistics(network, pictures[:5])
        seen = calibration.statistics[on]
        assert all(np.array_equal(seen.maxima[n], expected.maxima[n]) for n in expected.maxima)


def test_one_calibration_serves_any_point(model, pictures, calibration):
    """Collected for more, or for this alone: the same integers."""
    options = QuantizationOptions(5, range_method="least-squares", bias_correction=True)
    steps = []
    alone = calibrate(model, pictures[:5], options, progress=lambda *step: steps.append(step))
    assert steps == [(i, 5) for i in range(1, 6)]
    assert list(alone.statistics) == [False]
    first, second = (
        model_to_arrays(quantize_model(model, x, options)) for x in (alone, calibration)
    )
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_progress_counts_both_networks(model, pictures):
    steps = []
    calibrate(
        model,
        pictures[:2],
        [QuantizationOptions(), QuantizationOptions(equalization=True)],
        progress=lambda *step: steps.append(step),
    )
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(
    ("repair", "words"),
    [("equalization", "equalization=True"), ("adaptive_rounding", "adaptive_rounding=True")],
)
def test_what_was_not_collected_is_named(model, pictures, repair, words):
    calibration = calibrate(model, pictures[:1])
    with pytest.raises(ValueError, match=f"made for options with {words}"):
        quantize_model(model, calibration, QuantizationOptions(**{repair: True}))
    ranges = choose_ranges(calibration.statistics[False])
    with pytest.raises(ValueError, match="Repairs need a Calibration"):
        quantize_model(model, ranges, QuantizationOptions(**{repair: True}))


@pytest.mark.parametrize("bits", [4, 8, 16])
def test_images_fit_the_models_input(model, calibration, bits):
    made = quantize_model(
        model, calibration, QuantizationOptions(overrides={"input": (None, bits)})
    )
    low, high = signed_range(bits)
    image = np.array([-1e9, 0.0, 1e9], np.float32)
    values = quantize_image(image, made)
    assert values.tolist() == [low, made.input_zero_point, high]
    assert values.dtype == (np.int16 if bits == 16 else np.int8)


def test_archive_round_trip(model, pictures, calibration):
    made = quantize_model(
        model, calibration, QuantizationOptions(arithmetic=Arithmetic(multiplier_bits=20))
    )
    again = model_from_arrays(model_to_arrays(made))
    assert again.network == made.network
    x = quantize_image(pictures[0], made)
    first, second = made.run(x), again.run(x)
    assert list(first) == list(second)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
    arrays = model_to_arrays(made)
    del arrays["head/bias"]
    with pytest.raises(ValueError, match="head/bias"):
        model_from_arrays(arrays)
