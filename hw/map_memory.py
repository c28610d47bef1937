"""Map memory: inputs and outputs of blocks, and who may read and write it in a cycle."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory, MemoryData
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .config import ADDRESS_BITS
from .ram import ram_attributes

__all__ = ["MapMemory", "placed_word"]


def placed_word(word):
    """A word of a shape and its address in the map memory."""
    return data.StructLayout({"address": ADDRESS_BITS, "word": word})


class MapMemory(wiring.Component):
    """One word is read and one is written in a cycle; whoever asks first in the list below has it.

    Reads: a step of a pass, a word that a result is added to, a word to store. Writes: sums of
    the residual adder, results, words that are loaded.

    Parameters
    ----------
    word : ShapeLike
        A word.
    depth : int
        Words.
    ram : str
        RAM that it is made of, one of :data:`mnv2.hw.config.RAMS`.

    Members
    -------
    step, step_address
        A step, or a copy, reads a word.
    summand, summand_address, summand_grant
        The residual adder asks for a word, and is given it.
    store, store_address, store_grant
        A word to store is asked for, and given.
    read_word
        The word that was read, in the cycle after.
    sum_valid, sum, result_valid, result
        Words that are written, always.
    i_load
        Words that are loaded, written when there is neither a sum nor a result.
    """

    #: Cycles from an address to its word.
    read_latency = 1

    def __init__(self, *, word, depth, ram="block"):
        check_integer("Depth", depth, 1, 2**ADDRESS_BITS - 1)
        self._attributes = ram_attributes(ram)
        self.word  = word
        self.depth = depth
        self._memory = MemoryData(shape=word, depth=depth, init=())
        placed = placed_word(word)
        super().__init__({
            "step":            In(1),
            "step_address":    In(ADDRESS_BITS),
            "summand":         In(1),
            "summand_address": In(ADDRESS_BITS),
            "summand_grant":   Out(1),
            "store":           In(1),
            "store_address":   In(ADDRESS_BITS),
            "store_grant":     Out(1),
            "read_word":       Out(word),
            "sum_valid":       In(1),
            "sum":             In(placed),
            "result_valid":    In(1),
            "result":          In(placed),
            "i_load":          In(stream.Signature(placed)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.words = words = Memory(self._memory, attrs=self._attributes)
        read, write = words.read_port(), words.write_port()
        m.d.comb += [
            self.summand_grant.eq(self.summand & ~self.step),
            self.store_grant.eq(self.store & ~self.step & ~self.summand),
            read.en.eq(self.step | self.summand | self.store),
            self.read_word.eq(read.data),
        ]
        with m.If(self.step):
            m.d.comb += read.addr.eq(self.step_address)
        with m.Elif(self.summand):
            m.d.comb += read.addr.eq(self.summand_address)
        with m.Else():
            m.d.comb += read.addr.eq(self.store_address)

        written = Signal(placed_word(self.word))
        m.d.comb += [
            write.addr.eq(written.address),
            write.data.eq(written.word),
            write.en.eq(self.sum_valid | self.result_valid | self.i_load.valid),
            self.i_load.ready.eq(~self.sum_valid & ~self.result_valid),
        ]
        with m.If(self.sum_valid):
            m.d.comb += written.eq(self.sum)
        with m.Elif(self.result_valid):
            m.d.comb += written.eq(self.result)
        with m.Else():
            m.d.comb += written.eq(self.i_load.payload)
        return m
