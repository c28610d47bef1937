"""A .tflite file's bytes as a graph of operators.

The tables are read with the generated schema of the package `tflite`, which checks nothing: every
index, size and offset is checked here before it is used, and what the schema's readers raise on a
damaged file becomes one sentence. Constants are views of the file's bytes.

Ref: LiteRT `tflite/schema/schema.fbs`, version 3; `tflite/core/interpreter_builder.cc`
(ParseTensors, ParseQuantization) for what a file may leave out.
"""

import contextlib
import math
import struct

import numpy as np

from mnv2.golden.graph.derivation import MAXIMUM_AXES
from mnv2.golden.graph.graph import MAXIMUM_OPERATORS, Graph
from mnv2.golden.graph.schema import (
    LABEL_CHARACTERS,
    OPERATOR_OPTIONS,
    Operator,
    Tensor,
    tensor_label,
)
from mnv2.golden.importers.tflite_float import INSTEAD, describe_floats
from mnv2.golden.importers.tflite_options import read_options

IDENTIFIER, VERSION = b"TFL3", 3
MAXIMUM_TENSORS, MAXIMUM_INTERFACE, MAXIMUM_OPERATOR_TENSORS = 2**15, 2**8, 2**4
#: A longer name is cut; converters join the names of fused layers, so some are long.
MAXIMUM_NAME_BYTES = 2**10
#: What the schema's readers raise where an offset or a length leads out of the file; AttributeError
#: where they answer None for a table that is absent.
_DAMAGE = (struct.error, IndexError, TypeError, OverflowError, AttributeError)
#: Places in the tables' vtables, of fields that the package reads with less care.
NAME_SLOT, CUSTOM_CODE_SLOT, BUILTIN_CODE_SLOT = 10, 6, 10


def read_graph(data):
    """The Graph of a .tflite file.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    mnv2.golden.graph.graph.Graph
        Checked: it runs on any input of its shapes.

    Raises
    ------
    ValueError
        If the file is damaged or no TFLite model, if it holds anything that the graph's arithmetic
        does not cover (the message names operator and tensor), or if the package `tflite` is
        missing.
    """
    return GraphReader(data).graph()


class GraphReader:
    """One file being read.

    Parameters
    ----------
    data : bytes
    """

    def __init__(self, data):
        try:
            import tflite as schema
        except ImportError:
            raise ValueError(
                "A .tflite model is read with the package tflite, which is not installed: "
                "pip install 'mnv2[models]'"
            ) from None
        if len(data) < 8 or data[4:8] != IDENTIFIER:
            raise ValueError("The file must be a TFLite model, with the identifier TFL3")
        self.schema, self.data = schema, data
        with self.reading("the model"):
            self.model = schema.Model.GetRootAs(data, 0)
            if self.model.Version() != VERSION:
                raise ValueError(
                    f"The model must be of schema version {VERSION}, not {self.model.Version()}"
                )
            if self.model.SubgraphsLength() != 1:
                raise ValueError(
                    f"The model must have one subgraph, not {self.model.SubgraphsLength()}"
                )
            self.subgraph = self.model.Subgraphs(0)

    @contextlib.contextmanager
    def reading(self, what):
        """Turn what a damaged file raises into a sentence that says what was being read."""
        try:
            yield
        except _DAMAGE:
            raise ValueError(f"The file is damaged or truncated at {what}") from None

    def vector(self, array, length, limit, what):
        """A vector of the schema as an array, empty where it is absent.

        Parameters
        ----------
        array, length : function
            The schema's readers of the vector and of its length.
        limit : int
            Elements that it may have.
        """
        count = length()
        if count > limit:
            raise ValueError(f"There must be at most {limit:,} {what}, not {count:,}")
        if count == 0:
            return np.zeros(0, np.int64)
        try:
            return array()
        except ValueError:  # numpy: it leads out of the file
            raise IndexError from None

    def interface(self):
        """((number of tensors, of operators), indices of inputs, of outputs)."""
        with self.reading("the subgraph"):
            counts = self.subgraph.TensorsLength(), self.subgraph.OperatorsLength()
            for count, limit, what in zip(
                counts, (MAXIMUM_TENSORS, MAXIMUM_OPERATORS), ("tensors", "operators"), strict=True
            ):
                if count > limit:
                    raise ValueError(f"The model must have at most {limit:,} {what}, not {count:,}")
            inputs, outputs = (
                tuple(self.vector(array, length, MAXIMUM_INTERFACE, what).tolist())
                for array, length, what in (
                    (self.subgraph.InputsAsNumpy, self.subgraph.InputsLength, "inputs"),
                    (self.subgraph.OutputsAsNumpy, self.subgraph.OutputsLength, "outputs"),
                )
            )
        return counts, inputs, outputs

    def float_kind(self):
        """Which kind of float model it is, in words; None of one in integers."""
        # What is damaged is named at its place, when it is read.
        with contextlib.suppress(*_DAMAGE, ValueError):
            return describe_floats(
                self.schema, self.subgraph, lambda operator: self.kind(operator, "an operator")
            )
        return None

    def graph(self):
        counts, *interface = self.interface()
        floats = self.float_kind()
        if floats is not None:
            raise ValueError(f"It is a float model ({floats}), not one in int8: {INSTEAD}")
        operators = tuple(self.operator(index) for index in range(counts[1]))
        users: dict[int, str] = {}
        for operator in operators:
            for index in (*operator.inputs, *operator.outputs):
                users.setdefault(index, operator.label)
        self.computed = {
            *interface[0],
            *(index for operator in operators for index in operator.outputs),
        }
        tensors = tuple(self.tensor(index, users.get(index)) for index in range(counts[0]))
        return Graph(tensors, operators, *interface)

    def operator(self, index):
        """The Operator at a place, its indices not yet checked."""
        what = f"operator {index}"
        with self.reading(what):
            table = self.subgraph.Operators(index)
            inputs, outputs = (
                tuple(
                    self.vector(
                        array, length, MAXIMUM_OPERATOR_TENSORS, f"{part} of {what}"
                    ).tolist()
                )
                for array, length, part in (
                    (table.InputsAsNumpy, table.InputsLength, "inputs"),
                    (table.OutputsAsNumpy, table.OutputsLength, "outputs"),
                )
            )
            named = self.label(outputs[0]) if outputs else "no tensor"
            what = f"operator {index}, which makes {named}"
        with self.reading(what):
            kind = self.kind(table, what)
            if kind not in OPERATOR_OPTIONS:
                raise ValueError(
                    f"O{what[1:]}, must be one of {', '.join(OPERATOR_OPTIONS)}, not {kind}"
                )
        what = f"operator {index} ({kind}), output {named}"
        with self.reading(what):
            try:
                options = read_options(self.schema, kind, table)
                return Operator(index, kind, inputs, outputs, options)
            except ValueError as error:
                raise ValueError(f"O{what[1:]}: {error}") from None

    def kind(self, table, what):
        """The name of an operator's kind, as the schema has it."""
        index, count = table.OpcodeIndex(), self.model.OperatorCodesLength()
        if index >= count:
            raise ValueError(
                f"The kind of {what}, must be one of the model's {count} operator "
                f"codes, not code {index}"
            )
        code = self.model.OperatorCodes(index)
        number = max(_own_builtin_code(code), code.DeprecatedBuiltinCode())
        if number == self.schema.BuiltinOperator.CUSTOM:
            return f"the custom operator {_text(code, CUSTOM_CODE_SLOT, LABEL_CHARACTERS)!r}"
        return self.schema.BUILTIN_OPCODE2NAME.get(number, f"the unknown code {number}")

    def label(self, index):
        """How messages name a tensor, as far as the file lets it be named."""
        try:
            return tensor_label(index, _text(self.subgraph.Tensors(index), NAME_SLOT))
        except (*_DAMAGE, ValueError):
            return f"tensor {index}"

    def shape(self, index, what):
        """Sizes of a tensor's axes."""
        with self.reading(what):
            table = self.subgraph.Tensors(index)
            shape = tuple(
                self.vector(
                    table.ShapeAsNumpy, table.ShapeLength, MAXIMUM_AXES, f"axes of {what}"
                ).tolist()
            )
        if any(size < 0 for size in shape):
            raise ValueError(f"The shape of {what} must not be negative, not {list(shape)}")
        return shape

    def tensor(self, index, user):
        """The Tensor at an index; `user` is the label of the first operator that uses it."""
        what = f"tensor {index}" + (f" of {user}" if user else "")
        with self.reading(what):
            table = self.subgraph.Tensors(index)
            name = _text(table, NAME_SLOT)
            what = tensor_label(index, name) + (f" of {user}" if user else "")
        with self.reading(what):
            shape = self.shape(index, what)
            dtype = self.type_name(table.Type())
            if dtype not in _TYPES:
                raise ValueError(
                    f"The type of {what} must be one of {', '.join(_TYPES.values())}, not {dtype}"
                )
            if table.IsVariable() or table.Sparsity() is not None:
                raise ValueError(f"The contents of {what} must be neither variable nor sparse")
            scales, zero_points, axis = self.quantization(table.Quantization(), shape, what)
            contents = self.contents(table.Buffer(), shape, np.dtype(_TYPES[dtype]), what)
            if contents is None and shape == (0,) and index not in self.computed:
                # No elements, nothing to keep: the shape of a RESHAPE to a scalar.
                contents = np.zeros(shape, _TYPES[dtype])
            return Tensor(index, name, shape, _TYPES[dtype], scales, zero_points, axis, contents)

    def type_name(self, number):
        types = vars(self.schema.TensorType)
        return next(
            (name for name, value in types.items() if value == number and not name.startswith("_")),
            f"number {number}",
        )

    def quantization(self, table, shape, what):
        """(scales, zero points, axis) of a tensor, empty where it has none."""
        if table is None:
            return np.zeros(0, np.float32), np.zeros(0, np.int64), 0
        if table.DetailsType() != self.schema.QuantizationDetails.NONE:
            raise ValueError(
                f"The quantisation of {what} must be affine, with scales and zero points"
            )
        limit = len(self.data)
        scales = self.vector(table.ScaleAsNumpy, table.ScaleLength, limit, f"scales of {what}")
        if scales.size == 0:
            return np.zeros(0, np.float32), np.zeros(0, np.int64), 0
        zero_points = self.vector(
            table.ZeroPointAsNumpy, table.ZeroPointLength, limit, f"zero points of {what}"
        )
        if zero_points.size != scales.size:
            raise ValueError(
                f"There must be as many zero points as scales of {what}, "
                f"{scales.size}, not {zero_points.size}"
            )
        axis = table.QuantizedDimension()
        if not 0 <= axis < max(1, len(shape)):
            raise ValueError(
                f"The quantised axis of {what} must be one of its {len(shape)}, not {axis}"
            )
        if scales.size > 1 and scales.size != (shape or (1,))[axis]:
            raise ValueError(
                f"The scales of {what} must be one, or one for each index of axis "
                f"{axis} of its shape {list(shape)}, not {scales.size}"
            )
        return (
            scales.astype(np.float32, copy=False),
            zero_points.astype(np.int64, copy=False),
            axis,
        )

    def contents(self, index, shape, dtype, what):
        """The constant contents of a tensor as a view of the file, None where it has none."""
        count = self.model.BuffersLength()
        if index >= count and index > 0:
            raise ValueError(
                f"The buffer of {what} must be one of the model's {count}, not buffer {index}"
            )
        if index == 0:
            return None
        buffer = self.model.Buffers(index)
        start, size = buffer.Offset(), buffer.Size()
        if buffer.DataLength():
            stored = self.vector(
                buffer.DataAsNumpy,
                buffer.DataLength,
                len(self.data),
                f"bytes in the buffer of {what}",
            )
        elif start > 1:  # kept after the tables, in files over 2 GiB
            if start + size > len(self.data):
                raise ValueError(
                    f"The buffer of {what} must lie in the file's {len(self.data):,} "
                    f"bytes, not at {start:,} to {start + size:,}"
                )
            stored = np.frombuffer(self.data, np.uint8, size, start)
        else:
            return None
        needed = math.prod(shape) * dtype.itemsize
        if needed > stored.size:
            raise ValueError(
                f"The buffer of {what} must hold the {needed:,} bytes of its shape "
                f"{list(shape)}, not {stored.size:,}"
            )
        return stored[:needed].view(dtype).reshape(shape)


#: The schema's types that a record may have, and numpy's names for them.
_TYPES = {
    "INT8": "int8",
    "UINT8": "uint8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "FLOAT32": "float32",
    "BOOL": "bool",
}


def _own_builtin_code(code):
    """The field `builtin_code` of an operator code, 0 where it is absent.

    The package's `BuiltinCode()` returns the deprecated field where this one is below 127;
    LiteRT takes the larger of the two.

    Ref: LiteRT `tflite/schema/schema_utils.cc`, GetBuiltinCode.
    """
    from flatbuffers.number_types import Int32Flags

    table = code._tab
    place = table.Offset(BUILTIN_CODE_SLOT)
    return table.Get(Int32Flags, place + table.Pos) if place else 0


def _text(record, slot, limit=MAXIMUM_NAME_BYTES):
    """The start of a string field, which may claim to be as long as the file."""
    table = record._tab
    place = table.Offset(slot)
    if place == 0:
        return ""
    start = table.Vector(place)
    end = start + min(table.VectorLen(place), limit)
    return bytes(table.Bytes[start:end]).decode("utf-8", "replace")
