"""Memory of weights in two banks: one in use while the other is loaded."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory, MemoryData
from amaranth.lib.wiring import In, Out

from ..arguments import check_integer

__all__ = ["WeightBanks"]


class WeightBanks(wiring.Component):
    """Holds two sets of weight words: the one in use and the next.

    Sets come into use in the order in which they were loaded.

    Parameters
    ----------
    shape : ShapeLike
        Shape of a word.
    words : int
        Words of a set.

    Attributes
    ----------
    latency : int
        Cycles from ``address`` to ``data``.

    Members
    -------
    i
        Words in any order, with their address in the set; ``last`` completes the set. Waits while
        both banks are complete.
    full
        A set is ready for what begins in the next cycle: one after ``release``, if that is high.
    release
        The set in use is no longer needed after the read of this cycle. Only while there is one.
    address, enable, data
        Read port of the set in use.
    """

    latency = 1

    def __init__(self, *, shape, words):
        check_integer("Words", words)
        self.shape = shape
        self.words = words
        self._data = MemoryData(shape=shape, depth=2 * words, init=())
        super().__init__({
            "i": In(stream.Signature(data.StructLayout({
                "weights": shape,
                "address": range(words),
                "last":    1,
            }))),
            "full":    Out(1),
            "release": In(1),
            "address": In(range(max(words, 2))),     # Verilator refuses a port of no bits
            "enable":  In(1),
            "data":    Out(shape),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(self._data)
        write = memory.write_port()
        read  = memory.read_port()

        complete  = Array(Signal(name=f"complete_{bank}") for bank in range(2))
        load_bank = Signal()
        read_bank = Signal()
        m.d.comb += [
            self.i.ready.eq(~complete[load_bank]),
            write.en.eq(self.i.valid & self.i.ready),
            write.addr.eq(self.i.payload.address + Mux(load_bank, self.words, 0)),
            write.data.eq(self.i.payload.weights),
            read.en.eq(self.enable),
            read.addr.eq(self.address + Mux(read_bank, self.words, 0)),
            self.data.eq(read.data),
            self.full.eq(complete[read_bank ^ self.release]),
        ]
        with m.If(write.en & self.i.payload.last):
            m.d.sync += [complete[load_bank].eq(1), load_bank.eq(~load_bank)]
        with m.If(self.release):
            m.d.sync += [complete[read_bank].eq(0), read_bank.eq(~read_bank)]
        m.d.sync += Assert(~self.release | complete[read_bank], "Release without a set of weights")
        return m
