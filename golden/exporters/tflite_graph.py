"""A TFLite file under construction: tensors, operators and constants, packed to bytes.

Needs the packages tflite (the schema's builder functions) and flatbuffers. The same calls give the
same bytes.

Ref: LiteRT `tflite/schema/schema.fbs`, version 3.
"""

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np

SCHEMA_VERSION = 3
#: Constants begin at multiples of this, as `force_align` in the schema asks.
ALIGNMENT_BYTES = 16
_TYPES = {
    np.dtype(name): name.upper()
    for name in ("int8", "uint8", "int16", "int32", "int64", "float16", "float32")
}
#: Options that are given as names of an enumeration.
_ENUMERATIONS = {"padding": "Padding", "fusedActivationFunction": "ActivationFunctionType"}


def _schema(name):
    """A module of the schema, such as `Tensor`; ValueError if the package is missing."""
    try:
        return importlib.import_module(f"tflite.{name}")
    except ImportError:
        raise ValueError(
            "Writing .tflite needs the packages tflite and flatbuffers: pip install 'mnv2[models]'"
        ) from None


def _constant(enumeration, name):
    """Number of a name in an enumeration of the schema."""
    value = getattr(getattr(_schema(enumeration), enumeration), name, None)
    if value is None:
        raise ValueError(f"A {enumeration} of the schema must be known, not {name!r}")
    return value


@dataclass(frozen=True, eq=False)
class _Tensor:
    """A tensor as the file describes it."""

    name: str
    shape: tuple[int, ...]
    type: int
    buffer: int
    scales: np.ndarray | None
    zero_point: int
    axis: int


@dataclass(frozen=True)
class _Operator:
    """An operator as the file describes it."""

    code: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options_kind: str | None
    options: dict[str, Any]


class GraphWriter:
    """Collects one subgraph; `tensor` and `operator` return indices, `finish` the file.

    Tensors are batch 1, [1, H, W, C], where they are activations.

    Parameters
    ----------
    description : str
        What the file says of itself.
    """

    def __init__(self, description="mnv2"):
        self._description = description
        self._buffers = [b""]  # buffer 0 is empty by convention
        self._metadata = []
        self._tensors, self._operators = [], []
        self._codes = {}

    def tensor(self, name, shape, dtype=np.int8, *, scales=None, zero_points=0, axis=0, data=None):
        """Add a tensor.

        Parameters
        ----------
        name : str
        shape : tuple of int
        dtype : int8, uint8, int16, int32, int64, float16 or float32
        scales : float or float32 [N], optional
            One, or one for each index of `axis`.
        zero_points : int
        data : array, optional
            Constant contents.

        Returns
        -------
        int
        """
        buffer = 0
        if data is not None:
            kind = np.dtype(dtype).newbyteorder("<")
            buffer = self._buffer(np.ascontiguousarray(data, kind).tobytes())
        if scales is not None:
            scales = np.atleast_1d(np.asarray(scales, "<f4"))
        self._tensors.append(
            _Tensor(
                name,
                tuple(int(size) for size in shape),
                _constant("TensorType", _TYPES[np.dtype(dtype)]),
                buffer,
                scales,
                int(zero_points),
                axis,
            )
        )
        return len(self._tensors) - 1

    def operator(self, code, inputs, outputs, options_kind=None, options=None, version=1):
        """Add an operator.

        Parameters
        ----------
        code, options_kind : str
            Names in the schema, such as "CONV_2D" and "Conv2DOptions".
        inputs, outputs : sequence of int
        options : dict, optional
            By names of the schema; values of enumerations as names, such as "SAME", lists of
            int32.
        version : int
        """
        number = (_constant("BuiltinOperator", code), version)
        index = self._codes.setdefault(number, len(self._codes))
        self._operators.append(
            _Operator(
                index,
                tuple(inputs),
                tuple(outputs),
                options_kind,
                {
                    name: _constant(_ENUMERATIONS[name], value) if isinstance(value, str) else value
                    for name, value in (options or {}).items()
                },
            )
        )

    def metadata(self, name, content):
        """Add bytes under a name; interpreters pass over names that they do not know."""
        self._metadata.append((name, self._buffer(content)))

    def _buffer(self, content):
        self._buffers.append(content)
        return len(self._buffers) - 1

    def finish(self, inputs, outputs):
        """The file's bytes, with these tensors as the graph's inputs and outputs."""
        _schema("Model")  # says what is missing, flatbuffers too
        import flatbuffers

        writer = _Writer(flatbuffers.Builder(sum(map(len, self._buffers)) + (1 << 16)))
        parts = {
            "OperatorCodes": [writer.operator_code(*code) for code in self._codes],
            "Subgraphs": [writer.subgraph(self._tensors, self._operators, inputs, outputs)],
            "Buffers": [writer.buffer(content) for content in self._buffers],
            "Metadata": [
                writer.table("Metadata", Name=writer.text(name), Buffer=buffer)
                for name, buffer in self._metadata
            ],
        }
        vectors = {name: writer.offsets(offsets) for name, offsets in parts.items() if offsets}
        root = writer.table(
            "Model", Version=SCHEMA_VERSION, Description=writer.text(self._description), **vectors
        )
        return writer.finish(root)


class _Writer:
    """Tables and vectors of the schema on a flatbuffers builder; each method returns an offset."""

    def __init__(self, builder):
        self._builder = builder

    def table(self, kind, **fields):
        """A table; fields by the names of the schema's builder functions."""
        module = _schema(kind)
        getattr(module, f"{kind}Start")(self._builder)
        for name, value in fields.items():
            add = getattr(module, f"{kind}Add{name}", None)
            if add is None:
                raise ValueError(f"A field of {kind} must be known, not {name!r}")
            add(self._builder, value)
        return getattr(module, f"{kind}End")(self._builder)

    def text(self, value):
        return self._builder.CreateString(value)

    def numbers(self, values, dtype):
        return self._builder.CreateNumpyVector(np.asarray(values, dtype))

    def offsets(self, offsets):
        builder = self._builder
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        return builder.EndVector()

    def buffer(self, content):
        """A buffer of the model, aligned."""
        if not content:
            return self.table("Buffer")
        builder = self._builder
        builder.StartVector(1, len(content), ALIGNMENT_BYTES)
        builder.head -= len(content)
        builder.Bytes[builder.head : builder.head + len(content)] = content
        return self.table("Buffer", Data=builder.EndVector())

    def operator_code(self, number, version):
        # Readers of before 2020 look at the older field, which is one byte.
        return self.table(
            "OperatorCode",
            DeprecatedBuiltinCode=min(number, 127),
            Version=version,
            BuiltinCode=number,
        )

    def subgraph(self, tensors, operators, inputs, outputs):
        parts = {
            "Tensors": self.offsets([self.tensor(tensor) for tensor in tensors]),
            "Inputs": self.numbers(inputs, "<i4"),
            "Outputs": self.numbers(outputs, "<i4"),
            "Operators": self.offsets([self.operator(operator) for operator in operators]),
            "Name": self.text("main"),
        }
        return self.table("SubGraph", **parts)

    def tensor(self, tensor):
        fields = {
            "Shape": self.numbers(tensor.shape, "<i4"),
            "Type": tensor.type,
            "Buffer": tensor.buffer,
            "Name": self.text(tensor.name),
        }
        if tensor.scales is not None:
            zero_points = np.full(tensor.scales.shape, tensor.zero_point)
            quantization = {
                "Scale": self.numbers(tensor.scales, "<f4"),
                "ZeroPoint": self.numbers(zero_points, "<i8"),
            }
            fields["Quantization"] = self.table(
                "QuantizationParameters", **quantization, QuantizedDimension=tensor.axis
            )
        return self.table("Tensor", **fields)

    def operator(self, operator):
        fields = {
            "OpcodeIndex": operator.code,
            "Inputs": self.numbers(operator.inputs, "<i4"),
            "Outputs": self.numbers(operator.outputs, "<i4"),
        }
        if operator.options_kind is not None:
            fields["BuiltinOptionsType"] = _constant("BuiltinOptions", operator.options_kind)
            fields["BuiltinOptions"] = self.table(
                operator.options_kind,
                **{
                    name[0].upper() + name[1:]: self.numbers(value, "<i4")
                    if isinstance(value, list | tuple)
                    else value
                    for name, value in operator.options.items()
                },
            )
        return self.table("Operator", **fields)

    def finish(self, root):
        self._builder.Finish(root, file_identifier=b"TFL3")
        return bytes(self._builder.Output())
