"""A TFLite file under construction: tensors, operators and constants, packed to bytes.

Needs the packages flatbuffers and ai-edge-litert (for the generated schema; no interpreter).

Ref: LiteRT `tflite/schema/schema.fbs`, version 3.
"""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

_TYPES = {np.dtype(np.int8): schema.TensorType.INT8, np.dtype(np.uint8): schema.TensorType.UINT8,
          np.dtype(np.int16): schema.TensorType.INT16, np.dtype(np.int32): schema.TensorType.INT32,
          np.dtype(np.int64): schema.TensorType.INT64,
          np.dtype(np.float32): schema.TensorType.FLOAT32}


class GraphWriter:
    """Collects one subgraph; `tensor` and `operator` return indices, `finish` the file.

    Tensors are batch 1, [1, H, W, C], where they are activations.
    """

    def __init__(self):
        self._model = schema.ModelT()
        self._model.version = 3
        self._model.description = b"mnv2"
        self._model.operatorCodes = []
        self._model.buffers = [schema.BufferT()]         # buffer 0 is empty by convention
        self._graph = schema.SubGraphT()
        self._graph.tensors, self._graph.operators = [], []
        self._codes = {}

    def tensor(self, name, shape, dtype=np.int8, *, scales=None, zero_points=0, axis=0, data=None):
        """Add a tensor.

        Parameters
        ----------
        name : str
        shape : tuple of int
        dtype : int8, uint8, int16, int32, int64 or float32
        scales : float or float32 [N], optional
            One, or one for each index of `axis`.
        zero_points : int
        data : array, optional
            Constant contents.
        """
        made = schema.TensorT()
        made.name, made.shape = name.encode(), [int(size) for size in shape]
        made.type = _TYPES[np.dtype(dtype)]
        made.buffer = 0
        if data is not None:
            contents = schema.BufferT()
            packed = np.ascontiguousarray(data, dtype).reshape(-1)
            contents.data = packed.view(np.uint8)
            made.buffer = len(self._model.buffers)
            self._model.buffers.append(contents)
        if scales is not None:
            quantization = schema.QuantizationParametersT()
            values = np.atleast_1d(np.asarray(scales, np.float32))
            quantization.scale = values
            quantization.zeroPoint = np.full(values.shape, zero_points, np.int64)
            quantization.quantizedDimension = axis
            made.quantization = quantization
        self._graph.tensors.append(made)
        return len(self._graph.tensors) - 1

    def operator(self, code, inputs, outputs, options_kind=None, options=None, version=1):
        """Add an operator; `code` and `options_kind` are names in the schema."""
        number = getattr(schema.BuiltinOperator, code)
        if (number, version) not in self._codes:
            entry = schema.OperatorCodeT()
            entry.builtinCode, entry.version = number, version
            entry.deprecatedBuiltinCode = min(number, 127)
            self._codes[number, version] = len(self._model.operatorCodes)
            self._model.operatorCodes.append(entry)
        made = schema.OperatorT()
        made.opcodeIndex = self._codes[number, version]
        made.inputs, made.outputs = list(inputs), list(outputs)
        if options_kind is not None:
            made.builtinOptionsType = getattr(schema.BuiltinOptions, options_kind)
            made.builtinOptions = getattr(schema, f"{options_kind}T")()
            for name, value in (options or {}).items():
                if not hasattr(made.builtinOptions, name):
                    raise ValueError(f"An option of {options_kind} must be known, not {name!r}")
                setattr(made.builtinOptions, name, value)
        self._graph.operators.append(made)

    def finish(self, inputs, outputs):
        """The file's bytes, with these tensors as the graph's inputs and outputs."""
        self._graph.inputs, self._graph.outputs = list(inputs), list(outputs)
        self._graph.name = b"main"
        self._model.subgraphs = [self._graph]
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(self._model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())
