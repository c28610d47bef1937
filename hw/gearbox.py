"""Words of one width to words of another, without padding between them."""

from math import gcd

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .axi import beat

__all__ = ["Gearbox"]


class Gearbox(wiring.Component):
    """Cuts a dense, little-endian stream of bits into words of another width.

    Bit 0 of the first input word is bit 0 of the first output word. A packet ends with an input
    word whose ``last`` is up; the next packet starts a fresh output word. What then remains
    of the packet and does not fill an output word is emitted, zeros above it, or dropped.

    The narrower side moves a word each cycle inside a packet. After the last word of a packet
    the input waits until the packet has left.

    ``i.ready``, ``o.valid`` and ``o.payload`` depend on registers alone.

    Parameters
    ----------
    input_bits, output_bits : int
        Widths of the words in bits, positive; any ratio.
    partial : str
        What happens to the incomplete output word at the end of a packet: ``"emit"`` or
        ``"drop"``.

    Members
    -------
    i
        Input words, see :func:`mnv2.hw.axi.beat`.
    o
        Output words. If partial words are emitted, see :func:`mnv2.hw.axi.beat`: ``last`` is up
        with the last word of a packet. If they are dropped, the bare words.
    clear
        Forgets everything held, at the end of the cycle; wins over a word taken in it.

    Raises
    ------
    TypeError, ValueError
        If a parameter is outside its range.
    """

    #: Cycles from the input word that completes an output word to that output word.
    latency = 1

    def __init__(self, *, input_bits, output_bits, partial="emit"):
        check_integer("Input bits", input_bits)
        check_integer("Output bits", output_bits)
        if partial not in ("emit", "drop"):
            raise ValueError(f"Partial words must be 'emit' or 'drop', not {partial!r}")
        self.input_bits  = input_bits
        self.output_bits = output_bits
        self.partial     = partial
        output = beat(output_bits) if partial == "emit" else output_bits
        super().__init__({
            "i":     In(stream.Signature(beat(input_bits))),
            "o":     Out(stream.Signature(output)),
            "clear": In(1),
        })

    def elaborate(self, platform):
        m = Module()

        # Everything moves by whole units of the greatest common divisor.
        unit_bits = gcd(self.input_bits, self.output_bits)
        taken     = self.input_bits // unit_bits
        given     = self.output_bits // unit_bits
        # The least that keeps the narrower side busy while `ready` looks at `level` alone:
        # widening, a full word less one unit waits in addition to two inputs; narrowing, two
        # outputs do.
        capacity  = taken + given + min(taken, given) - 1

        held   = Signal(capacity * unit_bits)   # units from `level` up are zero
        level  = Signal(range(capacity + 1))    # units held
        ending = Signal()                       # the packet's last word is held: take no more
        take   = Signal()
        give   = Signal()
        m.d.comb += [
            self.i.ready.eq((level <= capacity - taken) & ~ending),
            take.eq(self.i.valid & self.i.ready),
            give.eq(self.o.valid & self.o.ready),
        ]

        # The words that stay, then the new one after them.
        kept     = Signal(range(capacity + 1))
        rest     = Signal.like(held)
        incoming = Signal.like(held)
        m.d.comb += [
            kept.eq(level),
            rest.eq(held),
        ]
        with m.If(give):
            m.d.comb += [
                kept.eq(level - given),
                rest.eq(held[self.output_bits:]),
            ]
        with m.Switch(kept):
            for position in range(capacity - taken + 1):
                with m.Case(position):
                    m.d.comb += incoming.eq(self.i.payload.data << (position * unit_bits))
        m.d.sync += [
            held.eq(rest),
            level.eq(kept),
        ]
        with m.If(take):
            m.d.sync += [
                held.eq(rest | incoming),
                level.eq(kept + taken),
                ending.eq(self.i.payload.last),
            ]

        whole = Signal()
        m.d.comb += whole.eq(level >= given)
        if self.partial == "emit":
            final = Signal()
            m.d.comb += [
                final.eq(ending & (level <= given)),
                self.o.valid.eq(whole | ending),
                self.o.payload.data.eq(held[:self.output_bits]),
                self.o.payload.last.eq(final),
            ]
            with m.If(give & final):
                m.d.sync += [
                    level.eq(0),
                    ending.eq(0),
                ]
        else:
            m.d.comb += [
                self.o.valid.eq(whole),
                self.o.payload.eq(held[:self.output_bits]),
            ]
            with m.If(ending & ~whole):
                m.d.sync += [
                    held.eq(0),
                    level.eq(0),
                    ending.eq(0),
                ]
        with m.If(self.clear):
            m.d.sync += [
                held.eq(0),
                level.eq(0),
                ending.eq(0),
            ]
        return m
