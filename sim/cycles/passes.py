"""What a pass is, and how the cycles of the array are told apart."""

from dataclasses import dataclass

__all__ = ["ADD", "CAUSES", "DEPTHWISE", "POINTWISE", "POOL", "RESULT", "Line", "Pass", "Wait"]

#: Why the array does nothing, as `mnv2.hw.passes.Stall` without NONE, in the same order.
CAUSES = (
    "activations",
    "weights",
    "parameters",
    "requantize",
    "line_buffer",
    "residual",
    "output",
    "drain",
    "program",
)


class Wait:
    """Places of the causes in a list of counts."""

    (
        ACTIVATIONS,
        WEIGHTS,
        PARAMETERS,
        REQUANTIZE,
        LINE_BUFFER,
        RESIDUAL,
        OUTPUT,
        DRAIN,
        PROGRAM,
    ) = range(len(CAUSES))


#: Places of the array's work behind those of the causes.
POINTWISE, DEPTHWISE = 9, 10

#: Cycles from a step to its result behind the requantiser, from there through the pool, and from
#: the fetch of a residual word to its sum, beside those that its pixels take.
RESULT, POOL, ADD = 13, 9, 11


@dataclass(slots=True)
class Pass:
    """See `mnv2.hw.passes.PassCommand`. The target is ``"queue"``, ``"map"``, ``"residual"``,
    ``"pool"`` or ``"logits"``."""

    target: str
    rows: int
    groups: int
    input_words: int
    output_words: int
    parameters: int = 0
    index: int = 0
    copy: bool = False
    from_strip: bool = False
    free: bool = False
    rewind: bool = False


@dataclass(slots=True)
class Line:
    """See `mnv2.hw.line_buffer.LineCommand`."""

    first_row: int
    end_row: int
    rows: int
    groups: int
    steps: int
    words: int
    stride_2: bool
    pad_start: bool
