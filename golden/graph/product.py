"""MUL of two tensors, one of which may be broadcast.

Ref: LiteRT `tflite/kernels/mul.cc` (Prepare, whose factor is computed in float) and
`tflite/kernels/internal/reference/integer_ops/mul.h`.
"""

from dataclasses import dataclass

import numpy as np

from mnv2.golden.fixed_point import multiply_by_quantized_multiplier, quantize_multiplier
from mnv2.golden.graph.derivation import activation_clamp, offset_and_clamp, require_quantized
from mnv2.golden.graph.elementwise import broadcast_shape, run_in_bands


@dataclass(frozen=True)
class Multiply:
    """A multiplication of two tensors, element by element, ready to run."""

    multiplier: int
    shift: int
    zero_points: tuple[int, int]
    output_zero_point: int
    minimum: int
    maximum: int
    shape: tuple[int, ...]
    work: int = 0

    def run(self, a, b):
        """int8 of the output's shape."""
        a, b = (np.broadcast_to(values, self.shape) for values in (a, b))
        return run_in_bands(self._run_band, a, b)

    def _run_band(self, a, b):
        a, b = (
            values.astype(np.int64) - zero
            for values, zero in zip((a, b), self.zero_points, strict=True)
        )
        scaled = multiply_by_quantized_multiplier(a * b, self.multiplier, self.shift)
        return offset_and_clamp(scaled, self.output_zero_point, self.minimum, self.maximum).astype(
            np.int8
        )


def prepare_multiply(operator, a, b, target):
    """The Multiply of an operator.

    Raises
    ------
    ValueError
        If the shapes do not go together.
    """
    for tensor in (a, b, target):
        require_quantized(tensor, "int8")
    with np.errstate(over="ignore", under="ignore"):
        real = np.float32(a.scale) * np.float32(b.scale) / np.float32(target.scale)
    multiplier, shift = quantize_multiplier(float(real))
    return Multiply(
        multiplier,
        shift,
        (a.zero_point, b.zero_point),
        target.zero_point,
        *activation_clamp(target, operator.options.activation),
        broadcast_shape(a, b),
    )
