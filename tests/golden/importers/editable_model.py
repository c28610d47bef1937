"""A .tflite file taken apart into the objects of LiteRT's own schema, to be damaged."""

import flatbuffers
from ai_edge_litert import schema_py_generated as schema


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
