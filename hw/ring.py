"""On-chip ring of words that are read many times before they are freed."""

from amaranth import *
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Ring"]


class Ring(wiring.Component):
    """Keeps a window of a stream in block RAM, readable at random until it is freed.

    Words are written in order behind each other and wrap at ``depth``. The oldest word is at
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
        Number of words, at least 1; need not be a power of two.
    free_limit : int
        Most words freed in one cycle, 1 to ``depth``; ``None`` for ``depth``.

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

    def __init__(self, *, shape, depth, free_limit=None):
        self.shape = shape
        self.depth = depth
        self.free_limit = free_limit = depth if free_limit is None else free_limit
        super().__init__({
            "i":            In(stream.Signature(shape)),
            "read_address": In(range(depth)),
            "read_enable":  In(1),
            "read_data":    Out(shape),
            "base":         Out(range(depth)),
            "available":    Out(range(depth + 1)),
            "free":         In(range(free_limit + 1)),
            "clear":        In(1),
        })

    def step(self, address):
        """Address behind ``address``, with the wrap."""
        if self.depth == 2**len(address):
            return (address + 1)[:len(address)]
        return Mux(address == self.depth - 1, 0, address + 1)

    def elaborate(self, platform):
        m = Module()
        return m
