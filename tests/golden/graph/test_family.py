"""Networks of the family as converters write them: the integer model's tensors are LiteRT's."""

from dataclasses import replace

import numpy as np
import pytest

from mnv2.golden.average_pool import QuantizedAveragePool
from mnv2.golden.exporters.tflite import export_model
from mnv2.golden.graph.family import lower_family
from mnv2.golden.graph.graph import Graph
from mnv2.golden.graph.schema import Operator, PoolOptions, Tensor
from mnv2.golden.importers.tflite import read_graph
from mnv2.golden.network import build_network, mobilenet_v2
from mnv2.golden.synthetic import random_activation, random_model
from tests.golden.family_files import (
    per_tensor,
    random_quantized_network,
    small_network,
    with_average_pool,
    write_family,
)
from tests.golden.litert import run_litert_by_index

#: What the file looks like, what the model is, and its network.
VARIANTS = {
    "plain": ({}, None, {}),
    "pytorch": ({}, None, {"padding": "pytorch", "size": (33, 28)}),
    "keras": (
        {
            "fully_connected": True,
            "softmax": True,
            "keep_dimensions": False,
            "explicit_padding": True,
        },
        None,
        {"padding": "tensorflow", "size": (27, 32), "classes": 1001},
    ),
    "float ends": (
        {"float_input": True, "softmax": True, "dequantize": True},
        None,
        {"classes": 2},
    ),
    "unsigned ends": ({"unsigned_ends": True, "softmax": True}, None, {}),
    "per tensor": ({"fully_connected": True}, per_tensor, {"padding": "pytorch", "classes": 1000}),
    "average pool": ({"swapped_adds": True}, with_average_pool, {"size": (48, 33)}),
    "average pool, fully connected": (
        {"fully_connected": True, "softmax": True},
        with_average_pool,
        {"size": (33, 36), "classes": 5},
    ),
    "one pixel at the end": (
        {"fully_connected": True, "keep_dimensions": False},
        None,
        {"size": (7, 8), "classes": 3},
    ),
    "stem of stride 1": ({"swapped_adds": True}, None, {"stem_stride": 1, "size": (9, 14)}),
    "clamps inside the range": ({"fully_connected": True}, None, {"padding": "pytorch"}),
    "no expansion": ({}, None, {"table": ((1, 8, 1, 1), (1, 8, 1, 1), (1, 12, 1, 2))}),
}


def variant(name):
    """(model, file, its graph's family network) of a variant."""
    form, change, sizes = VARIANTS[name]
    rng = np.random.default_rng([len(name), *name.encode()])
    margin = 0.2 if name == "clamps inside the range" else 0.0
    model = random_quantized_network(rng, small_network(**sizes), margin)
    model = change(model) if change else model
    content = write_family(model, **form)
    return model, content, lower_family(read_graph(content))


@pytest.mark.parametrize("name", VARIANTS)
def test_every_tensor_is_litert_s(name):
    model, content, family = variant(name)
    assert family.model.network == replace(model.network, padding=family.model.network.padding)
    image = random_activation(np.random.default_rng(5), model.network.input_shape)
    given = image[None]
    if VARIANTS[name][0].get("unsigned_ends"):
        given = (given.astype(np.int16) + 128).astype(np.uint8)
    if VARIANTS[name][0].get("float_input"):
        assert [operator.kind for operator in family.before] == ["QUANTIZE"]
        given = (
            (given.astype(np.int32) - model.input_zero_point) * np.float32(model.input_scale)
        ).astype(np.float32)
    expected = run_litert_by_index(content, [given])
    found = family.model.run(image)
    for key, tensor in family.model.run(image, exact_loops=True).items():
        np.testing.assert_array_equal(tensor, found[key])
    tensors = family.indexed(found)
    convolutions = len(model.layers) + sum(block.add is not None for block in model.blocks)
    assert len(set(family.names.values())) == convolutions + 2  # and input and pool
    graph = family.graph
    classifier = next(index for index, name in family.names.items() if name == "classifier")
    integer = graph.run([given], fully_connected="integer")
    for index, tensor in tensors.items():
        if index == classifier and graph.producer(index).kind == "FULLY_CONNECTED":
            np.testing.assert_array_equal(tensor, integer[index])
            assert np.abs(tensor.astype(int) - expected[index]).max() <= 1
        else:
            assert tensor.dtype == expected[index].dtype
            np.testing.assert_array_equal(tensor, expected[index], err_msg=family.names[index])
    pool = next(index for index, name in family.names.items() if name == "pool")
    assert len(np.unique(tensors[pool])) > 5
    assert len(np.unique(tensors[classifier])) > 1
    assert [operator.kind for operator in family.after] == [
        kind
        for kind, there in (
            ("RESHAPE", graph.producer(classifier).kind == "CONV_2D"),
            ("SOFTMAX", VARIANTS[name][0].get("softmax")),
            ("QUANTIZE", VARIANTS[name][0].get("unsigned_ends")),
            ("DEQUANTIZE", VARIANTS[name][0].get("dequantize")),
        )
        if there
    ]


def test_the_host_normalises_the_image():
    """Pixels from 0 to 255 through MUL, SUB and ADD: the image and all after it are LiteRT's."""
    model = random_quantized_network(np.random.default_rng(6), small_network())
    content = write_family(model, preprocessing=True, fully_connected=True)
    family = lower_family(read_graph(content))
    assert [operator.kind for operator in family.before] == ["MUL", "SUB", "ADD"]
    shape = family.model.network.input_shape
    pixels = np.random.default_rng(7).integers(-128, 128, (1, *shape)).astype(np.int8)
    image = pixels
    for operator in family.before:
        image = family.graph.run_operator(operator, image)
    expected = run_litert_by_index(content, [pixels])
    tensors = family.indexed(family.model.run(image[0]))
    classifier = next(index for index, name in family.names.items() if name == "classifier")
    for index, tensor in tensors.items():
        if index != classifier:
            np.testing.assert_array_equal(tensor, expected[index], err_msg=family.names[index])
    assert len(np.unique(image)) > 50


def test_records_are_those_of_the_file():
    model, _, family = variant("average pool")
    assert isinstance(family.model.pool, QuantizedAveragePool)
    assert family.model.pool == model.pool
    for one, other in zip(family.model.layers, model.layers, strict=True):
        assert (one.minimum, one.maximum, one.padding) == (
            other.minimum,
            other.maximum,
            other.padding,
        )
        np.testing.assert_array_equal(one.bias, other.bias)
        np.testing.assert_array_equal(one.weights, other.weights)
    for one, other in zip(family.model.blocks, model.blocks, strict=True):
        assert one.add == other.add or vars(one.add) == vars(other.add)


@pytest.mark.parametrize("name", ["plain", "pytorch", "average pool", "per tensor"])
def test_export_of_what_was_imported(name):
    """Out, in and out again: the same bytes."""
    model, _, _ = variant(name)
    content = export_model(model, "round trip")
    again = lower_family(read_graph(content)).model
    assert again.network == model.network
    assert export_model(again, "round trip") == content


def test_the_paper_s_width_is_recognised():
    network = mobilenet_v2(0.35, 32, classes=4, padding="tensorflow")
    model, _ = random_model(np.random.default_rng(1), network)
    model = replace(
        model,
        **{
            name: replace(getattr(model, name), minimum=-128, maximum=127)
            for name in ("stem", "head")
        },
        blocks=tuple(
            replace(
                block,
                **{layer.kind: replace(layer, minimum=-128, maximum=127) for layer in block.layers},
            )
            for block in model.blocks
        ),
    )
    assert lower_family(read_graph(export_model(model))).model.network == network


@pytest.fixture(scope="module")
def graph():
    network = build_network(
        ((1, 8, 1, 1), (2, 8, 1, 1)),
        stem_channels=8,
        head_channels=9,
        classes=4,
        input_size=8,
        padding="tensorflow",
    )
    model = random_quantized_network(np.random.default_rng(3), network)
    return read_graph(write_family(model, softmax=True))


def cut(graph, count, last=None, tensors=()):
    """The first ``count`` operators of a graph, and perhaps another one after them."""
    operators = [*graph.operators[:count], *([] if last is None else [last])]
    return Graph(
        (*graph.tensors, *tensors), tuple(operators), graph.inputs, (operators[-1].output,)
    )


def with_options(graph, number, **options):
    """An operator of a graph with other options."""
    operator = graph.operators[number]
    return replace(operator, options=replace(operator.options, **options))


def refusal(graph):
    with pytest.raises(ValueError, match="MobileNetV2 family") as caught:
        lower_family(graph)
    return str(caught.value).replace(" does not fit a network of the MobileNetV2 family:", "")


def test_operators_in_the_wrong_place(graph):
    kinds = [operator.kind for operator in graph.operators]
    assert kinds == [
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "CONV_2D",
        "ADD",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "CONV_2D",
        "ADD",
        "CONV_2D",
        "MEAN",
        "CONV_2D",
        "RESHAPE",
        "SOFTMAX",
    ]
    assert refusal(cut(graph, 1)) == (
        f"The graph ends at {graph.tensors[graph.operators[0].output].label}, which expected "
        "a bottleneck or the head"
    )
    stem, depthwise, _, add, *_ = graph.operators
    mean = graph.operators[9]
    for count, last, words in [
        (
            0,
            replace(mean, index=0, inputs=(graph.inputs[0], mean.inputs[1])),
            "The operator 0 (MEAN) expected CONV_2D as stem",
        ),
        (
            1,
            replace(mean, index=1, inputs=(stem.output, mean.inputs[1])),
            "The operator 1 (MEAN) expected a bottleneck between the stem and the average",
        ),
        (
            2,
            replace(mean, index=2, inputs=(depthwise.output, mean.inputs[1])),
            "The operator 2 (MEAN) expected CONV_2D as block1.project",
        ),
        (
            4,
            replace(add, index=4, inputs=(add.output, add.output), outputs=mean.outputs),
            "The operator 4 (ADD) expected a bottleneck or the head",
        ),
    ]:
        assert refusal(cut(graph, count, last)) == words


def test_add_of_something_else(graph):
    stem, depthwise, _, add, *_ = graph.operators
    wrong = replace(add, inputs=(stem.output, depthwise.output))
    assert refusal(cut(graph, 3, wrong)) == (
        f"The operator 3 (ADD) expected {graph.tensors[depthwise.output].label} to be read by the "
        "operator 2 (CONV_2D) alone"
    )
    twice = replace(add, inputs=(stem.output, stem.output))
    assert refusal(cut(graph, 3, twice)) == (
        "The operator 3 (ADD) expected the input and the project output of block1 as inputs"
    )


ONE_STRIDE = "stride 1 or 2 in both directions, no dilation and no groups for"


@pytest.mark.parametrize(
    ("number", "options", "words"),
    [
        (
            0,
            {"padding": "VALID"},
            "(CONV_2D) expected SAME padding or a PAD of 1, that makes 4 of 8 pixels, not (0, 0)",
        ),
        (0, {"dilation": (2, 2), "stride": (1, 1)}, f"(CONV_2D) expected {ONE_STRIDE} stem"),
        (1, {"stride": (2, 1)}, f"(DEPTHWISE_CONV_2D) expected {ONE_STRIDE} block1.depthwise"),
        (
            2,
            {"stride": (2, 2)},
            f"(CONV_2D) expected {ONE_STRIDE.replace(' or 2', '')} block1.project",
        ),
    ],
)
def test_layers_that_do_not_fit(graph, number, options, words):
    found = refusal(cut(graph, number, with_options(graph, number, **options)))
    assert found == f"The operator {number} {words}"


def test_window_of_1x1_as_stem(graph):
    head = graph.operators[8]
    image = replace(graph.tensors[graph.inputs[0]], shape=(1, 8, 8, 8))
    tensors = (image, *graph.tensors[1:])
    wrong = Graph(
        tensors, (replace(head, index=0, inputs=(0, *head.inputs[1:])),), (0,), head.outputs
    )
    assert refusal(wrong) == "The operator 0 (CONV_2D) expected a kernel of 3x3 for stem, not 1x1"


def test_pool_of_a_part_of_the_map(graph):
    mean = graph.operators[9]
    part = Operator(
        9, "AVERAGE_POOL_2D", mean.inputs[:1], mean.outputs, PoolOptions("VALID", (1, 1), (3, 4))
    )
    assert refusal(cut(graph, 9, part)) == (
        "The operator 9 (AVERAGE_POOL_2D) expected an average over all 4x4 pixels, not the output "
        "[1, 2, 1, 9]"
    )
    smaller = replace(part, options=PoolOptions("VALID", (4, 4), (3, 4)))
    assert refusal(cut(graph, 9, smaller)) == (
        "The operator 9 (AVERAGE_POOL_2D) expected a window of all 4x4 pixels, not 3x4"
    )


def test_operators_beside_the_way(graph):
    tensor = replace(graph.tensors[-1], index=len(graph.tensors))
    extra = replace(graph.operators[-1], index=len(graph.operators), outputs=(tensor.index,))
    assert refusal(cut(graph, len(graph.operators), extra, [tensor])).startswith(
        f"The {extra.label} expected nothing after the classifier but one of RESHAPE, SOFTMAX"
    )
    aside = replace(extra, inputs=(graph.inputs[0],))
    tensor = replace(tensor, shape=(1, 8, 8, 3))
    wrong = cut(graph, len(graph.operators), aside, [tensor])
    assert refusal(wrong) == (
        f"The {extra.label} expected {graph.tensors[graph.inputs[0]].label} to be read by the "
        "operator 0 (CONV_2D) alone"
    )


def test_clamps_are_inside_the_range():
    model, _, _ = variant("clamps inside the range")
    assert -128 < model.head.minimum < model.head.maximum < 127


def with_pad(graph, kind, amounts, value=None):
    """The stem of a graph with a PAD of these amounts before it, or a PADV2 of a value."""
    count, stem = len(graph.tensors), graph.operators[0]
    image = graph.tensors[graph.inputs[0]]
    paddings = Tensor(count, "paddings", (4, 2), "int32", data=np.array(amounts, np.int32))
    padded = replace(image, index=count + 1, name="padded")
    tensors = [*graph.tensors, paddings, padded]
    inputs = [image.index, count]
    if value is not None:
        tensors.append(
            replace(
                image, index=count + 2, name="value", shape=(1,), data=np.array([value], np.int8)
            )
        )
        inputs.append(count + 2)
    stem = replace(
        stem,
        index=1,
        inputs=(count + 1, *stem.inputs[1:]),
        options=replace(stem.options, padding="VALID"),
    )
    others = [replace(operator, index=operator.index + 1) for operator in graph.operators[1:]]
    operators = (Operator(0, kind, tuple(inputs), (count + 1,)), stem, *others)
    return Graph(tuple(tensors), operators, graph.inputs, graph.outputs)


def test_pads(graph):
    """PAD of real zeros is the padding of the convolution after it; others are refused."""
    end = ((0, 0), (0, 1), (0, 1), (0, 0))
    zero = graph.tensors[graph.inputs[0]].zero_point
    image = random_activation(np.random.default_rng(4), (8, 8, 3))
    expected = lower_family(graph).model.run(image)
    for padded in (with_pad(graph, "PAD", end), with_pad(graph, "PADV2", end, zero)):
        found = lower_family(padded).model
        assert found.stem.padding == ((0, 1), (0, 1))
        np.testing.assert_array_equal(found.run(image)["classifier"], expected["classifier"])
    assert refusal(with_pad(graph, "PADV2", end, zero + 1)) == (
        f"The operator 0 (PADV2) expected the zero point {zero} as value, not {zero + 1}"
    )


def test_two_inputs(graph):
    tensor = replace(graph.tensors[graph.inputs[0]], index=len(graph.tensors))
    wrong = Graph(
        (*graph.tensors, tensor), graph.operators, (*graph.inputs, tensor.index), graph.outputs
    )
    assert refusal(wrong) == ("A network of the MobileNetV2 family must have one input, not 2")


def test_several_images(graph):
    tensors = [
        replace(tensor, shape=(2, *tensor.shape[1:])) if tensor.index in graph.inputs else tensor
        for tensor in graph.tensors
    ]
    wrong = Graph(tuple(tensors), graph.operators[:8], graph.inputs, graph.operators[7].outputs)
    assert refusal(wrong) == (
        "The operator 0 (CONV_2D) expected tensor 0 ('input') to be of one image, [1, H, W, C], "
        "not [2, 8, 8, 3]"
    )
