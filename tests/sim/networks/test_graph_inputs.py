"""Models and inputs from files: what is read, and what is refused in a sentence."""

import numpy as np
import pytest
from PIL import Image

from mnv2.golden.importers.tflite import read_graph
from mnv2.sim.errors import UserError
from mnv2.sim.networks import files
from mnv2.sim.networks.files import load_graph
from mnv2.sim.networks.graph_inputs import load_graph_inputs
from mnv2.sim.pictures.images import crop_image
from mnv2.sim.pictures.normalization import NORMALIZATIONS, choose_normalization
from tests.golden.graph.models import ModelMaker
from tests.golden.graph.random_layers import LAYERS


def picture_model(shape=(1, 20, 20, 3), scale=2 / 255, zero=-1, dtype=np.int8):
    """A model with one input for a picture."""
    maker = ModelMaker(np.random.default_rng(0))
    source = maker.input(shape, scale, zero, dtype)
    if dtype == np.float32:
        source = maker.quantize(source, scale, zero)
    target = maker.quantize(source) if dtype == np.uint8 else maker.mean(source)
    return read_graph(maker.finish([target])[0])


@pytest.fixture
def picture(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    path = tmp_path / "cat.png"
    Image.fromarray(pixels).save(path)
    return path


def test_a_model_and_its_inputs(tmp_path):
    content, inputs = LAYERS["add"](np.random.default_rng(2))
    (tmp_path / "model.tflite").write_bytes(content)
    paths = []
    for number, array in enumerate(inputs):
        paths.append(tmp_path / f"{number}.npy")
        np.save(paths[-1], np.asfortranarray(array))
    graph = load_graph(tmp_path / "model.tflite")
    for loaded, array in zip(load_graph_inputs(graph, paths), inputs, strict=True):
        assert loaded.dtype == np.int8
        np.testing.assert_array_equal(loaded, array)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "cannot be read: No such file"),
        (lambda path: path.mkdir(), "must be a file"),
        (lambda path: path.write_bytes(b""), "identifier TFL3"),
        (lambda path: path.write_bytes(b"\x10\0\0\0TFL3" + b"\xff" * 30), "damaged or truncated"),
    ],
)
def test_models_that_are_none(make, words, tmp_path):
    path = tmp_path / "model.tflite"
    make(path)
    with pytest.raises(UserError, match=words) as caught:
        load_graph(path)
    assert str(path) in str(caught.value)


def test_a_model_that_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAXIMUM_BYTES", 1000)
    path = tmp_path / "model.tflite"
    path.write_bytes(bytes(1001))
    with pytest.raises(UserError, match="must have at most 1,000 bytes"):
        load_graph(path)


def save_pickle(path):
    np.save(path, np.array([{}]), allow_pickle=True)


def save_archive(path):
    with path.open("wb") as file:
        np.savez(file, x=np.zeros(3))


def save_endless(path):
    """A header that promises more than the file holds, by far."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|i1", "fortran_order": False, "shape": (2**40, 2**10)}
        )


def save_nested(path):
    """A header that numpy cannot parse, and quotes."""
    header = b"{'descr': " + b"(" * 3000 + b"'|i1'" + b")" * 3000 + b", 'fortran_order': False}\n"
    path.write_bytes(b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header)


@pytest.mark.parametrize(
    ("save", "words"),
    [
        (
            lambda path: np.save(path, np.zeros((1, 20, 20, 3))),
            r"int8 \[1, 20, 20, 3\] .*not float64",
        ),
        (
            lambda path: np.save(path, np.zeros((20, 20, 3), np.int8)),
            r"int8 .*not int8 \[20, 20, 3\]",
        ),
        (lambda path: np.save(path, np.zeros((1, 20, 20, 3), "S1")), "not .*S1"),
        (lambda path: path.write_bytes(b""), "must be an .npy of numbers"),
        (lambda path: path.write_bytes(b"\x93NUMPY\x01\0\xff\xff"), "must be an .npy of numbers"),
        (lambda path: path.write_bytes(b"lorem ipsum"), "must be an .npy of numbers"),
        (lambda path: path.mkdir(), "must be a file"),
        (save_pickle, "must be an .npy of numbers"),
        (save_archive, "must be an .npy of one array"),
        (save_endless, "must be an .npy of numbers"),
        (save_nested, "must be an .npy of numbers"),
    ],
)
def test_arrays_that_do_not_fit(save, words, tmp_path):
    path = tmp_path / "x.npy"
    save(path)
    with pytest.raises(UserError, match=words) as caught:
        load_graph_inputs(picture_model(), [path])
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 300


def test_how_many_inputs(tmp_path, picture):
    with pytest.raises(UserError, match="The number of inputs must be 1, one --input each, not 2"):
        load_graph_inputs(picture_model(), [picture, picture])
    maker = ModelMaker(np.random.default_rng(3))
    a, b = maker.input((1, 8, 8, 3)), maker.input((1, 8, 8, 3))
    graph = read_graph(maker.finish([maker.add(a, b)])[0])
    with pytest.raises(UserError, match="must be an .npy, as the model has 2 inputs"):
        load_graph_inputs(graph, [picture, picture])


@pytest.mark.parametrize("shape", [(1, 20, 20, 2), (1, 20, 20, 4), (2, 20, 20, 3), (1, 60)])
def test_models_that_take_no_picture(shape, picture):
    maker = ModelMaker(np.random.default_rng(4))
    graph = read_graph(maker.finish([maker.dequantize(maker.input(shape))])[0])
    with pytest.raises(UserError, match=r"only a model with an input of \[1, H, W, 3\]"):
        load_graph_inputs(graph, [picture])


def test_a_model_of_one_channel_takes_the_luma(picture):
    """0.299 R + 0.587 G + 0.114 B, ITU-R 601, of the same crop."""
    pixels = crop_image(Image.open(picture), 20).astype(float)
    (array,) = load_graph_inputs(picture_model((1, 20, 20, 1), 1 / 128, 0), [picture])
    luma = pixels @ [0.299, 0.587, 0.114]
    expected = np.clip(np.floor((luma / 127.5 - 1) * 128 + 0.5), -128, 127)
    assert array.shape == (1, 20, 20, 1)
    assert np.abs(array[0, ..., 0] - expected).max() <= 2  # roundings of the luma and the crop
    assert np.ptp(expected) > 50


def test_a_picture_is_cropped_normalised_and_quantised(picture):
    pixels = crop_image(Image.open(picture), 20).astype(float)
    (array,) = load_graph_inputs(picture_model(scale=1 / 128, zero=0), [picture])
    expected = np.clip(np.floor((pixels / 127.5 - 1) * 128 + 0.5), -128, 127)
    assert np.abs(array[0] - expected).max() <= 1  # ties and float32
    assert (array[0] == expected).mean() > 0.95
    (array,) = load_graph_inputs(picture_model(scale=1.0, zero=0, dtype=np.uint8), [picture])
    assert array.dtype == np.uint8
    np.testing.assert_array_equal(array[0], pixels)
    (array,) = load_graph_inputs(picture_model(scale=3.0, zero=-100), [picture], "raw")
    np.testing.assert_array_equal(array[0], np.floor(pixels / 3 + 0.5) - 100)
    (array,) = load_graph_inputs(picture_model(dtype=np.float32), [picture])
    np.testing.assert_allclose(array[0], pixels / 127.5 - 1, atol=1e-6)


def test_a_picture_for_a_map_that_is_not_square(picture):
    square = crop_image(Image.open(picture), 20)
    (array,) = load_graph_inputs(picture_model((1, 12, 20, 3), 1.0, 0, np.uint8), [picture])
    np.testing.assert_array_equal(array[0], square[4:16])


@pytest.mark.parametrize(
    ("scale", "zero", "dtype", "name"),
    [
        (1 / 127.5, -1, np.int8, "symmetric"),
        (1 / 127.5, 127, np.uint8, "symmetric"),
        (1 / 255, -128, np.int8, "unit"),
        (1 / 255, 0, np.uint8, "unit"),
        (1.0, 0, np.uint8, "raw"),
        (1.0, -128, np.int8, "raw"),
        (0.0186584, -14, np.int8, "imagenet"),
        (0.0207, -8, np.float32, "imagenet"),
        (0.0078, 0, np.float32, "symmetric"),
    ],
)
def test_the_normalisation_follows_from_the_scale(scale, zero, dtype, name):
    assert choose_normalization(picture_model(scale=scale, zero=zero, dtype=dtype)) == name
    low, high = NORMALIZATIONS[name].range()
    assert low < high
