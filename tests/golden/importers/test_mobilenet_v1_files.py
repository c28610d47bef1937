"""MobileNetV1's weights as people have them: Keras' names, PyTorch's, ONNX, float .tflite."""

import io
import json

import h5py
import numpy as np
import pytest

from mnv2.golden.float_model import KERAS_NORMALIZATION
from mnv2.golden.importers.float_formats import parse_float_model
from mnv2.golden.importers.keras_file import parse_keras_hdf5
from mnv2.golden.importers.tflite_layers import read_float_tflite
from mnv2.golden.mobilenet_v1 import MOBILENET_V1_TABLE, mobilenet_v1
from tests.golden.importers.float_files import (
    assert_equal_models,
    foreign_axes,
    onnx_bytes,
    random_float_model,
)
from tests.golden.importers.float_tflite_files import float_tflite_bytes
from tests.golden.importers.test_torch_names import assert_same_logits, saved

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'mnv2[gpu]'")
from torch import nn  # noqa: E402

from tests.golden.importers.torch_networks import drawn  # noqa: E402


def drawn_model(padding="tensorflow", epsilon=1e-3, size=64):
    network = mobilenet_v1(0.25, size, 7, padding)
    return random_float_model(np.random.default_rng(4), network, epsilon)


def keras_names(layer):
    """keras.applications' names of a layer and of its normalisation."""
    if layer.kind == "stem":
        return "conv1", "conv1_bn"
    name = f"conv_{'dw' if layer.kind == 'depthwise' else 'pw'}_{layer.block}"
    return name, f"{name}_bn"


def layer_config(kind, name, **settings):
    return {"class_name": kind, "config": {"name": name, "data_format": None, **settings}}


def keras_layers(model, *, dense, relu):
    """Layers of a configuration, as keras.applications' MobileNet has them."""
    batch = {"epsilon": 1e-3, "axis": -1, "center": True, "scale": True}
    size = [None, *model.network.input_shape]
    layers = [{"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": size}}]
    for layer in model.network.layers:
        if layer.kind in ("pool", "classifier"):
            continue
        name, norm = keras_names(layer)
        padding, strides = "same", [layer.stride] * 2
        if layer.kind == "depthwise" and layer.stride == 2:
            pads = [list(pair) for pair in layer.padding]
            layers.append(layer_config("ZeroPadding2D", f"conv_pad_{layer.block}", padding=pads))
            padding = "valid"
        kind = "DepthwiseConv2D" if layer.kind == "depthwise" else "Conv2D"
        activation = {"activation": "linear", "padding": padding, "strides": strides}
        layers.append(layer_config(kind, name, **activation))
        layers.append(layer_config("BatchNormalization", norm, **batch))
        layers.append(layer_config("ReLU", f"{name}_relu", max_value=relu))
    layers.append(layer_config("GlobalAveragePooling2D", "pool", keepdims=not dense))
    if dense:
        return [*layers, layer_config("Dense", "mine", activation="softmax")]
    one = {"activation": "linear", "padding": "same", "strides": [1, 1]}
    return [*layers, layer_config("Conv2D", "conv_preds", **one)]


def keras_bytes(model, *, dense=False, relu=6.0, config=True):
    """A file as Keras 2 writes it: variables by the layer's name, the configuration as JSON."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        if config:
            layers = keras_layers(model, dense=dense, relu=relu)
            text = {"class_name": "Functional", "config": {"name": "mine", "layers": layers}}
            file.attrs["model_config"] = json.dumps(text)
        for record in model.layers.values():
            layer, weights = record.layer, record.weights
            if layer.kind == "classifier":
                name = "mine" if dense else "conv_preds"
                weights = weights if dense else weights[None, None]
                file[f"model_weights/{name}/{name}/bias:0"] = record.bias
                file[f"model_weights/{name}/{name}/kernel:0"] = weights
                continue
            name, norm = keras_names(layer)
            depthwise = layer.kind == "depthwise"
            kernel = "depthwise_kernel" if depthwise else "kernel"
            weights = weights[..., None] if depthwise else weights
            weights = weights[None, None] if layer.kind == "project" else weights
            file[f"model_weights/{name}/{name}/{kernel}:0"] = weights
            values = record.normalization
            for part, value in (
                ("gamma", values.scale),
                ("beta", values.offset),
                ("moving_mean", values.mean),
                ("moving_variance", values.variance),
            ):
                file[f"model_weights/{norm}/{norm}/{part}:0"] = value
    return content.getvalue()


@pytest.mark.parametrize("config", [True, False])
@pytest.mark.parametrize("dense", [True, False])
def test_keras(dense, config):
    model = drawn_model()
    options = {} if config else {"input_size": 64}
    read = parse_keras_hdf5(keras_bytes(model, dense=dense, config=config), **options)
    assert read.network == model.network
    assert read.input_normalization == KERAS_NORMALIZATION
    assert_equal_models(read, model)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"relu": None}, "max_value 6.0"), ({"relu": 1.0}, "max_value 6.0")],
)
def test_keras_refusals(options, words):
    with pytest.raises(ValueError, match=words):
        parse_keras_hdf5(keras_bytes(drawn_model(), **options))


class Separable(nn.Module):
    """As PyTorch ports of MobileNetV1 are written: a list of pairs, then a dense layer."""

    def __init__(self):
        super().__init__()
        channels, layers = 5, [self.unit(3, 5, 3, 2)]
        for count, stride in MOBILENET_V1_TABLE:
            outputs = 3 + count // 128
            layers.append(
                nn.Sequential(
                    *self.unit(channels, channels, 3, stride, channels),
                    *self.unit(channels, outputs, 1, 1),
                )
            )
            channels = outputs
        self.model, self.fc = nn.Sequential(*layers), nn.Linear(channels, 7)

    @staticmethod
    def unit(inputs, outputs, size, stride, groups=1):
        convolution = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU6())

    def forward(self, x):
        return self.fc(self.model(x).mean((2, 3)))


def test_pytorch():
    network = drawn(Separable(), 3)
    model = parse_float_model(saved(network.state_dict()), input_size=64)
    assert model.network.head is None
    assert model.network.padding == "pytorch"
    assert model.notes == (
        "MobileNetV1's state dict does not name its activations: taken as ReLU6",
    )
    assert_same_logits(network, model)


def test_pytorch_of_another_number_of_blocks():
    tensors = {
        name: value
        for name, value in Separable().state_dict().items()
        if not name.startswith("model.13.")
    }
    with pytest.raises(ValueError, match="only for 13 blocks, the paper's, are they known"):
        parse_float_model(saved(tensors))


def test_float_tflite():
    model = drawn_model().folded()
    read = read_float_tflite(float_tflite_bytes(model, "float32")[0])
    assert read.network == model.network
    assert_equal_models(read, model)


def test_onnx():
    model = drawn_model("pytorch", 1e-5)
    read = parse_float_model(onnx_bytes(model))
    assert read.network == model.network
    assert_equal_models(read, model)


def test_axes_of_other_frameworks_are_undone():
    layer = drawn_model().layers["block1.project"]
    assert foreign_axes(layer.layer, layer.weights).shape == (16, 8, 1, 1)
