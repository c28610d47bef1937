"""CONV_2D and DEPTHWISE_CONV_2D: any kernel, stride, dilation, groups and depth multiplier.

Ref: LiteRT `tflite/kernels/conv.cc`, `depthwise_conv.cc` and
`tflite/kernels/internal/reference/integer_ops/` conv.h, depthwise_conv.h.
"""

import math
from dataclasses import dataclass

import numpy as np

from mnv2.golden.fast import ops as fast_ops
from mnv2.golden.fixed_point import quantize_multipliers
from mnv2.golden.graph.derivation import (
    MAXIMUM_ELEMENTS,
    activation_clamp,
    bias_values,
    real_factors,
    require_axes,
    require_quantized,
    require_symmetric_weights,
    window_geometry,
)
from mnv2.golden.summary import short_repr

#: Elements that one gathered band of windows may have.
BAND_ELEMENTS = 2**22
#: Work apart from the multiplications, in about as many multiplications: to derive a channel's
#: factor, for one tap of a depthwise kernel, and for one group.
CHANNEL_WORK, TAP_WORK, GROUP_WORK = 2**13, 2**13, 2**15


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolution ready to run.

    Attributes
    ----------
    weights : int8
        [K, K, C / groups, M], or [K, K, M] where depthwise; a view of the file's.
    bias, multiplier, shift : int32 [M]
    input_zero_point, output_zero_point, minimum, maximum : int
    stride, dilation : (rows, columns)
    padding : ((top, bottom), (left, right))
        Pixels that count as real zero.
    groups : int
        Of CONV_2D; 1 where depthwise.
    shape : tuple of int
        The output's, [N, H', W', M].
    work : int
        Multiplications, padding included, and other work as the multiplications that take as long.
    """

    weights: np.ndarray
    bias: np.ndarray
    multiplier: np.ndarray
    shift: np.ndarray
    input_zero_point: int
    output_zero_point: int
    minimum: int
    maximum: int
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]
    groups: int
    shape: tuple[int, ...]
    work: int

    __repr__ = short_repr

    @property
    def depthwise(self):
        return self.weights.ndim == 3

    def accumulate(self, images):
        """Accumulators int32 [N, H', W', M] of int8 [N, H, W, C], bias included."""
        padded = np.pad(
            images, ((0, 0), *self.padding, (0, 0)), constant_values=self.input_zero_point
        )
        accumulate = accumulate_depthwise if self.depthwise else accumulate_windows
        return np.stack([accumulate(self, image) for image in padded])

    def requantize(self, accumulator):
        """int8 of int32 accumulators [..., M]."""
        return fast_ops.requantize(
            accumulator,
            self.multiplier,
            self.shift,
            self.output_zero_point,
            self.minimum,
            self.maximum,
        )

    def run(self, images):
        """int8 [N, H', W', M] of int8 [N, H, W, C]."""
        return self.requantize(self.accumulate(images))


def _tap_slice(start, count, step):
    return slice(start, start + (count - 1) * step + 1, step)


def accumulate_depthwise(record, padded):
    """Accumulators int32 [H', W', M] of one padded map, tap by tap; int32 wraps as LiteRT's.

    Bands of rows stay in the cache.
    """
    kernel_rows, kernel_columns, channels = record.weights.shape
    _, rows, columns, _ = record.shape
    repeat = channels // padded.shape[-1]  # output c * multiplier + m reads input c
    weights = record.weights.astype(np.int32)
    acc = np.empty((rows, columns, channels), np.int32)
    band = max(1, BAND_ELEMENTS // 2**6 // (columns * channels))
    for top in range(0, rows, band):
        total = acc[top : top + band]
        total[:] = record.bias
        reach = (len(total) - 1) * record.stride[0] + (kernel_rows - 1) * record.dilation[0] + 1
        source = padded[top * record.stride[0] :][:reach].astype(np.int32) - record.input_zero_point
        source = np.repeat(source, repeat, axis=-1) if repeat > 1 else source
        term = np.empty_like(total)
        for dy in range(kernel_rows):
            seen = source[_tap_slice(dy * record.dilation[0], len(total), record.stride[0])]
            for dx in range(kernel_columns):
                taps = _tap_slice(dx * record.dilation[1], columns, record.stride[1])
                np.multiply(seen[:, taps], weights[dy, dx], out=term)
                total += term
    return acc


def accumulate_windows(record, padded):
    """Accumulators int32 [H', W', M] of one padded map, as products over gathered windows."""
    kernel_rows, kernel_columns, depth, channels = record.weights.shape
    _, rows, columns, _ = record.shape
    reach = tuple(
        (size - 1) * step + 1
        for size, step in zip(record.weights.shape[:2], record.dilation, strict=True)
    )
    windows = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=(0, 1))
    windows = windows[
        :: record.stride[0], :: record.stride[1], :, :: record.dilation[0], :: record.dilation[1]
    ]
    windows = windows[:rows, :columns].transpose(0, 1, 3, 4, 2)
    taps = kernel_rows * kernel_columns * depth
    wide = max(1, min(columns, BAND_ELEMENTS // taps))
    tall = max(1, BAND_ELEMENTS // (taps * wide))
    members = channels // record.groups
    acc = np.empty((rows, columns, channels), np.int32)
    for group in range(record.groups):
        inputs = slice(group * depth, (group + 1) * depth)
        outputs = slice(group * members, (group + 1) * members)
        matrix = record.weights[..., outputs].reshape(taps, members)
        for top in range(0, rows, tall):
            for left in range(0, columns, wide):
                band = windows[top : top + tall, left : left + wide, ..., inputs]
                flat = band.reshape(*band.shape[:2], taps)
                acc[top : top + tall, left : left + wide, outputs] = fast_ops.pointwise_conv2d(
                    flat, matrix, record.bias[outputs], record.input_zero_point
                )
    return acc


def prepare_convolution(operator, source, weights, bias, target):
    """The Convolution of a CONV_2D or DEPTHWISE_CONV_2D.

    Parameters
    ----------
    operator : mnv2.golden.graph.schema.Operator
    source, weights, bias, target : Tensor
        bias may be None.

    Raises
    ------
    ValueError
        If LiteRT would refuse it or this arithmetic does not cover it.
    """
    depthwise, options = operator.kind == "DEPTHWISE_CONV_2D", operator.options
    for tensor in (source, target):
        require_quantized(tensor, "int8")
    for tensor in (source, weights):
        require_axes(tensor, 4)
    channels = weights.shape[3 if depthwise else 0]
    require_symmetric_weights(weights, 3 if depthwise else 0, channels)
    inputs, groups = source.shape[3], 1
    if depthwise:
        if weights.shape[0] != 1 or channels % inputs:
            raise ValueError(
                f"The weights {weights.label} must be [1, K, K, C * multiplier] for "
                f"the {inputs} channels of {source.label}, not the shape "
                f"{list(weights.shape)}"
            )
        kernels = weights.data[0]
    else:
        depth = weights.shape[3]
        groups = inputs // depth
        if inputs % depth or channels % groups:
            raise ValueError(
                f"The weights {weights.label} must be [M, K, K, C] for the {inputs} "
                f"channels of {source.label}, or divide them into groups, not the "
                f"shape {list(weights.shape)}"
            )
        kernels = weights.data.transpose(1, 2, 3, 0)
    outputs, padding = [], []
    for size, kernel, stride, dilation in zip(
        source.shape[1:3], kernels.shape[:2], options.stride, options.dilation, strict=True
    ):
        count, pads = window_geometry(size, kernel, stride, dilation, options.padding)
        if count == 0:
            raise ValueError(
                f"The kernel of {weights.label} must fit the map {source.label}, "
                f"not the shape {list(weights.shape)} on {list(source.shape)}"
            )
        outputs.append(count)
        padding.append(pads)
    padded = [size + sum(pads) for size, pads in zip(source.shape[1:3], padding, strict=True)]
    if math.prod(padded) * inputs > MAXIMUM_ELEMENTS:
        raise ValueError(
            f"The map {source.label} must have at most {MAXIMUM_ELEMENTS:,} elements "
            f"with its padding, not {padded} pixels of {inputs} channels"
        )
    multiplier, shift = quantize_factors(real_factors(source, weights, target, channels))
    minimum, maximum = activation_clamp(target, options.activation)
    shape = (source.shape[0], *outputs, channels)
    taps = math.prod(kernels.shape[: 2 if depthwise else 3])
    work = (
        math.prod(shape) * taps
        + CHANNEL_WORK * channels
        + (TAP_WORK * taps if depthwise else GROUP_WORK * groups) * source.shape[0]
    )
    return Convolution(
        weights=kernels,
        bias=bias_values(bias, channels),
        multiplier=multiplier,
        shift=shift,
        input_zero_point=source.zero_point,
        output_zero_point=target.zero_point,
        minimum=minimum,
        maximum=maximum,
        stride=options.stride,
        dilation=options.dilation,
        padding=(padding[0], padding[1]),
        groups=groups,
        shape=shape,
        work=work,
    )


def quantize_factors(factors):
    """Multipliers and shifts int32 [M] of real factors; equal ones are worked out once."""
    distinct, places = np.unique(factors, return_inverse=True)
    multiplier, shift = quantize_multipliers(distinct)
    return multiplier[places], shift[places]
