"""Executes a program: fetches descriptors and turns each into passes over strips of rows."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .core import LayerSettings
from .issue import ADDRESS_BITS, INDEX_BITS, WORDS_BITS, PassCommand, Stall
from .line_buffer import LineCommand
from .program import MEMORY_ADDRESS_BITS, RECORD_BYTES, Descriptor, Header
from .read_master import read_command

__all__ = ["RECORDS_BITS", "Sequencer"]

#: Width of the number of records in a program.
RECORDS_BITS = 8


class Sequencer(wiring.Component):
    """Runs the blocks of a program one after another.

    A block is worked off in strips of output rows: the expansion fills the line buffer, and the depthwise
    outputs of the strip go to the strip memory; then the projection reads them.

    Parameters
    ----------
    data_bits
        Width of a beat of the memory port.

    Members
    -------
    start, program_address, program_records
        Begins a program, its header included in the number of records, if none is ``running``.
    i_records
        Records of the program.
    o_program, o_weights, o_taps, o_parameters
        What to read from external memory.
    o_pass, o_line, settings, residual_input, quiet, input_next, index_next, output_next, residual_next
        See :class:`hw.core.Core`.
    taps_free, parameters_free
        Words to release from the rings.
    block
        The block in work; constant between ``begin`` and ``finish``.
    begin
        The block's first cycle.
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
    stall
        What is waited for while no pass is issued.
    """

    def __init__(self, *, data_bits):
        self.data_bits = data_bits
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
            "input_next":      In(ADDRESS_BITS),
            "index_next":      In(INDEX_BITS),
            "output_next":     In(ADDRESS_BITS),
            "residual_next":   In(ADDRESS_BITS),
            "taps_free":       Out(WORDS_BITS),
            "parameters_free": Out(WORDS_BITS),
            "block":           Out(Descriptor),
            "begin":           Out(1),
            "freed":           Out(INDEX_BITS),
            "produced":        Out(INDEX_BITS),
            "stored":          In(INDEX_BITS),
            "written":         In(1),
            "finish":          Out(1),
            "running":         Out(1),
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

        depthwise_parameters = Signal(WORDS_BITS)
        m.d.comb += [
            depthwise_parameters.eq(Mux(block.copy, 0, block.hidden_words)),
            self.settings.expand.eq(block.expand),
            self.settings.depthwise.eq(block.depthwise),
            self.settings.project.eq(block.project),
            self.settings.add.eq(block.add),
            self.settings.depthwise_parameters.eq(depthwise_parameters),
            self.settings.residual_base.eq(block.input_base),
            self.settings.residual_end.eq(block.input_end),
        ]

        line, step = self.o_line.payload, self.o_pass.payload
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
            step.free_weights.eq(last_strip),
            step.input_base.eq(block.input_base),
            step.input_end.eq(block.input_end),
            step.output.eq(output_address),
            step.output_base.eq(block.output_base),
            step.output_end.eq(block.output_end),
        ]
        projecting = Signal()
        with m.If(projecting):
            m.d.comb += [
                step.project.eq(1),
                step.residual.eq(block.residual),
                step.rows.eq(output_end - output_row),
                step.groups.eq(block.output_groups),
                step.input_words.eq(block.hidden_words),
                step.output_words.eq(block.output_words),
                step.parameters.eq(depthwise_parameters + block.hidden_words),
                # The strip memory is not a ring: no address of it is the end of one.
                step.input.eq(0),
                step.input_end.eq(2**ADDRESS_BITS - 1),
                step.index.eq(self.produced),
            ]
        with m.Else():
            m.d.comb += [
                step.copy.eq(block.copy),
                step.rewind.eq(1),
                step.rows.eq(input_end - step_row),
                step.groups.eq(block.input_groups),
                step.input_words.eq(block.input_words),
                step.output_words.eq(block.hidden_words),
                step.parameters.eq(0),
                step.input.eq(input_address),
                step.index.eq(input_index),
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
                m.d.comb += self.begin.eq(1)
                m.d.sync += [
                    output_row.eq(0),
                    step_row.eq(0),
                    input_address.eq(block.input_base),
                    input_index.eq(0),
                    output_address.eq(block.output_base),
                    self.residual_input.eq(block.input_base),
                    self.freed.eq(0),
                    self.produced.eq(0),
                    projecting.eq(0),
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
                with m.If(~self.o_pass.valid & self.quiet):
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
                    with m.If(last_strip):
                        m.next = "WRITTEN"
                    with m.Else():
                        m.d.sync += [self.o_pass.valid.eq(1), self.o_line.valid.eq(1)]
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
                        m.next = "IDLE"
                    with m.Else():
                        m.next = "DESCRIPTOR"
        return m
