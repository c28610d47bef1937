"""ADD, SUB, QUANTIZE and DEQUANTIZE.

Ref: LiteRT `tflite/kernels/` add.cc, sub.cc, quantize.cc, dequantize.h and
`tflite/kernels/internal/reference/` integer_ops/add.h, sub.h, quantize.h, requantize.h.
"""

from dataclasses import dataclass, replace

import numpy as np

from mnv2.golden.fixed_point import (
    dequantize,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
)
from mnv2.golden.graph.derivation import (
    RANGES,
    activation_clamp,
    convert_to_int32,
    offset_and_clamp,
    require_quantized,
    require_type,
)
from mnv2.golden.quantize import add_record
from mnv2.golden.quantized_layer import QuantizedAdd
from mnv2.golden.summary import short_repr

#: Axes over which LiteRT's kernel can broadcast.
MAXIMUM_BROADCAST_AXES = 6
#: Elements that are worked on at a time, in 64 bits each.
BAND_ELEMENTS = 2**20


def run_in_bands(function, *arrays):
    """An elementwise function of arrays of one shape, band by band to use little memory."""
    flat = [array.reshape(-1) for array in arrays]
    bands = [
        function(*(array[start : start + BAND_ELEMENTS] for array in flat))
        for start in range(0, flat[0].size, BAND_ELEMENTS)
    ]
    return np.concatenate(bands).reshape(arrays[0].shape)


def broadcast_shape(a, b):
    """The shape of what two tensors make, one of them perhaps broadcast over the other.

    Raises
    ------
    ValueError
        If the shapes do not go together, or LiteRT's kernel takes fewer axes.
    """
    try:
        shape = np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ValueError(
            f"The shapes of {a.label} and {b.label} must go together, not "
            f"{list(a.shape)} and {list(b.shape)}"
        ) from None
    if a.shape != b.shape and len(shape) > MAXIMUM_BROADCAST_AXES:
        raise ValueError(
            f"{a.label} and {b.label} must have at most {MAXIMUM_BROADCAST_AXES} axes "
            f"where one is broadcast, not {len(shape)}"
        )
    return shape


@dataclass(frozen=True, eq=False)
class Add:
    """An addition or subtraction ready to run; one input may be broadcast over the other."""

    record: QuantizedAdd
    shape: tuple[int, ...]
    work: int = 0

    __repr__ = short_repr

    def run(self, a, b):
        """int8 of the output's shape."""
        a, b = (np.broadcast_to(values, self.shape) for values in (a, b))
        return run_in_bands(self.record.run, a, b)


def prepare_add(operator, a, b, target):
    """The Add of an ADD or a SUB, whose second factor is negative.

    Raises
    ------
    ValueError
        If the shapes do not go together, or the output scale is so small that LiteRT would stop:
        at most 2**-19 of the larger input scale.
    """
    for tensor in (a, b, target):
        require_quantized(tensor, "int8")
    shape = broadcast_shape(a, b)
    minimum, maximum = activation_clamp(target, operator.options.activation)
    record = add_record(
        target.label,
        a.scale,
        a.zero_point,
        b.scale,
        b.zero_point,
        target.scale,
        target.zero_point,
        minimum,
        maximum,
    )
    if operator.kind == "SUB":
        record = replace(record, b_multiplier=-record.b_multiplier)
    return Add(record, shape)


@dataclass(frozen=True)
class Quantize:
    """Real values to integers: value / scale, halves away from zero, plus the zero point."""

    scale: float
    zero_point: int
    dtype: str
    shape: tuple[int, ...]
    work: int = 0

    def run(self, values):
        """Integers of the output's type from float32; what is not finite ends as on x86-64."""
        return run_in_bands(self._run_band, values)

    def _run_band(self, values):
        with np.errstate(over="ignore", invalid="ignore"):
            steps = convert_to_int32(values / np.float32(self.scale))
        return offset_and_clamp(steps, self.zero_point, *RANGES[self.dtype]).astype(self.dtype)


@dataclass(frozen=True)
class Requantize:
    """Integers to other steps."""

    multiplier: int
    shift: int
    input_zero_point: int
    zero_point: int
    dtype: str
    shape: tuple[int, ...]
    work: int = 0

    def run(self, values):
        """Integers of the output's type from int8 or uint8."""
        return run_in_bands(self._run_band, values)

    def _run_band(self, values):
        steps = multiply_by_quantized_multiplier(
            values.astype(np.int64) - self.input_zero_point, self.multiplier, self.shift
        )
        return offset_and_clamp(steps, self.zero_point, *RANGES[self.dtype]).astype(self.dtype)


def prepare_quantize(operator, source, target):
    """The Quantize or Requantize of an operator: from float32, int8 or uint8 to int8 or uint8."""
    require_quantized(target, "int8", "uint8")
    if source.dtype == "float32":
        return Quantize(target.scale, target.zero_point, target.dtype, source.shape)
    require_type(source, "float32", "int8", "uint8")
    require_quantized(source, "int8", "uint8")
    multiplier, shift = quantize_multiplier(np.float64(source.scale) / np.float64(target.scale))
    return Requantize(
        multiplier, shift, source.zero_point, target.zero_point, target.dtype, source.shape
    )


@dataclass(frozen=True)
class Dequantize:
    """Integers to real values: (value - zero point) * scale."""

    scale: float
    zero_point: int
    shape: tuple[int, ...]
    work: int = 0

    def run(self, values):
        """float32 from int8 or uint8."""
        return dequantize(values, self.scale, self.zero_point)


def prepare_dequantize(operator, source, target):
    """The Dequantize of an operator: from int8 or uint8 to float32."""
    require_quantized(source, "int8", "uint8")
    require_type(target, "float32")
    return Dequantize(source.scale, source.zero_point, source.shape)
