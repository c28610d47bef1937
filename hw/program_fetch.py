"""Reads a program: its header, which says where the streams are, then its descriptors."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_data_bits
from .config import MEMORY_ADDRESS_BITS, RECORD_BYTES, RECORDS_BITS
from .program import Descriptor, Header
from .read_master import read_command

__all__ = ["ProgramFetch"]


class ProgramFetch(wiring.Component):
    """Asks for a program and, with its header, for its streams; passes the descriptors on.

    Parameters
    ----------
    data_bits : int
        Width of a beat of the memory port.

    Members
    -------
    start, program_address, program_records
        Begins a program, after the last descriptor of the one before; its header counts as a
        record.
    i
        Records of the program.
    o_program, o_weights, o_taps, o_parameters
        What to read from external memory. The streams are asked for from the cycle after the header
        on.
    o
        Descriptors, in the cycle in which their records come.
    last
        All descriptors of the program have been passed on.
    """

    def __init__(self, *, data_bits):
        check_data_bits(data_bits)
        self.data_bits = data_bits
        read = stream.Signature(read_command(MEMORY_ADDRESS_BITS))
        super().__init__({
            "start":           In(1),
            "program_address": In(MEMORY_ADDRESS_BITS),
            "program_records": In(RECORDS_BITS),
            "i":               In(stream.Signature(8 * RECORD_BYTES)),
            "o_program":       Out(read),
            "o_weights":       Out(read),
            "o_taps":          Out(read),
            "o_parameters":    Out(read),
            "o":               Out(stream.Signature(Descriptor)),
            "last":            Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        header  = Signal(Header)
        heading = Signal()                   # the header has not come
        left    = Signal(RECORDS_BITS)       # records that have not come
        beats   = 8 * RECORD_BYTES // self.data_bits
        m.d.comb += [
            self.o.valid.eq(self.i.valid & ~heading),
            Value.cast(self.o.payload).eq(self.i.payload),
            self.i.ready.eq(self.o.ready | heading),
            self.last.eq(left == 0),
            self.o_program.payload.address.eq(self.program_address),
            self.o_program.payload.beats.eq(self.program_records * beats),
        ]
        streams = (
            (self.o_weights,    header.weights_address,    header.weights_beats),
            (self.o_taps,       header.taps_address,       header.taps_beats),
            (self.o_parameters, header.parameters_address, header.parameters_beats))
        for port, address, beats in streams:
            m.d.comb += [port.payload.address.eq(address), port.payload.beats.eq(beats)]
        for port in (self.o_program, *(port for port, _, _ in streams)):
            with m.If(port.ready):
                m.d.sync += port.valid.eq(0)

        with m.If(self.i.valid & self.i.ready):
            m.d.sync += left.eq(left - 1)
            with m.If(heading):
                m.d.sync += [Value.cast(header).eq(self.i.payload), heading.eq(0)]
                m.d.sync += [port.valid.eq(1) for port, _, _ in streams]
        with m.If(self.start):
            m.d.sync += [
                self.o_program.valid.eq(1),
                heading.eq(1),
                left.eq(self.program_records),
            ]
        return m
