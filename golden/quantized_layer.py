"""The integer model's parts as records that run: convolutions, residual additions, the mean.

Activations are int8 [H, W, C] (int16 beyond 8 bits). Scales are kept with the integers for
reports and exports; no arithmetic here uses them.
"""

from dataclasses import dataclass, replace

import numpy as np

from mnv2.golden import ops
from mnv2.golden.arithmetic import LITERT, Arithmetic
from mnv2.golden.fast import ops as fast_ops
from mnv2.golden.fixed_point import (
    activation_type,
    add_left_shift,
    round_multiplier,
    round_multipliers,
    signed_range,
)
from mnv2.golden.network import LAYER_KINDS
from mnv2.golden.summary import short_repr

POINTWISE_KINDS = ("expand", "project", "head", "classifier")
WEIGHT_BITS = range(2, 9)
ACTIVATION_BITS = (4, 5, 6, 7, 8, 16)


def _check_output(record):
    """Refuse a record whose output width is unknown, or whose clamp is outside it."""
    bits = record.activation_bits
    if bits not in ACTIVATION_BITS:
        raise ValueError(f"Activations of {record.name} must have 4 to 8 or 16 bits, not {bits!r}")
    low, high = signed_range(max(bits, 8))
    if not low <= record.minimum <= record.maximum <= high:
        raise ValueError(
            f"The clamp of {record.name} must lie in {low}..{high}, "
            f"not {(record.minimum, record.maximum)!r}"
        )


def _check_multiplier_bits(record, *multipliers):
    """Refuse multipliers that are not rounded to the bits of the arithmetic."""
    bits = record.arithmetic.multiplier_bits
    if any(np.any(np.asarray(value) & ((1 << (32 - bits)) - 1)) for value in multipliers):
        raise ValueError(
            f"Multipliers of {record.name} must be rounded to {bits} bits; "
            "see mnv2.golden.quantized_layer.with_arithmetic"
        )


@dataclass(frozen=True, eq=False)
class QuantizedLayer:
    """One convolution in integers, with its requantisation and clamp.

    Attributes
    ----------
    name, kind : str
        As in `mnv2.golden.network.Layer`.
    weights : int8
        stem [3, 3, Cin, Cout]; depthwise [3, 3, C]; expand, project, head, classifier
        [Cin, Cout]. Symmetric.
    bias : int32 [Cout]
        At input_scale * weight_scales; the input zero point is NOT folded in.
    multiplier : int32 [Cout]
        0, or in [2**30, 2**31).
    shift : int32 [Cout]
        Net right shift; negative shifts left before the multiplication.
    input_scale, output_scale : float
        Real value of one step; values of float32.
    input_zero_point, output_zero_point : int
        The integers that stand for real zero.
    weight_scales : float32 [Cout]
    minimum, maximum : int
        Clamp of the output, both ends included.
    stride : int
    padding : ((top, bottom), (left, right))
        In pixels of the input; padding stands for real zero.
    weight_bits, activation_bits : int
        Widths in bits that weights and outputs fit into: 2 to 8, and 4 to 8 or 16. Outputs of
        more than 8 bits are int16.
    arithmetic : mnv2.golden.arithmetic.Arithmetic
    """

    name: str
    kind: str
    weights: np.ndarray
    bias: np.ndarray
    multiplier: np.ndarray
    shift: np.ndarray
    input_scale: float
    input_zero_point: int
    weight_scales: np.ndarray
    output_scale: float
    output_zero_point: int
    minimum: int
    maximum: int
    stride: int = 1
    padding: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))
    weight_bits: int = 8
    activation_bits: int = 8
    arithmetic: Arithmetic = LITERT

    __repr__ = short_repr

    def __post_init__(self):
        if self.kind not in LAYER_KINDS or self.kind == "pool":
            raise ValueError(f"The kind of {self.name} must be a convolution's, not {self.kind!r}")
        axes = {"stem": 4, "depthwise": 3}.get(self.kind, 2)
        if self.weights.dtype != np.int8 or self.weights.ndim != axes:
            raise TypeError(
                f"Weights of {self.name} must be int8 with {axes} axes, "
                f"not {self.weights.dtype} {self.weights.shape!r}"
            )
        for what in ("bias", "multiplier", "shift"):
            array = getattr(self, what)
            if array.dtype != np.int32 or array.shape != (self.output_channels,):
                raise TypeError(
                    f"The {what} of {self.name} must be int32 [{self.output_channels}],"
                    f" not {array.dtype} {array.shape!r}"
                )
        positive = self.multiplier > 0
        if np.any(self.multiplier < 0) or np.any(self.multiplier[positive] < 2**30):
            raise ValueError(f"Multipliers of {self.name} must be 0 or in [2**30, 2**31)")
        _check_multiplier_bits(self, self.multiplier)
        if self.weight_bits not in WEIGHT_BITS:
            raise ValueError(
                f"Weights of {self.name} must have 2 to 8 bits, not {self.weight_bits!r}"
            )
        low, high = signed_range(self.weight_bits)
        if self.weights.size and not low <= self.weights.min() <= self.weights.max() <= high:
            raise ValueError(f"Weights of {self.name} must fit {self.weight_bits} bits")
        _check_output(self)

    @property
    def input_channels(self):
        return self.weights.shape[2 if self.kind in ("stem", "depthwise") else 0]

    @property
    def output_channels(self):
        return self.weights.shape[-1]

    def accumulate(self, activation, exact_loops=False, overflows=None):
        """Accumulators int32 [H', W', Cout] of [H, W, Cin], bias and zero point included.

        To a list `overflows` is appended which of them left their range, bool [H', W', Cout].
        """
        form = ops if exact_loops else fast_ops
        if self.kind in POINTWISE_KINDS:
            return form.pointwise_conv2d(
                activation,
                self.weights,
                self.bias,
                self.input_zero_point,
                self.arithmetic,
                overflows,
            )
        convolve = form.conv2d if self.kind == "stem" else form.depthwise_conv2d
        return convolve(
            activation,
            self.weights,
            self.bias,
            self.input_zero_point,
            self.stride,
            self.padding,
            self.arithmetic,
            overflows,
        )

    def requantize(self, accumulator, exact_loops=False):
        """int8 (int16 beyond 8 bits) of int32 accumulators, any leading axes."""
        form = ops if exact_loops else fast_ops
        return form.requantize(
            accumulator,
            self.multiplier,
            self.shift,
            self.output_zero_point,
            self.minimum,
            self.maximum,
            self.arithmetic.rounding,
            activation_type(self.activation_bits),
        )

    def run(self, activation, exact_loops=False, overflows=None):
        """Output int8 (int16 beyond 8 bits) [H', W', Cout] of [H, W, Cin].

        `exact_loops` takes the plain forms of `mnv2.golden.ops` instead of the quick ones, with
        equal results; `overflows` as in `accumulate`.
        """
        return self.requantize(self.accumulate(activation, exact_loops, overflows), exact_loops)


@dataclass(frozen=True, eq=False)
class QuantizedAdd:
    """A residual addition: a is the block's input, b the project output, both lifted.

    Attributes
    ----------
    a_multiplier, a_shift, b_multiplier, b_shift, multiplier, shift : int
        As in `QuantizedLayer`, one per tensor. Inputs are lifted by `left_shift` bits before
        the first two, and the last takes that off again.
    activation_bits : int
        Of the output; it sets the lift, so neither input may be wider.
    arithmetic : mnv2.golden.arithmetic.Arithmetic
        Its multiplier bits and rounding. The sum of the lifted inputs has 32 bits whatever the
        accumulator's width: it is not one.
    """

    name: str
    a_zero_point: int
    b_zero_point: int
    a_multiplier: int
    a_shift: int
    b_multiplier: int
    b_shift: int
    multiplier: int
    shift: int
    output_zero_point: int
    output_scale: float
    minimum: int
    maximum: int
    a_scale: float = 1.0
    b_scale: float = 1.0
    activation_bits: int = 8
    arithmetic: Arithmetic = LITERT

    __repr__ = short_repr

    def __post_init__(self):
        _check_output(self)
        _check_multiplier_bits(self, self.a_multiplier, self.b_multiplier, self.multiplier)

    @property
    def left_shift(self):
        """Bits by which both inputs are lifted: 20, or 15 for int16."""
        return add_left_shift(self.activation_bits)

    def run(self, a, b):
        """int8 (int16 beyond 8 bits) of two tensors of one shape."""
        return ops.add(
            a,
            b,
            (self.a_zero_point, self.a_multiplier, self.a_shift),
            (self.b_zero_point, self.b_multiplier, self.b_shift),
            self.multiplier,
            self.shift,
            self.output_zero_point,
            self.minimum,
            self.maximum,
            self.arithmetic.rounding,
            self.left_shift,
            activation_type(self.activation_bits),
        )


@dataclass(frozen=True, eq=False)
class QuantizedMean:
    """The global average pool: a sum over `count` pixels; the multiplier holds 1 / count.

    The multiplier may lie below 2**30: LiteRT divides it by the count without normalising. Of the
    arithmetic, multiplier bits and rounding apply; the sum of the pixels has 32 bits.
    """

    name: str
    count: int
    multiplier: int
    shift: int
    input_scale: float
    input_zero_point: int
    output_scale: float
    output_zero_point: int
    minimum: int = -128
    maximum: int = 127
    activation_bits: int = 8
    arithmetic: Arithmetic = LITERT

    __repr__ = short_repr

    def __post_init__(self):
        _check_output(self)
        _check_multiplier_bits(self, self.multiplier)

    @property
    def sum_bias(self):
        """The number that is added to the sum of a channel's pixels before it is scaled."""
        return -self.count * self.input_zero_point

    @property
    def offset(self):
        """The number that is added after the scaling."""
        return self.output_zero_point

    def run(self, activation):
        """int8 (int16 beyond 8 bits) [1, 1, C] of [H, W, C] with H * W = count."""
        if activation.shape[0] * activation.shape[1] != self.count:
            raise ValueError(
                f"The input of {self.name} must have {self.count} pixels, not {activation.shape!r}"
            )
        return self.requantize(ops.sum_pixels(activation, self.input_zero_point))

    def requantize(self, total):
        """Means [..., C] of int32 sums of (x - zero_point) over `count` pixels."""
        return ops.requantize(
            total,
            self.multiplier,
            self.shift,
            self.output_zero_point,
            self.minimum,
            self.maximum,
            self.arithmetic.rounding,
            activation_type(self.activation_bits),
        )


def with_arithmetic(record, arithmetic):
    """A QuantizedLayer, QuantizedAdd or QuantizedMean with another arithmetic.

    Its multipliers are rounded to the arithmetic's bits; rounding the same record twice rounds
    twice, so start from one of 32 bits.
    """
    bits = arithmetic.multiplier_bits
    if isinstance(record, QuantizedLayer):
        multiplier, shift = round_multipliers(record.multiplier, record.shift, bits)
        return replace(record, multiplier=multiplier, shift=shift, arithmetic=arithmetic)
    changes: dict[str, int] = {}
    for prefix in ("a_", "b_", "") if isinstance(record, QuantizedAdd) else ("",):
        multiplier_name, shift_name = f"{prefix}multiplier", f"{prefix}shift"
        changes[multiplier_name], changes[shift_name] = round_multiplier(
            getattr(record, multiplier_name), getattr(record, shift_name), bits
        )
    return replace(record, **changes, arithmetic=arithmetic)
