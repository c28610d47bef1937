"""Tensors of an ONNX graph as its reader sees them: who made each, how its axes lie.

The base of `onnx_layers`: it looks tensors up for an operator and refuses, by the operator's name,
what the operator must not work on.
"""

import math
from dataclasses import dataclass
from typing import Any

from mnv2.golden.importers.float_network import IMAGE_CHANNELS, as_float32
from mnv2.golden.importers.onnx_grid import Grid
from mnv2.golden.importers.onnx_records import NCHW, NHWC, Layers, OnnxLayer
from mnv2.golden.summary import short_repr


@dataclass(frozen=True, eq=False)
class View:
    """A tensor as an operator sees it.

    Attributes
    ----------
    maker : Image, OnnxLayer, Sum or OnnxPool
    layout : str
        NCHW or NHWC.
    padding : ((top, bottom), (left, right)) or None
        Zeros put around it.
    flat : bool
        Whether rows and columns are gone.
    grid : Grid or None
        That its values lie on, where it was quantised.
    integers : bool
        Whether it holds the integers of its grid, between QuantizeLinear and DequantizeLinear.
    """

    maker: Any
    layout: str = NCHW
    padding: tuple[tuple[int, int], tuple[int, int]] | None = None
    flat: bool = False
    grid: Grid | None = None
    integers: bool = False

    __repr__ = short_repr


#: Of a tensor that holds a shape.
SHAPE = View("shape")


class ViewReader:
    """Tensors by name, for the operators of `onnx_layers`.

    Parameters
    ----------
    graph : mnv2.golden.importers.onnx_graph.OnnxGraph
    """

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
        if shape[1] not in IMAGE_CHANNELS and shape[3] in IMAGE_CHANNELS:
            self._found.layout = NHWC
        elif shape[1] not in IMAGE_CHANNELS:
            raise ValueError(
                f"The input {graph.input[:80]} must have 3 channels or 1, not the shape {shape}"
            )
        self._views = {graph.input: View(self._found.image, self._found.layout)}

    def _view(self, node, index=0):
        name = node.inputs[index] if index < len(node.inputs) else ""
        view = self._views.get(name)
        if view is None or view is SHAPE:
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

    def _unquantized_layer(self, node, index=0):
        """The same, of a layer whose output is not quantised yet."""
        view = self._only_layer(node, index)
        if view.grid is not None and self._found.trained:
            raise ValueError(f"The operator {node} must come before its layer's quantisation")
        return view

    def _has(self, node, index):
        return index < len(node.inputs) and node.inputs[index] != ""

    def _input(self, node, index):
        """The name of an input that must be there."""
        if not self._has(node, index):
            raise ValueError(f"The operator {node} must have {index + 1} inputs")
        return node.inputs[index]

    def _floats(self, node, index, axes=None):
        name = self._input(node, index)
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

    def _limit(self, node, attribute, index, default):
        """A number that older opsets hold as an attribute and newer ones as an input."""
        if self._has(node, index):
            value = self._floats(node, index)
            if value.size != 1:
                raise ValueError(f"The operator {node} must have one limit")
            return float(value.reshape(-1)[0])
        value = node.attributes.get(attribute, default)
        return float(value) if isinstance(value, int | float) else math.nan

    def _same(self, node, view):
        """The view of an output that holds the input's numbers: who uses one uses both."""
        self._uses[node.outputs[0]] = max(
            self._uses.get(node.outputs[0], 0), self._uses[node.inputs[0]]
        )
        return view
