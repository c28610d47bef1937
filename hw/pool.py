"""Global pooling: sums of the words of a map over all its pixels."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .config import POOL_SUM_BITS
from .layouts import activation_word
from .pipelines import register

__all__ = ["Pool"]


class Pool(wiring.Component):
    """Adds up each channel of the words of all pixels of a map.

    The words of a tile come in turn, group of pixels by group of pixels. The mean is what
    requantisation makes of the totals, with parameters into which the host has folded the division.

    Parameters
    ----------
    channels, pixels : int
        Lanes of a word; the channels are those of all frames.
    tile_words : int
        Words of a tile.
    activation_bits : int
        Width of an activation, 4 to 8 bits.

    Members
    -------
    i
        ``word``, position in its tile ``tile_word``, the number ``valid`` of its pixels that belong
        to the map, and whether it is the ``first`` of its channels, or the ``last``. It is always
        taken.
    read_word
        Position of a word in its tile.
    totals
        Sums of the channels of that word, from ``latency`` cycles after the last of its words
        on until ``latency`` cycles after the next first one.
    """

    #: Cycles from a word to the totals that include it.
    latency = 2

    def __init__(self, *, channels, pixels, tile_words, activation_bits=8):
        check_integer("Channels", channels)
        check_integer("Pixels", pixels)
        check_integer("Tile words", tile_words)
        check_integer("Activation bits", activation_bits, 4, 8)
        self.channels        = channels
        self.pixels          = pixels
        self.tile_words      = tile_words
        self.activation_bits = activation_bits
        self._totals = data.ArrayLayout(signed(POOL_SUM_BITS), channels)
        place        = range(max(tile_words, 2))
        super().__init__({
            "i": In(stream.Signature(data.StructLayout({
                "word":      activation_word(channels, pixels, activation_bits),
                "tile_word": place,
                "valid":     range(pixels + 1),
                "first":     1,
                "last":      1,
            }))),
            "read_word": In(place),
            "totals":    Out(self._totals),
        })

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.i.ready.eq(1)

        # Stage 1: the sum of the word's pixels.
        item  = self.i.payload
        valid = Signal()
        first = register(1, "first")
        place = register(item.tile_word.shape(), "place")
        m.d.sync += [
            valid.eq(self.i.valid),
            first.eq(item.first),
            place.eq(item.tile_word),
        ]
        partial = []
        for channel in range(self.channels):
            pixels = [Mux(pixel < item.valid, item.word[pixel][channel], 0)
                      for pixel in range(self.pixels)]
            # As many bits as the extremes need: pixels * 2**(activation_bits - 1).
            bits = (self.pixels - 1).bit_length() + self.activation_bits
            partial.append(register(signed(bits), f"partial_{channel}"))
            m.d.sync += partial[channel].eq(sum(pixels))

        # Stage 2: the sum over words, one for each channel of the tile.
        sums  = register(data.ArrayLayout(self._totals, self.tile_words), "sums")
        total = Signal(self._totals)
        for channel in range(self.channels):
            m.d.comb += total[channel].eq(
                Mux(first, 0, sums[place][channel]) + partial[channel])
        with m.If(valid):
            for index in range(self.tile_words):
                with m.If(place == index):
                    m.d.sync += sums[index].eq(total)
        m.d.comb += self.totals.eq(sums[self.read_word])
        return m
