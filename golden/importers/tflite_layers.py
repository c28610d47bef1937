"""A float .tflite file as a float model: float32, float16 weights, or dynamic range.

Weights are the floats that float16 or int8 stand for; normalisations are folded into them already.
Arithmetic with constants before the stem goes into the normalisation of the image.

Ref: LiteRT `tflite/schema/schema.fbs`; `tflite/kernels/conv.cc` (float and hybrid evaluation).
"""

import math
from dataclasses import replace

import numpy as np

from mnv2.golden.importers.float_network import as_float32, check_input_size
from mnv2.golden.importers.keras_preprocessing import pixel_normalization
from mnv2.golden.importers.onnx_records import NHWC, Layers, OnnxLayer, OnnxPool, Sum
from mnv2.golden.importers.onnx_views import SHAPE, View
from mnv2.golden.importers.parts import assemble_parts, find_parts
from mnv2.golden.importers.tflite import GraphReader

#: Ends of fused activations.
_CLAMPS = {
    "NONE": (-math.inf, math.inf),
    "RELU": (0.0, math.inf),
    "RELU6": (0.0, 6.0),
    "RELU_N1_TO_1": (-1.0, 1.0),
}
#: numpy's names for types that constants may have.
_TYPES = {
    "FLOAT32": np.float32,
    "FLOAT16": np.float16,
    "INT8": np.int8,
    "UINT8": np.uint8,
    "INT32": np.int32,
    "INT64": np.int64,
}
_NOTES = {
    "float16": "its weights are those of float16",
    "dynamic": "its weights are those that the int8 of the file stand for",
}


def read_float_tflite(data):
    """The FloatModel in a .tflite file's bytes; None of a file in integers.

    Raises
    ------
    ValueError
        If the file is damaged, or its network is not of the family; operator or tensor are named.
    """
    reader = GraphReader(data)
    kind = reader.float_kind()
    if kind is None:
        return None
    walk = _Walk(reader)
    found = walk.read()
    notes = [note for word, note in _NOTES.items() if word in kind]
    normalization = None
    if walk.named:
        normalization, note = pixel_normalization(walk.factor, walk.offset, ", ".join(walk.named))
        notes.append(note)
    size = check_input_size(walk.image_shape[1:3])
    model = assemble_parts(find_parts(found), size, True, walk.image_shape[3], normalization)
    return replace(model, notes=tuple(notes))


class _Walk:
    """The operators of a file, from the image to the output.

    Attributes
    ----------
    image_shape : tuple of int
    factor, offset : float64 [3]
        What the image is multiplied with, then added, before the stem.
    named : list of str
        The operators that do so.
    """

    def __init__(self, reader):
        self._reader = reader
        counts, inputs, outputs = reader.interface()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ValueError(
                f"The graph must have one input and one output, not {len(inputs)} and "
                f"{len(outputs)}"
            )
        self._tensors, self._operators = counts
        self._output = outputs[0]
        self._found = Layers(layout=NHWC)
        self.image_shape = self._shape(inputs[0])
        known = self.image_shape[-1:] in ((1,), (3,))
        if len(self.image_shape) != 4 or self.image_shape[0] != 1 or not known:
            raise ValueError(
                f"The image {reader.label(inputs[0])} must be one of 3 channels or 1, not of the "
                f"shape {list(self.image_shape)}"
            )
        self._views = {inputs[0]: View(self._found.image, NHWC)}
        self._same = {}  # constants by what DEQUANTIZE makes of them
        self.factor, self.offset, self.named = np.ones(3), np.zeros(3), []

    def read(self):
        """The Layers."""
        for index in range(self._operators):
            operator = self._reader.operator(index)
            run = getattr(self, f"_read_{operator.kind}", None)
            if run is None:
                raise self._refuse(operator, "is not part of a float MobileNetV2")
            if len(operator.outputs) != 1 or not operator.inputs:
                raise self._refuse(operator, "must have inputs and one output")
            if operator.output in self._views:
                raise self._refuse(operator, "must make a tensor of its own")
            self._views[operator.output] = run(operator)
        output = self._views.get(self._output)
        if output is None or output is SHAPE:
            raise ValueError("The output must be made by an operator")
        self._found.output = output.maker
        return self._found

    def _refuse(self, operator, what):
        return ValueError(f"Operator {operator.index} ({operator.kind}) {what}")

    def _shape(self, index):
        if not 0 <= index < self._reader.subgraph.TensorsLength():
            raise ValueError(f"A tensor must be one of the model's, not {index}")
        return self._reader.shape(index, self._reader.label(index))

    def _is_map(self, index):
        return self._views.get(index, SHAPE) is not SHAPE

    def _view(self, operator, place=0):
        view = self._views.get(operator.input(place))
        if view is None or view is SHAPE:
            raise self._refuse(operator, "must work on the image's way through the network")
        return view

    def _map(self, operator, place=0):
        view = self._view(operator, place)
        if view.padding is not None:
            raise self._refuse(operator, "must not work on a padded tensor")
        return view

    def _constant(self, operator, place, axes=None):
        """Array of a constant input: floats as float32, integers as they are without scales."""
        index = operator.input(place)
        index = self._same.get(index, index)
        if index in self._views or not 0 <= index < self._tensors:
            raise self._refuse(operator, f"must have a constant as input {place}")
        name, value = self._reader.label(index), self._read(operator, index)
        if value.dtype.kind == "f":
            value = as_float32(name, value)
        if axes is not None and value.ndim != axes:
            raise self._refuse(operator, f"must have {name} with {axes} axes, not {value.shape}")
        return value

    def _read(self, operator, index):
        reader, name = self._reader, self._reader.label(index)
        shape = self._shape(index)
        with reader.reading(name):
            table = reader.subgraph.Tensors(index)
            kind = reader.type_name(table.Type())
            if kind not in _TYPES or table.IsVariable() or table.Sparsity() is not None:
                raise ValueError(f"The tensor {name} must be a dense constant, not {kind}")
            scales, points, axis = reader.quantization(table.Quantization(), shape, name)
            value = reader.contents(table.Buffer(), shape, np.dtype(_TYPES[kind]), name)
        if value is None:
            raise self._refuse(operator, f"must have the contents of {name} in the file")
        if not scales.size or kind.startswith("FLOAT"):
            return value
        spread = [1] * len(shape)
        if scales.size > 1:
            spread[axis] = -1
        real = value.astype(np.float64) - points.reshape(spread if scales.size > 1 else ())
        return (real * scales.astype(np.float64).reshape(spread if scales.size > 1 else ())).astype(
            np.float32
        )

    # Operators. Each gives the view of its output.

    def _read_DEQUANTIZE(self, operator):
        if operator.input(0) in self._views:
            return self._map(operator)
        self._same[operator.output] = operator.input(0)
        return SHAPE

    def _constant_shape(self, operator):
        """Sizes, which only a RESHAPE may use."""
        return SHAPE

    _read_SHAPE = _read_STRIDED_SLICE = _read_PACK = _constant_shape

    def _convolve(self, operator, depthwise):
        view, options = self._view(operator), operator.options
        weights = self._constant(operator, 1, 4)
        if depthwise:
            weights = weights[0] if weights.shape[0] == 1 else weights
        else:
            weights = weights.transpose(1, 2, 3, 0)
        taps, wanted = weights.shape[:2], ((3, 3),) if depthwise else ((1, 1), (3, 3))
        if view.flat or taps not in wanted or weights.ndim != (3 if depthwise else 4):
            raise self._refuse(operator, "must have 3x3 taps, or 1x1, one filter a channel")
        stride, dilation = options.stride, options.dilation
        if stride not in ((1, 1), (2, 2)) or dilation != (1, 1):
            raise self._refuse(
                operator,
                f"must have the stride 1 or 2 in both directions and no dilation, not {stride} and "
                f"{dilation}",
            )
        if taps == (1, 1):
            weights = weights[0, 0]
        padding = "same" if options.padding == "SAME" else ((0, 0), (0, 0))
        if view.padding is not None:
            if padding == "same":
                raise self._refuse(operator, "must not pad what is padded")
            padding = view.padding
        return self._layer(operator, view, weights, stride[0], padding, depthwise)

    def _layer(self, operator, view, weights, stride=1, padding=((0, 0), (0, 0)), depthwise=False):
        low, high = _CLAMPS[operator.options.activation]
        layer = OnnxLayer(
            self._reader.label(operator.input(1)),
            view.maker,
            np.ascontiguousarray(weights),
            depthwise,
            bias=self._bias(operator),
            stride=stride,
            padding=padding,
            low=low,
            high=high,
        )
        self._found.layers.append(layer)
        return View(layer, NHWC)

    def _bias(self, operator):
        if len(operator.inputs) < 3 or operator.inputs[2] < 0:
            return None
        return as_float32(self._reader.label(operator.inputs[2]), self._constant(operator, 2, 1))

    def _read_CONV_2D(self, operator):
        return self._convolve(operator, False)

    def _read_DEPTHWISE_CONV_2D(self, operator):
        return self._convolve(operator, True)

    def _read_FULLY_CONNECTED(self, operator):
        view = self._map(operator)
        if not isinstance(view.maker, OnnxPool):
            raise self._refuse(operator, "must follow the pool")
        return replace(self._layer(operator, view, self._constant(operator, 1, 2).T), flat=True)

    def _read_ADD(self, operator):
        constant = [x for x in (0, 1) if not self._is_map(operator.input(x))]
        if constant:
            return self._scale(operator, constant[0])
        a, b = self._map(operator), self._map(operator, 1)
        if a.flat or b.flat or operator.options.activation != "NONE":
            raise self._refuse(operator, "must add two images, without a clamp")
        total = Sum(self._reader.label(operator.output), (a.maker, b.maker))
        self._found.sums.append(total)
        return View(total, NHWC)

    def _scale(self, operator, place):
        """A product or sum of the image and a constant, before the stem."""
        view = self._map(operator, 1 - place)
        value = self._constant(operator, place).astype(np.float64).ravel()
        if (
            view.maker is not self._found.image
            or value.size not in (1, 3)
            or operator.options.activation != "NONE"
            or (operator.kind == "SUB" and place == 0)
        ):
            raise self._refuse(operator, "must follow the image, with one constant or three")
        if operator.kind == "MUL":
            self.factor, self.offset = self.factor * value, self.offset * value
        else:
            self.offset = self.offset + (value if operator.kind == "ADD" else -value)
        self.named.append(f"operator {operator.index} ({operator.kind})")
        return view

    def _read_MUL(self, operator):
        return self._scale(operator, int(not self._is_map(operator.input(1))))

    _read_SUB = _read_MUL

    def _read_PAD(self, operator):
        view, amounts = self._map(operator), self._constant(operator, 1, 2)
        rows = amounts.tolist() if amounts.dtype.kind == "i" else []
        if (
            len(rows) != 4
            or any(len(row) != 2 for row in rows)
            or rows[0] != [0, 0]
            or rows[3] != [0, 0]
            or not 0 <= min(map(min, rows)) <= max(map(max, rows)) <= 2
        ):
            raise self._refuse(operator, "must put at most 2 zeros around rows and columns")
        return replace(view, padding=(tuple(rows[1]), tuple(rows[2])))

    def _read_MEAN(self, operator):
        view, axes = self._map(operator), self._constant(operator, 1)
        if view.flat or axes.dtype.kind != "i" or {x % 4 for x in axes.ravel().tolist()} != {1, 2}:
            raise self._refuse(operator, "must take the mean over rows and columns")
        return View(OnnxPool(view.maker), NHWC, flat=not operator.options.keep_dimensions)

    def _read_AVERAGE_POOL_2D(self, operator):
        view, options = self._map(operator), operator.options
        if view.flat or options.padding != "VALID" or options.activation != "NONE":
            raise self._refuse(operator, "must take the mean of the whole map")
        return View(OnnxPool(view.maker, options.kernel), NHWC)

    def _read_RESHAPE(self, operator):
        view = self._map(operator)
        pooled = isinstance(view.maker, OnnxPool) or isinstance(
            getattr(view.maker, "source", None), OnnxPool
        )
        if not pooled:
            raise self._refuse(operator, "must follow the pool")
        return replace(view, flat=True)

    def _read_SOFTMAX(self, operator):
        """Probabilities at the end: the float model gives the logits before them."""
        view = self._map(operator)
        last = operator.index == self._operators - 1
        if not isinstance(getattr(view.maker, "source", None), OnnxPool) or not last:
            raise self._refuse(operator, "must be the last")
        return view

    _read_LOGISTIC = _read_SOFTMAX
