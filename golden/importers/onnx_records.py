"""What an ONNX graph of the family is made of: the image, layers, sums and the pool."""

import math
from dataclasses import dataclass, field

import numpy as np

from mnv2.golden.float_model import BatchNormalization
from mnv2.golden.summary import short_repr

NCHW, NHWC = "NCHW", "NHWC"


@dataclass(eq=False)
class Image:
    """The network's input."""


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
        The clamp behind it.
    """

    name: str
    source: object
    weights: np.ndarray
    depthwise: bool = False
    bias: np.ndarray | None = None
    normalization: BatchNormalization | None = None
    stride: int = 1
    padding: object = ((0, 0), (0, 0))
    low: float = -math.inf
    high: float = math.inf

    __repr__ = short_repr

    @property
    def clamped(self):
        return (self.low, self.high) != (-math.inf, math.inf)


@dataclass(eq=False)
class Sum:
    """Two tensors added."""

    name: str
    terms: tuple

    __repr__ = short_repr


@dataclass(eq=False)
class OnnxPool:
    """The mean over rows and columns; kernel None where it is the whole map by itself."""

    source: object
    kernel: tuple | None = None

    __repr__ = short_repr


@dataclass
class Layers:
    """What a graph is made of, in order of execution."""

    image: Image = field(default_factory=Image)
    layers: list = field(default_factory=list)
    sums: list = field(default_factory=list)
    output: object = None
    layout: str = NCHW

    __repr__ = short_repr
