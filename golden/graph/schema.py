"""Tensors and operators of a graph as LiteRT has them, before any arithmetic is derived.

Ref: LiteRT `tflite/schema/schema.fbs`, whose names are kept.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from mnv2.golden.summary import short_repr

#: Types that a tensor may have; the arithmetic takes fewer, operator by operator.
TENSOR_TYPES = ("int8", "uint8", "int16", "int32", "int64", "float32", "bool")
PADDINGS = ("SAME", "VALID")
#: Characters of a tensor's name that messages show.
LABEL_CHARACTERS = 60
ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6")


def _check_options(record, *positive):
    """Refuse options that are no names of theirs, or sizes that are not positive."""
    for what, names in (("padding", PADDINGS), ("activation", ACTIVATIONS)):
        value = getattr(record, what, names[0])
        if value not in names:
            raise ValueError(f"The {what} must be one of {', '.join(names)}, not {value!r}")
    for what in positive:
        if not all(size > 0 for size in getattr(record, what)):
            raise ValueError(f"The {what} must be positive, not {list(getattr(record, what))}")


def tensor_label(index, name):
    """How messages name a tensor: by its index and the start of its name."""
    shown = name if len(name) <= LABEL_CHARACTERS else name[:LABEL_CHARACTERS] + "..."
    return f"tensor {index} ({shown!r})"


def _no_scales():
    return np.zeros(0, np.float32)


def _no_zero_points():
    return np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor of a graph.

    Attributes
    ----------
    index : int
        Its place in the file; `Graph.run` answers under this number.
    name : str
    shape : tuple of int
        Activations are [N, H, W, C] or [N, C]; weights of CONV_2D [M, K, K, C], of
        DEPTHWISE_CONV_2D [1, K, K, C * depth_multiplier], of FULLY_CONNECTED [M, C].
    dtype : str
        One of TENSOR_TYPES.
    scales : float32 [N]
        Real value of one step: none (empty), one, or one for each index of `axis`.
    zero_points : int64 [N]
        The integers that stand for real zero; as many as scales.
    axis : int
        The axis that several scales belong to.
    data : array of `dtype` and `shape`, optional
        A constant's contents; None where the tensor is computed or an input.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: np.ndarray = field(default_factory=_no_scales)
    zero_points: np.ndarray = field(default_factory=_no_zero_points)
    axis: int = 0
    data: np.ndarray | None = None

    __repr__ = short_repr

    def __post_init__(self):
        if self.dtype not in TENSOR_TYPES:
            raise ValueError(
                f"The type of {self.label} must be one of {', '.join(TENSOR_TYPES)}, "
                f"not {self.dtype!r}"
            )
        if (
            self.scales.dtype != np.float32
            or self.zero_points.dtype != np.int64
            or self.scales.ndim != 1
            or self.scales.shape != self.zero_points.shape
        ):
            raise TypeError(
                f"The scales of {self.label} must be float32 and its zero points "
                "int64, equally many"
            )
        if self.data is not None and (
            self.data.dtype != self.dtype or self.data.shape != self.shape
        ):
            raise TypeError(
                f"The contents of {self.label} must be {self.dtype} {self.shape!r}, "
                f"not {self.data.dtype} {self.data.shape!r}"
            )

    @property
    def label(self):
        """How messages name the tensor."""
        return tensor_label(self.index, self.name)

    @property
    def scale(self):
        """The one scale of the tensor, a float with a value of float32."""
        return float(self.scales[0])

    @property
    def zero_point(self):
        """The one zero point of the tensor."""
        return int(self.zero_points[0])


@dataclass(frozen=True)
class ConvolutionOptions:
    """Options of CONV_2D and DEPTHWISE_CONV_2D.

    Attributes
    ----------
    padding : "SAME" or "VALID"
    stride, dilation : (rows, columns)
    activation : str
        One of ACTIVATIONS.
    depth_multiplier : int
        Outputs of each input channel, as the file says; LiteRT takes it from the shapes instead.
    """

    padding: str = "SAME"
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    activation: str = "NONE"
    depth_multiplier: int = 1

    def __post_init__(self):
        _check_options(self, "stride", "dilation")


@dataclass(frozen=True)
class PoolOptions:
    """Options of AVERAGE_POOL_2D and MAX_POOL_2D; kernel and stride are (rows, columns)."""

    padding: str = "VALID"
    stride: tuple[int, int] = (1, 1)
    kernel: tuple[int, int] = (1, 1)
    activation: str = "NONE"

    def __post_init__(self):
        _check_options(self, "stride", "kernel")


@dataclass(frozen=True)
class FullyConnectedOptions:
    """Options of FULLY_CONNECTED; `keep_dimensions` keeps the input's leading axes."""

    activation: str = "NONE"
    keep_dimensions: bool = False

    def __post_init__(self):
        _check_options(self)


@dataclass(frozen=True)
class AddOptions:
    """Options of ADD, MUL and SUB."""

    activation: str = "NONE"

    def __post_init__(self):
        _check_options(self)


@dataclass(frozen=True)
class MeanOptions:
    """Options of MEAN; the axes are the operator's second input."""

    keep_dimensions: bool = False


@dataclass(frozen=True)
class ReshapeOptions:
    """Options of RESHAPE; `shape` counts if the operator has no second input."""

    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class SoftmaxOptions:
    """Options of SOFTMAX over the last axis: exp(beta * x) / sum(exp(beta * x))."""

    beta: float = 1.0


@dataclass(frozen=True)
class PackOptions:
    """Options of PACK; `axis` is that which the output has more than the inputs."""

    axis: int = 0


@dataclass(frozen=True)
class SliceOptions:
    """Options of STRIDED_SLICE: bits by axis.

    Attributes
    ----------
    begin_mask, end_mask : int
        Axes that are taken from their start, and to their end.
    shrink_mask : int
        Axes of which one index is taken and which are left out.
    other_masks : bool
        Whether there is an ellipsis, a new axis, or an end that counts from the begin.
    """

    begin_mask: int = 0
    end_mask: int = 0
    shrink_mask: int = 0
    other_masks: bool = False


OperatorOptions: TypeAlias = (
    AddOptions
    | ConvolutionOptions
    | FullyConnectedOptions
    | MeanOptions
    | PackOptions
    | PoolOptions
    | ReshapeOptions
    | SliceOptions
    | SoftmaxOptions
)
#: The operators and the options of each; None for those that have none.
OPERATOR_OPTIONS: dict[str, type[OperatorOptions] | None] = {
    "ADD": AddOptions,
    "AVERAGE_POOL_2D": PoolOptions,
    "CONV_2D": ConvolutionOptions,
    "DEPTHWISE_CONV_2D": ConvolutionOptions,
    "DEQUANTIZE": None,
    "FULLY_CONNECTED": FullyConnectedOptions,
    "LOGISTIC": None,
    "MAX_POOL_2D": PoolOptions,
    "MEAN": MeanOptions,
    "MUL": AddOptions,
    "PACK": PackOptions,
    "PAD": None,
    "PADV2": None,
    "QUANTIZE": None,
    "RESHAPE": ReshapeOptions,
    "SHAPE": None,
    "SOFTMAX": SoftmaxOptions,
    "STRIDED_SLICE": SliceOptions,
    "SUB": AddOptions,
}


@dataclass(frozen=True)
class Operator:
    """One operator of a graph.

    Attributes
    ----------
    index : int
        Its place in the file, which is the order of execution.
    kind : str
        A name of OPERATOR_OPTIONS.
    inputs : tuple of int
        Tensor indices in LiteRT's order (data, weights, bias; data, axes; ...); -1 where an
        optional one is absent.
    outputs : tuple of int
        Tensor indices; one for each of these kinds.
    options : record, optional
        Of the class that OPERATOR_OPTIONS names.
    """

    index: int
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: OperatorOptions | None = None

    def __post_init__(self):
        if self.kind not in OPERATOR_OPTIONS:
            raise ValueError(
                f"An operator must be one of {', '.join(OPERATOR_OPTIONS)}, "
                f"not {self.kind!r} (operator {self.index})"
            )
        expected = OPERATOR_OPTIONS[self.kind]
        if not isinstance(self.options, type(None) if expected is None else expected):
            raise TypeError(
                f"The options of {self.label} must be "
                f"{'None' if expected is None else expected.__name__}, "
                f"not {self.options!r}"
            )

    @property
    def label(self):
        """How messages name the operator."""
        return f"operator {self.index} ({self.kind})"

    def input(self, position):
        """Index of an input tensor, -1 where it is absent."""
        return self.inputs[position] if position < len(self.inputs) else -1

    @property
    def output(self):
        """Index of the output tensor."""
        return self.outputs[0]
