"""From an ONNX graph's operators to convolutions with what belongs to each.

Operators that exporters put around a convolution (padding, normalisation, clamps, a bias added
after it) become part of its `OnnxLayer`; sums, the pool and the layout of axes stay visible, so
that `onnx_network` can follow the image through the layers.

Ref: ONNX `docs/Operators.md`, opset 7 to 26.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mnv2.golden.float_model import BatchNormalization
from mnv2.golden.importers.float_network import as_float32, golden_axes
from mnv2.golden.importers.onnx_quantized import QuantizedReader
from mnv2.golden.importers.onnx_records import NCHW, NHWC, Layers, OnnxLayer, OnnxPool, Sum

_LAYOUTS = {(NCHW, (0, 2, 3, 1)): NHWC, (NHWC, (0, 3, 1, 2)): NCHW}
_SHAPE_OPERATORS = ("Shape", "Gather", "Unsqueeze", "Concat", "Slice")
_EXACT = 1e-6
#: Operators that may follow the last.
_SAME_NUMBERS = ("Cast", "DequantizeLinear", "Identity", "QuantizeLinear")


@dataclass(frozen=True, eq=False)
class _View:
    """A tensor as an operator sees it: its maker, the order of axes, zeros put around it."""

    maker: Any
    layout: str = NCHW
    padding: tuple[tuple[int, int], tuple[int, int]] | None = None
    flat: bool = False


_SHAPE = _View("shape")


def find_layers(graph):
    """The Layers of an `onnx_graph.OnnxGraph`.

    Raises
    ------
    ValueError
        At an operator that no network of the family has, or that works in another way; naming it.
    """
    return _LayerReader(graph).read()


class _LayerReader(QuantizedReader):
    def __init__(self, graph):
        self._graph = graph
        self._uses = {graph.output: 1}
        for node in graph.nodes:
            for name in node.inputs:
                self._uses[name] = self._uses.get(name, 0) + 1
        self._found = Layers()
        shape = graph.input_shape
        if len(shape) != 4:
            raise ValueError(f"The input {graph.input[:80]} must have four axes, not {len(shape)}")
        if shape[1] != 3 and shape[3] == 3:
            self._found.layout = NHWC
        elif shape[1] != 3:
            raise ValueError(
                f"The input {graph.input[:80]} must have 3 channels, not the shape {shape}"
            )
        self._views = {graph.input: _View(self._found.image, self._found.layout)}

    def read(self):
        for node in self._graph.nodes:
            run = getattr(self, f"_read_{node.operator}", None)
            if node.operator in _SHAPE_OPERATORS:
                view = self._read_shape(node)
            elif run is None:
                raise ValueError(f"The operator {node} is not part of MobileNetV2")
            elif not node.inputs or not node.outputs:
                raise ValueError(f"The operator {node} must have inputs and outputs")
            else:
                view = run(node)
            if node.outputs[0] in self._views or self._graph.is_constant(node.outputs[0]):
                raise ValueError(f"The tensor {node.outputs[0][:80]} must be made once")
            self._views[node.outputs[0]] = view
        output = self._views.get(self._graph.output)
        if output is None:
            raise ValueError(f"The output {self._graph.output[:80]} must be made by an operator")
        self._found.output = output.maker
        return self._found

    # What an operator works on.

    def _view(self, node, index=0):
        name = node.inputs[index] if index < len(node.inputs) else ""
        view = self._views.get(name)
        if view is None or view is _SHAPE:
            raise ValueError(
                f"The operator {node} must work on the image's way through the "
                f"network, not on {name[:80] or 'nothing'!r}"
            )
        return view

    def _map(self, node, index=0):
        """A view that carries no zeros around it."""
        view = self._view(node, index)
        if view.padding is not None:
            raise ValueError(f"The operator {node} must not work on a padded tensor")
        return view

    def _only_layer(self, node, index=0):
        """A layer whose output nothing but this operator uses, to be made part of it."""
        view = self._map(node, index)
        if not isinstance(view.maker, OnnxLayer) or self._uses[node.inputs[index]] != 1:
            raise ValueError(
                f"The operator {node} must follow a convolution that nothing else uses"
            )
        return view

    def _has(self, node, index):
        return index < len(node.inputs) and node.inputs[index] != ""

    def _floats(self, node, index, axes=None):
        name = node.inputs[index] if self._has(node, index) else ""
        if not name:
            raise ValueError(f"The operator {node} must have {index + 1} inputs")
        value = as_float32(name[:80], self._graph.constant(name))
        if axes is not None and value.ndim != axes:
            raise ValueError(
                f"The tensor {name[:80]} must have {axes} axes, not the shape {value.shape}"
            )
        return value

    def _integers(self, node, attribute, index):
        """Integers that older opsets hold as an attribute and newer ones as an input."""
        if self._has(node, index):
            return [int(x) for x in self._graph.constant(node.inputs[index]).ravel()[:16]]
        value = node.attributes.get(attribute)
        return value if isinstance(value, list) else None

    def _same(self, node, view):
        """The view of an output that holds the input's numbers: who uses one uses both."""
        self._uses[node.outputs[0]] = max(
            self._uses.get(node.outputs[0], 0), self._uses[node.inputs[0]]
        )
        return view

    # Operators. Each gives the view of its output.

    def _read_Identity(self, node):
        return self._same(node, self._view(node))

    def _read_Cast(self, node):
        """Between float16 and float32, or of a shape."""
        view = self._views.get(node.inputs[0])
        if view is None or view is _SHAPE:
            return self._read_shape(node)
        return self._same(node, view)

    def _read_Dropout(self, node):
        return self._same(node, self._view(node))

    def _read_shape(self, node):
        """Arithmetic on shapes, which only a Reshape may use."""
        for name in node.inputs:
            if name and name not in self._views and not self._graph.is_constant(name):
                raise ValueError(f"The operator {node} must work on a tensor that was made before")
            if self._views.get(name, _SHAPE) is not _SHAPE and node.operator != "Shape":
                raise ValueError(f"The operator {node} is not part of MobileNetV2")
        return _SHAPE

    def _read_Transpose(self, node):
        view = self._map(node)
        if view.flat:
            raise ValueError(f"The operator {node} must not turn the pooled features")
        layout = _LAYOUTS.get((view.layout, tuple(node.attributes.get("perm") or ())))
        if layout is None:
            raise ValueError(
                f"The operator {node} must bring NHWC to NCHW or back, not "
                f"{view.layout} by {node.attributes.get('perm')}"
            )
        return self._same(node, replace(view, layout=layout))

    def _read_Pad(self, node):
        view = self._map(node)
        pads = self._integers(node, "pads", 1)
        mode = node.attributes.get("mode", "constant")
        value = node.attributes.get("value", 0.0)
        if self._has(node, 2):
            value = float(self._floats(node, 2).reshape(-1)[0])
        if self._has(node, 3) or mode != "constant" or value != 0 or pads is None or len(pads) != 8:
            raise ValueError(f"The operator {node} must put zeros around an image")
        rows, columns = (view.layout.index(axis) for axis in "HW")
        padding = ((pads[rows], pads[rows + 4]), (pads[columns], pads[columns + 4]))
        if sum(pads) != sum(map(sum, padding)) or min(pads) < 0 or max(pads) > 2:
            raise ValueError(
                f"The operator {node} must put at most 2 zeros around rows and columns, not {pads}"
            )
        return replace(view, padding=padding)

    def _read_Conv(self, node):
        view = self._view(node)
        attributes = node.attributes
        if view.layout != NCHW or view.flat:
            raise ValueError(f"The operator {node} must work on channels before rows")
        name = node.inputs[1][:80] if len(node.inputs) > 1 else ""
        weights = self._floats(node, 1, 4)
        group = attributes.get("group", 1)
        depthwise = group != 1
        if depthwise and group != weights.shape[0]:
            raise ValueError(
                f"The operator {node} must be depthwise or have one group, not "
                f"{group} for {weights.shape[0]} channels"
            )
        strides = attributes.get("strides") or [1, 1]
        dilations = attributes.get("dilations") or [1, 1]
        if strides not in ([1, 1], [2, 2]) or dilations != [1, 1]:
            raise ValueError(
                f"The operator {node} must have the stride 1 or 2 in both directions "
                f"and no dilation, not {strides[:4]} and {dilations[:4]}"
            )
        layer = OnnxLayer(
            name,
            view.maker,
            golden_axes(name, weights, depthwise),
            depthwise,
            stride=strides[0],
            padding=self._padding(node, view.padding),
        )
        if self._has(node, 2):
            layer.bias = self._floats(node, 2, 1)
        self._found.layers.append(layer)
        return _View(layer)

    @staticmethod
    def _padding(node, before):
        mode = node.attributes.get("auto_pad", "NOTSET")
        pads = node.attributes.get("pads") or [0, 0, 0, 0]
        if mode == "SAME_UPPER" and before is None:
            return "same"
        if (
            mode not in ("NOTSET", "VALID")
            or len(pads) != 4
            or not 0 <= min(pads) <= max(pads) <= 2
        ):
            raise ValueError(
                f"The operator {node} must pad by at most 2 zeros, not by {mode} {pads[:8]}"
            )
        if mode == "VALID":
            pads = [0, 0, 0, 0]
        (top, bottom), (left, right) = before or ((0, 0), (0, 0))
        return ((top + pads[0], bottom + pads[2]), (left + pads[1], right + pads[3]))

    def _read_BatchNormalization(self, node):
        view = self._only_layer(node)
        layer = view.maker
        scale, offset, mean, variance = (self._floats(node, index, 1) for index in range(1, 5))
        epsilon = node.attributes.get("epsilon", 1e-5)
        if (
            layer.normalization is not None
            or layer.clamped
            or view.layout != NCHW
            or view.flat
            or node.attributes.get("training_mode", 0)
        ):
            raise ValueError(f"The operator {node} must follow a convolution, once, and not train")
        # A float32 in the file: take the decimal that it stands for, as other formats write it.
        layer.normalization = BatchNormalization(
            scale, offset, mean, variance, float(str(np.float32(epsilon)))
        )
        return view

    def _clamp(self, node, low, high):
        view = self._only_layer(node)
        layer = view.maker
        layer.low, layer.high = max(layer.low, low), min(layer.high, high)
        return view

    def _limit(self, node, attribute, index, default):
        if self._has(node, index):
            value = self._floats(node, index)
            if value.size != 1:
                raise ValueError(f"The operator {node} must have one limit")
            return float(value.reshape(-1)[0])
        value = node.attributes.get(attribute, default)
        return float(value) if isinstance(value, int | float) else math.nan

    def _read_Clip(self, node):
        return self._clamp(
            node, self._limit(node, "min", 1, -math.inf), self._limit(node, "max", 2, math.inf)
        )

    def _read_Relu(self, node):
        return self._clamp(node, 0.0, math.inf)

    def _read_Min(self, node):
        return self._clamp(node, -math.inf, self._limit(node, "", 1, math.nan))

    def _read_Max(self, node):
        return self._clamp(node, self._limit(node, "", 1, math.nan), math.inf)

    def _read_Add(self, node):
        if len(node.inputs) != 2:
            raise ValueError(f"The operator {node} must add two tensors")
        constants = [index for index in (0, 1) if self._graph.is_constant(node.inputs[index])]
        if constants:
            return self._add_bias(node, constants[0])
        a, b = self._map(node), self._map(node, 1)
        if a.layout != b.layout or a.flat or b.flat:
            raise ValueError(f"The operator {node} must add two images of one layout")
        total = Sum(node.name, (a.maker, b.maker))
        self._found.sums.append(total)
        return _View(total, a.layout)

    def _add_bias(self, node, constant):
        view = self._only_layer(node, 1 - constant)
        layer, value = view.maker, self._floats(node, constant)
        channels = layer.weights.shape[-1]
        axis = -1 if view.flat else view.layout.index("C") - 4
        spread = value.shape if value.ndim else (1,)
        if (
            value.size != channels
            or len(spread) < -axis
            or spread[axis] != channels
            or layer.clamped
        ):
            raise ValueError(
                f"The operator {node} must add a bias of {channels} channels, not of "
                f"the shape {value.shape}"
            )
        value = value.reshape(-1)
        if layer.normalization is not None:
            layer.normalization = replace(
                layer.normalization, offset=layer.normalization.offset + value
            )
        else:
            layer.bias = value if layer.bias is None else layer.bias + value
        return view

    def _read_GlobalAveragePool(self, node):
        view = self._map(node)
        if view.layout != NCHW or view.flat:
            raise ValueError(f"The operator {node} must work on channels before rows")
        return _View(OnnxPool(view.maker), NCHW)

    def _read_AveragePool(self, node):
        view = self._map(node)
        kernel = node.attributes.get("kernel_shape")
        if (
            view.layout != NCHW
            or view.flat
            or any(node.attributes.get("pads") or ())
            or not isinstance(kernel, list)
            or len(kernel) != 2
            or node.attributes.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID")
        ):
            raise ValueError(f"The operator {node} must take the mean of the whole map")
        return _View(OnnxPool(view.maker, tuple(kernel)), NCHW)

    def _read_ReduceMean(self, node):
        view = self._map(node)
        axes = self._integers(node, "axes", 1)
        spatial = {view.layout.index(axis) for axis in "HW"}
        if view.flat or axes is None or {x % 4 for x in axes} != spatial:
            raise ValueError(
                f"The operator {node} must take the mean over rows and columns, not "
                f"over the axes {axes} of {view.layout}"
            )
        flat = not node.attributes.get("keepdims", 1)
        return _View(OnnxPool(view.maker), view.layout, flat=flat)

    def _flatten(self, node):
        if self._views.get(node.inputs[0]) is _SHAPE:
            return _SHAPE
        view = self._map(node)
        pooled = isinstance(view.maker, OnnxPool) or isinstance(
            getattr(view.maker, "source", None), OnnxPool
        )
        if not pooled:
            raise ValueError(f"The operator {node} must follow the pool")
        return self._same(node, replace(view, flat=True))

    _read_Flatten = _read_Reshape = _read_Squeeze = _flatten

    def _classify(self, node, weights, bias=None):
        view = self._map(node)
        if not isinstance(view.maker, OnnxPool) or not view.flat:
            raise ValueError(f"The operator {node} must follow the pool, flattened")
        layer = OnnxLayer(node.inputs[1][:80], view.maker, np.ascontiguousarray(weights), bias=bias)
        self._found.layers.append(layer)
        return _View(layer, flat=True)

    def _read_MatMul(self, node):
        return self._classify(node, self._floats(node, 1, 2))

    def _read_Gemm(self, node):
        attributes = node.attributes
        if attributes.get("transA", 0) or any(
            abs(attributes.get(x, 1.0) - 1) > _EXACT for x in ("alpha", "beta")
        ):
            raise ValueError(
                f"The operator {node} must be a plain product: transA 0, alpha and beta 1"
            )
        weights = self._floats(node, 1, 2)
        bias = self._floats(node, 2).reshape(-1) if self._has(node, 2) else None
        return self._classify(node, weights.T if attributes.get("transB", 0) else weights, bias)

    def _read_Softmax(self, node):
        """Probabilities at the end: the float model gives the logits before them."""
        view = self._only_layer(node)
        users = [x for x in self._graph.nodes if node.outputs[0] in x.inputs]
        last = all(x.operator in _SAME_NUMBERS for x in users)
        if not isinstance(view.maker.source, OnnxPool) or not last:
            raise ValueError(f"The operator {node} must be the last")
        return view
