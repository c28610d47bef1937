"""Quantised and half-precision ONNX as ONNX Runtime makes it, against what ONNX Runtime gives."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from mnv2.golden.importers.onnx_network import QUANTIZED, parse_onnx
from mnv2.golden.network import build_network
from tests.golden.importers.float_files import assert_equal_models, onnx_bytes, random_float_model

NETWORK = build_network(
    ((1, 8, 1, 1), (3, 8, 2, 2), (2, 8, 1, 1)),
    stem_channels=8,
    head_channels=24,
    classes=6,
    input_size=24,
)


@pytest.fixture(scope="module")
def model():
    return random_float_model(np.random.default_rng(4), NETWORK)


class Pictures(CalibrationDataReader):
    """Random pictures, a brightness of its own each."""

    def __init__(self):
        self._left = list(pictures(7, 12))

    def get_next(self):
        return {"image": self._left.pop()[None]} if self._left else None


def pictures(seed, count):
    rng = np.random.default_rng(seed)
    base = rng.uniform(-2, 2, (count, 3, 1, 1))
    return (base + rng.normal(0, 0.7, (count, 3, 24, 24))).astype(np.float32)


def quantized(folder, data, form, **options):
    """Bytes of the file quantised by ONNX Runtime."""
    source, target = folder / "float.onnx", folder / "integers.onnx"
    source.write_bytes(data)
    quantize_static(source, target, Pictures(), quant_format=form, **options)
    return target.read_bytes()


def run(data, images):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"image": x[None]})[0] for x in images])


def logits(model, images):
    images = images.transpose(0, 2, 3, 1)
    return np.array([model.run(x.copy())["classifier"].ravel() for x in images])


def operators(data):
    return {node.op_type for node in onnx.ModelProto.FromString(data).graph.node}


FORMS = {
    "QDQ": (QuantFormat.QDQ, {"per_channel": True, "weight_type": QuantType.QInt8}, {}),
    "QDQ of bytes": (
        QuantFormat.QDQ,
        {"activation_type": QuantType.QUInt8},
        {"pool": "ReduceMean"},
    ),
    "QOperator": (QuantFormat.QOperator, {"per_channel": True}, {}),
    "QOperator of bytes": (
        QuantFormat.QOperator,
        {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QUInt8},
        {"classifier": "MatMul", "softmax": True},
    ),
    "QOperator, one by one": (
        QuantFormat.QOperator,
        {"activation_type": QuantType.QUInt8, "extra_options": {"ActivationSymmetric": False}},
        {"pool": "AveragePool", "classifier": "Conv"},
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_logits_are_near_onnx_runtimes(tmp_path, model, name):
    """Weights are those of the integers; only the steps of activations differ."""
    form, options, shape = FORMS[name]
    softmax = shape.get("softmax", False)
    data = quantized(tmp_path, onnx_bytes(model, normalized=False, **shape), form, **options)
    found = operators(data)
    assert ("QLinearConv" in found) == (form is QuantFormat.QOperator)
    read = parse_onnx(data)
    assert read.network.layers == NETWORK.layers
    assert read.notes == (QUANTIZED,)
    images = pictures(11, 8)
    have, want = logits(read, images), run(data, images)
    if softmax:
        have = np.exp(have) / np.exp(have).sum(1, keepdims=True)
    assert np.ptp(want, axis=0).max() > (0.1 if softmax else 1)
    assert np.abs(have - want).max() < 0.1 * np.ptp(want)
    folded = model.folded()
    for key, layer in read.layers.items():
        step = np.abs(folded.layers[key].weights).max() / 127
        error = np.abs(layer.weights - folded.layers[key].weights)
        assert 0 < error.max() <= 1.01 * step
        assert np.abs(layer.bias - folded.layers[key].bias).max() < 1e-2


def test_a_relu6_that_the_quantiser_left_out_is_seen(tmp_path, model):
    data = quantized(
        tmp_path,
        onnx_bytes(model, normalized=False),
        QuantFormat.QOperator,
        activation_type=QuantType.QUInt8,
    )
    assert "Clip" not in operators(data)
    read = parse_onnx(data)
    assert all(
        read.layers[x.name].layer.relu6 == x.relu6 for x in NETWORK.layers if x.kind != "pool"
    )
    proto = onnx.ModelProto.FromString(data)
    first = next(node for node in proto.graph.node if node.op_type == "QLinearConv")
    constants = {x.name: x for x in proto.graph.initializer}
    scale = constants[first.input[6]]
    scale.CopyFrom(numpy_helper.from_array(np.array(0.05, np.float32), scale.name))
    with pytest.raises(ValueError, match=r"stem stem.weight.* must be clamped to 0..6"):
        parse_onnx(proto.SerializeToString())


@pytest.mark.parametrize("ends", [TensorProto.FLOAT, TensorProto.FLOAT16])
def test_float16(model, ends):
    """Weights and arithmetic in float16, the ends in either type."""
    proto = onnx.ModelProto.FromString(onnx_bytes(model))
    graph = proto.graph
    for tensor in graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.dtype == np.float32:
            tensor.CopyFrom(numpy_helper.from_array(value.astype(np.float16), tensor.name))
    if ends == TensorProto.FLOAT:
        last = graph.node[-1]
        last.output[0] = "half"
        first = helper.make_node("Cast", ["image"], ["image half"], to=TensorProto.FLOAT16)
        for node in graph.node:
            for index, name in enumerate(node.input):
                node.input[index] = "image half" if name == "image" else name
        graph.node.insert(0, first)
        graph.node.append(helper.make_node("Cast", ["half"], ["logits"], to=TensorProto.FLOAT))
    else:
        for value in (graph.input[0], graph.output[0]):
            value.type.tensor_type.elem_type = TensorProto.FLOAT16
    data = proto.SerializeToString()
    read = parse_onnx(data)
    halves = parse_onnx(onnx_bytes(model))
    assert not read.notes
    images = pictures(12, 3).astype(np.float16 if ends == TensorProto.FLOAT16 else np.float32)
    want = run(data, images).astype(np.float32)
    assert np.abs(logits(read, images.astype(np.float32)) - want).max() < 0.05
    assert np.abs(read.layers["head"].weights - halves.layers["head"].weights).max() < 1e-3
    with pytest.raises(AssertionError):
        assert_equal_models(read, halves)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda node: node.input.__setitem__(4, "none"), "none must be a constant of the file"),
        (lambda node: node.input.__delitem__(slice(5, None)), "must have 6 inputs"),
        (lambda node: node.input.__setitem__(4, node.input[8]), "must be positive finite floats"),
        (lambda node: node.input.__setitem__(3, node.input[4]), "must hold integers"),
    ],
)
def test_damaged_operators(tmp_path, model, change, words):
    data = quantized(tmp_path, onnx_bytes(model, normalized=False), QuantFormat.QOperator)
    proto = onnx.ModelProto.FromString(data)
    change([node for node in proto.graph.node if node.op_type == "QLinearConv"][1])
    with pytest.raises(ValueError, match=words):
        parse_onnx(proto.SerializeToString())


def test_a_domain_that_is_no_text(model):
    """The library gives bytes where a damaged file has no UTF-8."""
    proto = onnx.ModelProto.FromString(onnx_bytes(model))
    proto.graph.node[0].domain = "zzzz"
    data = proto.SerializeToString().replace(b"zzzz", b"\xff\xfe\xfd\xfc")
    with pytest.raises(ValueError, match="of the domain .* is not part of MobileNetV2"):
        parse_onnx(data)
