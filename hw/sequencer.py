"""Executes a program: descriptor by descriptor, strip by strip, pass by pass."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .arguments import check_data_bits, check_integer
from .axi import check_address_bits
from .block_settings import BlockSettings
from .config import (
    ADDRESS_BITS,
    INDEX_BITS,
    RECORD_BYTES,
    RECORDS_BITS,
    WORDS_BITS,
)
from .descriptor_check import DescriptorCheck
from .line_buffer import LineCommand
from .passes import LayerSettings, PassCommand, Stall
from .program import Descriptor, Work
from .program_fetch import ProgramFetch
from .read_master import read_command
from .strip_passes import StripPass, StripPasses
from .strip_room import StripRoom
from .strip_rows import StripRows

__all__ = ["Sequencer"]


class Sequencer(wiring.Component):
    """Runs the blocks of a program one after another.

    A block is processed in strips of output rows: the stem, if there is one, makes the rows of
    input; the expansion fills the line buffer, and the depthwise outputs of the strip go to the
    strip memory; then the projection reads them. Head and classifier are a single pass. A state of
    the machine is a step of this, and lasts until it has ended.

    Parameters
    ----------
    data_bits, address_bits : int
        Widths of a beat and of an address of the memory port.
    configuration : int
        Hash that a program must carry.
    map_words, tap_words, parameter_words : int
        What a descriptor must fit into.

    Members
    -------
    start, base, program_records, ending, turn, wrong, i_records, o_program, o_weights, o_taps,
    o_parameters
        See :class:`mnv2.hw.program_fetch.ProgramFetch`.
    o_pass, o_line, settings, residual_input, quiet, issued, input_next, index_next, output_next,
    residual_next
        See :class:`mnv2.hw.core.Core`.
    taps_free, parameters_free
        Words to release from the rings.
    block
        The current block; constant between ``checking`` and ``finish``.
    checking
        The block is there, and begins in the next cycle if it is valid.
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

    def __init__(self, *, data_bits, address_bits, configuration, map_words, tap_words,
                 parameter_words):
        check_data_bits(data_bits)
        check_address_bits(address_bits)
        check_integer("Configuration", configuration, 1, 2**32 - 1)
        check_integer("Map words", map_words, 1, 2**ADDRESS_BITS - 1)
        check_integer("Tap words", tap_words)
        check_integer("Parameter words", parameter_words)
        self.data_bits       = data_bits
        self.address_bits    = address_bits
        self.configuration   = configuration
        self.map_words       = map_words
        self.tap_words       = tap_words
        self.parameter_words = parameter_words
        read = stream.Signature(read_command(address_bits))
        super().__init__({
            "start":           In(1),
            "base":            In(address_bits),
            "program_records": In(RECORDS_BITS),
            "ending":          In(1),
            "turn":            Out(1),
            "wrong":           Out(1),
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
            "checking":        Out(1),
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
        block = self.block
        m.submodules.fetch    = fetch    = ProgramFetch(
            data_bits=self.data_bits, address_bits=self.address_bits,
            configuration=self.configuration)
        m.submodules.check    = check    = DescriptorCheck(
            map_words=self.map_words, tap_words=self.tap_words,
            parameter_words=self.parameter_words)
        m.submodules.settings = settings = BlockSettings()
        m.submodules.rows     = rows     = StripRows()
        m.submodules.room     = room     = StripRoom()
        m.submodules.passes   = passes   = StripPasses()
        connect(m, flipped(self.i_records), fetch.i)
        for name in ("o_program", "o_weights", "o_taps", "o_parameters"):
            connect(m, getattr(fetch, name), flipped(getattr(self, name)))
        for unit in (check, settings, rows, room, passes):
            m.d.comb += unit.block.eq(block)

        # Where the strip's maps begin, and which of its passes is next or under way.
        current        = Signal(StripPass, init=StripPass.WHOLE)
        input_address  = Signal(ADDRESS_BITS)
        input_index    = Signal(INDEX_BITS)
        output_address = Signal(ADDRESS_BITS)
        m.d.comb += [
            fetch.base.eq(self.base),
            fetch.program_records.eq(self.program_records),
            fetch.ending.eq(self.ending),
            self.turn.eq(fetch.turn),
            self.wrong.eq(fetch.wrong),
            room.produced.eq(self.produced),
            room.stored.eq(self.stored),
            passes.strip.eq(rows.strip),
            passes.current.eq(current),
            passes.fill_parameters.eq(settings.fill_parameters),
            passes.project_parameters.eq(settings.project_parameters),
            passes.input_address.eq(input_address),
            passes.input_index.eq(input_index),
            passes.output_address.eq(output_address),
            passes.output_index.eq(self.produced),
            self.settings.eq(settings.settings),
            self.o_pass.payload.eq(passes.pass_command),
            self.o_line.payload.eq(passes.line_command),
            self.imaging.eq(current == StripPass.STEM),
        ]

        strips = Signal()       # else a head or a classifier, which is a single pass
        over   = Signal()       # the pass, with all its results
        bad    = Signal()       # the descriptor
        early  = Signal()       # the next strip may begin before a projection's results are written
        first_pass = Mux(block.stem, StripPass.STEM, StripPass.FILL)
        m.d.comb += [
            strips.eq(block.work == Work.BLOCK),
            over.eq(~self.o_pass.valid & ~self.o_line.valid & self.quiet),
            # Nothing waits for them, and they do not collide with the stem's at the map memory.
            early.eq(strips & ~rows.strip.last & ~block.load & ~block.store
                     & ~(block.stem & block.residual)),
            self.running.eq(1),
            self.stall.eq(Stall.DRAIN),
        ]
        for port in (self.o_pass, self.o_line):
            with m.If(port.ready):
                m.d.sync += port.valid.eq(0)

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [self.running.eq(0), fetch.start.eq(self.start)]
                with m.If(self.start):
                    m.next = "FETCH"

            with m.State("FETCH"):
                m.d.comb += [fetch.o.ready.eq(1), self.stall.eq(Stall.PROGRAM)]
                with m.If(fetch.o.valid):
                    m.d.sync += block.eq(fetch.o.payload)
                    m.next = "CHECK"

            with m.State("CHECK"):
                m.d.comb += [self.checking.eq(1), rows.begin.eq(1)]
                m.d.sync += bad.eq(check.bad)
                m.next = "BEGIN"

            with m.State("BEGIN"):
                m.d.comb += [
                    self.begin.eq(~bad),
                    self.bad.eq(bad),
                    rows.advance.eq(1),
                ]
                m.d.sync += [
                    input_address.eq(block.input_base),
                    input_index.eq(0),
                    output_address.eq(block.output_base),
                    self.residual_input.eq(block.input_base),
                    self.freed.eq(0),
                    self.produced.eq(0),
                    current.eq(Mux(strips, first_pass, StripPass.WHOLE)),
                    self.o_pass.valid.eq(~bad),
                    self.o_line.valid.eq(~bad & strips),
                ]
                with m.If(~bad):
                    with m.If(~strips):
                        m.next = "PROJECT"
                    with m.Elif(block.stem):
                        m.next = "STEM"
                    with m.Else():
                        m.next = "FILL"

            with m.State("STEM"):
                with m.If(over):
                    m.d.sync += [
                        current.eq(StripPass.FILL),
                        self.o_pass.valid.eq(1),
                        self.o_line.valid.eq(1),
                    ]
                    m.next = "FILL"

            with m.State("FILL"):
                with m.If(over):
                    m.d.sync += [
                        input_address.eq(self.input_next),
                        input_index.eq(self.index_next),
                        current.eq(StripPass.PROJECT),
                    ]
                    with m.If(~block.residual):
                        m.d.sync += self.freed.eq(self.index_next)
                    m.next = "ROOM"

            with m.State("ROOM"):
                m.d.comb += self.stall.eq(Stall.OUTPUT)
                with m.If(room.room):
                    m.d.sync += self.o_pass.valid.eq(1)
                    m.next = "PROJECT"

            with m.State("PROJECT"):
                with m.If(over | (early & ~self.o_pass.valid & self.issued)):
                    m.d.comb += rows.advance.eq(1)
                    m.d.sync += [
                        output_address.eq(self.output_next),
                        self.residual_input.eq(self.residual_next),
                        self.produced.eq(self.index_next),
                    ]
                    with m.If(block.residual):
                        m.d.sync += self.freed.eq(self.index_next)
                    with m.If(~strips | rows.strip.last):
                        m.next = "WRITTEN"
                    with m.Else():
                        m.d.sync += [
                            current.eq(first_pass),
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
                        self.complete.eq(fetch.last),
                    ]
                    m.next = "FETCH"
                    with m.If(fetch.last):
                        m.next = "IDLE"
        return m
