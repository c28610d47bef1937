"""A table of 256 values for each channel gives what normalisation and quantisation give."""

import numpy as np
import pytest

from mnv2.golden.float_model import IMAGENET_NORMALIZATION, KERAS_NORMALIZATION
from mnv2.golden.network import build_network
from mnv2.golden.quantize import quantize_image
from mnv2.golden.synthetic import random_model
from mnv2.sim.pictures.images import normalize
from mnv2.sim.pictures.pixel_table import float_table, integer_table, look_up


@pytest.mark.parametrize("normalization", [IMAGENET_NORMALIZATION, KERAS_NORMALIZATION])
@pytest.mark.parametrize("bits", [4, 8, 16])
def test_tables(normalization, bits):
    network = build_network(
        ((1, 4, 1, 1),), stem_channels=4, head_channels=8, classes=3, input_size=8
    )
    model, _ = random_model(np.random.default_rng(bits), network, 8, bits)
    pixels = np.random.default_rng(1).integers(0, 256, (3, 40, 30, 3), dtype=np.uint8)
    floats = look_up(pixels, float_table(normalization))
    expected = np.stack([normalize(picture, normalization) for picture in pixels])
    assert floats.dtype == np.float32
    np.testing.assert_array_equal(floats, expected)
    integers = look_up(pixels, integer_table(model, normalization))
    expected = np.stack([quantize_image(picture, model) for picture in expected])
    assert integers.dtype == expected.dtype
    np.testing.assert_array_equal(integers, expected)
    assert len(np.unique(integers)) > {4: 3, 8: 50, 16: 200}[bits]
