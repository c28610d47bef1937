"""The grid of values that a quantiser of a quantisation-aware training rounds to.

Ref: QONNX `docs/qonnx-custom-ops/intquant_op.md` and `custom_op/general/intquant.py`, version 1.0;
ONNX `docs/Operators.md`, QuantizeLinear.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mnv2.golden.fixed_point import round_half_away
from mnv2.golden.summary import short_repr

BITS = range(2, 33)
#: Beyond any integer; an infinite limit becomes one of them.
_ENDS = np.float32(-(2.0**40)), np.float32(2.0**40)


def _half_away(values):
    return round_half_away(values).astype(np.float32)


#: How QONNX's rounding modes round floats. HALF_UP goes away from zero there.
ROUNDINGS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "ROUND": np.rint,
    "HALF_EVEN": np.rint,
    "FLOOR": np.floor,
    "HALF_UP": _half_away,
}


@dataclass(frozen=True, eq=False)
class Grid:
    """(integer - zero point) * scale, for integers in low..high.

    Attributes
    ----------
    scale : float32 array
        Positive; one number, or broadcast against the tensor.
    zero_point : float32 array
        Whole numbers, likewise.
    low, high : int
        Ends of the integers, both included.
    bits : int
    signed : bool
    rounding : str
        A name of `ROUNDINGS`.
    adds_first : bool
        Whether the zero point is added before rounding, as QONNX does, or after it, as ONNX.
    """

    scale: np.ndarray
    zero_point: np.ndarray
    low: int
    high: int
    bits: int
    signed: bool
    rounding: str = "ROUND"
    adds_first: bool = False

    __repr__ = short_repr

    def __eq__(self, other):
        return (
            isinstance(other, Grid)
            and np.array_equal(self.scale, other.scale)
            and np.array_equal(self.zero_point, other.zero_point)
            and (self.low, self.high, self.bits, self.signed, self.rounding)
            == (other.low, other.high, other.bits, other.signed, other.rounding)
        )

    @property
    def single(self):
        """Whether one scale and one zero point serve the whole tensor."""
        return self.scale.size == 1 and self.zero_point.size == 1

    @property
    def step(self):
        """The only scale, float; a value of float32."""
        return float(self.scale.reshape(-1)[0])

    @property
    def zero(self):
        """The only zero point, int."""
        return int(self.zero_point.reshape(-1)[0])

    def same_steps(self, other):
        """Whether scales and zero points are those of another grid."""
        return np.array_equal(self.scale, other.scale) and np.array_equal(
            self.zero_point, other.zero_point
        )

    def integers(self, values):
        """Nearest integers of the grid, int64, in the float32 steps of the reference."""
        run = ROUNDINGS[self.rounding]
        with np.errstate(over="ignore"):  # an infinite quotient is clamped
            scaled = np.clip(np.asarray(values, np.float32) / self.scale, *_ENDS)
        moved = scaled + self.zero_point if self.adds_first else run(scaled) + self.zero_point
        clipped = np.clip(moved, np.float32(self.low), np.float32(self.high))
        return run(clipped).astype(np.int64)

    def reals(self, integers):
        """float32 values of integers."""
        with np.errstate(over="ignore"):  # infinities are refused by name, later
            return ((integers.astype(np.float32) - self.zero_point) * self.scale).astype(np.float32)


def signed_ends(bits, signed, narrow):
    """(low, high) of integers of a number of bits; a narrow range has one value less.

    Signed ones lose their lowest, unsigned ones their highest.
    """
    if signed:
        return -(2 ** (bits - 1)) + narrow, 2 ** (bits - 1) - 1
    return 0, 2**bits - 1 - narrow


def turn_grid(grid, shape, turn):
    """The grid of a tensor of a shape with other axes, as `turn` gives them; None of None."""
    if grid is None:
        return None
    scale, zero_point = (
        turn(np.broadcast_to(values, shape)) for values in (grid.scale, grid.zero_point)
    )
    return replace(grid, scale=scale, zero_point=zero_point)
