"""Results of the array, word by word for the requantiser."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .config import ACCUMULATOR_BITS, NARROW_ACCUMULATOR_BITS, POOL_SUM_BITS
from .layouts import accumulator_word
from .passes import slot_layout

__all__ = ["TileResults"]


class TileResults(wiring.Component):
    """Keeps a finished tile while its words are requantised, one a cycle.

    Sums of windows, and totals of the pool, come between the words of tiles.

    Parameters
    ----------
    inputs, frames, pixels : int
        Lanes of a word.
    tile_words : int
        Words of a tile.
    accumulator_bits : int
        Width of an accumulator.

    Members
    -------
    valid, accumulators, sums, slot
        The array's results, and what happens to them, see :func:`mnv2.hw.passes.slot_layout`.
    pool_word, pool_totals
        Asks the pool for the totals of a word of the tile, which it gives in the same cycle.
    o_valid, o_word, o_slot
        A word for the requantiser, a cycle later, and what happens to it.
    """

    #: Cycles from the array's results to the word.
    latency = 1

    def __init__(self, *, inputs, frames=1, pixels, tile_words,
                 accumulator_bits=ACCUMULATOR_BITS):
        check_integer("Inputs", inputs)
        check_integer("Frames", frames)
        check_integer("Pixels", pixels)
        check_integer("Tile words", tile_words)
        check_integer("Accumulator bits", accumulator_bits, NARROW_ACCUMULATOR_BITS[0],
                      ACCUMULATOR_BITS)
        self.channels   = frames * inputs
        self.tile_words = tile_words
        self._slot = slot_layout(tile_words)
        self._word = accumulator_word(self.channels, pixels, accumulator_bits)
        super().__init__({
            "valid":        In(1),
            "accumulators": In(data.ArrayLayout(self._word, tile_words)),
            "sums":         In(self._word),
            "slot":         In(self._slot),
            "pool_word":    Out(range(max(tile_words, 2))),
            "pool_totals":  In(data.ArrayLayout(signed(POOL_SUM_BITS), self.channels)),
            "o_valid":      Out(1),
            "o_word":       Out(self._word),
            "o_slot":       Out(self._slot),
        })

    def elaborate(self, platform):
        m = Module()
        tile = Signal(data.ArrayLayout(self._word, self.tile_words))
        sums = Signal(self._word)
        with m.If(self.valid & self.slot.load):
            m.d.sync += tile.eq(self.accumulators)
        with m.If(self.valid & self.slot.depthwise):
            m.d.sync += sums.eq(self.sums)
        m.d.sync += [
            self.o_valid.eq(self.valid & self.slot.valid),
            self.o_slot.eq(self.slot),
        ]
        m.d.comb += [
            self.pool_word.eq(self.o_slot.tile_word),
            self.o_word.eq(tile[self.o_slot.tile_word]),
        ]
        with m.If(self.o_slot.depthwise):
            m.d.comb += self.o_word.eq(sums)
        with m.Elif(self.o_slot.mean):
            for channel in range(self.channels):
                m.d.comb += self.o_word[0][channel].eq(self.pool_totals[channel])
        return m
