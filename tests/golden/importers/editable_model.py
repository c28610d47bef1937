"""A .tflite of one layer, and files taken apart into LiteRT's own schema, to be damaged."""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mnv2.golden.exporters.tflite_graph import GraphWriter


class EditableModel:
    """A model that may be changed in any way before it is packed again.

    Attributes
    ----------
    model : schema.ModelT
    subgraph : schema.SubGraphT
        Its first.
    """

    def __init__(self, writer):
        content = writer.finish([], [])
        self.model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
        (self.subgraph,) = self.model.subgraphs

    def finish(self, inputs, outputs):
        """The file's bytes, as `GraphWriter.finish` gives them."""
        self.subgraph.inputs, self.subgraph.outputs = list(inputs), list(outputs)
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(self.model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())


def convolution(**changes):
    """A writer of one CONV_2D, its input 0, weights 1, bias 2 and output 3, some of it changed.

    Changes are keyword arguments of `GraphWriter.tensor`, by the tensor's name, or options.
    """
    graph = GraphWriter()
    parts = {
        "x": {"shape": (1, 5, 5, 4), "scales": 0.1, "zero_points": 3},
        "w": {
            "shape": (3, 2, 2, 4),
            "scales": np.float32([0.1, 0.2, 0.3]),
            "axis": 0,
            "data": np.ones((3, 2, 2, 4)),
        },
        "b": {"shape": (3,), "dtype": np.int32, "scales": 0.01, "data": np.zeros(3)},
        "y": {"shape": (1, 5, 5, 3), "scales": 0.5},
    }
    for name, part in parts.items():
        graph.tensor(name, **{**part, **changes.get(name, {})})
    options = {
        "padding": "SAME",
        "strideH": 1,
        "strideW": 1,
        "dilationHFactor": 1,
        "dilationWFactor": 1,
        **changes.get("options", {}),
    }
    graph.operator(
        changes.get("code", "CONV_2D"),
        changes.get("inputs", [0, 1, 2]),
        changes.get("outputs", [3]),
        changes.get("kind", "Conv2DOptions"),
        options if changes.get("kind", "Conv2DOptions") == "Conv2DOptions" else {},
    )
    return graph
