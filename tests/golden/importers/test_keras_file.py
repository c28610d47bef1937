"""Keras' files: real ones of Keras 2 and 3 against Keras' logits, and each complaint."""

import functools
import io
import json
import tarfile
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from mnv2.golden.float_model import KERAS_NORMALIZATION
from mnv2.golden.importers.hdf5_file import parse_hdf5
from mnv2.golden.importers.keras_config import KerasConfig
from mnv2.golden.importers.keras_file import parse_keras_hdf5, parse_keras_zip
from mnv2.golden.network import mobilenet_v2
from tests.golden.importers.float_files import assert_equal_models

#: Made by `make.py` in their folder, which says with what.
FOLDER = Path(__file__).parent / "keras"
SIZES = {"keras": 64, "keras2": 65}
FILES = (
    "keras.keras",
    "keras.h5",
    "keras.weights.h5",
    "keras2.keras",
    "keras2.h5",
    "keras2.weights.h5",
    "keras2_weights.h5",
)


@functools.cache
def file_bytes(name):
    with tarfile.open(FOLDER / f"{name.split('.')[0].split('_')[0]}.tar.xz") as archive:
        return archive.extractfile(name).read()


def read(name, **options):
    size = SIZES[name.split(".")[0].split("_")[0]] if "weights" in name else None
    parse = parse_keras_zip if name.endswith(".keras") else parse_keras_hdf5
    return parse(file_bytes(name), **{"input_size": size, **options})


@pytest.mark.parametrize("name", FILES)
def test_logits_are_keras(name):
    version = name.split(".")[0].split("_")[0]
    model = read(name)
    assert model.network == mobilenet_v2(0.05, SIZES[version], 7, "tensorflow")
    assert model.input_normalization == KERAS_NORMALIZATION
    assert {x.normalization.epsilon for key, x in model.layers.items() if key != "classifier"} == {
        1e-3
    }
    with np.load(FOLDER / "predictions.npz") as known:
        for pixels, logits in zip(
            known[f"{version}_images"], known[f"{version}_logits"], strict=True
        ):
            image = (pixels / 127.5 - 1).astype(np.float32)
            assert np.ptp(logits) > 5
            for form in (model, model.folded()):
                assert np.abs(form.run(image)["classifier"].ravel() - logits).max() < 1e-3


def test_all_files_of_a_version_hold_one_model():
    for version in SIZES:
        first, *others = (
            read(name)
            for name in FILES
            if name.startswith(version + ".") or name.startswith(version + "_")
        )
        for other in others:
            assert_equal_models(first, other)


CASES = Path(__file__).parent / "cases"
NESTED = [
    f"{name}{kind}"
    for name in ("functional", "sequential", "adapted")
    for kind in (".keras", ".h5")
]


@functools.cache
def nested_bytes(name):
    with tarfile.open(FOLDER / "nested.tar.xz") as archive:
        return archive.extractfile(name).read()


def read_nested(name):
    return (parse_keras_zip if name.endswith(".keras") else parse_keras_hdf5)(nested_bytes(name))


@pytest.mark.parametrize("name", NESTED)
def test_models_within_models(name):
    """Made by `make_nested.py`: what stands before the backbone is in the normalisation."""
    model = read_nested(name)
    assert model.network.layers == mobilenet_v2(0.05, 32, 5, "tensorflow").layers
    (note,) = model.notes
    assert note.startswith("folded into the normalisation of pixels from 0 to 255: ")
    normalization = model.input_normalization
    with np.load(FOLDER / "nested.npz") as known:
        for pixels, logits in zip(known["images"], known[name.split(".")[0]], strict=True):
            image = (pixels / 255 - normalization.mean) / normalization.deviation
            have = model.run(image.astype(np.float32))["classifier"].ravel()
            assert np.ptp(logits) > 1
            assert np.abs(have - logits).max() < 1e-3


def test_preprocessing_is_said():
    assert "true_divide" in read_nested("functional.keras").notes[0]
    assert read_nested("functional.h5").input_normalization == KERAS_NORMALIZATION
    assert "rescaling (Rescaling)" in read_nested("sequential.keras").notes[0]
    deviation = read_nested("adapted.keras").input_normalization.deviation
    np.testing.assert_allclose(np.array(deviation) * 255, [25, 5, 65], rtol=1e-6)


def test_a_model_within_a_model_as_people_publish_it():
    model = parse_keras_hdf5((CASES / "nested.h5").read_bytes())
    assert [block.expansion for block in model.network.blocks] == [1, 2]
    assert model.network.input_shape == (32, 32, 3)
    assert model.input_normalization == KERAS_NORMALIZATION
    assert not model.notes
    with h5py.File(CASES / "nested.h5") as file:
        kernel = file["model_weights/mobilenetv2_small/block_1_expand/kernel"][0, 0]
    np.testing.assert_array_equal(model.layers["block2.expand"].weights, kernel)


def change_nested(change, name="sequential.keras"):
    """A nested file after a function has worked on the layers of its configuration."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(nested_bytes(name))) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.namelist():
            content = old.read(member)
            if member == "config.json":
                config = json.loads(content)
                change(config["config"]["layers"])
                content = json.dumps(config)
            new.writestr(member, content)
    return file.getvalue()


def layer_of(layers, kind):
    return next(x for x in layers if x["class_name"] == kind)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda x: layer_of(x, "Rescaling")["config"].__setitem__("scale", -1.0),
            "must scale pixels by positive finite factors",
        ),
        (
            lambda x: layer_of(x, "Rescaling")["config"].__setitem__("scale", [1.0, 2.0]),
            "one, or one for each of 3 channels",
        ),
        (
            lambda x: layer_of(x, "Rescaling")["config"].__setitem__("scale", "x"),
            "one, or one for each of 3 channels",
        ),
        (lambda x: x.append(x.pop(1)), "of the class Rescaling must work on the image"),
        (
            lambda x: layer_of(x, "AveragePooling2D")["config"].__setitem__("pool_size", [2, 2]),
            r"mean of the whole map, \(1, 1\), not of \(2, 2\)",
        ),
        (
            lambda x: layer_of(x, "Flatten").__setitem__("class_name", "GlobalMaxPooling2D"),
            "not of the class GlobalMaxPooling2D",
        ),
        (lambda x: x.append(x[2]), "must have names of their own"),
    ],
)
def test_complaints_of_nested_models(change, words):
    with pytest.raises(ValueError, match=words):
        parse_keras_zip(change_nested(change))


def test_pixels_from_0_to_1():
    """A Rescaling that leaves pixels far from any network's range was made for other pixels."""

    def change(layers):
        layer_of(layers, "Rescaling")["config"] |= {"scale": 2.0, "offset": -1.0}

    model = parse_keras_zip(change_nested(change))
    assert model.input_normalization == KERAS_NORMALIZATION
    assert "pixels from 0 to 1: rescaling" in model.notes[0]


def test_layers_of_keras_2():
    """TFOpLambda, with its constants among the arguments of the call."""

    def change(layers):
        index = next(i for i, x in enumerate(layers) if x["class_name"] == "TrueDivide")
        for place, (function, value) in (
            (index, ("math.subtract", 20.0)),
            (index + 1, ("math.truediv", 50.0)),
        ):
            layer = layers[place]
            source = layers[place - 1]["config"]["name"]
            layer |= {
                "class_name": "TFOpLambda",
                "config": {"name": layer["config"]["name"], "function": function},
                "inbound_nodes": [[source, 0, 0, {"y": value, "name": None}]],
            }

    model = parse_keras_zip(change_nested(change, "functional.keras"))
    np.testing.assert_allclose(model.input_normalization.mean, 20 / 255, rtol=1e-6)
    np.testing.assert_allclose(model.input_normalization.deviation, 50 / 255, rtol=1e-6)


def test_size_is_given_only_where_the_file_has_none():
    assert read("keras.weights.h5", input_size=None).network.input_shape == (224, 224, 3)
    assert read("keras.h5", input_size=64).network.input_shape == (64, 64, 3)
    with pytest.raises(ValueError, match="has 64 rows and 64 columns, not the given input size 96"):
        read("keras.h5", input_size=96)


def change_hdf5(name, change):
    """The file's bytes after a function has worked on it, open."""
    file = io.BytesIO(file_bytes(name))
    with h5py.File(file, "r+") as opened:
        change(opened)
    return file.getvalue()


def change_config(change):
    """`keras.keras` after a function has worked on its layers' settings by name."""

    def rewrite(name, content):
        if name != "config.json":
            return content
        config = json.loads(content)
        layers = {x["config"]["name"]: x for x in config["config"]["layers"]}
        change(layers)
        config["config"]["layers"] = list(layers.values())
        return json.dumps(config)

    return change_zip(rewrite)


def change_zip(rewrite):
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(file_bytes("keras.keras"))) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            content = rewrite(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return file.getvalue()


def test_unnamed_layers_are_told_by_their_order():
    """As Keras' first versions 3 write them: without names next to the variables."""

    def remove(group):
        for name in list(group.attrs):
            del group.attrs[name]
        for child in group.values():
            if isinstance(child, h5py.Group):
                remove(child)

    data = change_hdf5("keras.weights.h5", remove)
    assert not parse_hdf5(data)[1]
    assert_equal_models(parse_keras_hdf5(data, 64), read("keras.weights.h5"))
    zipped = change_zip(lambda name, content: data if name == "model.weights.h5" else content)
    assert_equal_models(parse_keras_zip(zipped), read("keras.keras"))


def replace(group, name, value):
    del group[name]
    group[name] = value


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.pop("block_3_expand"), "must widen|block_3_expand"),
        (lambda f: f.pop("block_3_project_BN"), "layer block_3_project_BN is missing"),
        (lambda f: f["Conv1/Conv1"].pop("kernel:0"), "Conv1"),
        (lambda f: f["bn_Conv1/bn_Conv1"].pop("beta:0"), "tensor bn_Conv1/beta is missing"),
        (
            lambda f: f["bn_Conv1/bn_Conv1"].move("beta:0", "bata:0"),
            "tensor bn_Conv1/beta is missing",
        ),
        (lambda f: f.pop("predictions"), "one dense layer, the classifier, not 0"),
        (
            lambda f: f.create_dataset("dense/kernel:0", data=np.ones((2, 2))),
            "one dense layer.*not 2",
        ),
        (
            lambda f: f.create_dataset("other/other/kernel:0", data=np.ones((2, 2, 1))),
            "tensor other/kernel is superfluous",
        ),
        (lambda f: f.create_dataset("Conv1/again/kernel:0", data=np.ones(2)), "must appear once"),
        (
            lambda f: f.create_dataset("alone", data=np.ones(2)),
            "tensor alone must lie in the group",
        ),
        (
            lambda f: f.create_dataset("block_999_expand/x/kernel:0", data=np.ones(2)),
            "at most 200 bl",
        ),
        (
            lambda f: replace(f, "Conv_1/Conv_1/kernel:0", np.ones((1, 1, 8, 1280), np.float32)),
            "tensor Conv_1/kernel must have 1x1 taps, take 16 channels",
        ),
        (
            lambda f: replace(f, "Conv_1/Conv_1/kernel:0", np.ones((16, 1280), np.float32)),
            "Conv_1/kernel must have 4 axes, not 2",
        ),
        (
            lambda f: replace(
                f,
                "block_2_depthwise/block_2_depthwise/depthwise_kernel:0",
                np.ones((3, 3, 48, 2), np.float32),
            ),
            "block_2_depthwise/kernel must hold one filter a channel, not 2",
        ),
        (
            lambda f: replace(f, "bn_Conv1/bn_Conv1/beta:0", np.full(8, np.inf, np.float32)),
            "bn_Conv1/beta must be finite",
        ),
    ],
)
def test_complaints_of_tensors(change, words):
    with pytest.raises(ValueError, match=words):
        parse_keras_hdf5(change_hdf5("keras2_weights.h5", change), 65)


def setting(layer, name, value):
    return lambda layers: layers[layer]["config"].__setitem__(name, value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (setting("Conv1", "strides", [1, 2]), r"strides of Conv1 must be \[1, 1\] or \[2, 2\]"),
        (setting("Conv_1", "strides", [2, 2]), r"strides of Conv_1 must be \[1, 1\], not"),
        (setting("Conv1", "dilation_rate", [2, 2]), "layer Conv1 must have the dilation_rate"),
        (setting("Conv1", "padding", "valid"), "layer Conv1 must pad as TensorFlow or PyTorch do"),
        (setting("Conv1", "activation", "relu"), "layer Conv1 must have the activation linear"),
        (setting("Conv1", "data_format", "channels_first"), "Conv1 must have the data_format"),
        (setting("bn_Conv1", "epsilon", -1.0), "epsilon of bn_Conv1"),
        (setting("bn_Conv1", "renorm", True), "bn_Conv1 must have the renorm False"),
        (
            setting("Conv1_relu", "max_value", None),
            "Conv1_relu must have the max_value 6.0, not None",
        ),
        (setting("predictions", "activation", "relu"), "predictions must have the activation"),
        (setting("block_1_pad", "padding", [[2, 0], [0, 1]]), "block_1_depthwise must pad as"),
        (
            setting("input_layer", "batch_shape", [None, 64, 64, 1]),
            "Conv1/kernel must have 3x3 taps, take 1 channels",
        ),
        (
            setting("input_layer", "batch_shape", [None, 64, 64, 4]),
            "input must be rows, columns and 3 channels or 1",
        ),
        (setting("input_layer", "batch_shape", [None, 10**9, 64, 3]), "An input size must be"),
        (lambda x: x.pop("input_layer"), "one input layer, not 0"),
        (lambda x: x.pop("bn_Conv1"), "layer bn_Conv1 is missing"),
        (lambda x: x.pop("block_2_add"), "layer block_2_add is missing in the configuration"),
        (
            lambda x: x.pop("block_5_expand_relu"),
            "layer block_5_expand_relu is missing in the conf",
        ),
        (lambda x: x["out_relu"]["config"].__setitem__("name", "in_relu"), "out_relu is missing"),
        (
            lambda x: x["block_2_add"]["config"].__setitem__("name", "block_1_add"),
            "block_2_add is mis",
        ),
        (lambda x: x["Conv1_relu"].__setitem__("class_name", "Swish"), "not of the class Swish"),
        (lambda x: x["Conv1_relu"].__setitem__("class_name", 3), "must be Keras' JSON"),
        (lambda x: x.__setitem__("Conv1_relu", None), "must be Keras' JSON"),
    ],
)
def test_complaints_of_configurations(change, words):
    with pytest.raises(ValueError, match=words):
        parse_keras_zip(change_config(change))


def test_padding_of_pytorch_is_told_by_its_layers():
    """A network that was brought over from PyTorch pads ((1, 1), (1, 1)) in layers of its own."""

    def change(layers):
        for name in ("block_1", "block_3", "block_6", "block_13"):
            layers[f"{name}_pad"]["config"]["padding"] = [[1, 1], [1, 1]]
        layers["Conv1"]["config"]["padding"] = "valid"
        pad = json.loads(json.dumps(layers["block_1_pad"]))
        pad["config"]["name"] = "Conv1_pad"
        layers["Conv1_pad"] = pad

    assert parse_keras_zip(change_config(change)).network.padding == "pytorch"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"config": 3}', '{"config": {"layers": [1]}}', "[" * 100_000, "\x00"]
)
def test_damaged_configurations(text):
    with pytest.raises(ValueError, match="must be Keras' JSON"):
        KerasConfig.parse(text)


def test_zip_without_members():
    for missing in ("config.json", "model.weights.h5"):
        data = change_zip(lambda name, content, gone=missing: None if name == gone else content)
        with pytest.raises(ValueError, match=f"{missing} is missing"):
            parse_keras_zip(data)
