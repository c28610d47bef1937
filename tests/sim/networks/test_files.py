"""Models in files: told apart by what is in them, and refused in one sentence."""

import io

import numpy as np
import pytest

from mnv2.golden.archive import model_to_arrays
from mnv2.golden.float_model import FloatModel
from mnv2.golden.graph.family import FamilyNetwork
from mnv2.golden.model import QuantizedModel
from mnv2.golden.network import mobilenet_v2
from mnv2.sim.errors import UserError
from mnv2.sim.networks.files import hash_file, read_model_file, read_model_network
from mnv2.sim.networks.open import open_model
from tests.golden.family_files import random_quantized_network, small_network, write_family
from tests.golden.graph.models import ModelMaker
from tests.sim.networks.float_files import float_file


@pytest.fixture(scope="module")
def model():
    return random_quantized_network(np.random.default_rng(1), small_network((16, 16)))


@pytest.fixture(scope="module")
def archive(model):
    content = io.BytesIO()
    np.savez(content, **model_to_arrays(model))
    return content.getvalue()


def test_formats_are_told_by_content(model, archive, tmp_path):
    path = tmp_path / "model.xyz"
    path.write_bytes(write_family(model))
    assert isinstance(read_model_file(path), FamilyNetwork)
    assert read_model_network(path).classes == model.network.classes
    path.write_bytes(archive)
    read = read_model_file(path)
    assert isinstance(read, QuantizedModel)
    np.testing.assert_array_equal(read.head.weights, model.head.weights)
    assert read_model_network(path) == model.network
    network = mobilenet_v2(0.35, 64, classes=3)
    path.write_bytes(float_file(network, np.random.default_rng(2)))
    read = read_model_file(path, input_size=64)
    assert isinstance(read, FloatModel)
    assert read.network.input_shape == (64, 64, 3)
    assert [layer.output_shape for layer in read.network.layers] == [
        layer.output_shape for layer in network.layers
    ]


def test_float_files_are_quantised_once(tmp_path, monkeypatch):
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "model.safetensors"
    path.write_bytes(float_file(mobilenet_v2(0.35, 32, classes=3), np.random.default_rng(2)))
    steps = []
    first = open_model(path, input_size=32, progress=lambda *step: steps.append(step))
    assert steps[-1][0] == steps[-1][1] == len(steps)
    again = open_model(path, input_size=32, progress=lambda *_: pytest.fail("calibrated again"))
    np.testing.assert_array_equal(first.integer.head.weights, again.integer.head.weights)
    assert first.family is None
    assert first.float_model.network == first.network
    steps.clear()
    open_model(path, input_size=33, progress=lambda *step: steps.append(step))
    assert steps  # another size is another model
    path.write_bytes(float_file(mobilenet_v2(0.35, 32, classes=3), np.random.default_rng(3)))
    steps.clear()
    open_model(path, input_size=32, progress=lambda *step: steps.append(step))
    assert steps  # and so is another content


def test_integers_are_used_as_they_are(model, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(write_family(model))
    opened = open_model(path, progress=lambda *_: pytest.fail("calibrated"))
    assert opened.float_model is None
    np.testing.assert_array_equal(opened.integer.stem.multiplier, model.stem.multiplier)
    with pytest.raises(UserError, match="states its own size: leave out --size"):
        open_model(path, input_size=96)
    with pytest.raises(UserError, match="give --weights or --model, not both"):
        open_model(path, weights=path)


def test_size_of_the_bundled_network():
    with pytest.raises(UserError, match="the bundled network has its own"):
        open_model(input_size=96)


def other_network(folder):
    maker = ModelMaker(np.random.default_rng(1))
    content, _ = maker.finish([maker.mean(maker.input((1, 5, 5, 3)))])
    return content


def test_files_that_are_no_models(archive, tmp_path):
    path = tmp_path / "model"
    for content, words in [
        (b"", "is empty"),
        (b"lorem ipsum dolor", "must be of a known format: PyTorch"),
        (b"\0\0\0\0TFL3" + b"\xff" * 60, "cannot be used"),
        (other_network(tmp_path), r"0 \(MEAN\) does not fit .* CONV_2D as stem; mnv2 golden runs"),
        (archive[: len(archive) // 2], "cannot be used|damaged|zip"),
    ]:
        path.write_bytes(content)
        with pytest.raises(UserError, match=words) as caught:
            read_model_file(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    np.savez(path.with_suffix(".npz"), header=np.zeros(4, np.uint8))
    with pytest.raises(UserError, match="The arrays must be those of a quantised model"):
        read_model_file(path.with_suffix(".npz"))
    with pytest.raises(UserError, match="cannot be read: No such file"):
        read_model_file(tmp_path / "none")
    with pytest.raises(UserError, match="cannot be read: No such file"):
        hash_file(tmp_path / "none")
    with pytest.raises(UserError, match="must be a file"):
        read_model_file(tmp_path)
