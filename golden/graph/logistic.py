"""LOGISTIC, 1 / (1 + exp(-x)), as LiteRT's reference kernel computes it: a table of 256 outputs.

Ref: LiteRT `tflite/kernels/activations.cc` (SigmoidPrepare, int8);
`tflite/kernels/internal/common.h` (LUTPopulate), whose steps are in float32.
"""

from dataclasses import dataclass

import numpy as np

from mnv2.golden.fixed_point import round_half_away
from mnv2.golden.graph.derivation import require_quantized
from mnv2.golden.summary import short_repr

OUTPUT_ZERO_POINT, OUTPUT_SCALE = -128, 1 / 256


@dataclass(frozen=True, eq=False)
class Logistic:
    """A logistic function ready to run.

    Attributes
    ----------
    table : int8 [256]
        The output of each int8 from -128 up, in steps of 1/256 from -128 up.
    shape : tuple of int
    """

    table: np.ndarray
    shape: tuple[int, ...]
    work: int = 0

    __repr__ = short_repr

    def run(self, values):
        """int8 of the input's shape."""
        return self.table[values.astype(np.int64) + 128]


def logistic_table(scale, zero_point):
    """int8 [256] of `Logistic` for an input of such steps."""
    one = np.float32(1)
    real = (np.arange(-128, 128) - zero_point).astype(np.float32) * np.float32(scale)
    # The library's exp of float32 is rounded correctly but for rare last places; so is this.
    with np.errstate(over="ignore"):
        power = np.exp(-real.astype(np.float64)).astype(np.float32)
    steps = round_half_away(one / (one + power) * np.float32(1 / OUTPUT_SCALE))
    return np.clip(steps + OUTPUT_ZERO_POINT, -128, 127).astype(np.int8)


def prepare_logistic(operator, source, target):
    """The Logistic of an operator.

    Raises
    ------
    ValueError
        If LiteRT would refuse it: the output must have the scale 1/256 and the zero point -128.
    """
    for tensor in (source, target):
        require_quantized(tensor, "int8")
    if target.zero_point != OUTPUT_ZERO_POINT or target.scale != OUTPUT_SCALE:
        raise ValueError(
            f"{target.label} must have the scale 1/256 and the zero point -128, "
            f"not {target.scale!r} and {target.zero_point}"
        )
    return Logistic(logistic_table(source.scale, source.zero_point), source.shape)
