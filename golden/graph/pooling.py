"""AVERAGE_POOL_2D, MAX_POOL_2D and MEAN.

Ref: LiteRT `tflite/kernels/pooling.cc`, `tflite/kernels/reduce.cc` and
`tflite/kernels/internal/reference/` integer_ops/pooling.h, reduce.h (QuantizedMeanOrSum).
"""

import math
from dataclasses import dataclass

import numpy as np

from mnv2.golden import ops
from mnv2.golden.fixed_point import (
    divide_rounding_half_away,
    mean_multiplier,
    quantize_multiplier,
    saturate,
    wrap_int32,
)
from mnv2.golden.graph.derivation import (
    MAXIMUM_AXES,
    activation_clamp,
    require_axes,
    require_constant,
    require_quantized,
    require_type,
    window_geometry,
)
from mnv2.golden.summary import short_repr


@dataclass(frozen=True, eq=False)
class AveragePool:
    """An average pool ready to run, in the input's own steps.

    Attributes
    ----------
    rows, columns : (first, end), each int64 [H'] or [W']
        The pixels inside the image that each output's window sees, along each axis.
    minimum, maximum : int
    shape : tuple of int
        The output's.
    work : int
        Always 0: nothing is multiplied by a weight.
    """

    rows: tuple[np.ndarray, np.ndarray]
    columns: tuple[np.ndarray, np.ndarray]
    minimum: int
    maximum: int
    shape: tuple[int, ...]
    work: int = 0

    __repr__ = short_repr

    def run(self, images):
        """int8 [N, H', W', C] of int8 [N, H, W, C]: means, halves away from zero."""
        total = _window_sums(images.astype(np.int64), self.rows, 1)
        total = _window_sums(total, self.columns, 2)
        tall, wide = (end - first for first, end in (self.rows, self.columns))
        count = (tall[:, None] * wide)[None, :, :, None]
        return saturate(divide_rounding_half_away(total, count), self.minimum, self.maximum)


def _window_sums(values, span, axis):
    """Sums over windows along one axis, as differences of running sums; exact in int64."""
    pad = [(0, 0)] * values.ndim
    pad[axis] = (1, 0)
    running = np.pad(np.cumsum(values, axis=axis), pad)
    first, end = span
    return np.take(running, end, axis=axis) - np.take(running, first, axis=axis)


def prepare_average_pool(operator, source, target):
    """The AveragePool of an operator.

    LiteRT's kernel passes steps through: it looks at the output's scale for the clamp alone.

    Raises
    ------
    ValueError
        If LiteRT would refuse it or the window does not fit.
    """
    for tensor in (source, target):
        require_quantized(tensor, "int8")
    rows, columns = _window_spans(operator.options, source)
    shape = (source.shape[0], rows[0].size, columns[0].size, source.shape[3])
    return AveragePool(rows, columns, *activation_clamp(target, operator.options.activation), shape)


def _window_spans(options, source):
    """(first, end) along rows and along columns: the pixels in the image that each window sees."""
    require_axes(source, 4)
    spans = []
    for size, kernel, stride in zip(source.shape[1:3], options.kernel, options.stride, strict=True):
        count, (before, _) = window_geometry(size, kernel, stride, 1, options.padding)
        if count == 0:
            raise ValueError(
                f"The window of {list(options.kernel)} must fit the map "
                f"{source.label}, not the shape {list(source.shape)}"
            )
        starts = np.arange(count, dtype=np.int64) * stride - before
        spans.append((np.maximum(0, starts), np.minimum(size, starts + kernel)))
    return spans


@dataclass(frozen=True, eq=False)
class MaxPool:
    """A maximum over windows ready to run; fields as in `AveragePool`."""

    rows: tuple[np.ndarray, np.ndarray]
    columns: tuple[np.ndarray, np.ndarray]
    minimum: int
    maximum: int
    shape: tuple[int, ...]
    work: int = 0

    __repr__ = short_repr

    def run(self, images):
        """int8 [N, H', W', C] of int8 [N, H, W, C]."""
        result = _window_maxima(_window_maxima(images, self.rows, 1), self.columns, 2)
        return np.clip(result, self.minimum, self.maximum).astype(np.int8)


def _window_maxima(values, span, axis):
    """Maxima over windows along one axis."""
    values = np.moveaxis(values, axis, 0)
    found = [values[first:end].max(axis=0) for first, end in zip(*span, strict=True)]
    return np.moveaxis(np.stack(found), 0, axis)


def prepare_max_pool(operator, source, target):
    """The MaxPool of an operator.

    Raises
    ------
    ValueError
        If LiteRT would refuse it: steps of input and output must be the same.
    """
    for tensor in (source, target):
        require_quantized(tensor, "int8")
    if abs(source.scale - target.scale) > 1e-6 or source.zero_point != target.zero_point:
        raise ValueError(
            f"{target.label} must have the scale and zero point of {source.label}, "
            f"{source.scale!r} and {source.zero_point}, not {target.scale!r} and "
            f"{target.zero_point}"
        )
    rows, columns = _window_spans(operator.options, source)
    shape = (source.shape[0], rows[0].size, columns[0].size, source.shape[3])
    reach = sum(int((end - first).sum()) for first, end in (rows, columns))
    return MaxPool(
        rows,
        columns,
        *activation_clamp(target, operator.options.activation),
        shape,
        work=reach * math.prod(source.shape[1:]) // min(source.shape[1:3]),
    )


@dataclass(frozen=True)
class Mean:
    """A mean over axes ready to run.

    Attributes
    ----------
    axes : tuple of int
    count : int
        Elements that each output is the mean of.
    multiplier, shift : int
        Hold the 1 / count; the multiplier may lie below 2**30.
    input_zero_point, output_zero_point : int
    shape : tuple of int
        The output's, with or without the axes.
    """

    axes: tuple[int, ...]
    count: int
    multiplier: int
    shift: int
    input_zero_point: int
    output_zero_point: int
    shape: tuple[int, ...]
    work: int = 0

    __repr__ = short_repr

    def run(self, values):
        """int8 of the output's shape."""
        total = values.sum(axis=self.axes, dtype=np.int64) - self.input_zero_point * self.count
        result = ops.requantize(
            wrap_int32(total), self.multiplier, self.shift, self.output_zero_point, -128, 127
        )
        return result.reshape(self.shape)


def prepare_mean(operator, source, axes, target):
    """The Mean of an operator; `axes` is its second input.

    Raises
    ------
    ValueError
        If LiteRT would refuse it.
    """
    for tensor in (source, target):
        require_quantized(tensor, "int8")
    require_type(axes, "int32")
    rank, chosen = len(source.shape), set()
    values = require_constant(axes, "The axes").ravel()
    if values.size > MAXIMUM_AXES:
        raise ValueError(f"The axes {axes.label} must be at most {MAXIMUM_AXES}, not {values.size}")
    for axis in values.tolist():
        if not -rank <= axis < rank:
            raise ValueError(f"The axes {axes.label} must lie in {-rank}..{rank - 1}, not {axis}")
        chosen.add(axis % rank)
    count = math.prod(source.shape[axis] for axis in chosen)
    kept = [1 if axis in chosen else size for axis, size in enumerate(source.shape)]
    if not operator.options.keep_dimensions:
        kept = [size for axis, size in enumerate(source.shape) if axis not in chosen]
    factor = np.float64(source.scale) / np.float64(target.scale)
    multiplier, shift = mean_multiplier(*quantize_multiplier(factor), count)
    return Mean(
        tuple(sorted(chosen)),
        count,
        multiplier,
        shift,
        source.zero_point,
        target.zero_point,
        tuple(kept),
    )
