"""From an ONNX graph's operators to convolutions with what belongs to each.

Operators that exporters put around a convolution (padding, normalisation, clamps, a bias added
after it) become part of its `OnnxLayer`; sums, the pool and the layout of axes stay visible, so
that `onnx_network` can follow the image through the layers.

Ref: ONNX `docs/Operators.md`, opset 7 to 26.
"""

import math
from dataclasses import replace

import numpy as np

from mnv2.golden.float_model import BatchNormalization
from mnv2.golden.importers.float_network import golden_axes
from mnv2.golden.importers.onnx_grid import turn_grid
from mnv2.golden.importers.onnx_quantized import QuantizedReader
from mnv2.golden.importers.onnx_records import NCHW, NHWC, OnnxLayer, OnnxPool, Sum
from mnv2.golden.importers.onnx_views import SHAPE, View

_LAYOUTS = {(NCHW, (0, 2, 3, 1)): NHWC, (NHWC, (0, 3, 1, 2)): NCHW}
_SHAPE_OPERATORS = ("Shape", "Gather", "Unsqueeze", "Concat", "Slice")
_EXACT = 1e-6
#: Operators that may follow the last.
_SAME_NUMBERS = ("Cast", "DequantizeLinear", "Identity", "QuantizeLinear")


def find_layers(graph):
    """The Layers of an `onnx_graph.OnnxGraph`.

    Raises
    ------
    ValueError
        At an operator that no network of the family has, or that works in another way; naming it.
    """
    return _LayerReader(graph).read()


class _LayerReader(QuantizedReader):
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

    # Operators. Each gives the view of its output.

    def _read_Identity(self, node):
        return self._same(node, self._view(node))

    def _read_Cast(self, node):
        """Between float16 and float32, or of a shape."""
        view = self._views.get(node.inputs[0])
        if view is None or view is SHAPE:
            return self._read_shape(node)
        return self._same(node, view)

    def _read_Dropout(self, node):
        return self._same(node, self._view(node))

    def _read_shape(self, node):
        """Arithmetic on shapes, which only a Reshape may use."""
        for name in node.inputs:
            if name and name not in self._views and not self._graph.is_constant(name):
                raise ValueError(f"The operator {node} must work on a tensor that was made before")
            if self._views.get(name, SHAPE) is not SHAPE and node.operator != "Shape":
                raise ValueError(f"The operator {node} is not part of MobileNetV2")
        return SHAPE

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
            input_grid=view.grid,
            weight_grid=turn_grid(
                self._graph.grids.get(node.inputs[1]),
                weights.shape,
                lambda values: golden_axes(name, values, depthwise),
            ),
        )
        if self._has(node, 2):
            layer.bias = self._floats(node, 2, 1)
        self._found.layers.append(layer)
        return View(layer)

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
        view = self._unquantized_layer(node)
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
        # A quantised value that is clamped to real zero stays on its grid.
        kept = {low, high} <= {0, -math.inf, math.inf}
        view = self._only_layer(node) if kept else self._unquantized_layer(node)
        layer = view.maker
        layer.low, layer.high = max(layer.low, low), min(layer.high, high)
        return view

    def _read_Clip(self, node):
        if self._view(node).integers:
            return self._clip_integers(node)
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
        total = Sum(node.name, (a.maker, b.maker), (a.grid, b.grid))
        self._found.sums.append(total)
        return View(total, a.layout)

    def _add_bias(self, node, constant):
        view = self._unquantized_layer(node, 1 - constant)
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
        return View(OnnxPool(view.maker, input_grid=view.grid), NCHW)

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
        return View(OnnxPool(view.maker, tuple(kernel), view.grid), NCHW)

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
        return View(OnnxPool(view.maker, input_grid=view.grid), view.layout, flat=flat)

    def _flatten(self, node):
        if self._views.get(node.inputs[0]) is SHAPE:
            return SHAPE
        view = self._map(node)
        pooled = isinstance(view.maker, OnnxPool) or isinstance(
            getattr(view.maker, "source", None), OnnxPool
        )
        if not pooled:
            raise ValueError(f"The operator {node} must follow the pool")
        return self._same(node, replace(view, flat=True))

    _read_Flatten = _read_Reshape = _read_Squeeze = _flatten

    def _classify(self, node, turn, bias=None):
        """A dense layer; `turn` brings its weights to golden's axes."""
        view = self._map(node)
        if not isinstance(view.maker, OnnxPool) or not view.flat:
            raise ValueError(f"The operator {node} must follow the pool, flattened")
        weights = self._floats(node, 1, 2)
        layer = OnnxLayer(
            node.inputs[1][:80],
            view.maker,
            turn(weights),
            bias=bias,
            input_grid=view.grid,
            weight_grid=turn_grid(self._graph.grids.get(node.inputs[1]), weights.shape, turn),
        )
        self._found.layers.append(layer)
        return View(layer, flat=True)

    def _read_MatMul(self, node):
        return self._classify(node, np.ascontiguousarray)

    def _read_Gemm(self, node):
        attributes = node.attributes
        if attributes.get("transA", 0) or any(
            abs(attributes.get(x, 1.0) - 1) > _EXACT for x in ("alpha", "beta")
        ):
            raise ValueError(
                f"The operator {node} must be a plain product: transA 0, alpha and beta 1"
            )
        bias = self._floats(node, 2).reshape(-1) if self._has(node, 2) else None
        turned = attributes.get("transB", 0)
        return self._classify(node, lambda x: np.ascontiguousarray(x.T if turned else x), bias)

    def _read_Softmax(self, node):
        """Probabilities at the end: the float model gives the logits before them."""
        view = self._only_layer(node)
        users = [x for x in self._graph.nodes if node.outputs[0] in x.inputs]
        last = all(x.operator in _SAME_NUMBERS for x in users)
        if not isinstance(view.maker.source, OnnxPool) or not last:
            raise ValueError(f"The operator {node} must be the last")
        return view
