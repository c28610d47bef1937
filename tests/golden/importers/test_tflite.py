"""Contents that a .tflite may not hold are refused in one sentence."""

import sys
import time

import flatbuffers
import numpy as np
import pytest

from mnv2.golden.exporters.tflite_graph import GraphWriter
from mnv2.golden.importers.tflite import read_graph
from tests.golden.graph.models import assert_equals_litert
from tests.golden.importers import editable_model
from tests.golden.importers.editable_model import EditableModel, convolution


def finish(graph):
    return graph.finish([0], [3])


WHERE = r"Operator 0 \(CONV_2D\), output tensor 3 \('y'\): "


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"w": {"zero_points": 1}},
            WHERE + r"The weights tensor 1 \('w'\) must be symmetric.*not 1",
        ),
        (
            {"w": {"axis": 3, "scales": np.float32([1, 1, 1, 1])}},
            WHERE + r"tensor 1 \('w'\) must have 1 or 3 scales, not 4",
        ),
        (
            {
                "w": {
                    "axis": 3,
                    "scales": np.float32([1, 1, 1]),
                    "shape": (3, 2, 2, 3),
                    "data": np.ones((3, 2, 2, 3)),
                },
                "x": {"shape": (1, 5, 5, 3)},
            },
            WHERE + r"The scales of the weights tensor 1 \('w'\) must belong to axis 0, not 3",
        ),
        ({"w": {"scales": None}}, WHERE + r"tensor 1 \('w'\) must have 1 or 3 scales, not 0"),
        (
            {"w": {"scales": np.float32([1, np.nan, 1])}},
            WHERE + r"The scales of tensor 1 \('w'\) must be positive and finite, not nan",
        ),
        ({"w": {"dtype": np.int16}}, WHERE + r"tensor 1 \('w'\) must be int8, not int16"),
        ({"w": {"data": None}}, WHERE + r"Its input tensor 1 \('w'\) must be made by an operator"),
        (
            {"w": {"shape": (3, 2, 2, 3), "data": np.ones((3, 2, 2, 3))}},
            WHERE + r"The weights tensor 1 \('w'\) must be \[M, K, K, C\] for the 4 channels",
        ),
        (
            {"w": {"shape": (3, 4, 4), "data": np.ones((3, 4, 4))}},
            WHERE + r"tensor 1 \('w'\) must have 4 axes, not the shape \[3, 4, 4\]",
        ),
        ({"x": {"dtype": np.int16}}, WHERE + r"tensor 0 \('x'\) must be int8, not int16"),
        ({"x": {"dtype": np.float32}}, WHERE + r"tensor 0 \('x'\) must be int8, not float32"),
        (
            {"x": {"scales": 0.0}},
            WHERE + r"The scales of tensor 0 \('x'\) must be positive.*not 0.0",
        ),
        ({"x": {"scales": -0.5}}, WHERE + r"The scales of tensor 0 \('x'\) must be positive"),
        (
            {"x": {"scales": np.inf}},
            WHERE + r"The scales of tensor 0 \('x'\) must be positive.*inf",
        ),
        ({"x": {"scales": None}}, WHERE + r"tensor 0 \('x'\) must have 1 scales, not 0"),
        ({"x": {"zero_points": 128}}, WHERE + r"The zero point of tensor 0 \('x'\) must lie in"),
        ({"x": {"shape": (1, 5, 4)}}, WHERE + r"tensor 0 \('x'\) must have 4 axes, not the shape"),
        (
            {"x": {"shape": (1, 5, 0, 4)}},
            r"The input tensor 0 \('x'\) must have at most 8 axes of positive sizes",
        ),
        (
            {"x": {"shape": (1, -5, 5, 4)}},
            r"The shape of tensor 0 \('x'\) of operator 0 \(CONV_2D\) must not be negative",
        ),
        ({"x": {"shape": (1, 2**15, 2**15, 4)}}, r"tensor 0 \('x'\) must have at most 16,777,216"),
        ({"y": {"scales": 1e-12}}, WHERE + r"A requantisation factor must be below 2\*\*30"),
        ({"y": {"dtype": np.uint8}}, WHERE + r"tensor 3 \('y'\) must be int8, not uint8"),
        (
            {"y": {"data": np.zeros((1, 5, 5, 3))}},
            WHERE + r"Its output tensor 3 \('y'\) must not be",
        ),
        ({"b": {"dtype": np.int64}}, WHERE + r"tensor 2 \('b'\) must be int32, not int64"),
        (
            {"b": {"shape": (4,), "data": np.zeros(4)}},
            WHERE + r"The bias tensor 2 \('b'\) must have 3 elements, not 4",
        ),
        (
            {"b": {"zero_points": 1}},
            WHERE + r"The bias tensor 2 \('b'\) must have a zero point of 0",
        ),
        ({"inputs": [3, 1, 2]}, WHERE + r"Its input tensor 3 \('y'\) must be made by an operator"),
        ({"inputs": [0, 1, 9]}, WHERE + "Its input 2 must be one of the 4 tensors, not tensor 9"),
        ({"inputs": [-1, 1, 2]}, WHERE + "Its input 0 must be one of the 4 tensors, not tensor -1"),
        ({"inputs": [0]}, WHERE + "It must have 2 to 3 inputs and 1 output, not 1 and 1"),
        ({"outputs": [7]}, r"Operator 0 \(CONV_2D\): Its output must be one of the 4 tensors.* 7"),
        (
            {"outputs": [0]},
            r"Operator 0 \(CONV_2D\), output tensor 0 \('x'\): .* must not be an input",
        ),
        ({"outputs": []}, r"Operator 0 \(CONV_2D\): It must have 2 to 3 inputs and 1 output"),
        (
            {"options": {"padding": 7}},
            WHERE + "Its padding must be one of SAME, VALID, not number 7",
        ),
        (
            {"options": {"fusedActivationFunction": 4}},
            WHERE + "Its activation must be one of NONE,",
        ),
        ({"options": {"strideW": 0}}, WHERE + r"The stride must be positive, not \[1, 0\]"),
        ({"options": {"strideH": -3}}, WHERE + r"The stride must be positive, not \[-3, 1\]"),
        ({"options": {"dilationHFactor": 0}}, WHERE + "The dilation must be positive"),
        ({"options": {"dilationHFactor": 2**30}}, WHERE + "The map tensor 0 .* with its padding"),
        (
            {"options": {"padding": "VALID", "dilationWFactor": 9}},
            WHERE + r"The kernel of tensor 1 \('w'\) must fit the map tensor 0 \('x'\)",
        ),
        ({"kind": None}, WHERE + "Its options are missing"),
        ({"kind": "AddOptions"}, WHERE + "Its options must be Conv2DOptions, not"),
        (
            {"code": "L2_POOL_2D"},
            r"Operator 0, which makes tensor 3 \('y'\), must be one of ADD, .*, not L2_POOL_2D",
        ),
        (
            {"code": "CUSTOM"},
            r"Operator 0, which makes tensor 3 \('y'\), .* not the custom operator",
        ),
    ],
)
def test_refused_in_a_sentence(changes, words):
    """Each names the operator, by kind and number, and the tensor, by name and index."""
    assert read_graph(finish(convolution()))
    content = finish(convolution(**changes))
    with pytest.raises(ValueError, match=words) as caught:
        read_graph(content)
    assert "\n" not in str(caught.value)


def test_scales_and_shapes_that_do_not_go_together():
    graph = EditableModel(convolution())
    graph.subgraph.tensors[1].quantization.zeroPoint = [0]
    with pytest.raises(ValueError, match=r"as many zero points as scales of tensor 1 \('w'\).*1"):
        read_graph(finish(graph))
    graph = EditableModel(convolution())
    graph.subgraph.tensors[1].quantization.quantizedDimension = 4
    with pytest.raises(ValueError, match=r"The quantised axis of tensor 1 \('w'\).*not 4"):
        read_graph(finish(graph))
    graph = EditableModel(convolution())
    graph.subgraph.tensors[0].quantization.quantizedDimension = -1
    with pytest.raises(ValueError, match=r"The quantised axis of tensor 0 \('x'\).*not -1"):
        read_graph(finish(graph))


def test_buffers():
    graph = EditableModel(convolution())
    graph.subgraph.tensors[1].shape = [3, 2, 2, 400]
    with pytest.raises(
        ValueError,
        match=r"The buffer of tensor 1 \('w'\) of operator 0 "
        r"\(CONV_2D\) must hold the 4,800 bytes of .*, not 48",
    ):
        read_graph(finish(graph))
    graph = EditableModel(convolution())
    graph.subgraph.tensors[1].buffer = 77
    with pytest.raises(ValueError, match=r"The buffer of tensor 1 .*must be one of .* 3, .* 77"):
        read_graph(finish(graph))


def test_buffers_behind_the_tables():
    """Large files keep contents after the flatbuffer, at an offset of the file."""
    graph, whole = EditableModel(convolution()), finish(convolution())
    buffer = graph.model.buffers[graph.subgraph.tensors[1].buffer]
    weights = bytes(buffer.data)
    buffer.data, buffer.size, buffer.offset = None, len(weights), 2**20
    tables = finish(graph)
    with pytest.raises(ValueError, match=r"The buffer of tensor 1 \('w'\).*must lie in the file"):
        read_graph(tables)
    buffer.offset = len(tables)
    content = finish(graph)
    assert len(content) == len(tables)
    content += weights
    x = np.arange(100, dtype=np.int8).reshape(1, 5, 5, 4)
    np.testing.assert_array_equal(read_graph(content).run([x])[3], read_graph(whole).run([x])[3])
    with pytest.raises(ValueError, match=r"must lie in the file"):
        read_graph(content[:-1])


def test_sparse_and_variable_tensors():
    graph = EditableModel(convolution())
    graph.subgraph.tensors[0].isVariable = True
    with pytest.raises(ValueError, match=r"tensor 0 \('x'\).* neither variable nor sparse"):
        read_graph(finish(graph))
    graph = EditableModel(convolution())
    graph.subgraph.tensors[1].sparsity = editable_model.schema.SparsityParametersT()
    with pytest.raises(ValueError, match=r"tensor 1 \('w'\).* neither variable nor sparse"):
        read_graph(finish(graph))
    graph = EditableModel(convolution())
    graph.subgraph.tensors[0].type = editable_model.schema.TensorType.FLOAT16
    with pytest.raises(ValueError, match=r"The type of tensor 0 \('x'\) of operator 0 .* FLOAT16"):
        read_graph(finish(graph))


def test_models_and_subgraphs():
    graph = EditableModel(convolution())
    graph.model.version = 2
    with pytest.raises(ValueError, match="schema version 3, not 2"):
        read_graph(finish(graph))
    graph = EditableModel(convolution())
    content = finish(graph)
    graph.model.subgraphs *= 2
    builder = flatbuffers.Builder(1024)
    builder.Finish(graph.model.Pack(builder), file_identifier=b"TFL3")
    with pytest.raises(ValueError, match="one subgraph, not 2"):
        read_graph(bytes(builder.Output()))
    for other in (b"", b"abc", b"\0" * 64, content[:4] + b"TFL2" + content[8:]):
        with pytest.raises(ValueError, match="must be a TFLite model, with the identifier TFL3"):
            read_graph(other)
    graph = EditableModel(convolution())
    with pytest.raises(ValueError, match=r"The output tensor 1 .*|An output"):
        read_graph(graph.finish([0], [-2]))
    with pytest.raises(ValueError, match="An input of the model must be one of its 4 tensors"):
        read_graph(graph.finish([4], [3]))
    with pytest.raises(ValueError, match=r"The input tensor 1 \('w'\) must not be a constant"):
        read_graph(graph.finish([0, 1], [3]))


def test_two_operators_that_wait_for_each_other():
    graph = GraphWriter()
    a, b, c = (graph.tensor(name, (1, 4), scales=0.1) for name in "abc")
    graph.operator("ADD", [a, c], [b], "AddOptions")
    graph.operator("ADD", [a, b], [c], "AddOptions")
    with pytest.raises(
        ValueError,
        match=r"Operator 0 \(ADD\), output tensor 1 \('b'\): Its input "
        r"tensor 2 \('c'\) must be made by an operator before it",
    ):
        read_graph(graph.finish([a], [c]))


def one_operator(code, kind=None, options=None, **tensors):
    """Bytes of a model of one operator on int8 tensors; y is its output, constants no inputs."""
    graph = GraphWriter()
    indices = {
        name: graph.tensor(name, **{"scales": 0.1, **part}) for name, part in tensors.items()
    }
    target = indices.pop("y")
    graph.operator(code, list(indices.values()), [target], kind, options)
    return graph.finish(
        [index for name, index in indices.items() if tensors[name].get("data") is None], [target]
    )


SHAPE = {"shape": (1, 4, 4, 2)}
AXES = {"shape": (1,), "dtype": np.int32, "scales": None}
FULLY = {
    "x": {"shape": (1, 6)},
    "w": {"shape": (3, 6), "data": np.ones((3, 6))},
    "b": {"shape": (3,), "dtype": np.int32, "data": np.zeros(3), "scales": 0.01},
    "y": {"shape": (1, 3)},
}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            one_operator("ADD", x=SHAPE, z={"shape": (1, 4, 3, 2)}, y=SHAPE),
            r"The shapes of tensor 0 \('x'\) and tensor 1 \('z'\) must go together",
        ),
        (
            one_operator("ADD", x=SHAPE, z=SHAPE, y={**SHAPE, "scales": 1e-8}),
            r"The output scale of tensor 2 \('y'\) must be above",
        ),
        (
            one_operator("ADD", x={"shape": (2,) * 7}, z={"shape": (1, *(2,) * 6)}, y=SHAPE),
            r"tensor 0 \('x'\) and tensor 1 \('z'\) must have at most 6 axes where one is broad",
        ),
        (
            one_operator("MEAN", x=SHAPE, axes={**AXES, "data": [4]}, y=SHAPE),
            r"The axes tensor 1 \('axes'\) must lie in -4..3, not 4",
        ),
        (
            one_operator("MEAN", x=SHAPE, axes=AXES, y=SHAPE),
            r"The axes, tensor 1 .* must be constant",
        ),
        (
            one_operator("MEAN", x=SHAPE, axes={**AXES, "shape": (99,), "data": [1] * 99}, y=SHAPE),
            r"The axes tensor 1 \('axes'\) must be at most 8, not 99",
        ),
        (
            one_operator(
                "AVERAGE_POOL_2D",
                "Pool2DOptions",
                {
                    "padding": "VALID",
                    "strideH": 1,
                    "strideW": 1,
                    "filterHeight": 5,
                    "filterWidth": 1,
                },
                x=SHAPE,
                y=SHAPE,
            ),
            r"The window of \[5, 1\] must fit the map tensor 0 \('x'\)",
        ),
        (
            one_operator(
                "AVERAGE_POOL_2D", "Pool2DOptions", {"strideH": 1, "strideW": 1}, x=SHAPE, y=SHAPE
            ),
            r"The kernel must be positive, not \[0, 0\]",
        ),
        (
            one_operator(
                "PAD",
                x=SHAPE,
                p={"shape": (4, 2), "dtype": np.int32, "data": [[0, -1]] * 4, "scales": None},
                y=SHAPE,
            ),
            r"The padding tensor 1 \('p'\) must not be negative, not -1",
        ),
        (
            one_operator(
                "PAD",
                x=SHAPE,
                p={"shape": (3, 2), "dtype": np.int32, "data": [[0, 1]] * 3, "scales": None},
                y=SHAPE,
            ),
            r"The padding tensor 1 \('p'\) must be \[4, 2\]",
        ),
        (
            one_operator(
                "PAD",
                x=SHAPE,
                p={"shape": (4, 2), "dtype": np.int64, "data": [[0, 2**40]] * 4, "scales": None},
                y=SHAPE,
            ),
            r"tensor 2 \('y'\) must have at most 16,777,216 elements",
        ),
        (
            one_operator(
                "PADV2",
                x=SHAPE,
                p={"shape": (4, 2), "dtype": np.int32, "data": [[0, 1]] * 4, "scales": None},
                v={"shape": (1,), "data": [1], "scales": 0.2},
                y=SHAPE,
            ),
            r"The value to pad with, tensor 2 \('v'\), must be one element with the scale",
        ),
        (
            one_operator("RESHAPE", x=SHAPE, s={**AXES, "shape": (2,), "data": [-1, -1]}, y=SHAPE),
            r"The shape in tensor 1 \('s'\) must be of positive sizes, one of them -1",
        ),
        (
            one_operator("RESHAPE", x=SHAPE, s={**AXES, "shape": (2,), "data": [5, -1]}, y=SHAPE),
            r"The shape in tensor 1 \('s'\) must hold the 32 elements of tensor 0 \('x'\)",
        ),
        (
            one_operator("RESHAPE", x=SHAPE, s={**AXES, "shape": (2,)}, y=SHAPE),
            r"The shape, tensor 1 \('s'\), must be constant",
        ),
        (
            one_operator("RESHAPE", x=SHAPE, y={**SHAPE, "dtype": np.uint8}),
            r"tensor 1 \('y'\) must be int8, not uint8",
        ),
        (
            one_operator("SOFTMAX", "SoftmaxOptions", {"beta": 1.0}, x=SHAPE, y=SHAPE),
            r"tensor 1 \('y'\) must have the scale 1/256 and the zero point -128",
        ),
        (
            one_operator(
                "SOFTMAX",
                "SoftmaxOptions",
                {"beta": float("nan")},
                x=SHAPE,
                y={**SHAPE, "scales": 1 / 256, "zero_points": -128},
            ),
            r"beta times the scale of tensor 0 \('x'\) must be above 2\*\*-26, not nan",
        ),
        (
            one_operator("QUANTIZE", x={**SHAPE, "dtype": np.int32}, y=SHAPE),
            r"tensor 0 \('x'\) must be float32 or int8 or uint8, not int32",
        ),
        (
            one_operator("QUANTIZE", x=SHAPE, y={**SHAPE, "dtype": np.int16}),
            r"tensor 1 \('y'\) must be int8 or uint8, not int16",
        ),
        (
            one_operator(
                "DEQUANTIZE",
                x={**SHAPE, "dtype": np.int16},
                y={**SHAPE, "dtype": np.float32, "scales": None},
            ),
            r"tensor 0 \('x'\) must be int8 or uint8, not int16",
        ),
        (
            one_operator("FULLY_CONNECTED", **{**FULLY, "x": {"shape": (1, 5)}}),
            r"tensor 0 \('x'\) must hold rows of the 6 inputs of tensor 1 \('w'\)",
        ),
        (
            one_operator(
                "FULLY_CONNECTED",
                "FullyConnectedOptions",
                {"keepNumDims": True},
                **{**FULLY, "x": {"shape": (1, 3, 2)}},
            ),
            r"The last axis of tensor 0 \('x'\) must have the 6 inputs of tensor 1 \('w'\)",
        ),
        (
            one_operator("FULLY_CONNECTED", "FullyConnectedOptions", {"weightsFormat": 1}, **FULLY),
            r"Its weights must be in the default format, not in number 1",
        ),
        (
            one_operator("FULLY_CONNECTED", **{**FULLY, "b": {**FULLY["b"], "scales": 0.02}}),
            r"The scale of the bias tensor 2 \('b'\) must be near input scale \* weight scale",
        ),
    ],
)
def test_each_operator_refuses(content, words):
    with pytest.raises(
        ValueError, match=r"^Operator 0 \([A-Z0-9_]+\), output tensor \d+ \('y'\): " + words
    ):
        read_graph(content)


def test_what_litert_does_not_look_at():
    """A bias' own scale in CONV_2D, options of operators that have defaults, unused tensors."""
    graph = convolution(b={"scales": 77.0, "data": [1000, -2000, 3000]})
    graph.tensor("unused", (4,), np.float32)
    x = np.random.default_rng(1).integers(-128, 128, (1, 5, 5, 4), dtype=np.int8)
    assert_equals_litert(finish(graph), [x])
    other = one_operator("ADD", x=SHAPE, z=SHAPE, y={**SHAPE, "scales": 0.2})
    assert_equals_litert(other, [x[:, :4, :4, :2], x[:, 1:, 1:, 2:]])


@pytest.mark.parametrize(("old", "new"), [(3, 3), (0, 3), (3, 0)])
def test_an_operator_code_is_the_larger_of_two_fields(old, new):
    """Old writers fill the one, a writer may fill the other alone."""
    graph = EditableModel(convolution())
    (code,) = graph.model.operatorCodes
    code.deprecatedBuiltinCode, code.builtinCode = old, new
    x = np.random.default_rng(3).integers(-128, 128, (1, 5, 5, 4), dtype=np.int8)
    assert_equals_litert(finish(graph), [x])


def test_absent_bias():
    """LiteRT's CONV_2D asks for one; DEPTHWISE_CONV_2D and FULLY_CONNECTED do without."""
    x = np.random.default_rng(2).integers(-128, 128, (1, 5, 5, 4), dtype=np.int8)
    expected = read_graph(finish(convolution())).run([x])[3]
    for inputs in ([0, 1], [0, 1, -1]):
        np.testing.assert_array_equal(
            read_graph(finish(convolution(inputs=inputs))).run([x])[3], expected
        )
    parts = {key: value for key, value in FULLY.items() if key != "b"}
    content = one_operator("FULLY_CONNECTED", **parts)
    assert_equals_litert(content, [x[:, 0, 0, :1].repeat(6, axis=1)])


def test_an_operator_code_that_is_none():
    graph = EditableModel(convolution())
    graph.subgraph.operators[0].opcodeIndex = 5
    with pytest.raises(
        ValueError,
        match=r"The kind of operator 0, which makes tensor 3 \('y'\), "
        "must be one of the model's 1 operator codes, not code 5",
    ):
        read_graph(finish(graph))


def test_names_as_long_as_the_file():
    """Many names that claim to be all of a large file are not copied whole."""
    graph = GraphWriter()
    for _ in range(3000):
        graph.tensor("n", (1,), scales=0.1)
    content, honest = graph.finish([], []), b"\x01\0\0\0n\0"
    assert content.count(honest) == 3000
    content = content.replace(honest, (2**24).to_bytes(4, "little") + b"n\0") + bytes(2**24)
    start = time.perf_counter()
    tensors = read_graph(content).tensors
    assert time.perf_counter() - start < 3
    assert {len(tensor.name.encode()) > 500 for tensor in tensors} == {True}


def test_names_are_cut_and_harmless():
    graph = EditableModel(convolution())
    graph.subgraph.tensors[0].name = b"\xff\n" + b"x" * 10000
    graph.subgraph.tensors[0].isVariable = True
    with pytest.raises(ValueError, match="neither variable nor sparse") as caught:
        read_graph(finish(graph))
    assert len(str(caught.value)) < 500
    assert "\n" not in str(caught.value)


def test_a_missing_package_names_the_extra(monkeypatch):
    content = finish(convolution())
    monkeypatch.setitem(sys.modules, "tflite", None)
    with pytest.raises(ValueError, match=r"pip install 'mnv2\[models\]'"):
        read_graph(content)
