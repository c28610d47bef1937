"""Quantised ONNX: ONNX Runtime's two forms, read as floats, and those of trainings, with grids.

In the form QDQ, QuantizeLinear and DequantizeLinear stand around operators in floats; in the form
QOperator, operators take integers, scales and zero points. Weights and biases become the floats
that they stand for; the steps of activations are not taken over, but where their ends stand for a
ReLU6 that the quantiser left out, that is seen.

A quantisation-aware training writes Quant (QONNX), or QDQ with a Clip of integers in between (QCDQ)
where it has fewer bits or a narrow range. There each layer, sum and pool is told the grid that its
output is rounded to; `onnx_integers` makes integers of that.

Ref: ONNX `docs/Operators.md`, QuantizeLinear, DequantizeLinear, QLinearConv, QLinearMatMul; ONNX
Runtime 1.32 `docs/ContribOperators.md`, com.microsoft QGemm, QLinearAdd, QLinearGlobalAveragePool.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from mnv2.golden.importers.onnx_folding import (
    QUANT_OPERATORS,
    clip_ends,
    dequantized,
    linear_grid,
    narrowed,
    quant_grid,
)
from mnv2.golden.importers.onnx_graph import Node
from mnv2.golden.importers.onnx_records import OnnxLayer
from mnv2.golden.importers.onnx_views import ViewReader

#: Operators of the form QOperator: the float operator of each, and which of its inputs are tensors
#: (each with its scale and zero point after it).
_FLOAT_OPERATORS = {
    "QLinearAdd": ("Add", 2),
    "QLinearAveragePool": ("AveragePool", 1),
    "QLinearGlobalAveragePool": ("GlobalAveragePool", 1),
    "QLinearSoftmax": ("Softmax", 1),
}


#: 6, and what a scale in float32 may add to it.
_SIX = 6.001


class QuantizedReader(ViewReader):
    """The part of a reader of layers that reads quantised operators.

    Has the readers of float operators from `onnx_layers`.
    """

    _read_Conv: Any
    _read_MatMul: Any
    _read_Gemm: Any

    def _saturate(self, node, view, scale, zero):
        """Note what a quantised output can hold, at the layer that makes it."""
        self._found.quantized = True
        steps = self._graph.constant(scale).astype(np.float64)
        offset = self._graph.constant(zero) if zero else np.zeros((), np.uint8)
        if steps.size != 1 or offset.size != 1 or offset.dtype.kind not in "iu":
            raise ValueError(f"The operator {node} must have one scale and one zero point")
        limits, point = np.iinfo(offset.dtype), int(offset.reshape(-1)[0])
        if isinstance(view.maker, OnnxLayer):
            step = float(steps.reshape(-1)[0])
            view.maker.saturation = ((limits.min - point) * step, (limits.max - point) * step)
        return view

    def __init__(self, graph):
        super().__init__(graph)
        linear = [node for node in graph.nodes if node.operator == "QuantizeLinear"]
        integers = {name for node in linear for name in node.outputs}
        self._found.trained = bool(linear and graph.clipped) or any(
            node.operator in QUANT_OPERATORS
            or (node.operator == "Clip" and node.inputs and node.inputs[0] in integers)
            for node in graph.nodes
        )

    def _on_grid(self, node, view, grid):
        """The view of a tensor that was quantised, which its maker is told of."""
        if not grid.single:
            raise ValueError(f"The operator {node} must have one scale and one zero point")
        if grid not in view.maker.grids:
            view.maker.grids.append(grid)
        return replace(view, grid=grid, integers=False)

    def _read_Quant(self, node):
        view = self._same(node, self._map(node))
        return self._on_grid(node, view, quant_grid(self._graph, node))

    _read_IntQuant = _read_Quant

    def _read_QuantizeLinear(self, node):
        view = self._same(node, self._view(node))
        if self._found.trained:
            return replace(view, grid=linear_grid(self._graph, node, ()), integers=True)
        return self._saturate(node, view, self._input(node, 1), (*node.inputs, "", "")[2])

    def _clip_integers(self, node):
        """A Clip between QuantizeLinear and DequantizeLinear."""
        view = self._same(node, self._view(node))
        grid = view.grid
        return replace(
            view, grid=narrowed(grid, *clip_ends(self._graph, node, grid.low, grid.high))
        )

    def _read_DequantizeLinear(self, node):
        view = self._same(node, self._view(node))
        if not view.integers:
            return view
        if not linear_grid(self._graph, node, ()).same_steps(view.grid):
            raise ValueError(
                f"The operator {node} must have the scale and the zero point of the QuantizeLinear "
                "before it"
            )
        return self._on_grid(node, view, view.grid)

    def _as_floats(self, node, operator, inputs, attributes=None):
        """The operator in floats, its output the quantised one's."""
        return Node(
            operator,
            node.name,
            tuple(inputs),
            node.outputs,
            node.attributes if attributes is None else attributes,
        )

    def _weights(self, node, first, bias_index, axis):
        """Names of the weights and of the bias in floats, made constants of the graph."""
        weights, scale, zero = (self._input(node, first + offset) for offset in range(3))
        graph, made = self._graph, f"{weights} of {node.name}"
        graph.add_constant(made, dequantized(graph, node, weights, scale, zero, axis))
        if not self._has(node, bias_index):
            return [made]
        bias, steps = node.inputs[bias_index], graph.constant(scale).astype(np.float64)
        steps = steps * float(graph.constant(self._input(node, 1)).reshape(-1)[0])
        values = graph.constant(bias).astype(np.float64)
        if values.ndim != 1 or steps.size not in (1, values.size):
            raise ValueError(f"The operator {node} must have a bias of one axis")
        name = f"{bias} of {node.name}"
        graph.add_constant(name, (values * steps.reshape(-1)).astype(np.float32))
        return [made, name]

    def _read_QLinearConv(self, node):
        inputs = [self._input(node, 0), *self._weights(node, 3, 8, 0)]
        view = self._read_Conv(self._as_floats(node, "Conv", inputs))
        view.maker.name = node.inputs[3][:80]
        return self._saturate(node, view, self._input(node, 6), self._input(node, 7))

    def _read_QLinearMatMul(self, node):
        inputs = [self._input(node, 0), *self._weights(node, 3, 99, -1)]
        view = self._read_MatMul(self._as_floats(node, "MatMul", inputs))
        return self._saturate(node, view, self._input(node, 6), self._input(node, 7))

    def _read_QGemm(self, node):
        axis = 0 if node.attributes.get("transB", 0) else 1
        inputs = [self._input(node, 0), *self._weights(node, 3, 6, axis)]
        return self._read_Gemm(self._as_floats(node, "Gemm", inputs))

    def _tensor(self, node, index):
        """The name of an input; of a constant, that of the floats that it stands for."""
        name = self._input(node, index)
        if not self._graph.is_constant(name):
            return name
        made = f"{name} of {node.name}"
        scale, zero = (self._input(node, index + offset) for offset in (1, 2))
        self._graph.add_constant(made, dequantized(self._graph, node, name, scale, zero))
        return made

    def _read_float_operator(self, node):
        operator, count = _FLOAT_OPERATORS[node.operator]
        inputs = [self._tensor(node, 3 * index) for index in range(count)]
        self._found.quantized = True
        if operator == "GlobalAveragePool" and node.attributes.get("channels_last", 0):
            raise ValueError(f"The operator {node} must work on channels before rows")
        return getattr(self, f"_read_{operator}")(self._as_floats(node, operator, inputs))

    _read_QLinearAdd = _read_QLinearAveragePool = _read_float_operator
    _read_QLinearGlobalAveragePool = _read_QLinearSoftmax = _read_float_operator


def settle_clamp(layer):
    """Give a layer the ReLU6 that its quantised output stands for, where one is expected."""
    if layer.clamped or layer.saturation is None:
        return
    low, high = layer.saturation
    if low == 0 and 0 < high <= _SIX:
        layer.low, layer.high = 0.0, 6.0
