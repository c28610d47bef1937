"""Moves maps between external memory and rings of rows in the map memory."""

from amaranth import *
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .axi import beat
from .config import ADDRESS_BITS, INDEX_BITS, STORE_QUEUE_WORDS

__all__ = ["MapLoader", "MapStorer"]


class MapLoader(wiring.Component):
    """Places the words of a map that arrives into a ring in the map memory.

    Parameters
    ----------
    word_bits : int
        Bits of a word.

    Members
    -------
    begin
        A map begins; what follows holds until the next one does.
    words, base, end
        Words of the map, 0 for none; ring in the map memory, from its first address to one past its
        last word.
    freed
        Words that may be overwritten, two cycles later.
    i
        The words.
    o
        The words with their addresses.
    loaded
        Words that have been placed; valid from the cycle after ``begin``.
    """

    def __init__(self, *, word_bits):
        check_integer("Word bits", word_bits)
        self.word_bits = word_bits
        super().__init__({
            "begin":  In(1),
            "words":  In(INDEX_BITS),
            "base":   In(ADDRESS_BITS),
            "end":    In(ADDRESS_BITS),
            "freed":  In(INDEX_BITS),
            "i":      In(stream.Signature(word_bits)),
            "o":      Out(stream.Signature(data.StructLayout({
                "address": ADDRESS_BITS, "word": word_bits}))),
            "loaded": Out(INDEX_BITS),
        })

    def elaborate(self, platform):
        m = Module()
        address = Signal(ADDRESS_BITS)
        room    = Signal()
        rest    = Signal()          # of the last beat, after the map
        size    = Signal(ADDRESS_BITS)
        limit   = Signal(INDEX_BITS + 1)        # words that there is room for until now
        m.d.sync += [
            size.eq(self.end - self.base),
            limit.eq(self.freed + size),
        ]
        m.d.comb += [
            rest.eq(self.loaded == self.words),
            room.eq((self.loaded < limit) & ~rest & ~self.begin),
            self.o.valid.eq(self.i.valid & room),
            self.o.payload.address.eq(address),
            self.o.payload.word.eq(self.i.payload),
            self.i.ready.eq((self.o.ready & room) | rest),
        ]
        with m.If(self.begin):
            m.d.sync += [address.eq(self.base), self.loaded.eq(0)]
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += [
                address.eq(Mux(address + 1 == self.end, self.base, address + 1)),
                self.loaded.eq(self.loaded + 1),
            ]
        return m


class MapStorer(wiring.Component):
    """Reads the words of a map from a ring in the map memory, when the memory has time for it.

    Parameters
    ----------
    word_bits : int
        Bits of a word.

    Members
    -------
    begin
        A map begins; what follows holds until the next one does.
    words, base, end
        Words of the map, 0 for none; ring in the map memory, from its first address to one past its
        last word.
    produced
        Words that are complete.
    request, address, grant, data
        Reads of the map memory; ``data`` comes the cycle after ``grant``.
    o
        The words, ``last`` with the last of the map.
    stored
        Words that have been read; valid from the cycle after ``begin``.
    """

    def __init__(self, *, word_bits):
        check_integer("Word bits", word_bits)
        self.word_bits = word_bits
        super().__init__({
            "begin":    In(1),
            "words":    In(INDEX_BITS),
            "base":     In(ADDRESS_BITS),
            "end":      In(ADDRESS_BITS),
            "produced": In(INDEX_BITS),
            "request":  Out(1),
            "address":  Out(ADDRESS_BITS),
            "grant":    In(1),
            "data":     In(word_bits),
            "o":        Out(stream.Signature(beat(word_bits))),
            "stored":   Out(INDEX_BITS),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = queue = fifo.SyncFIFO(width=self.word_bits + 1,
                                                   depth=STORE_QUEUE_WORDS)
        room    = Signal(range(STORE_QUEUE_WORDS + 1),      # not held and not on the way
                         init=STORE_QUEUE_WORDS)
        words   = Signal(INDEX_BITS)
        granted = Signal()
        last    = Signal()
        taken   = Signal()
        m.d.comb += [
            self.request.eq((self.stored != self.produced) & (self.stored != words)
                            & (room != 0) & ~self.begin),
            queue.w_en.eq(granted),
            queue.w_data.eq(Cat(self.data, last)),
            self.o.valid.eq(queue.r_rdy),
            Value.cast(self.o.payload).eq(queue.r_data),
            taken.eq(queue.r_rdy & self.o.ready),
            queue.r_en.eq(taken),
        ]
        m.d.sync += [
            granted.eq(self.grant),
            last.eq(self.stored + 1 == words),
            room.eq(room - self.grant + taken),
        ]
        with m.If(self.begin):
            m.d.sync += [self.address.eq(self.base), self.stored.eq(0), words.eq(self.words)]
        with m.Elif(self.grant):
            m.d.sync += [
                self.address.eq(Mux(self.address + 1 == self.end, self.base, self.address + 1)),
                self.stored.eq(self.stored + 1),
            ]
        return m
