"""Rows of a block's strips: of the output, of the input, and of the image before a stem."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .config import WORDS_BITS
from .program import Descriptor

__all__ = ["Strip", "StripRows"]


class Strip(data.Struct):
    """Rows of a strip.

    Members
    -------
    last
        No strip of the block follows.
    output_rows
        Rows of output that the strip makes.
    input_rows
        Rows of input that it takes in, in addition to those that strips before it took in.
    step_row, step_end
        The same as the line buffer steps through them, the second excluded: those of the last strip
        may go a row beyond the map.
    image_row, image_end
        Rows of the image that a stem takes in for them, the second excluded.
    """

    last:        1
    output_rows: WORDS_BITS
    input_rows:  WORDS_BITS
    step_row:    WORDS_BITS
    step_end:    WORDS_BITS
    image_row:   WORDS_BITS
    image_end:   WORDS_BITS


class StripRows(wiring.Component):
    """Goes through the strips of a block, from the top of its maps to the bottom.

    A strip takes in the input down to the lowest row that its last windows need, and the last strip
    all that is left. Where it may end is computed while the strip before it is processed: no path
    from register to register is longer than a sum and a comparison.

    Members
    -------
    block
        The descriptor.
    begin
        The next strip is the block's first, from the next cycle on.
    advance
        From the next cycle on the strip is the next one, which must be known: it is three cycles
        after the strip before it has come.
    strip
        The strip.
    """

    def __init__(self):
        super().__init__({
            "block":   In(Descriptor),
            "begin":   In(1),
            "advance": In(1),
            "strip":   Out(Strip),
        })

    def elaborate(self, platform):
        m = Module()
        block, strip = self.block, self.strip
        output_row = Signal(WORDS_BITS)
        output_end = Signal(WORDS_BITS)
        step_row   = Signal(WORDS_BITS)
        step_end   = Signal(WORDS_BITS)
        input_end  = Signal(WORDS_BITS)
        last       = Signal()

        # The next strip: it ends at ``reach``, if the output goes on until there.
        reach_after = Signal(WORDS_BITS + 1)    # of the strip that follows this one
        reach       = Signal(WORDS_BITS + 1)
        next_end    = Signal(WORDS_BITS)
        next_last   = Signal()
        reaches     = Signal()
        m.d.comb += [
            reach.eq(Mux(self.begin, block.strip_rows, reach_after)),
            reaches.eq(reach >= block.output_rows),
        ]
        m.d.sync += [
            reach_after.eq(output_end + block.strip_rows),
            next_last.eq(reaches),
            next_end.eq(Mux(reaches, block.output_rows, reach)),
        ]
        with m.If(self.begin):
            m.d.sync += [output_end.eq(0), step_end.eq(0)]
        with m.Elif(self.advance):
            m.d.sync += [
                last.eq(next_last),
                output_row.eq(output_end),
                output_end.eq(next_end),
                step_row.eq(step_end),
                # One past the lowest row under the windows of the last output row.
                step_end.eq(Mux(block.stride_2, Cat(~block.pad_top, next_end), next_end + 1)),
            ]
        m.d.comb += [
            # Windows of the map's last row alone reach its end, and beyond it.
            input_end.eq(Mux(last, block.input_rows, step_end)),
            strip.last.eq(last),
            strip.output_rows.eq(output_end - output_row),
            strip.input_rows.eq(input_end - step_row),
            strip.step_row.eq(step_row),
            strip.step_end.eq(step_end),
            # The stem has stride 2.
            strip.image_row.eq(Cat(~block.image_pad_top & (step_row != 0), step_row)),
            strip.image_end.eq(Cat(~block.image_pad_top, input_end)),
        ]
        return m
