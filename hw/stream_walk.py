"""Asks for a stream of constants, segment by segment and turn by turn."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from .arguments import check_data_bits, check_integer
from .axi import check_address_bits
from .config import BEATS_BITS, OFFSET_BITS
from .read_master import read_command

__all__ = ["StreamWalk"]


class StreamWalk(wiring.Component):
    """Commands to read a stream of constants, see :class:`mnv2.hw.program.Header`.

    Segments of even number belong to blocks, those of odd number to parts of the classifier. The
    first turn asks for the even ones, each further turn for all, and the end for the odd ones.

    Timing: a segment is offered from the cycle after ``begin`` on; the next one two cycles after it
    was taken. One that is left out, or has no beats, takes two cycles. A further turn, or the end,
    is offered from two cycles after ``turn``, or after the last segment was taken or left out.

    Parameters
    ----------
    data_bits : int
        Width of a beat of the memory port.
    address_bits : int
        Width of an address in external memory.
    segments : int
        Number of segments.

    Members
    -------
    begin
        A program begins: ``offset`` and ``beats`` hold in this cycle alone.
    base, offset, beats
        The stream begins at base + offset, in bytes; beats of each segment. ``base`` is constant
        while a program runs.
    turn, last
        Another turn follows those that were asked for, or, with ``last``, the end. Only when the
        turn before has been asked for, or is the first.
    o
        Commands, see :func:`mnv2.hw.read_master.read_command`.

    Raises
    ------
    TypeError, ValueError
        If a parameter is outside its range.
    """

    def __init__(self, *, data_bits, address_bits, segments):
        check_data_bits(data_bits)
        check_address_bits(address_bits)
        check_integer("Segments", segments)
        self.data_bits    = data_bits
        self.address_bits = address_bits
        self.segments     = segments
        super().__init__({
            "begin":  In(1),
            "base":   In(address_bits),
            "offset": In(OFFSET_BITS),
            "beats":  In(data.ArrayLayout(BEATS_BITS, segments)),
            "turn":   In(1),
            "last":   In(1),
            "o":      Out(stream.Signature(read_command(address_bits))),
        })

    def elaborate(self, platform):
        m = Module()
        offset_bits = exact_log2(self.data_bits // 8)
        offset  = Signal.like(self.offset)
        beats   = Signal.like(self.beats)
        address = Signal(self.address_bits)             # of the current segment
        length  = Signal(BEATS_BITS)                    # its beats
        number  = Signal(range(self.segments + 1))      # of the segment that follows it
        even    = Signal()                              # it belongs to blocks
        offers  = Signal()                              # it is offered, or left out
        loads   = Signal()                              # its length comes in the next cycle
        blocks  = Signal()                              # this turn asks for those of blocks
        parts   = Signal()                              # and for those of the classifier
        waiting = Signal()                              # another turn follows
        ending  = Signal()                              # which is the end
        wanted  = Signal()
        leaves  = Signal()
        again   = Signal()
        m.d.comb += [
            wanted.eq(Mux(even, blocks, parts) & (length != 0)),
            leaves.eq(offers & (~wanted | self.o.ready)),
            again.eq(waiting & ~offers & ~loads),
            self.o.valid.eq(offers & wanted),
            self.o.payload.address.eq(address),
            self.o.payload.beats.eq(length),
        ]
        # One adder: to where the stream begins, and past each segment, asked for or not.
        with m.If(self.begin | again | leaves):
            m.d.sync += address.eq(
                Mux(self.begin | again, self.base, address)
                + Mux(self.begin, self.offset, Mux(again, offset, length << offset_bits)))
        with m.If(leaves):
            m.d.sync += [offers.eq(0), loads.eq(number != self.segments)]
        with m.If(loads):
            m.d.sync += [
                loads.eq(0), offers.eq(1),
                length.eq(beats[number]), even.eq(~even), number.eq(number + 1),
            ]
        with m.If(again):
            m.d.sync += [length.eq(beats[0]), blocks.eq(~ending), parts.eq(1), waiting.eq(0)]
        with m.If(self.turn):
            m.d.sync += [waiting.eq(1), ending.eq(self.last)]
        with m.If(self.begin):
            m.d.sync += [
                offset.eq(self.offset), beats.eq(self.beats), length.eq(self.beats[0]),
                blocks.eq(1), parts.eq(0), waiting.eq(0),
            ]
        with m.If(self.begin | again):
            m.d.sync += [offers.eq(1), loads.eq(0), even.eq(1), number.eq(1)]
        return m
