"""On-chip ring of words that are read many times before they are freed."""

from amaranth import *
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .ram import ram_attributes

__all__ = ["Ring"]


class Ring(wiring.Component):
    """Keeps a window of a stream in block RAM, readable at random until it is freed.

    Words are written one after another and wrap at ``depth``. The oldest word is at
    ``base``; a reader keeps its own absolute address, starts it at ``base``, steps it with
    :meth:`step`, and rewinds by going back to ``base`` (or to any address noted before).
    The words at offsets 0 to ``available - 1`` from ``base`` may be read.

    Timing: a word taken from ``i`` in cycle t counts in ``available``, and may be addressed, in
    cycle t + 1. ``read_data`` shows in cycle t + 1 the word addressed in cycle t, and holds while
    ``read_enable`` is low. ``free`` in cycle t moves ``base`` and ``available`` in cycle t + 1.

    Parameters
    ----------
    shape : ShapeLike
        A word.
    depth : int
        Number of words, at least 2; need not be a power of two.
    free_limit : int
        Most words freed in one cycle, 1 to ``depth``; ``None`` for ``depth``.
    ram : str
        RAM that it is made of, one of :data:`mnv2.hw.config.RAMS`.

    Members
    -------
    i
        Words to keep, taken while there is space.
    read_address
        Absolute address, 0 to ``depth - 1``, of the word to read.
    read_enable
        Reads; while low ``read_data`` holds.
    read_data
        The word addressed in the last cycle with ``read_enable``.
    base
        Absolute address of the oldest word.
    available
        Words written and not freed.
    arrives
        A word is written in this cycle.
    free
        Words released in this cycle, at most ``available`` and ``free_limit``.
    clear
        Forgets all words; ``base`` becomes 0. Wins over a write in the same cycle.

    Raises
    ------
    TypeError, ValueError
        If a parameter is outside its range.
    """

    #: Cycles from ``read_address`` to ``read_data``.
    read_latency = 1

    def __init__(self, *, shape, depth, free_limit=None, ram="block"):
        check_integer("Depth", depth, 2)
        if free_limit is None:
            free_limit = depth
        check_integer("Free limit", free_limit, 1, depth)
        self.shape      = shape
        self.depth      = depth
        self.free_limit = free_limit
        self._attributes = ram_attributes(ram)
        super().__init__({
            "i":            In(stream.Signature(shape)),
            "read_address": In(range(depth)),
            "read_enable":  In(1),
            "read_data":    Out(shape),
            "base":         Out(range(depth)),
            "available":    Out(range(depth + 1)),
            "arrives":      Out(1),
            "free":         In(range(free_limit + 1)),
            "clear":        In(1),
        })

    def step(self, address):
        """Address after ``address``, a value of the shape of ``base``, with the wrap."""
        return Mux(address == self.depth - 1, 0, (address + 1)[:len(self.base)])

    def elaborate(self, platform):
        m = Module()

        m.submodules.storage = storage = memory.Memory(
            shape=self.shape, depth=self.depth, init=[], attrs=self._attributes)
        write_port = storage.write_port()
        read_port  = storage.read_port()

        write_address = Signal(range(self.depth))
        write         = self.arrives
        m.d.comb += [
            self.i.ready.eq(self.available != self.depth),
            write.eq(self.i.valid & self.i.ready),
            write_port.addr.eq(write_address),
            write_port.data.eq(self.i.payload),
            write_port.en.eq(write),
            read_port.addr.eq(self.read_address),
            read_port.en.eq(self.read_enable),
            self.read_data.eq(read_port.data),
        ]
        with m.If(write):
            m.d.sync += write_address.eq(self.step(write_address))

        # Both ends of the wrap are computed side by side; base + free < 2 * depth.
        moved   = Signal(range(2 * self.depth))
        wrapped = Signal(signed(len(moved) + 1))
        m.d.comb += [
            moved.eq(self.base + self.free),
            wrapped.eq(self.base + self.free - self.depth),
        ]
        m.d.sync += [
            self.base.eq(Mux(wrapped < 0, moved, wrapped)),
            self.available.eq(self.available + write - self.free),
            Assert(self.free <= self.available,
                   Format("Freed {} words of {}", self.free, self.available)),
        ]
        with m.If(self.clear):
            m.d.sync += [
                write_address.eq(0),
                self.base.eq(0),
                self.available.eq(0),
            ]
        return m
