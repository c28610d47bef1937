"""Words of one width to words of another, without padding between them."""

from math import gcd

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.axi import beat

__all__ = ["Gearbox"]


class Gearbox(wiring.Component):
    """Cuts a dense, little-endian stream of bits into words of another width.

    Bit 0 of the first input word is bit 0 of the first output word. A packet ends with an input
    word whose ``last`` is up; the next packet starts a fresh output word. What then remains
    of the packet and does not fill an output word is emitted (zeros above it) or dropped.

    The narrower side moves one word each cycle inside a packet. After the last word of a packet
    the input waits until the packet has left: at most ``1 + 2 * ceil(input_bits / output_bits)``
    cycles if the output is ready.

    ``i.ready`` and ``o.valid`` come from registers: there is no path through the unit.

    Parameters
    ----------
    input_bits, output_bits : int
        Widths of the words in bits, positive; any ratio.
    partial : str
        ``"emit"`` or ``"drop"`` the incomplete output word at the end of a packet.

    Members
    -------
    i
        Input words: ``payload.data`` and ``payload.last``.
    o
        Output words; ``payload.last`` is up with the last word of a packet. A packet that is
        dropped whole, being shorter than a word, leaves no ``last``.
    clear
        Forgets everything held, at the end of the cycle.

    Raises
    ------
    TypeError, ValueError
        If a parameter is outside its range.
    """

    #: Cycles from the input word that completes an output word to that output word.
    latency = 1

    def __init__(self, *, input_bits, output_bits, partial="emit"):
        for name, bits in (("Input", input_bits), ("Output", output_bits)):
            if not isinstance(bits, int):
                raise TypeError(f"{name} width must be an integer, not {bits!r}")
            if bits < 1:
                raise ValueError(f"{name} width must be positive, not {bits!r}")
        if partial not in ("emit", "drop"):
            raise ValueError(f"Partial words must be 'emit' or 'drop', not {partial!r}")
        self.input_bits  = input_bits
        self.output_bits = output_bits
        self.partial     = partial
        super().__init__({
            "i":     In(stream.Signature(beat(input_bits))),
            "o":     Out(stream.Signature(beat(output_bits))),
            "clear": In(1),
        })

    def elaborate(self, platform):
        m = Module()

        # All moves are whole units of the greatest common divisor.
        unit_bits = gcd(self.input_bits, self.output_bits)
        taken     = self.input_bits // unit_bits
        given     = self.output_bits // unit_bits
        # The smallest that keeps the narrower side busy while `ready` looks at `level` alone.
        capacity  = taken + given + min(taken, given) - 1

        held    = Signal(data.ArrayLayout(unit_bits, capacity))
        level   = Signal(range(capacity + 1))
        ending  = Signal()       # the packet's last word is held; take nothing behind it

        take    = Signal()
        give    = Signal()
        m.d.comb += [
            self.i.ready.eq((level <= capacity - taken) & ~ending),
            take.eq(self.i.valid & self.i.ready),
            give.eq(self.o.valid & self.o.ready),
            Cat(self.o.payload.data).eq(Value.cast(held)[:self.output_bits]),
        ]

        # Where the held units and the next input word go.
        kept   = Signal(range(capacity + 1))
        rest   = Signal(data.ArrayLayout(unit_bits, capacity))
        m.d.comb += [
            kept.eq(Mux(give, level - given, level)),
            Value.cast(rest).eq(Mux(give, Value.cast(held) >> self.output_bits, Value.cast(held))),
        ]
        return m
