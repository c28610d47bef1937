"""Float .tflite files: said to be float, of which kind, and what to give in their place."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from mnv2.golden.importers.tflite import read_graph
from tests.golden.importers.editable_model import EditableModel, convolution

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
    assert sentence.startswith(f"It is a float model ({kind}), not one in int8: give the Keras, Py")
    assert "\n" not in sentence


def test_integers_are_not_float():
    assert read_graph(EditableModel(convolution()).finish([0], [3])).kernels
    mixed = EditableModel(convolution(x=FLOAT)).finish([0], [3])
    with pytest.raises(ValueError, match=r"CONV_2D.*tensor 0 \('x'\) must be int8, not float32"):
        read_graph(mixed)
