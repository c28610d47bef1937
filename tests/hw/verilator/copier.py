"""A small user of the AXI4 masters: copies one run of memory and sums up another."""

from amaranth import Cat, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mnv2.hw.axi import AxiSignature, join
from mnv2.hw.gearbox import Gearbox
from mnv2.hw.read_master import ReadMaster, read_command
from mnv2.hw.write_master import WriteMaster, write_command

__all__ = ["Copier"]


class Copier(wiring.Component):
    """Channel 0 goes through words of another width to the writer, channel 1 into a checksum.

    Members
    -------
    i_copy, i_sum, i_write
        Commands of both channels and of the writer.
    checksum
        Rotated left by one bit, then combined by exclusive or with each beat of channel 1.
    """

    def __init__(self, *, data_bits, word_bits):
        self.data_bits = data_bits
        self.word_bits = word_bits
        super().__init__(
            {
                "i_copy": In(stream.Signature(read_command(32))),
                "i_sum": In(stream.Signature(read_command(32))),
                "i_write": In(stream.Signature(write_command(32))),
                "bus": Out(AxiSignature(data_bits=data_bits)),
                "busy": Out(1),
                "error": Out(2),
                "checksum": Out(data_bits),
                "read_beats": Out(32),
                "write_beats": Out(32),
                "write_bytes": Out(32),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.reader = reader = ReadMaster(
            data_bits=self.data_bits, channels=2, fifo_beats=128
        )
        m.submodules.writer = writer = WriteMaster(data_bits=self.data_bits)
        m.submodules.widen = widen = Gearbox(input_bits=self.data_bits, output_bits=self.word_bits)
        m.submodules.narrow = narrow = Gearbox(
            input_bits=self.word_bits, output_bits=self.data_bits
        )
        join(m, self.bus, reader.bus, writer.bus)
        connect(m, flipped(self.i_copy), reader.i[0])
        connect(m, flipped(self.i_sum), reader.i[1])
        connect(m, flipped(self.i_write), writer.i_command)
        connect(m, reader.o[0], widen.i)
        connect(m, widen.o, narrow.i)
        connect(m, narrow.o, writer.i)
        m.d.comb += [
            reader.o[1].ready.eq(1),
            self.busy.eq(reader.busy | writer.busy),
            self.error.eq(Cat(reader.error, writer.error)),
        ]
        with m.If(reader.received.any()):
            m.d.sync += self.read_beats.eq(self.read_beats + 1)
        with m.If(self.bus.wvalid & self.bus.wready):
            m.d.sync += [
                self.write_beats.eq(self.write_beats + 1),
                self.write_bytes.eq(self.write_bytes + sum(self.bus.wstrb)),
            ]
        with m.If(reader.o[1].valid):
            m.d.sync += self.checksum.eq(self.checksum.rotate_left(1) ^ reader.o[1].payload.data)
        return m
