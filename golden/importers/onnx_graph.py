"""An ONNX file's graph as plain records: nodes with their attributes, and constants on demand.

Ref: ONNX `onnx/onnx.proto3`, IR version 13; `docs/ExternalData.md`.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnv2.golden.importers.float_network import MAXIMUM_BYTES
from mnv2.golden.importers.onnx_folding import QUANT_DOMAINS, QUANT_OPERATORS, fold
from mnv2.golden.importers.onnx_grid import Grid
from mnv2.golden.summary import short_repr

MAXIMUM_NODES = 20_000
_DOMAINS = ("", "ai.onnx")
#: ONNX Runtime's domain, and its operators of quantised networks.
_RUNTIME_DOMAIN = "com.microsoft"
RUNTIME_OPERATORS = (
    "DequantizeLinear",
    "QGemm",
    "QLinearAdd",
    "QLinearAveragePool",
    "QLinearGlobalAveragePool",
    "QLinearSoftmax",
    "QuantizeLinear",
)


@dataclass(frozen=True, eq=False)
class Node:
    """One operator.

    Attributes
    ----------
    operator, name : str
        The name is that of the node, or of its output where the node has none.
    inputs, outputs : tuple of str
        Names of tensors; "" for an optional one that is left out.
    attributes : dict of str to int, float, str, list or TensorProto
    """

    operator: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]

    __repr__ = short_repr

    def __str__(self):
        return f"{self.operator} {self.name[:80]}"


def _hint(node):
    """A sentence on what to give in place of a file with an operator of another domain, or none."""
    # Bytes where it is no text, in a damaged file.
    if str(node.domain).startswith(("qonnx", "onnx.brevitas", "finn")):
        return (
            f": of QONNX {QUANT_OPERATORS[0]} is read; give the file as its training exported it, "
            "with Quant after each convolution, sum and pool"
        )
    if node.domain == _RUNTIME_DOMAIN:
        return ": ONNX Runtime has optimised this file; give the one that it was made from"
    return ""


class OnnxGraph:
    """The graph of a file.

    Parameters
    ----------
    data : bytes
    read_sibling : function of (name, offset, length), optional
        Bytes of another file in the same folder; length None for all that is left. By default
        tensors outside the file are refused.

    Attributes
    ----------
    nodes : list of Node
        In order of execution, without constants.
    input, output : str
        Names of the only ones.
    input_shape : tuple of int or None
        None where the size is open.
    grids : dict of str to Grid
        Of constants that a quantiser made.
    clipped : dict of str to (int, int)
        Ends of constants of integers that a Clip has narrowed.

    Raises
    ------
    ValueError
        If the file is damaged, or holds what no network of the family needs.
    """

    def __init__(self, data, read_sibling=None):
        try:
            import onnx
            from google.protobuf.message import DecodeError
        except ImportError:
            raise ValueError(
                "Reading ONNX needs the package onnx: pip install 'mnv2[models]'"
            ) from None
        self._onnx, self._read_sibling = onnx, read_sibling
        model = onnx.ModelProto()
        try:
            model.ParseFromString(bytes(data))
        except (DecodeError, ValueError, RuntimeError):
            raise ValueError(
                "The file must be an ONNX model; it is damaged, truncated or of another format"
            ) from None
        graph = model.graph
        if not model.opset_import or not graph.node:
            raise ValueError("The file must be an ONNX model with operators")
        if len(graph.node) > MAXIMUM_NODES or len(graph.initializer) > MAXIMUM_NODES:
            raise ValueError(f"The graph must have at most {MAXIMUM_NODES} nodes and constants")
        if model.functions:
            raise ValueError("The model must not define functions of its own; export it without")
        self._tensors: dict[str, Any] = {}
        self.grids: dict[str, Grid] = {}
        self.clipped: dict[str, tuple[int, int]] = {}
        self._bytes = 0
        for tensor in graph.initializer:
            self._add_constant(tensor.name, tensor)
        inputs = [x for x in graph.input if x.name not in self._tensors]
        if len(inputs) != 1 or len(graph.output) != 1:
            raise ValueError(
                f"The graph must have one input and one output, not {len(inputs)} "
                f"and {len(graph.output)}"
            )
        self.input, self.output = inputs[0].name, graph.output[0].name
        self.input_shape = tuple(
            x.dim_value if x.HasField("dim_value") and x.dim_value > 0 else None
            for x in inputs[0].type.tensor_type.shape.dim
        )
        self.nodes = []
        for node in graph.node:
            self._add_node(node)

    def _add_constant(self, name, tensor):
        if name in self._tensors:
            raise ValueError(f"The tensor {name[:80]} must be made once")
        self._tensors[name] = tensor

    def _add_node(self, node):
        known = (node.domain == _RUNTIME_DOMAIN and node.op_type in RUNTIME_OPERATORS) or (
            node.domain in QUANT_DOMAINS and node.op_type in QUANT_OPERATORS
        )
        if node.domain not in _DOMAINS and not known:
            raise ValueError(
                f"The operator {node.op_type[:80]} of the domain {node.domain[:80]} "
                f"is not part of MobileNetV2{_hint(node)}"
            )
        name = node.name or (node.output[0] if node.output else "")
        kinds = self._onnx.AttributeProto
        attributes = {}
        for attribute in node.attribute:
            if attribute.type in (kinds.GRAPH, kinds.GRAPHS):
                raise ValueError(
                    f"The operator {node.op_type[:80]} {name[:80]} must not hold a graph"
                )
            value = self._onnx.helper.get_attribute_value(attribute)
            if not isinstance(value, int | float | bytes | self._onnx.TensorProto):
                value = list(value) if attribute.type in (kinds.INTS, kinds.FLOATS) else None
            attributes[attribute.name] = (
                value.decode(errors="replace") if isinstance(value, bytes) else value
            )
        record = Node(node.op_type[:80], name, tuple(node.input), tuple(node.output), attributes)
        if record.operator == "Constant":
            if len(record.outputs) != 1:
                raise ValueError(f"The operator {record} must have one output")
            for kind in ("value", "value_float", "value_floats", "value_int", "value_ints"):
                if attributes.get(kind) is not None:
                    self._add_constant(record.outputs[0], attributes[kind])
                    return
            raise ValueError(f"The operator {record} must hold numbers")
        if not fold(self, record):
            self.nodes.append(record)

    def is_constant(self, name):
        return name in self._tensors

    def add_constant(self, name, value):
        """A constant that a reader works out."""
        self._add_constant(name, value)

    def copy_constant(self, name, other):
        """The same numbers under another name."""
        self._add_constant(name, self._tensors[other])
        if other in self.grids:
            self.grids[name] = self.grids[other]

    def constant(self, name):
        """Array of a constant; float32 whatever floats the file holds.

        Raises
        ------
        ValueError
            If there is no constant of this name, or its numbers are incomplete.
        """
        if name not in self._tensors:
            raise ValueError(f"The tensor {name[:80]} must be a constant of the file")
        value = self._tensors[name]
        if isinstance(value, self._onnx.TensorProto):
            value = self._tensors[name] = self._read(name, value)
        elif not isinstance(value, np.ndarray):
            kind = (
                np.float32
                if isinstance(value, float)
                or (isinstance(value, list) and value and isinstance(value[0], float))
                else np.int64
            )
            value = self._tensors[name] = np.array(value, kind)
        return value

    def _read(self, name, tensor):
        kinds = self._onnx.TensorProto
        floats = (kinds.FLOAT, kinds.FLOAT16, kinds.BFLOAT16, kinds.DOUBLE)
        integers = (kinds.INT64, kinds.INT32, kinds.INT16, kinds.UINT16, kinds.INT8, kinds.UINT8)
        if tensor.data_type not in (*floats, *integers):
            raise ValueError(f"The tensor {name[:80]} must hold floats or integers of 8 to 64 bits")
        shape = tuple(tensor.dims)
        if any(not 0 <= n <= MAXIMUM_BYTES for n in shape) or len(shape) > 8:
            raise ValueError(f"The tensor {name[:80]} must have a shape within the file")
        dtype = self._onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
        size = math.prod(shape) * dtype.itemsize
        self._bytes += size
        if self._bytes > MAXIMUM_BYTES:
            raise ValueError(f"The constants must have at most {MAXIMUM_BYTES} bytes")
        if tensor.data_location == kinds.EXTERNAL:
            value = np.frombuffer(self._read_outside(name, tensor, size), dtype).reshape(shape)
        else:
            try:
                value = self._onnx.numpy_helper.to_array(tensor)
            except (ValueError, TypeError, KeyError, OverflowError) as error:
                raise ValueError(
                    f"The tensor {name[:80]} must hold its numbers ({str(error)[:80]})"
                ) from None
        if value.shape != shape:
            raise ValueError(f"The tensor {name[:80]} must hold its numbers")
        if tensor.data_type not in floats:
            return value
        with np.errstate(over="ignore", invalid="ignore"):  # infinities are refused by name, later
            return np.array(value, np.float32, order="C")

    def _read_outside(self, name, tensor, size):
        entries = {x.key: x.value for x in tensor.external_data}
        location = entries.get("location", "")
        if self._read_sibling is None:
            raise ValueError(f"The tensor {name[:80]} lies outside the file, in {location[:80]!r}")
        try:
            offset = int(entries.get("offset", "0"))
            length = int(entries.get("length", str(size)))
        except ValueError:
            raise ValueError(f"The tensor {name[:80]} must lie at a place in numbers") from None
        if offset < 0 or length != size:
            raise ValueError(
                f"The tensor {name[:80]} must have {size} bytes outside the file, not "
                f"{length} at {offset}"
            )
        content = self._read_sibling(location, offset, size)
        if len(content) != size:
            raise ValueError(f"The file {location[:80]} must hold all of the tensor {name[:80]}")
        return content
