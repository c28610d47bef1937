"""Maps and logits of a descriptor on their way between the core and external memory."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .arguments import check_integer
from .axi import beat, check_address_bits
from .config import ADDRESS_BITS, INDEX_BITS
from .map_mover import MapLoader, MapStorer
from .program import Descriptor, Work
from .read_master import read_command
from .write_master import write_command

__all__ = ["MapPort"]


class MapPort(wiring.Component):
    """Loads what a descriptor takes from external memory, and stores what it leaves there.

    Parameters
    ----------
    word_bits, logits_bits : int
        Bits of a word of a map and of a word of logits.
    address_bits : int
        Width of an address in external memory.

    Members
    -------
    checking
        A descriptor is there: what was left of the one before is forgotten.
    begin
        It begins.
    block
        The descriptor; valid from ``checking`` until the next one is checked.
    base, picture, logits
        What the offsets of maps, images and logits are added to; constant from ``checking`` on.
    o_read, o_write
        Commands for its map or image, and for its map or logits; one each, from the cycle after
        ``begin``.
    i_words
        Words of its input map.
    o_load
        The same with their addresses in the map memory.
    loaded
        Words of the input map that are in the map memory; without one, more than any map has.
    freed, produced
        Words of the input that may be overwritten, and words of the output that are complete.
    store_request, store_address, store_grant, store_data
        Reads of the map memory; data comes the cycle after the grant.
    o_words
        Words of its output map, ``last`` with the last.
    stored
        Words of the output map that have been read.
    i_logits, o_logits
        Words of logits; when they leave, ``last`` is up with the last.

    Raises
    ------
    TypeError, ValueError
        If a parameter is outside its range.
    """

    def __init__(self, *, word_bits, logits_bits, address_bits):
        check_integer("Logits bits", logits_bits)
        check_address_bits(address_bits)
        self._loader = MapLoader(word_bits=word_bits)
        self._storer = MapStorer(word_bits=word_bits)
        super().__init__({
            "checking":      In(1),
            "begin":         In(1),
            "block":         In(Descriptor),
            "base":          In(address_bits),
            "picture":       In(address_bits),
            "logits":        In(address_bits),
            "o_read":        Out(stream.Signature(read_command(address_bits))),
            "o_write":       Out(stream.Signature(write_command(address_bits))),
            "i_words":       In(stream.Signature(word_bits)),
            "o_load":        Out(stream.Signature(data.StructLayout({
                "address": ADDRESS_BITS, "word": word_bits}))),
            "loaded":        Out(INDEX_BITS),
            "freed":         In(INDEX_BITS),
            "produced":      In(INDEX_BITS),
            "store_request": Out(1),
            "store_address": Out(ADDRESS_BITS),
            "store_grant":   In(1),
            "store_data":    In(word_bits),
            "o_words":       Out(stream.Signature(beat(word_bits))),
            "stored":        Out(INDEX_BITS),
            "i_logits":      In(stream.Signature(logits_bits)),
            "o_logits":      Out(stream.Signature(beat(logits_bits))),
        })

    def elaborate(self, platform):
        m = Module()
        block = self.block
        m.submodules.loader = loader = self._loader
        m.submodules.storer = storer = self._storer
        connect(m, flipped(self.i_words), loader.i)
        connect(m, loader.o, flipped(self.o_load))
        connect(m, storer.o, flipped(self.o_words))
        all_loaded = Signal()               # a register, from the beginning on
        m.d.sync += all_loaded.eq(~block.load)
        m.d.comb += [
            loader.begin.eq(self.checking | self.begin),
            loader.words.eq(block.load_words),
            loader.base.eq(block.input_base),
            loader.end.eq(block.input_end),
            loader.freed.eq(self.freed),
            self.loaded.eq(loader.loaded | all_loaded.replicate(INDEX_BITS)),
            storer.begin.eq(self.checking | self.begin),
            storer.words.eq(Mux(block.work == Work.CLASSIFIER, 0, block.store_words)),
            storer.base.eq(block.output_base),
            storer.end.eq(block.output_end),
            storer.produced.eq(self.produced),
            self.store_request.eq(storer.request),
            self.store_address.eq(storer.address),
            storer.grant.eq(self.store_grant),
            storer.data.eq(self.store_data),
            self.stored.eq(storer.stored),
        ]

        # Sums are registers: the block is there since the cycle before it begins.
        load_address  = Signal.like(self.o_read.payload.address)
        store_address = Signal.like(self.o_write.payload.address)
        m.d.sync += [
            load_address.eq(Mux(block.stem, self.picture, self.base) + block.load_offset),
            store_address.eq(Mux(block.work == Work.CLASSIFIER, self.logits, self.base)
                             + block.store_offset),
        ]
        m.d.comb += [
            self.o_read.payload.address.eq(load_address),
            self.o_read.payload.beats.eq(block.load_beats),
            self.o_write.payload.address.eq(store_address),
            self.o_write.payload.bytes.eq(block.store_bytes),
        ]
        for command, wanted in ((self.o_read, block.load | block.stem),
                                (self.o_write, block.store)):
            with m.If(self.begin):
                m.d.sync += command.valid.eq(wanted)
            with m.Elif(command.ready):
                m.d.sync += command.valid.eq(0)

        left = Signal(INDEX_BITS)           # words of logits, the next one included
        with m.If(self.begin):
            m.d.sync += left.eq(block.store_words)
        with m.Elif(self.i_logits.valid & self.i_logits.ready):
            m.d.sync += left.eq(left - 1)
        m.d.comb += [
            self.o_logits.valid.eq(self.i_logits.valid),
            self.o_logits.payload.data.eq(self.i_logits.payload),
            self.o_logits.payload.last.eq(left == 1),
            self.i_logits.ready.eq(self.o_logits.ready),
        ]
        return m
