"""The parts of an ONNX graph of the family: the image, layers, sums and the pool."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from mnv2.golden.float_model import BatchNormalization
from mnv2.golden.importers.onnx_grid import Grid
from mnv2.golden.summary import short_repr

NCHW, NHWC = "NCHW", "NHWC"


@dataclass(eq=False)
class Image:
    """The network's input; `grids` as of an OnnxLayer."""

    grids: list[Grid] = field(default_factory=list)

    __repr__ = short_repr


@dataclass(eq=False)
class OnnxLayer:
    """A convolution or the classifier.

    Attributes
    ----------
    name : str
        Of its weights in the file.
    source : Image, OnnxLayer, Sum or OnnxPool
    weights, bias, normalization
        As in `float_network.FloatConvolution`.
    stride : int
    padding : ((top, bottom), (left, right)) or "same"
    low, high : float
        The clamp after it.
    saturation : (float, float) or None
        The ends of what its quantised output can hold, which may stand for a clamp.
    input_grid, weight_grid : Grid or None
        What a quantiser made of its input and of its weights; the latter with the weights' axes.
    grids : list of Grid
        Of its output, one for each quantiser that reads it.
    """

    name: str
    source: Source
    weights: np.ndarray
    depthwise: bool = False
    bias: np.ndarray | None = None
    normalization: BatchNormalization | None = None
    stride: int = 1
    padding: tuple[tuple[int, int], tuple[int, int]] | str = ((0, 0), (0, 0))
    low: float = -math.inf
    high: float = math.inf
    saturation: tuple[float, float] | None = None
    input_grid: Grid | None = None
    weight_grid: Grid | None = None
    grids: list[Grid] = field(default_factory=list)

    __repr__ = short_repr

    @property
    def clamped(self):
        return (self.low, self.high) != (-math.inf, math.inf)


@dataclass(eq=False)
class Sum:
    """Two tensors added, each with the grid that it lies on; `grids` as of an OnnxLayer."""

    name: str
    terms: tuple[Source, Source]
    term_grids: tuple[Grid | None, Grid | None] = (None, None)
    grids: list[Grid] = field(default_factory=list)

    __repr__ = short_repr


@dataclass(eq=False)
class OnnxPool:
    """The mean over rows and columns; kernel None where it is the whole map by itself.

    `input_grid` and `grids` as of an OnnxLayer.
    """

    source: Source
    kernel: tuple[int, int] | None = None
    input_grid: Grid | None = None
    grids: list[Grid] = field(default_factory=list)

    __repr__ = short_repr


#: What a tensor may be made by.
Source: TypeAlias = Image | OnnxLayer | Sum | OnnxPool


@dataclass
class Layers:
    """The parts of a graph, in order of execution.

    `quantized`: quantised operators were read as floats; `trained`: activations are quantised as
    a quantisation-aware training does it.
    """

    image: Image = field(default_factory=Image)
    layers: list[OnnxLayer] = field(default_factory=list)
    sums: list[Sum] = field(default_factory=list)
    output: OnnxLayer | None = None
    layout: str = NCHW
    quantized: bool = False
    trained: bool = False

    __repr__ = short_repr
