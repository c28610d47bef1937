"""The float network against ONNX Runtime, and folding against not folding."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from mnv2.golden.float_model import BatchNormalization
from mnv2.golden.importers.torch_checkpoint import read_checkpoint
from mnv2.golden.importers.torchvision_names import float_model_from_torchvision, layer_prefixes
from mnv2.golden.network import build_network, mobilenet_v2
from tests.golden.float_networks import float_network


@pytest.fixture(scope="module")
def checkpoint():
    return read_checkpoint()


def onnx_graph(tensors, network):
    """The network as an ONNX file, written from the checkpoint's own tensors and names."""
    nodes, source = [], "image"

    def convolution(layer, source, prefixes):
        convolved, normal, out = (f"{layer.name}.{part}" for part in ("conv", "norm", "out"))
        groups = layer.input_channels if layer.kind == "depthwise" else 1
        (top, bottom), (left, right) = layer.padding
        nodes.append(
            helper.make_node(
                "Conv",
                [source, f"{prefixes[0]}.weight"],
                [convolved],
                group=groups,
                kernel_shape=layer.kernel_size,
                strides=[layer.stride] * 2,
                pads=[top, left, bottom, right],
            )
        )
        nodes.append(
            helper.make_node(
                "BatchNormalization",
                [
                    convolved,
                    *(
                        f"{prefixes[1]}.{part}"
                        for part in ("weight", "bias", "running_mean", "running_var")
                    ),
                ],
                [normal],
                epsilon=1e-5,
            )
        )
        if layer.kind == "project":
            return normal
        nodes.append(helper.make_node("Clip", [normal, "zero", "six"], [out]))
        return out

    prefixes = layer_prefixes(network)
    source = convolution(network.stem, source, prefixes["stem"])
    for block in network.blocks:
        shortcut = source
        for layer in block.layers:
            source = convolution(layer, source, prefixes[layer.name])
        if block.residual:
            nodes.append(helper.make_node("Add", [shortcut, source], [block.add_name]))
            source = block.add_name
    source = convolution(network.head, source, prefixes["head"])
    nodes.append(helper.make_node("GlobalAveragePool", [source], ["pool4"]))
    nodes.append(helper.make_node("Flatten", ["pool4"], ["pool"]))
    nodes.append(
        helper.make_node(
            "Gemm", ["pool", "classifier.1.weight", "classifier.1.bias"], ["logits"], transB=1
        )
    )
    constants = [
        helper.make_tensor(name, TensorProto.FLOAT, value.shape, value.tobytes(), raw=True)
        for name, value in tensors.items()
        if value.dtype == np.float32
    ]
    constants += [
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
        helper.make_tensor("six", TensorProto.FLOAT, [], [6.0]),
    ]
    rows, columns, channels = network.input_shape
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, channels, rows, columns])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, network.classes])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def test_logits_are_onnx_runtimes(checkpoint):
    network = mobilenet_v2()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        onnx_graph(checkpoint, network), options, providers=["CPUExecutionProvider"]
    )
    unfolded = float_model_from_torchvision(checkpoint, network)
    folded = unfolded.folded()
    for seed in range(2):
        rng = np.random.default_rng(seed)
        coarse = rng.normal(0, 1, (14, 14, 3))
        image = np.kron(coarse, np.ones((16, 16, 1))) + rng.normal(0, 0.3, (224, 224, 3))
        image = np.clip(image, -2.1, 2.6).astype(np.float32)
        expected = session.run(None, {"image": image.transpose(2, 0, 1)[None]})[0][0]
        assert np.ptp(expected) > 5
        for model in (unfolded, folded):
            logits = model.run(image)["classifier"].reshape(-1)
            assert np.abs(logits - expected).max() < 1e-3


def test_folded_equals_unfolded_in_every_tensor():
    rng = np.random.default_rng(4)
    network = build_network(
        ((1, 4, 1, 1), (3, 6, 2, 2)),
        stem_channels=5,
        head_channels=9,
        classes=4,
        input_size=(19, 22),
    )

    def draw(layer):
        channels = layer.output_channels
        weights = rng.normal(0, 0.5, layer.weight_shape).astype(np.float32)
        if layer.kind == "classifier":
            return weights, np.ones(channels, np.float32)
        vectors = [
            rng.uniform(low, high, channels).astype(np.float32)
            for low, high in ((0.5, 2), (-1, 2), (-1, 1), (0.1, 3))
        ]
        return weights, None, BatchNormalization(*vectors)

    model = float_network(network, draw)
    image = rng.normal(0, 1, network.input_shape).astype(np.float32)
    tensors, folded = model.run(image), model.folded().run(image)
    assert list(tensors) == list(folded)
    for name, tensor in tensors.items():
        np.testing.assert_allclose(folded[name], tensor, rtol=1e-4, atol=1e-5, err_msg=name)
        layer = next((x for x in network.layers if x.name == name), None)
        if layer is not None:
            assert tensor.shape == layer.output_shape


def test_missing_and_misshapen_tensors(checkpoint):
    for name, change in (
        ("features.3.conv.1.0.weight", None),
        ("features.0.1.running_var", np.zeros((2, 2), np.float32)),
        ("classifier.1.weight", np.zeros((1000, 1280), np.float64)),
        ("features.18.1.bias", np.full(1280, np.nan, np.float32)),
    ):
        broken = dict(checkpoint)
        if change is None:
            del broken[name]
        else:
            broken[name] = change
        with pytest.raises(ValueError, match=name):
            float_model_from_torchvision(broken)


def test_wrong_image_is_refused(checkpoint):
    model = float_model_from_torchvision(checkpoint)
    with pytest.raises(ValueError, match=r"float32 \(224, 224, 3\)"):
        model.run(np.zeros((224, 224, 3)))
