"""Room for a strip's results in the ring that its map leaves the chip from."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import ADDRESS_BITS, INDEX_BITS
from .program import Descriptor

__all__ = ["StripRoom"]


class StripRoom(wiring.Component):
    """Tells when the ring of a stored map has room for one more strip.

    Members
    -------
    block
        The descriptor, for a cycle at least before ``produced`` is of its map.
    produced
        Words of the map that are in the ring, or were.
    stored
        Words that have left it.
    room
        There is room for the words of a strip, or the map stays on the chip. Two cycles after
        ``produced``, in the same cycle as ``stored``.
    """

    def __init__(self):
        super().__init__({
            "block":    In(Descriptor),
            "produced": In(INDEX_BITS),
            "stored":   In(INDEX_BITS),
            "room":     Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        block = self.block
        spare  = Signal(signed(ADDRESS_BITS + 2))   # words of the ring that a strip leaves free
        needed = Signal(signed(INDEX_BITS + 2))     # words that must have left; less than 0 if none
        m.d.sync += [
            spare.eq(block.output_end - block.output_base - block.strip_output_words),
            needed.eq(self.produced - spare),
        ]
        m.d.comb += self.room.eq(~block.store | (self.stored >= needed))
        return m
