"""A memory of which one word, any, is kept, and all others may be anything at any time.

It takes the place of a memory too large for a solver. A unit does more with it than with its own
memory, so what is proved of it holds for its own, too.
"""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring

__all__ = ["MarkedMemory"]


class _Port:
    """Address, enable and data of a port."""

    def __init__(self, shape, depth, name):
        self.addr = Signal(range(depth), name=f"{name}_address")
        self.en = Signal(name=f"{name}_enable")
        self.data = Signal(shape, name=f"{name}_data", reset_less=True)


class MarkedMemory(wiring.Component):
    """Takes the place of a memory with a port that writes and one that reads a cycle later.

    A word that is written in the cycle in which it is read is read as anything.

    Parameters
    ----------
    shape, depth, init
        Those of `amaranth.lib.memory.Memory`; the marked word may begin as anything.

    Attributes
    ----------
    mark : Signal
        Address of the word that is kept: constant, for the bench to choose.
    other : Signal
        What any other word is read as: free.
    word : Signal
        The marked word.
    write, read : ports
    """

    def __init__(self, *, shape, depth, init):
        super().__init__({})
        self.write, self.read = (_Port(shape, depth, name) for name in ("write", "read"))
        self.mark = Signal(range(depth), name="memory_mark")
        self.other = Signal.like(Value.cast(self.read.data), name="memory_other")
        self.word = Signal(shape, name="memory_word", reset_less=True)

    def write_port(self):
        """The port that writes."""
        return self.write

    def read_port(self):
        """The port that reads."""
        return self.read

    def elaborate(self, platform):
        m = Module()
        writes = self.write.en & (self.write.addr == self.mark)
        known = (self.read.addr == self.mark) & ~writes
        with m.If(writes):
            m.d.sync += self.word.eq(self.write.data)
        with m.If(self.read.en):
            m.d.sync += Value.cast(self.read.data).eq(Mux(known, Value.cast(self.word), self.other))
        return m
