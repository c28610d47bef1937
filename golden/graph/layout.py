"""PAD, PADV2 and RESHAPE: elements move, none is computed.

Ref: LiteRT `tflite/kernels/pad.cc` (EvalInt), `tflite/kernels/reshape.cc` and
`tflite/kernels/internal/reshape_utils.h` (ResolveOutputShape).
"""

import math
from dataclasses import dataclass

import numpy as np

from mnv2.golden.graph.derivation import (
    MAXIMUM_AXES,
    require_constant,
    require_quantized,
    require_type,
)

#: Axes that LiteRT's kernel can pad.
MAXIMUM_PAD_AXES = 5
PADDING_TYPES = ("int8", "int16", "int32", "int64")


@dataclass(frozen=True)
class Pad:
    """A padding ready to run; `padding` is (before, after) for each axis."""

    padding: tuple[tuple[int, int], ...]
    value: int
    shape: tuple[int, ...]
    work: int = 0

    def run(self, values):
        """The values, surrounded by a constant."""
        return np.pad(values, self.padding, constant_values=self.value)


def prepare_pad(operator, source, padding, constant, target):
    """The Pad of an operator.

    Parameters
    ----------
    padding : Tensor
        Constant, [axes, 2].
    constant : Tensor or None
        What is padded with, in the output's steps; by default real zero.
    """
    for tensor in (source, target):
        require_quantized(tensor, "int8", "uint8")
    require_type(target, source.dtype)
    require_type(padding, *PADDING_TYPES)
    rank = len(source.shape)
    amounts = require_constant(padding, "The padding")
    if rank > MAXIMUM_PAD_AXES or padding.shape != (rank, 2):
        raise ValueError(
            f"The padding {padding.label} must be [{rank}, 2] for {source.label} of "
            f"{rank} axes, at most {MAXIMUM_PAD_AXES}, not the shape "
            f"{list(padding.shape)}"
        )
    if (amounts < 0).any():
        raise ValueError(
            f"The padding {padding.label} must not be negative, not {int(amounts.min())}"
        )
    pairs = tuple(tuple(pair) for pair in amounts.tolist())
    value = target.zero_point
    if constant is not None:
        contents = require_constant(constant, "The value to pad with")
        require_type(constant, source.dtype)
        require_quantized(constant, source.dtype)
        if contents.size != 1 or (constant.scale, constant.zero_point) != (
            target.scale,
            target.zero_point,
        ):
            raise ValueError(
                f"The value to pad with, {constant.label}, must be one element with "
                f"the scale and zero point of {target.label}"
            )
        value = int(contents.reshape(-1)[0])
    shape = tuple(size + sum(pair) for size, pair in zip(source.shape, pairs, strict=True))
    return Pad(pairs, value, shape)


@dataclass(frozen=True)
class Reshape:
    """A reshaping ready to run."""

    shape: tuple[int, ...]
    work: int = 0

    def run(self, values):
        """The same elements in another shape."""
        return values.reshape(self.shape)


def prepare_reshape(operator, source, new_shape, target):
    """The Reshape of an operator.

    Parameters
    ----------
    new_shape : Tensor or None
        Constant int32 [axes]; if it is absent or not such a vector, the options hold the shape. One
        size may be -1.
    """
    require_type(target, source.dtype)
    sizes, name = operator.options.shape, "its options"
    if new_shape is not None and new_shape.dtype == "int32" and len(new_shape.shape) == 1:
        if new_shape.shape[0] > MAXIMUM_AXES:
            raise ValueError(
                f"The shape {new_shape.label} must have at most {MAXIMUM_AXES} sizes, "
                f"not {new_shape.shape[0]}"
            )
        sizes = tuple(require_constant(new_shape, "The shape").tolist())
        name = new_shape.label
    elif sizes == (0,):
        sizes = ()  # how old files write a scalar
    elements = math.prod(source.shape)
    known = math.prod(size for size in sizes if size != -1)
    if sizes.count(-1) > 1 or any(size < -1 or size == 0 for size in sizes):
        raise ValueError(
            f"The shape in {name} must be of positive sizes, one of them -1 at most, "
            f"not {list(sizes)}"
        )
    shape = tuple(elements // known if size == -1 else size for size in sizes)
    if math.prod(shape) != elements:
        raise ValueError(
            f"The shape in {name} must hold the {elements} elements of "
            f"{source.label}, not {list(sizes)}"
        )
    return Reshape(shape)
