"""ONNX: each form that exporters write against ONNX Runtime, and each complaint."""

import numpy as np
import onnxruntime
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from mnv2.golden.float_model import IMAGENET_NORMALIZATION, KERAS_NORMALIZATION
from mnv2.golden.importers.onnx_network import parse_onnx
from mnv2.golden.network import build_network, mobilenet_v2
from tests.golden.importers.float_files import assert_equal_models, onnx_bytes, random_float_model


def network_of(padding="pytorch", size=30, stem_stride=2):
    return build_network(
        ((1, 6, 1, 1), (3, 8, 2, 2), (2, 8, 1, 2)),
        stem_channels=6,
        head_channels=12,
        classes=5,
        input_size=size,
        padding=padding,
        stem_stride=stem_stride,
    )


def logits(data, image, channels_last=False):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    batch = image[None] if channels_last else image.transpose(2, 0, 1)[None]
    return session.run(None, {"image": np.ascontiguousarray(batch)})[0].ravel()


FORMS = [
    {},
    {"normalized": False},
    {"normalized": False, "bias": True},
    {"clip": "attributes"},
    {"clip": "relu-min"},
    {"clip": "max-min"},
    {"pool": "ReduceMean"},
    {"pool": "AveragePool"},
    {"classifier": "MatMul"},
    {"classifier": "Gemm turned"},
    {"classifier": "Conv"},
    {"pad_nodes": True},
    {
        "channels_last": True,
        "pad_nodes": True,
        "normalized": False,
        "classifier": "MatMul",
        "clip": "relu-min",
        "pool": "ReduceMean",
    },
    {"open_size": True},
    {"softmax": True},
]


@pytest.mark.parametrize("padding", ["pytorch", "tensorflow"])
@pytest.mark.parametrize("form", FORMS, ids=lambda x: ",".join(f"{k}={v}" for k, v in x.items()))
def test_logits_are_onnx_runtimes(form, padding):
    network = network_of(padding)
    model = random_float_model(np.random.default_rng(3), network)
    data = onnx_bytes(model, **form)
    read = parse_onnx(data, input_size=30 if form.get("open_size") else None)
    assert read.network == network
    assert_equal_models(read, model if form.get("normalized", True) else model.folded())
    keras = padding == "tensorflow" or form.get("channels_last", False)
    assert read.input_normalization == (KERAS_NORMALIZATION if keras else IMAGENET_NORMALIZATION)
    image = np.random.default_rng(4).normal(0, 1, network.input_shape).astype(np.float32)
    expected = logits(data, image, form.get("channels_last", False))
    have = read.run(image)["classifier"].ravel()
    assert np.ptp(have) > 1
    if form.get("softmax"):
        have = np.exp(have) / np.exp(have).sum()
    assert np.abs(have - expected).max() < 1e-4


def test_papers_network_at_a_size_of_odd_numbers():
    network = mobilenet_v2(0.35, (33, 47), 3)
    model = random_float_model(np.random.default_rng(0), network)
    read = parse_onnx(onnx_bytes(model))
    assert read.network == network
    image = np.random.default_rng(4).normal(0, 1, network.input_shape).astype(np.float32)
    assert (
        np.abs(read.run(image)["classifier"].ravel() - logits(onnx_bytes(model), image)).max()
        < 1e-4
    )


def test_padding_that_could_be_either_is_pytorchs():
    """At sizes that stay odd both pad (1, 1)."""
    model = random_float_model(np.random.default_rng(0), network_of(size=33))
    read = parse_onnx(onnx_bytes(model))
    assert read.network.padding == "pytorch"
    assert read.input_normalization == IMAGENET_NORMALIZATION


def small_model():
    return random_float_model(np.random.default_rng(3), network_of())


def changed(change, **form):
    """A file whose nodes and constants, both by name, a function has changed."""

    def apply(nodes, constants):
        by_name = {x.output[0]: x for x in nodes}
        tensors = {x.name: x for x in constants}
        change(by_name, tensors)
        nodes[:], constants[:] = by_name.values(), tensors.values()

    return onnx_bytes(small_model(), change=apply, **form)


def attribute(node, name, value):
    def change(nodes, _):
        kept = [x for x in nodes[node].attribute if x.name != name]
        del nodes[node].attribute[:]
        nodes[node].attribute.extend([*kept, helper.make_attribute(name, value)])

    return change


def tensor(name, edit):
    def change(_, tensors):
        value = edit(numpy_helper.to_array(tensors[name]))
        tensors[name].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(value), name))

    return change


def rewire(node, index, name):
    def change(nodes, _):
        nodes[node].input[index] = name

    return change


def operator(node, name):
    def change(nodes, _):
        nodes[node].op_type = name

    return change


def external(_, tensors):
    proto = tensors["stem.weight"]
    proto.ClearField("raw_data")
    proto.data_location = TensorProto.EXTERNAL
    entry = proto.external_data.add()
    entry.key, entry.value = "location", "../secret"


def huge(_, tensors):
    del tensors["stem.weight"].dims[:]
    tensors["stem.weight"].dims.extend([2**20, 2**20, 3, 3])


def negative(_, tensors):
    tensors["stem.weight"].dims[0] = -6


def without_numbers(_, tensors):
    tensors["stem.weight"].raw_data = b"123"


def strings(_, tensors):
    tensors["stem.weight"].data_type = TensorProto.STRING


def add_behind(block, term):
    def change(nodes, _):
        name = f"{block}.project.norm"
        nodes["extra"] = helper.make_node("Add", [term, name], ["extra"], name="n_extra")
        order = list(nodes)
        order.remove("extra")
        order.insert(order.index(name) + 1, "extra")
        found = {x: nodes[x] for x in order}
        nodes.clear()
        nodes.update(found)
        for node in nodes.values():
            for index, used in enumerate(node.input):
                if used == name and node.name != "n_extra":
                    node.input[index] = "extra"

    return change


def second_use(nodes, _):
    """The clamp's input is used after it too."""
    nodes["block2.depthwise.conv"].input[0] = "block2.expand.norm"


def two_layouts(nodes, _):
    """A copy of the tensor that is clamped, taken before."""
    nodes["copy"] = helper.make_node("Identity", ["stem.norm"], ["copy"])
    nodes["block1.depthwise.conv"].input[0] = "copy"


def two_copies(nodes, _):
    """Two copies, of which one is clamped and the other used as it is."""
    found = dict(nodes)
    nodes.clear()
    for name, node in found.items():
        nodes[name] = node
        if name == "stem.norm":
            for copy in ("copy1", "copy2"):
                nodes[copy] = helper.make_node("Identity", ["stem.norm"], [copy])
    nodes["stem.relu6"].input[0] = "copy1"
    nodes["block1.depthwise.conv"].input[0] = "copy2"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (two_copies, "Clip n_stem.relu6 must follow a convolution that nothing else uses"),
        (operator("stem.relu6", "Sigmoid"), "The operator Sigmoid n_stem.relu6 is not part of Mob"),
        (operator("mean", "GlobalMaxPool"), "operator GlobalMaxPool n_mean is not part"),
        (attribute("stem.conv", "strides", [1, 2]), "n_stem.conv must have the stride 1 or 2"),
        (attribute("stem.conv", "strides", [3, 3]), "n_stem.conv must have the stride 1 or 2"),
        (attribute("stem.conv", "dilations", [2, 2]), "no dilation"),
        (
            attribute("stem.conv", "pads", [2, 2, 2, 2]),
            "stem.weight must pad as PyTorch or TensorFl",
        ),
        (attribute("stem.conv", "pads", [9, 9, 9, 9]), "n_stem.conv must pad by at most 2"),
        (attribute("stem.conv", "pads", [0, 0, 1, 1]), "block4.depthwise.weight must pad as"),
        (attribute("stem.conv", "auto_pad", "SAME_LOWER"), "by SAME_LOWER"),
        (attribute("head.conv", "strides", [2, 2]), "head head.weight must have stride 1"),
        (
            attribute("block2.depthwise.conv", "group", 3),
            "must be depthwise or have one group, not 3",
        ),
        (attribute("logits", "alpha", 0.5), "Gemm n_logits must be a plain product"),
        (attribute("stem.norm", "epsilon", 2.0), "variance after stem.weight and its epsilon"),
        (attribute("stem.norm", "training_mode", 1), "n_stem.norm must follow a convolution, once"),
        (
            tensor("six", lambda x: x + 1),
            r"stem stem.weight must be clamped to 0..6, not to 0.0..7.0",
        ),
        (tensor("zero", lambda x: x - 1), "must be clamped to 0..6, not to -1.0..6.0"),
        (tensor("six", lambda x: x * np.nan), "tensor six must be finite"),
        (tensor("six", lambda x: np.ones(2, np.float32)), "must have one limit"),
        (
            tensor("stem.weight", lambda x: x[:, :, :2]),
            "stem.weight must hold a convolution of 1x1",
        ),
        (
            tensor("stem.weight", lambda x: x[:, :1]),
            "stem.weight must have 3x3 taps, take 3 channels",
        ),
        (tensor("stem.scale", lambda x: x[:3]), "scale of stem.weight must have 6 values"),
        (
            tensor("classifier.bias", lambda x: x[:1]),
            "bias of classifier.weight must have 5 values",
        ),
        (
            tensor("classifier.weight", lambda x: x[:, :5]),
            "classifier.weight must have 1x1 taps, take",
        ),
        (
            tensor("head.weight", lambda x: x.astype(np.int64)),
            "head.weight must hold floats, not i",
        ),
        (tensor("block2.expand.weight", lambda x: x[:17]), "block2.expand.weight"),
        (rewire("block3.add", 0, "stem.relu6"), "block3.project.weight must be added once to its"),
        (rewire("head.conv", 0, "stem.relu6"), "head.weight must work on the output of the layer"),
        (
            rewire("head.conv", 0, "nowhere"),
            "must work on the image's way through the network, not on",
        ),
        (rewire("stem.conv", 1, "nowhere"), "tensor nowhere must be a constant of the file"),
        (rewire("stem.conv", 1, "image"), "tensor image must be a constant of the file"),
        (rewire("flat", 0, "head.relu6"), "Flatten n_flat must follow the pool"),
        (rewire("logits", 0, "mean"), "Gemm n_logits must follow the pool, flattened"),
        (
            add_behind("block2", "block1.add"),
            "Add n_extra is superfluous: its block has no residual",
        ),
        (add_behind("block2", "stem.relu6"), "block3.expand.weight must work on the output of the"),
        (second_use, "must follow a convolution that nothing else uses"),
        (two_layouts, "must follow a convolution that nothing else uses|way through"),
        (lambda nodes, _: nodes.pop("block3.depthwise.relu6"), "way through the network"),
        (lambda _, tensors: tensors.pop("stem.weight"), "tensor stem.weight must be a constant"),
        (external, "tensor stem.weight lies outside the file, in '../secret'"),
        (huge, "stem.weight must|constants must have at most"),
        (negative, "stem.weight must have a shape within the file"),
        (without_numbers, "stem.weight must hold its numbers"),
        (strings, "stem.weight must hold floats or integers"),
    ],
)
def test_complaints(change, words):
    with pytest.raises(ValueError, match=words):
        parse_onnx(changed(change))


@pytest.mark.parametrize(
    ("form", "change", "words"),
    [
        ({"pad_nodes": True}, attribute("stem.padded", "mode", "reflect"), "must put zeros around"),
        (
            {"pad_nodes": True},
            tensor("stem.pads", lambda x: x * 0 + 1),
            "at most 2 zeros around rows",
        ),
        ({"pad_nodes": True}, tensor("stem.pads", lambda x: -x), "at most 2 zeros around rows"),
        (
            {"pool": "AveragePool"},
            attribute("mean", "kernel_shape", [1, 1]),
            "mean of the whole map",
        ),
        (
            {"pool": "ReduceMean"},
            tensor("axes", lambda x: x[:1]),
            "mean over rows and columns, not",
        ),
        ({"channels_last": True}, attribute("turned", "perm", [0, 3, 2, 1]), "bring NHWC to NCHW"),
        (
            {"normalized": False, "bias": True},
            tensor("stem.bias", lambda x: x.reshape(1, 1, -1, 1)),
            "must add a bias of 6 channels",
        ),
        (
            {"softmax": True},
            lambda nodes, _: nodes.pop("probabilities"),
            "must be made by an operator",
        ),
    ],
)
def test_complaints_of_forms(form, change, words):
    with pytest.raises(ValueError, match=words):
        parse_onnx(changed(change, **form))


def edited(edit):
    model = ModelProto.FromString(onnx_bytes(small_model()))
    edit(model)
    return model.SerializeToString()


def second_input(model):
    model.graph.input.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, [1]))


def grey(model):
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 1


def infrared(model):
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 4


def flat(model):
    del model.graph.input[0].type.tensor_type.shape.dim[2:]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (second_input, "one input and one output, not 2 and 1"),
        (grey, "stem.weight must have 3x3 taps, take 1 channels"),
        (infrared, "must have 3 channels or 1"),
        (flat, "must have four axes"),
        (lambda m: m.functions.add(), "must not define functions"),
        (lambda m: setattr(m.graph.node[0], "domain", "com.x"), "of the domain com.x is not part"),
        (
            lambda m: setattr(m.graph.node[0], "domain", "qonnx.custom_op.general"),
            "is not part of MobileNetV2: of QONNX Quant is read; give the file as its training",
        ),
        (
            lambda m: setattr(m.graph.node[0], "domain", "com.microsoft"),
            "ONNX Runtime has optimised this file; give the one that it was made from",
        ),
        (lambda m: m.graph.ClearField("node"), "ONNX model with operators"),
        (lambda m: m.graph.initializer.append(m.graph.initializer[0]), "must be made once"),
        (lambda m: m.graph.node.append(m.graph.node[0]), "must be made once"),
        (
            lambda m: m.graph.node[0].attribute.append(
                helper.make_attribute("body", helper.make_graph([], "g", [], []))
            ),
            "not hold a graph",
        ),
        (
            lambda m: setattr(m.graph.output[0], "name", "head.relu6"),
            "nothing else uses|must be that",
        ),
    ],
)
def test_complaints_of_files(edit, words):
    with pytest.raises(ValueError, match=words):
        parse_onnx(edited(edit))


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE])
def test_other_floats_become_float32(kind):
    """Fewer bits lose the numbers' ends, and no more."""
    model = small_model()

    def change(nodes, constants):
        for proto in constants:
            value = numpy_helper.to_array(proto)
            if value.dtype == np.float32:
                dtype = helper.tensor_dtype_to_np_dtype(kind)
                proto.CopyFrom(numpy_helper.from_array(value.astype(dtype), proto.name))

    read = parse_onnx(onnx_bytes(model, change=change))
    for name, layer in read.layers.items():
        error = np.abs(layer.weights - model.layers[name].weights)
        assert layer.weights.dtype == np.float32
        assert error.max() <= np.abs(model.layers[name].weights).max() * 2**-7
        assert kind != TensorProto.DOUBLE or error.max() == 0


def computed(nodes, constants):
    """A bias of zeros and the numbers of the clamp as PyTorch's exporter leaves them unoptimised,
    and the shape of the flattened features computed.
    """

    def node(operator, inputs, output, **attributes):
        return helper.make_node(operator, inputs, [output], **attributes)

    constants.append(numpy_helper.from_array(np.float32(0), "nought"))
    constants.append(numpy_helper.from_array(np.array([1], np.int64), "one"))
    constants.append(numpy_helper.from_array(np.array([-1], np.int64), "rest"))
    first = [
        node("Shape", ["stem.weight"], "channels", start=0, end=1),
        node("Expand", ["channels", "one"], "channels2"),
        node("CastLike", ["nought", "image"], "nought2"),
        node("Expand", ["nought2", "channels2"], "zeros"),
        node("Reshape", ["six", "rest"], "six1"),
        node("Identity", ["six1"], "six2"),
    ]
    for used in nodes:
        if used.name == "n_stem.conv":
            used.input.append("zeros")
        elif used.op_type == "Clip":
            used.input[2] = "six2"
    nodes[:0] = first
    index = next(i for i, x in enumerate(nodes) if x.name == "n_flat")
    nodes[index : index + 1] = [
        node("Shape", ["image"], "shape4", start=0, end=1),
        node("Reshape", ["shape4", "rest"], "batch"),
        node("Concat", ["batch", "rest"], "shape2", axis=0),
        node("Reshape", ["mean", "shape2"], "flat"),
    ]


def test_constants_that_the_exporter_left_to_be_computed():
    model = small_model()
    data = onnx_bytes(model, change=computed)
    read = parse_onnx(data)
    assert (read.layers["stem"].bias == 0).all()
    image = np.random.default_rng(4).normal(0, 1, model.network.input_shape).astype(np.float32)
    have = read.run(image)["classifier"].ravel()
    assert np.abs(have - logits(data, image)).max() < 1e-4


@pytest.mark.parametrize("shape", [[2**40], [2**20, 2**20], [0], [-5], [1] * 9])
def test_expansions_are_limited(shape):
    def change(nodes, constants):
        computed(nodes, constants)
        next(x for x in constants if x.name == "one").CopyFrom(
            numpy_helper.from_array(np.array(shape, np.int64), "one")
        )
        nodes[3].input[1] = "one"

    with pytest.raises(ValueError, match="must make from 1 to 65536 numbers|is not part of"):
        parse_onnx(onnx_bytes(small_model(), change=change))


def test_numbers_beside_the_file():
    """Tensors outside the file come from the function that is given, at their place."""
    model, stored = small_model(), bytearray()

    def change(nodes, constants):
        for proto in constants:
            content = proto.raw_data
            if not content:
                continue
            proto.ClearField("raw_data")
            proto.data_location = TensorProto.EXTERNAL
            for key, value in (
                ("location", "w.data"),
                ("offset", len(stored)),
                ("length", len(content)),
            ):
                entry = proto.external_data.add()
                entry.key, entry.value = key, str(value)
            stored.extend(content)

    data = onnx_bytes(model, change=change)

    def read_sibling(name, offset, length):
        assert name == "w.data"
        return bytes(stored[offset : offset + length])

    assert_equal_models(parse_onnx(data, read_sibling=read_sibling), model)
    with pytest.raises(ValueError, match="lies outside the file, in 'w.data'"):
        parse_onnx(data)
    with pytest.raises(ValueError, match="w.data must hold all of the tensor"):
        parse_onnx(data, read_sibling=lambda name, offset, length: b"")
