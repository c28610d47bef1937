"""SHAPE, STRIDED_SLICE and PACK of fixed shapes: numbers that are known before anything runs.

A converter that leaves the size of a batch open writes a Flatten so. Shapes here are those that
the operators give, as in LiteRT, so that each of these operators makes a constant.

Ref: LiteRT `tflite/kernels/` shape.cc, strided_slice.cc, pack.cc;
`tflite/kernels/internal/strided_slice_logic.h`.
"""

from dataclasses import dataclass

import numpy as np

from mnv2.golden.graph.derivation import require_constant, require_type
from mnv2.golden.summary import short_repr

#: Operators whose outputs are constants.
FOLDED = ("PACK", "SHAPE", "STRIDED_SLICE")
#: Numbers that one of them may make, and tensors that PACK may take.
MAXIMUM_NUMBERS, MAXIMUM_PACKED = 64, 8
_INTEGERS = ("int32", "int64")


@dataclass(frozen=True, eq=False)
class Constant:
    """The output of such an operator: integers of 32 or 64 bits."""

    value: np.ndarray
    work: int = 0

    __repr__ = short_repr

    @property
    def shape(self):
        return self.value.shape

    def run(self, _):
        """The numbers, whatever is in the operator's input."""
        return self.value


def prepare_shape(operator, source, target):
    """The Constant of a SHAPE: the sizes of a tensor's axes."""
    require_type(target, *_INTEGERS)
    return Constant(np.array(source.shape, target.dtype))


def prepare_strided_slice(operator, source, begin, end, strides, target):
    """The Constant of a STRIDED_SLICE of a constant vector.

    Raises
    ------
    ValueError
        If it slices anything else, or has an ellipsis or a new axis.
    """
    require_type(source, *_INTEGERS)
    require_type(target, source.dtype)
    values = require_constant(source, "What is sliced")
    options = operator.options
    if values.ndim != 1 or options.other_masks:
        raise ValueError(f"It must slice a vector, not {source.label} of {values.ndim} axes")
    ends = []
    for tensor, what in ((begin, "begin"), (end, "end"), (strides, "strides")):
        require_type(tensor, *_INTEGERS)
        contents = require_constant(tensor, f"The {what}")
        if contents.shape != (1,):
            raise ValueError(f"The {what} {tensor.label} must be one number")
        ends.append(int(contents[0]))
    first, last, step = ends
    if step == 0:
        raise ValueError(f"The strides {strides.label} must not be 0")
    if options.shrink_mask & 1:  # one number, and no axis
        if step < 0 or not -values.size <= first < values.size:
            raise ValueError(f"The begin {begin.label} must lie in {source.label}, not {first}")
        return Constant(np.array(values[first], target.dtype))
    span = slice(
        None if options.begin_mask & 1 else first, None if options.end_mask & 1 else last, step
    )
    return Constant(values[span].astype(target.dtype))


def prepare_pack(operator, *tensors):
    """The Constant of a PACK of constants of one shape, none of them larger than a few numbers.

    Parameters
    ----------
    tensors : Tensor or None
        What is packed, None where there are fewer than it takes, and the output.
    """
    *given, target = tensors
    sources = [x for x in given if x is not None]
    require_type(target, *_INTEGERS)
    values = []
    for tensor in sources:
        require_type(tensor, target.dtype)
        values.append(require_constant(tensor, "What is packed"))
    first, axis = values[0], operator.options.axis
    if any(x.shape != first.shape for x in values) or first.size * len(values) > MAXIMUM_NUMBERS:
        raise ValueError(
            f"It must pack tensors of one shape and at most {MAXIMUM_NUMBERS} numbers, not "
            f"{[list(x.shape) for x in values]}"
        )
    if not -first.ndim - 1 <= axis <= first.ndim:
        raise ValueError(f"Its axis must be one of {first.ndim + 1}, not {axis}")
    return Constant(np.stack(values, axis))
