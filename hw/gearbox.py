"""Words of one width to words of another, without padding between them."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from .arguments import check_integer
from .axi import beat
from .gearbox_shape import gearbox_shape

__all__ = ["Gearbox"]


class Gearbox(wiring.Component):
    """Cuts a dense, little-endian stream of bits into words of another width.

    Bit 0 of the first input word is bit 0 of the first output word. A packet ends with an input
    word whose ``last`` is up; the next packet starts a fresh output word. What then remains
    of the packet and does not fill an output word is emitted, zeros above it, or dropped.

    The narrower side moves a word each cycle inside a packet. After the last word of a packet
    the input waits until the packet has left.

    ``i.ready``, ``o.valid`` and ``o.payload`` depend on registers alone. They take the same cycles
    at all widths, but not the same logic: see :class:`mnv2.hw.gearbox_shape.GearboxShape`.

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

        shape    = gearbox_shape(self.input_bits, self.output_bits)
        taken    = shape.taken
        given    = shape.given
        capacity = shape.capacity

        level  = Signal(range(capacity + 1))    # units held
        ending = Signal()                       # the packet's last word is held: take no more
        whole  = Signal()
        take   = Signal()
        give   = Signal()
        kept   = Signal(range(capacity + 1))    # units that stay, to which a word is added
        m.d.comb += [
            self.i.ready.eq((level <= capacity - taken) & ~ending),
            take.eq(self.i.valid & self.i.ready),
            give.eq(self.o.valid & self.o.ready),
            whole.eq(level >= given),
            kept.eq(Mux(give, level - given, level)),
        ]
        m.d.sync += level.eq(kept)
        with m.If(take):
            m.d.sync += [
                level.eq(kept + taken),
                ending.eq(self.i.payload.last),
            ]
        if self.partial == "emit":
            final = Signal()
            m.d.comb += [
                final.eq(ending & (level <= given)),
                self.o.valid.eq(whole | ending),
                self.o.payload.last.eq(final),
            ]
            ended = give & final
        else:
            m.d.comb += self.o.valid.eq(whole)
            ended = ending & ~whole
        drop = Signal()                         # whatever is held
        m.d.comb += drop.eq(ended | self.clear)
        with m.If(drop):
            m.d.sync += [
                level.eq(0),
                ending.eq(0),
            ]

        word = Signal(self.output_bits)
        m.d.comb += Value.cast(self.o.payload)[:self.output_bits].eq(word)
        match shape.storage:
            case "place":
                self._place(m, word, given, level, take, give, drop)
            case "part":
                self._part(m, word, taken, level, take)
            case "ring":
                self._ring(m, word, shape, take, give, drop)
            case "shift":
                self._shift(m, word, shape, kept, take, give, drop)
        return m

    def _place(self, m, word, given, level, take, give, drop):
        """Place whole inputs where they belong in an output; one more waits until it has left."""
        units = [Signal(self.input_bits, name=f"unit_{index}") for index in range(given)]
        spare = Signal(self.input_bits)
        m.d.comb += word.eq(Cat(units))
        with m.If(level == given):
            m.d.sync += spare.eq(self.i.payload.data)
        # There `level` is 0, `given`, or `given + 1`, and one of its bits tells the last of them.
        with m.If((level == 0) | give):
            m.d.sync += units[0].eq(Mux(level[exact_log2(given + 1 & ~given)],
                                        spare, self.i.payload.data))
        for index, unit in enumerate(units[1:], start=1):
            # Without an input to take there is nothing to lose yet in the unit that comes next.
            with m.If((level == index) & (take if self.partial == "emit" else 1)):
                m.d.sync += unit.eq(self.i.payload.data)
            if self.partial == "emit":          # zeros above the rest of a packet
                with m.If(give | drop):
                    m.d.sync += unit.eq(0)

    def _part(self, m, word, taken, level, take):
        """Give the parts of an input one by one; the last waits apart while the next one comes."""
        data  = Signal(self.input_bits)
        spare = Signal(self.output_bits)
        with m.If(take):
            m.d.sync += data.eq(self.i.payload.data)
        with m.If(level == 1):
            m.d.sync += spare.eq(data[-self.output_bits:])
        # Its lower bits tell the levels from 1 to `taken + 1`.
        with m.Switch(level[:taken.bit_length()]):
            for index in range(taken):
                with m.Case(taken - index):
                    m.d.comb += word.eq(data.word_select(index, self.output_bits))
            with m.Default():
                m.d.comb += word.eq(spare)

    def _ring(self, m, word, shape, take, give, drop):
        """Place inputs in a ring of whole inputs and whole outputs, and select outputs from it."""
        taken, given = shape.taken, shape.given
        units  = [Signal(shape.unit_bits, name=f"unit_{index}") for index in range(taken * given)]
        places = [Cat(units[begin:begin + taken]) for begin in range(0, len(units), taken)]
        words  = [Cat(units[begin:begin + given]) for begin in range(0, len(units), given)]
        place  = Signal(range(given))           # of the next input
        number = Signal(range(taken))           # of the next output
        for index, into in enumerate(places):
            with m.If(take & (place == index)):
                m.d.sync += into.eq(self.i.payload.data)
        with m.Switch(number):
            for index, out in enumerate(words):
                with m.Case(index):
                    m.d.comb += word.eq(out)
        if self.partial == "emit":              # zeros above the rest of a packet
            for index, out in enumerate(words):
                with m.If((give & (number == index)) | drop):
                    m.d.sync += out.eq(0)
        with m.If(take):
            m.d.sync += place.eq(Mux(place == given - 1, 0, place + 1))
        with m.If(give):
            m.d.sync += number.eq(Mux(number == taken - 1, 0, number + 1))
        with m.If(drop):
            m.d.sync += [
                place.eq(0),
                number.eq(0),
            ]

    def _shift(self, m, word, shape, kept, take, give, drop):
        """Shift each input to the end of what stays, for any ratio of the widths."""
        held     = Signal(shape.register_bits)      # units from `level` up are zero
        rest     = Signal.like(held)
        incoming = Signal.like(held)
        m.d.comb += [
            word.eq(held),
            rest.eq(Mux(give, held[self.output_bits:], held)),
        ]
        with m.Switch(kept):
            for position in range(shape.capacity - shape.taken + 1):
                with m.Case(position):
                    m.d.comb += incoming.eq(self.i.payload.data << (position * shape.unit_bits))
        m.d.sync += held.eq(rest)
        with m.If(take):
            m.d.sync += held.eq(rest | incoming)
        with m.If(drop):
            m.d.sync += held.eq(0)
