"""Float .tflite files: read as float models of their kind; as graphs of int8 refused, and why."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from mnv2.golden.float_model import KERAS_NORMALIZATION
from mnv2.golden.importers.tflite import read_graph
from mnv2.golden.importers.tflite_layers import read_float_tflite
from mnv2.golden.network import build_network
from tests.golden.graph.models import run_litert
from tests.golden.importers.editable_model import EditableModel, convolution
from tests.golden.importers.float_files import random_float_model
from tests.golden.importers.float_tflite_files import KINDS, float_tflite_bytes

FLOAT = {"dtype": np.float32, "scales": None}


def float_convolution(weights):
    """One CONV_2D in floats, with weights in float32, int8, or DEQUANTIZE of float16."""
    stored = {} if weights == "int8" else {"dtype": np.float32, "scales": None}
    graph = EditableModel(convolution(x=FLOAT, w=stored, b=FLOAT, y=FLOAT))
    if weights == "float16":
        tensors = graph.subgraph.tensors
        half = schema.TensorT()
        half.shape, half.type = [3, 2, 2, 4], schema.TensorType.FLOAT16
        half.buffer, half.name = tensors[1].buffer, b"half"
        tensors[1].buffer = 0
        tensors.append(half)
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
        graph.model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = 1, [4], [1]
        graph.subgraph.operators.insert(0, operator)
    return graph.finish([0], [3])


@pytest.mark.parametrize(
    ("weights", "kind"),
    [
        ("float32", "float32"),
        ("int8", "dynamic range: weights in int8, activations in float"),
        ("float16", "weights in float16"),
    ],
)
def test_said_to_be_float(weights, kind):
    with pytest.raises(ValueError, match="full integer quantisation") as caught:
        read_graph(float_convolution(weights))
    sentence = str(caught.value)
    assert sentence.startswith(f"It is a float model ({kind}), not one in int8: mnv2 run, class")
    assert "\n" not in sentence


def test_integers_are_not_float():
    assert read_graph(EditableModel(convolution()).finish([0], [3])).kernels
    mixed = EditableModel(convolution(x=FLOAT)).finish([0], [3])
    with pytest.raises(ValueError, match=r"CONV_2D.*tensor 0 \('x'\) must be int8, not float32"):
        read_graph(mixed)


def network(padding="tensorflow", size=24, channels=3):
    return build_network(
        ((1, 8, 1, 1), (3, 8, 2, 2), (2, 8, 1, 1)),
        stem_channels=8,
        head_channels=24,
        classes=6,
        input_size=size,
        padding=padding,
        input_channels=channels,
    )


FORMS = {
    "AVERAGE_POOL_2D": {"pool": "AVERAGE_POOL_2D"},
    "MEAN without axes": {"keep": False},
    "CONV_2D as classifier": {"dense": "CONV_2D"},
    "PAD before strides": {"padding": "pytorch"},
    "SOFTMAX": {"softmax": True},
    "no bias": {"bias": False},
}


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        *(("float32", form) for form in FORMS),
        # Kinds differ in their weights alone.
        *((kind, form) for kind in KINDS[1:] for form in ("AVERAGE_POOL_2D", "PAD before strides")),
    ],
)
def test_logits_are_litert_s(kind, form):
    """The kinds differ in weights; of a dynamic range LiteRT rounds activations as well."""
    rng = np.random.default_rng(2)
    options = dict(FORMS[form])
    network_ = network(options.pop("padding", "tensorflow"))
    source = random_float_model(rng, network_).folded()
    data, index = float_tflite_bytes(source, kind, **options)
    model = read_float_tflite(data)
    assert model.network.layers == network_.layers
    image = rng.normal(0, 1, network_.input_shape).astype(np.float32)
    have = model.run(image)["classifier"].ravel()
    want = run_litert(data, [image[None]])(index).ravel()
    if options.get("softmax"):
        have = np.exp(have) / np.exp(have).sum()
    tolerance = 0.15 if kind == "dynamic range" else 1e-4
    assert np.abs(have - want).max() < tolerance * max(1, np.ptp(want))
    assert np.ptp(want) > 0.05
    assert model.input_normalization == KERAS_NORMALIZATION
    words = {"float16": "float16", "dynamic range": "int8"}.get(kind)
    assert [words in note for note in model.notes] == ([True] if words else [])


def test_one_channel():
    rng = np.random.default_rng(2)
    source = random_float_model(rng, network(channels=1)).folded()
    data, index = float_tflite_bytes(source, "float32", channels=1)
    model = read_float_tflite(data)
    assert model.network.input_shape == (24, 24, 1)
    image = rng.normal(0, 1, (24, 24, 1)).astype(np.float32)
    want = run_litert(data, [image[None]])(index).ravel()
    assert np.abs(model.run(image)["classifier"].ravel() - want).max() < 1e-3


def test_weights_are_those_that_integers_stand_for():
    rng = np.random.default_rng(2)
    source = random_float_model(rng, network()).folded()
    model = read_float_tflite(float_tflite_bytes(source, "dynamic range")[0])
    for name, layer in model.layers.items():
        weights = source.layers[name].weights
        steps = np.abs(weights).max(axis=tuple(range(weights.ndim - 1))) / 127
        error = np.abs(layer.weights - weights) / steps
        assert 0.3 < error.max() <= 0.51, name


def test_preprocessing_goes_into_the_normalisation():
    rng = np.random.default_rng(2)
    source = random_float_model(rng, network()).folded()
    constants = [("MUL", [1 / 64, 1 / 50, 1 / 60]), ("SUB", [2.0]), ("ADD", [0.1, 0.2, 0.3])]
    data, index = float_tflite_bytes(source, "float32", preprocessing=constants)
    model = read_float_tflite(data)
    (note,) = model.notes
    assert "operator 0 (MUL), operator 1 (SUB), operator 2 (ADD)" in note
    pixels = rng.integers(0, 256, network().input_shape).astype(np.float32)
    normalization = model.input_normalization
    image = (pixels / 255 - np.array(normalization.mean)) / np.array(normalization.deviation)
    have = model.run(image.astype(np.float32))["classifier"].ravel()
    want = run_litert(data, [pixels[None]])(index).ravel()
    assert np.abs(have - want).max() < 1e-3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"residual_clamp": "RELU"}, "must add two images, without a clamp"),
        ({"clamp": "RELU"}, "must be clamped to 0..6, not to 0.0..inf"),
        ({"dilation": 2}, "must have the stride 1 or 2 in both directions and no dilation"),
        ({"pool": "MAX_POOL_2D"}, "is not part of a float MobileNetV2"),
        ({"channels": 4}, "must be one of 3 channels or 1, not of the shape"),
        ({"channels": 1}, "must have 3x3 taps, take 1 channels"),
        ({"preprocessing": [("MUL", [-1.0])]}, "must scale pixels by positive finite factors"),
        ({"preprocessing": [("MUL", [1.0, 2.0])]}, "with one constant or three"),
    ],
)
def test_refusals(options, words):
    channels = options.pop("channels", 3)
    source = random_float_model(np.random.default_rng(2), network()).folded()
    with pytest.raises(ValueError, match=words):
        read_float_tflite(float_tflite_bytes(source, "float32", channels=channels, **options)[0])


def test_integers_are_left_to_the_graph():
    assert read_float_tflite(EditableModel(convolution()).finish([0], [3])) is None
