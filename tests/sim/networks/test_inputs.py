"""Inputs of a network: pictures and arrays, for graphs and for models without."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mnv2.golden.fixed_point import quantize
from mnv2.golden.float_model import FloatModel, InputNormalization
from mnv2.golden.graph.family import lower_family
from mnv2.golden.importers.tflite import read_graph
from mnv2.golden.network import build_network
from mnv2.sim.errors import UserError
from mnv2.sim.networks.input_files import read_input_file
from mnv2.sim.networks.inputs import load_input
from mnv2.sim.networks.open import RunnableModel, open_model
from tests.golden.family_files import random_quantized_network, small_network, write_family
from tests.golden.importers.float_files import onnx_bytes, random_float_model


@pytest.fixture(scope="module")
def integer():
    model = random_quantized_network(np.random.default_rng(1), small_network((12, 20)))
    return replace(model, input_scale=2 / 255, input_zero_point=-1)


def opened(integer, **form):
    family = lower_family(read_graph(write_family(integer, **form)))
    return RunnableModel("x.tflite", family.model, family=family)


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.png"
    pixels = np.random.default_rng(2).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_a_float_network_of_one_channel(picture, tmp_path):
    """A picture's luma, normalised like a red channel, calibration's pictures too."""
    grey = build_network(
        ((1, 8, 1, 1),),
        stem_channels=8,
        head_channels=16,
        classes=4,
        input_size=20,
        input_channels=1,
    )
    path = tmp_path / "grey.onnx"
    path.write_bytes(onnx_bytes(random_float_model(np.random.default_rng(1), grey)))
    pixels = np.asarray(Image.open(picture).convert("L").convert("RGB"))
    Image.fromarray(pixels).save(tmp_path / "grey.png")
    model = open_model(path, calibration=str(picture.parent))
    found = load_input(model, picture)
    assert found.integer.shape == (20, 20, 1)
    colour = load_input(model, tmp_path / "grey.png")
    assert np.abs(found.integer.astype(int) - colour.integer).max() <= 2
    assert np.ptp(found.real) > 0.3
    assert model.logits(model.integer.run(found.integer)).shape == (4,)


def test_a_picture_is_the_same_in_every_form(integer, picture):
    """[-1, 1] is told from the scale; a float input is quantised by the graph's QUANTIZE."""
    plain = load_input(RunnableModel("x.npz", integer), picture)
    assert plain.integer.shape == (12, 20, 3)
    assert plain.real.min() < -0.3
    assert plain.real.max() > 0.3
    assert plain.real.dtype == np.float32
    for form in ({}, {"float_input": True}, {"unsigned_ends": True}):
        found = load_input(opened(integer, **form), picture)
        np.testing.assert_array_equal(found.integer, plain.integer)
    other = load_input(RunnableModel("x.npz", integer), picture, "unit")
    np.testing.assert_allclose(other.real * 2 - 1, plain.real, atol=1e-6)


def test_a_float_model_normalises(integer, picture):
    normalization = InputNormalization((0.1, 0.2, 0.3), (0.5, 0.25, 1.0))
    model = RunnableModel("x", integer, FloatModel(integer.network, {}, normalization))
    unit = load_input(model, picture, "unit").real
    found = load_input(model, picture)
    np.testing.assert_allclose(found.real, (unit - [0.1, 0.2, 0.3]) / [0.5, 0.25, 1.0], atol=1e-5)
    np.testing.assert_array_equal(found.integer, quantize(found.real, integer.input_scale, -1))


def test_arrays(integer, tmp_path):
    path = tmp_path / "x.npy"
    values = np.random.default_rng(3).integers(-128, 128, (1, 12, 20, 3), dtype=np.int8)
    np.save(path, values)
    for model in (RunnableModel("x", integer), opened(integer)):
        found = load_input(model, path)
        np.testing.assert_array_equal(found.integer, values[0])
        np.testing.assert_allclose(found.real, (values[0] + 1.0) * 2 / 255, rtol=1e-6)
    real = found.real[None]
    np.save(path, real)
    for model in (RunnableModel("x", integer), opened(integer, float_input=True)):
        np.testing.assert_array_equal(load_input(model, path).integer, values[0])
    with pytest.raises(UserError, match=r"must be int8 \[1, 12, 20, 3\].*, not float32"):
        load_input(opened(integer), path)
    np.save(path, real[:, 1:])
    with pytest.raises(UserError, match=r"must be int8 \[1, 12, 20, 3\] .* float32 \[1, 11, 20"):
        load_input(RunnableModel("x", integer), path)


def test_a_picture_is_looked_at_first(picture, tmp_path):
    assert read_input_file(picture).picture.mode == "RGB"
    np.save(tmp_path / "x.npy", np.zeros(3))
    assert read_input_file(tmp_path / "x.npy").picture is None
    picture.write_bytes(picture.read_bytes()[:100])
    with pytest.raises(UserError, match="damaged or truncated"):
        read_input_file(picture)


def test_a_picture_is_decoded_once(integer, picture):
    """The decoded picture is used: the file may be gone by then."""
    model = RunnableModel("x.npz", integer)
    plain = load_input(model, picture)
    source = read_input_file(picture)
    picture.unlink()
    np.testing.assert_array_equal(load_input(model, source).integer, plain.integer)
    found = load_input(opened(integer), source)
    np.testing.assert_array_equal(found.integer.shape, plain.integer.shape)
