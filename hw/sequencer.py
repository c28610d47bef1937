"""Executes a program: fetches descriptors and turns each into passes over strips of rows."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_data_bits, check_integer
from .config import (
    ADDRESS_BITS,
    INDEX_BITS,
    MEMORY_ADDRESS_BITS,
    RECORD_BYTES,
    RECORDS_BITS,
    WORDS_BITS,
)
from .line_buffer import LineCommand
from .passes import LayerSettings, PassCommand, Range, Stall, Target
from .program import Descriptor, Header, Work
from .read_master import read_command

__all__ = ["Sequencer"]


class Sequencer(wiring.Component):
    """Runs the blocks of a program one after another.

    A block is processed in strips of output rows: the stem, if there is one, makes the rows of
    input; the expansion fills the line buffer, and the depthwise outputs of the strip go to the
    strip memory; then the projection reads them. Head and classifier are a single pass.

    Parameters
    ----------
    data_bits : int
        Width of a beat of the memory port.
    map_words, tap_words, parameter_words : int
        What a descriptor must fit into.

    Members
    -------
    start, program_address, program_records
        Begins a program; its header counts as a record.
    i_records
        Records of the program.
    o_program, o_weights, o_taps, o_parameters
        What to read from external memory.
    o_pass, o_line, settings, residual_input, quiet, issued, input_next, index_next, output_next,
    residual_next
        See :class:`mnv2.hw.core.Core`.
    taps_free, parameters_free
        Words to release from the rings.
    block
        The current block; constant between ``begin`` and ``finish``.
    begin
        The block's first cycle.
    imaging
        The line buffer takes in the image.
    freed
        Input words of the block that are no longer needed.
    produced
        Output words of the block that are complete.
    stored, written
        Output words that have left the map memory; whether all have arrived in external memory.
    finish
        The block's last cycle.
    running
        A program is under way.
    complete
        This cycle is the program's last.
    bad
        The current descriptor is not valid; nothing happens until reset.
    stall
        What is waited for while no pass is issued.
    """

    def __init__(self, *, data_bits, map_words, tap_words, parameter_words):
        check_data_bits(data_bits)
        check_integer("Map words", map_words, 1, 2**ADDRESS_BITS - 1)
        check_integer("Tap words", tap_words)
        check_integer("Parameter words", parameter_words)
        self.data_bits       = data_bits
        self.map_words       = map_words
        self.tap_words       = tap_words
        self.parameter_words = parameter_words
        read = stream.Signature(read_command(MEMORY_ADDRESS_BITS))
        super().__init__({
            "start":           In(1),
            "program_address": In(MEMORY_ADDRESS_BITS),
            "program_records": In(RECORDS_BITS),
            "i_records":       In(stream.Signature(8 * RECORD_BYTES)),
            "o_program":       Out(read),
            "o_weights":       Out(read),
            "o_taps":          Out(read),
            "o_parameters":    Out(read),
            "o_pass":          Out(stream.Signature(PassCommand)),
            "o_line":          Out(stream.Signature(LineCommand)),
            "settings":        Out(LayerSettings),
            "residual_input":  Out(ADDRESS_BITS),
            "quiet":           In(1),
            "issued":          In(1),
            "input_next":      In(ADDRESS_BITS),
            "index_next":      In(INDEX_BITS),
            "output_next":     In(ADDRESS_BITS),
            "residual_next":   In(ADDRESS_BITS),
            "taps_free":       Out(WORDS_BITS),
            "parameters_free": Out(WORDS_BITS),
            "block":           Out(Descriptor),
            "begin":           Out(1),
            "imaging":         Out(1),
            "freed":           Out(INDEX_BITS),
            "produced":        Out(INDEX_BITS),
            "stored":          In(INDEX_BITS),
            "written":         In(1),
            "finish":          Out(1),
            "running":         Out(1),
            "complete":        Out(1),
            "bad":             Out(1),
            "stall":           Out(Stall),
        })

    def elaborate(self, platform):
        m = Module()
        block  = self.block
        header = Signal(Header)
        left   = Signal(RECORDS_BITS)        # records that have not been fetched

        # The strip: its output rows, and the rows that the line buffer takes in for them.
        output_row = Signal(WORDS_BITS)
        output_end = Signal(WORDS_BITS)
        step_row   = Signal(WORDS_BITS)
        step_end   = Signal(WORDS_BITS)
        input_end  = Signal(WORDS_BITS)      # step_end, but not beyond the map
        last_strip = Signal()
        m.d.comb += [
            last_strip.eq(output_row + block.strip_rows >= block.output_rows),
            output_end.eq(Mux(last_strip, block.output_rows, output_row + block.strip_rows)),
            step_end.eq(Mux(block.stride_2, 2 * output_end + ~block.pad_start, output_end + 1)),
            input_end.eq(Mux(step_end > block.input_rows, block.input_rows, step_end)),
        ]
        input_address  = Signal(ADDRESS_BITS)
        input_index    = Signal(INDEX_BITS)
        output_address = Signal(ADDRESS_BITS)
        room           = Signal()            # for the strip's outputs
        m.d.comb += room.eq(
            ~block.store | (self.produced + block.strip_output_words - self.stored
                            <= block.output_end - block.output_base))

        # Parameters in the ring: stem, expansion, depthwise layer, projection.
        fill_parameters      = Signal(WORDS_BITS)
        depthwise_parameters = Signal(WORDS_BITS)
        m.d.comb += [
            fill_parameters.eq(Mux(block.stem, block.input_words, 0)),
            depthwise_parameters.eq(fill_parameters + Mux(block.copy, 0, block.hidden_words)),
            self.settings.stem.eq(block.stem_range),
            self.settings.expand.eq(block.expand),
            self.settings.depthwise.eq(block.depthwise),
            self.settings.project.eq(block.project),
            self.settings.pool_parameters.eq(block.pool_parameters),
            self.settings.pool.eq(block.pool),
            self.settings.tail.eq(block.input_tail),
            self.settings.add.eq(block.add),
            self.settings.depthwise_parameters.eq(depthwise_parameters),
            self.settings.residual_base.eq(block.input_base),
            self.settings.residual_end.eq(block.input_end),
        ]

        # The passes of a strip, one after another; a head or a classifier has the last alone.
        stemming, projecting, alone = Signal(), Signal(), Signal()
        image_row = Signal(WORDS_BITS + 1)
        image_end = Signal(WORDS_BITS + 1)
        line, step = self.o_line.payload, self.o_pass.payload
        m.d.comb += [
            alone.eq(block.work != Work.BLOCK),
            image_end.eq(2 * input_end + ~block.image_pad_start),
            self.imaging.eq(stemming),
            step.free_weights.eq(last_strip | alone),
            step.input_base.eq(block.input_base),
            step.input_end.eq(block.input_end),
        ]
        with m.If(stemming):
            m.d.comb += [
                line.first_row.eq(image_row),
                line.end_row.eq(image_end),
                line.rows.eq(block.image_rows),
                line.groups.eq(block.image_groups),
                line.steps.eq(block.image_steps),
                line.tail.eq(block.image_tail),
                line.words.eq(1),
                line.line.eq(block.image_line),
                line.stride_2.eq(1),
                line.pad_start.eq(block.image_pad_start),
                line.padding.eq(block.image_padding),
                step.stem.eq(1),
                step.target.eq(Target.MAP),
                step.range.eq(Range.STEM),
                step.rewind.eq(1),
                step.rows.eq(input_end - step_row),
                step.groups.eq(block.input_groups),
                step.input_words.eq(block.stem_steps),
                step.output_words.eq(block.input_words),
                step.output.eq(input_address),
                step.output_base.eq(block.input_base),
                step.output_end.eq(block.input_end),
            ]
        with m.Elif(~projecting):
            m.d.comb += [
                line.first_row.eq(step_row),
                line.end_row.eq(step_end),
                line.rows.eq(block.input_rows),
                line.groups.eq(block.input_groups),
                line.steps.eq(block.steps),
                line.tail.eq(block.input_tail),
                line.words.eq(block.hidden_words),
                line.stride_2.eq(block.stride_2),
                line.pad_start.eq(block.pad_start),
                line.padding.eq(block.padding),
                step.copy.eq(block.copy),
                step.target.eq(Target.QUEUE),
                step.range.eq(Range.EXPAND),
                step.rewind.eq(~block.stem),
                step.rows.eq(input_end - step_row),
                step.groups.eq(block.input_groups),
                step.input_words.eq(block.input_words),
                step.output_words.eq(block.hidden_words),
                step.parameters.eq(fill_parameters),
                step.input.eq(input_address),
                step.index.eq(input_index),
            ]
        with m.Else():
            m.d.comb += [
                step.range.eq(Range.PROJECT),
                step.output_words.eq(block.output_words),
                step.output.eq(output_address),
                step.output_base.eq(block.output_base),
                step.output_end.eq(block.output_end),
            ]
            with m.If(alone):
                m.d.comb += [
                    step.target.eq(Mux(block.work == Work.HEAD, Target.POOL, Target.LOGITS)),
                    step.rewind.eq(1),
                    step.rows.eq(block.input_rows),
                    step.groups.eq(block.input_groups),
                    step.input_words.eq(block.input_words),
                    step.input.eq(block.input_base),
                ]
            with m.Else():
                m.d.comb += [
                    step.from_strip.eq(1),
                    step.target.eq(Mux(block.residual, Target.RESIDUAL, Target.MAP)),
                    step.rows.eq(output_end - output_row),
                    step.groups.eq(block.output_groups),
                    step.input_words.eq(block.hidden_words),
                    step.parameters.eq(depthwise_parameters + block.hidden_words),
                    # The strip memory is not a ring: no address of it is the end of one.
                    step.input_end.eq(2**ADDRESS_BITS - 1),
                    step.index.eq(self.produced),
                ]

        for port, address, beats in (
                (self.o_weights,    header.weights_address,    header.weights_beats),
                (self.o_taps,       header.taps_address,       header.taps_beats),
                (self.o_parameters, header.parameters_address, header.parameters_beats)):
            m.d.comb += [port.payload.address.eq(address), port.payload.beats.eq(beats)]
            with m.If(port.valid & port.ready):
                m.d.sync += port.valid.eq(0)
        m.d.comb += [
            self.o_program.payload.address.eq(self.program_address),
            self.o_program.payload.beats.eq(self.program_records
                                            * (8 * RECORD_BYTES // self.data_bits)),
        ]
        with m.If(self.o_program.valid & self.o_program.ready):
            m.d.sync += self.o_program.valid.eq(0)
        with m.If(self.o_pass.valid & self.o_pass.ready):
            m.d.sync += self.o_pass.valid.eq(0)
        with m.If(self.o_line.valid & self.o_line.ready):
            m.d.sync += self.o_line.valid.eq(0)

        m.d.comb += [self.running.eq(1), self.stall.eq(Stall.DRAIN)]
        # The next strip may begin before the last results are written, if nothing waits for them
        # and they do not collide with the stem's at the map memory.
        early = Signal()
        m.d.comb += early.eq(~block.load & ~block.store & ~last_strip & ~alone
                             & ~(block.stem & block.residual))
        wrong = Signal()
        m.d.comb += wrong.eq(self._is_wrong(block))
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.running.eq(0)
                with m.If(self.start):
                    m.d.sync += [self.o_program.valid.eq(1), left.eq(self.program_records)]
                    m.next = "HEADER"

            with m.State("HEADER"):
                m.d.comb += [self.i_records.ready.eq(1), self.stall.eq(Stall.PROGRAM)]
                with m.If(self.i_records.valid):
                    m.d.sync += [
                        Value.cast(header).eq(self.i_records.payload),
                        left.eq(left - 1),
                        self.o_weights.valid.eq(1),
                        self.o_taps.valid.eq(1),
                        self.o_parameters.valid.eq(1),
                    ]
                    m.next = "DESCRIPTOR"

            with m.State("DESCRIPTOR"):
                m.d.comb += [self.i_records.ready.eq(1), self.stall.eq(Stall.PROGRAM)]
                with m.If(self.i_records.valid):
                    m.d.sync += [Value.cast(block).eq(self.i_records.payload), left.eq(left - 1)]
                    m.next = "BEGIN"

            with m.State("BEGIN"):
                m.d.comb += [self.begin.eq(~wrong), self.bad.eq(wrong)]
                m.d.sync += [
                    output_row.eq(0),
                    step_row.eq(0),
                    image_row.eq(0),
                    input_address.eq(block.input_base),
                    input_index.eq(0),
                    output_address.eq(block.output_base),
                    self.residual_input.eq(block.input_base),
                    self.freed.eq(0),
                    self.produced.eq(0),
                    stemming.eq(block.stem),
                    projecting.eq(alone),
                    self.o_pass.valid.eq(~wrong),
                    self.o_line.valid.eq(~alone & ~wrong),
                ]
                with m.If(wrong):
                    m.next = "BEGIN"
                with m.Elif(alone):
                    m.next = "PROJECT"
                with m.Elif(block.stem):
                    m.next = "STEM"
                with m.Else():
                    m.next = "FILL"

            # Image to the rows of input of this strip.
            with m.State("STEM"):
                with m.If(~self.o_pass.valid & ~self.o_line.valid & self.quiet):
                    m.d.sync += [
                        image_row.eq(image_end),
                        stemming.eq(0),
                        self.o_pass.valid.eq(1),
                        self.o_line.valid.eq(1),
                    ]
                    m.next = "FILL"

            # Input to depthwise outputs.
            with m.State("FILL"):
                with m.If(~self.o_pass.valid & ~self.o_line.valid & self.quiet):
                    m.d.sync += [
                        input_address.eq(self.input_next),
                        input_index.eq(self.index_next),
                        projecting.eq(1),
                    ]
                    with m.If(~block.residual):
                        m.d.sync += self.freed.eq(self.index_next)
                    m.next = "ROOM"

            with m.State("ROOM"):
                m.d.comb += self.stall.eq(Stall.OUTPUT)
                with m.If(room):
                    m.d.sync += self.o_pass.valid.eq(1)
                    m.next = "PROJECT"

            # Depthwise outputs to the block's output.
            with m.State("PROJECT"):
                with m.If(~self.o_pass.valid & (self.quiet | (early & self.issued))):
                    m.d.sync += [
                        output_address.eq(self.output_next),
                        self.residual_input.eq(self.residual_next),
                        self.produced.eq(self.index_next),
                        output_row.eq(output_end),
                        step_row.eq(step_end),
                        projecting.eq(0),
                    ]
                    with m.If(block.residual):
                        m.d.sync += self.freed.eq(self.index_next)
                    with m.If(last_strip | alone):
                        m.next = "WRITTEN"
                    with m.Else():
                        m.d.sync += [
                            stemming.eq(block.stem),
                            self.o_pass.valid.eq(1),
                            self.o_line.valid.eq(1),
                        ]
                        with m.If(block.stem):
                            m.next = "STEM"
                        with m.Else():
                            m.next = "FILL"

            with m.State("WRITTEN"):
                m.d.comb += self.stall.eq(Stall.OUTPUT)
                with m.If(~block.store | self.written):
                    m.d.comb += [
                        self.finish.eq(1),
                        self.taps_free.eq(block.hidden_words),
                        self.parameters_free.eq(block.parameter_words),
                    ]
                    with m.If(left == 0):
                        m.d.comb += self.complete.eq(1)
                        m.next = "IDLE"
                    with m.Else():
                        m.next = "DESCRIPTOR"
        return m

    def _is_wrong(self, block):
        """Whether a descriptor cannot be executed; others get stuck at worst."""
        single = block.work != Work.BLOCK
        needed = [block.input_rows, block.input_groups, block.input_words, block.output_words]
        strips = [block.hidden_words, block.output_rows, block.output_groups, block.strip_rows,
                  block.steps]
        return (
            (block.work.as_value() == 3)
            | Cat(field == 0 for field in needed).any()
            | (~single & Cat(field == 0 for field in strips).any())
            | (block.stem & ((block.image_rows == 0) | (block.image_groups == 0)
                             | (block.image_steps == 0) | (block.stem_steps == 0)))
            | (block.input_base >= block.input_end)
            | (block.output_base >= block.output_end)
            | (block.input_end > self.map_words)
            | (~(block.work == Work.CLASSIFIER) & (block.output_end > self.map_words))
            | (block.hidden_words > self.tap_words)
            | (block.parameter_words > self.parameter_words)
        )
