"""Commands of the sequencer: a pass of the array over rows of a map, and rows for the line buffer.

They are `mnv2.hw.passes.PassCommand` and `mnv2.hw.line_buffer.LineCommand` without addresses and
values, on which no cycle depends.
"""

from dataclasses import dataclass
from typing import Literal

__all__ = ["PlannedLine", "PlannedPass"]


@dataclass(slots=True)
class PlannedPass:
    """A convolution over some rows of a map, or a copy of them to the line buffer.

    Attributes
    ----------
    target : str
        Where the results go: ``"queue"`` is the line buffer's.
    rows, groups : int
        Rows of the pass, groups of pixels in a row.
    input_words, output_words : int
        Channel words of the input and of the output.
    parameters : int
        Position of the first output word's parameters, from the oldest in the ring.
    index : int
        Words of the descriptor's input map that precede the first one; of the output map if
        `from_strip`.
    copy : bool
        Words are copied from the map memory to the line buffer.
    from_strip : bool
        The input comes from the strip memory, not from the map memory.
    free : bool
        Each tile's weights are released after use.
    rewind : bool
        Begin with the oldest weights in the ring; otherwise continue after the pass before.
    """

    target: Literal["queue", "map", "residual", "pool", "logits"]
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
class PlannedLine:
    """Rows of a map that the line buffer takes, step by step: tile, row, group of pixels, word.

    Attributes
    ----------
    first_row, end_row : int
        Rows to step through; `end_row` is one past the last. Rows from `rows` on are padding.
    rows, groups : int
        Rows of the map, groups of pixels in a row.
    steps : int
        Groups to step through in a row; groups from `groups` on are padding.
    words : int
        Channel words of the map.
    stride_2 : bool
        The stride is 2, not 1.
    pad_top, pad_left : bool
        There is a row of padding at the top, a column at the left; always for stride 1.
    """

    first_row: int
    end_row: int
    rows: int
    groups: int
    steps: int
    words: int
    stride_2: bool
    pad_top: bool
    pad_left: bool
