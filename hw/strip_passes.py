"""Commands of the passes of a strip, and of the line buffer for each of them."""

from amaranth import *
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from .config import ADDRESS_BITS, INDEX_BITS, WORDS_BITS
from .line_buffer import LineCommand
from .passes import PassCommand, Range, Target
from .program import Descriptor, Work
from .strip_rows import Strip

__all__ = ["StripPass", "StripPasses"]


class StripPass(enum.Enum, shape=2):
    """Passes of a strip, in the order of execution; a head or a classifier is a pass of its own."""

    #: Image to the rows of input.
    STEM    = 0
    #: Input to depthwise outputs: through the expansion, or as it is, and the line buffer.
    FILL    = 1
    #: Depthwise outputs to the block's output.
    PROJECT = 2
    #: The whole map to the pool or to logits.
    WHOLE   = 3


class StripPasses(wiring.Component):
    """Makes the commands of a pass from the descriptor, the strip, and what the passes before left.

    Members
    -------
    block
        The descriptor.
    strip
        The strip.
    current
        The pass.
    fill_parameters, project_parameters
        See :class:`mnv2.hw.block_settings.BlockSettings`.
    input_address, input_index
        The strip's first input word: its address in the map memory, and its number in the map.
    output_address, output_index
        The same of its first output word.
    pass_command
        The pass as the array steps through it.
    line_command
        The rows that the line buffer takes in at the same time, for STEM and FILL.
    """

    def __init__(self):
        super().__init__({
            "block":              In(Descriptor),
            "strip":              In(Strip),
            "current":            In(StripPass),
            "fill_parameters":    In(WORDS_BITS),
            "project_parameters": In(WORDS_BITS),
            "input_address":      In(ADDRESS_BITS),
            "input_index":        In(INDEX_BITS),
            "output_address":     In(ADDRESS_BITS),
            "output_index":       In(INDEX_BITS),
            "pass_command":       Out(PassCommand),
            "line_command":       Out(LineCommand),
        })

    def elaborate(self, platform):
        m = Module()
        block, strip = self.block, self.strip
        line, command = self.line_command, self.pass_command
        with m.If(self.current == StripPass.STEM):
            m.d.comb += [
                line.first_row.eq(strip.image_row),
                line.end_row.eq(strip.image_end),
                line.rows.eq(block.image_rows),
                line.groups.eq(block.image_groups),
                line.steps.eq(block.image_steps),
                line.tail.eq(block.image_tail),
                line.words.eq(1),
                line.line.eq(block.image_line),
                line.stride_2.eq(1),
                line.pad_top.eq(block.image_pad_top),
                line.pad_left.eq(block.image_pad_left),
                line.padding.eq(block.image_padding),
            ]
        with m.Else():
            m.d.comb += [
                line.first_row.eq(strip.step_row),
                line.end_row.eq(strip.step_end),
                line.rows.eq(block.input_rows),
                line.groups.eq(block.input_groups),
                line.steps.eq(block.steps),
                line.tail.eq(block.input_tail),
                line.words.eq(block.hidden_words),
                line.stride_2.eq(block.stride_2),
                line.pad_top.eq(block.pad_top),
                line.pad_left.eq(block.pad_left),
                line.padding.eq(block.padding),
            ]

        # A pass reads the block's input and makes its output, where nothing else is said. Fields
        # that it does not use have any value.
        m.d.comb += [
            command.range.eq(Range.PROJECT),
            command.free_weights.eq(strip.last),
            command.rewind.eq(1),
            command.rows.eq(strip.input_rows),
            command.groups.eq(block.input_groups),
            command.input_words.eq(block.input_words),
            command.input.eq(self.input_address),
            command.input_base.eq(block.input_base),
            command.input_end.eq(block.input_end),
            command.index.eq(self.input_index),
            command.output_words.eq(block.output_words),
            command.output.eq(self.output_address),
            command.output_base.eq(block.output_base),
            command.output_end.eq(block.output_end),
        ]
        with m.Switch(self.current):
            with m.Case(StripPass.STEM):
                m.d.comb += [
                    command.stem.eq(1),
                    command.target.eq(Target.MAP),
                    command.range.eq(Range.STEM),
                    command.input_words.eq(block.stem_steps),
                    command.output_words.eq(block.input_words),
                    command.output.eq(self.input_address),
                    command.output_base.eq(block.input_base),
                    command.output_end.eq(block.input_end),
                ]
            with m.Case(StripPass.FILL):
                m.d.comb += [
                    command.copy.eq(block.copy),
                    command.target.eq(Target.QUEUE),
                    command.range.eq(Range.EXPAND),
                    command.rewind.eq(~block.stem),
                    command.output_words.eq(block.hidden_words),
                    command.parameters.eq(self.fill_parameters),
                ]
            with m.Case(StripPass.PROJECT):
                m.d.comb += [
                    command.from_strip.eq(1),
                    command.target.eq(Mux(block.residual, Target.RESIDUAL, Target.MAP)),
                    command.rewind.eq(0),
                    command.rows.eq(strip.output_rows),
                    command.groups.eq(block.output_groups),
                    command.input_words.eq(block.hidden_words),
                    command.parameters.eq(self.project_parameters),
                    command.input.eq(0),
                    # The strip memory is not a ring: no address of it is the end of one.
                    command.input_end.eq(2**ADDRESS_BITS - 1),
                    command.index.eq(self.output_index),
                ]
            with m.Case(StripPass.WHOLE):
                m.d.comb += [
                    command.target.eq(Mux(block.work == Work.HEAD, Target.POOL, Target.LOGITS)),
                    command.free_weights.eq(1),
                    command.rows.eq(block.input_rows),
                ]
        return m
