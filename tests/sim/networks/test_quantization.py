"""The use of the repairs, on the real network and the labelled photographs."""

from dataclasses import replace

import numpy as np
import pytest

from mnv2.golden.float_model import IMAGENET_NORMALIZATION
from mnv2.golden.quantize import QuantizationOptions, calibrate, quantize_image, quantize_model
from mnv2.sim.networks import open as models
from mnv2.sim.networks.compare import sqnr_db
from mnv2.sim.pictures.calibration_pictures import calibration_pictures
from mnv2.sim.pictures.photographs import labelled_photographs
from tests.sim.pictures.inputs import load_input


@pytest.fixture(scope="module")
def float_model():
    return models.load_float_model().folded()


@pytest.fixture(scope="module")
def photographs():
    return [load_input(photograph.path) for photograph in labelled_photographs()]


@pytest.fixture(scope="module")
def reference(float_model, photographs):
    """The float network's logits [20, 1000], and each channel's highest value by tensor."""
    logits, highest = [], {}
    for image in photographs:
        tensors = float_model.run(image)
        logits.append(tensors["classifier"].reshape(-1))
        for name, tensor in tensors.items():
            seen = tensor.max(axis=(0, 1))
            highest[name] = np.maximum(highest.get(name, seen), seen)
    return np.stack(logits), highest


@pytest.fixture(scope="module")
def pictures():
    return calibration_pictures()[::4]


def quality(made, photographs, logits):
    """(photographs whose first class is float's, mean SQNR of the logits in dB)."""
    batch = np.stack([quantize_image(image, made) for image in photographs])
    acc = made.run_batch(batch, keep=["logits_accumulator"])["logits_accumulator"]
    wide = [made.logits({"logits_accumulator": one}) for one in acc]
    return (
        sum(a.argmax() == b.argmax() for a, b in zip(wide, logits, strict=True)),
        float(np.mean([sqnr_db(b, a) for a, b in zip(wide, logits, strict=True)])),
    )


def rescaled(model, highest, rng):
    """Every hidden channel of every block scaled by 1/64 to 64, and back in the next layer.

    It is a plain ReLU6 network of the same function: channels that reach 6 on the photographs
    (17 of 14,240) are left alone, and no factor brings another there.
    """
    layers = dict(model.layers)
    for block in model.network.blocks:
        names = [layer.name for layer in block.layers]
        for first, second in zip(names, names[1:], strict=False):
            room = np.minimum(6, np.log2(5.9 / np.maximum(highest[first], 1e-6)))
            factor = np.where(
                highest[first] < 5.9, 2.0 ** rng.uniform(-6, np.maximum(room, -6)), 1.0
            ).astype(np.float32)
            a, b = layers[first], layers[second]
            layers[first] = replace(a, weights=a.weights * factor, bias=a.bias * factor)
            divided = b.weights / (factor if b.layer.kind == "depthwise" else factor[:, None])
            layers[second] = replace(b, weights=divided)
    return replace(model, layers=layers)


@pytest.mark.parametrize("seed", [0, 1])
def test_equalization_brings_a_ruined_network_back(
    float_model, photographs, reference, pictures, seed
):
    """Per tensor, 8 bits: from under 20 % agreement with float to over 80 %."""
    logits, highest = reference
    ruined = rescaled(float_model, highest, np.random.default_rng(seed))
    for image, expected in zip(photographs, logits, strict=True):
        seen = ruined.run(image)["classifier"].reshape(-1)
        assert np.abs(seen - expected).max() < 1e-3
    options = [QuantizationOptions(granularity="tensor", equalization=on) for on in (False, True)]
    calibration = calibrate(ruined, pictures, options, IMAGENET_NORMALIZATION.range())
    (before, _), (after, sqnr) = (
        quality(quantize_model(ruined, calibration, x), photographs, logits) for x in options
    )
    assert before < 4  # measured: 0 of 20
    assert after > 16  # measured: 19 of 20
    assert sqnr > 13  # measured: 16 dB


def test_few_bits_need_the_repairs(float_model, photographs, reference, pictures):
    """W4A8 per channel: to nearest it names nothing; bias correction and rounding repair it."""
    options = {
        "nearest": QuantizationOptions(4),
        "bias": QuantizationOptions(4, weight_range_method="least-squares", bias_correction=True),
        "all": QuantizationOptions(
            4, weight_range_method="least-squares", bias_correction=True, adaptive_rounding=True
        ),
    }
    calibration = calibrate(
        float_model, pictures, list(options.values()), IMAGENET_NORMALIZATION.range()
    )
    agree, sqnr = {}, {}
    for name, chosen in options.items():
        agree[name], sqnr[name] = quality(
            quantize_model(float_model, calibration, chosen), photographs, reference[0]
        )
    assert agree["nearest"] <= 6  # measured: 2 of 20, -0.3 dB
    assert min(agree["bias"], agree["all"]) >= 15  # measured: 19 and 18
    assert sqnr["bias"] > sqnr["nearest"] + 4  # measured: 7.2 dB
    assert sqnr["all"] > sqnr["bias"] + 0.8  # measured: 9.0 dB
