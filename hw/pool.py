"""Global average pooling: sums of words over all pixels, then one requantisation."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .config import POOL_SUM_BITS
from .layouts import ChannelParameters, LayerRange, activation_word
from .requantize import Requantize

__all__ = ["Pool"]


class Pool(wiring.Component):
    """Averages each channel over the words of all its pixels.

    The words of a tile come in turn, group of pixels by group of pixels. The mean is
    ``clamp(zero_point + MBQM(sum - pixels * z, multiplier, shift))``, in which the host has folded
    the division into the multiplier, and ``- pixels * z`` into the bias.

    Parameters
    ----------
    channels, pixels : int
        Lanes of a word.
    tile_words : int
        Words of a tile.
    activation_bits : int
        Width of an activation, 4 to 8 bits.
    tag_shape : ShapeLike
        Shape of a tag; that of the last word of a channel word comes with the mean.

    Members
    -------
    i
        ``word``, position in its tile ``tile_word``, the number ``valid`` of its pixels that belong
        to the map, whether it is the ``first`` or ``last`` of its channels, and a tag.
    parameters, range
        Factor and output range; constant while anything is under way.
    o
        A mean for each channel.

    Ref: LiteRT, kernels/internal/reference/integer_ops/mean.h.
    """

    #: Cycles from the last word to its mean.
    latency = 2 + Requantize.latency

    def __init__(self, *, channels, pixels, tile_words, activation_bits=8, tag_shape=1):
        check_integer("Channels", channels)
        check_integer("Pixels", pixels)
        check_integer("Tile words", tile_words)
        check_integer("Activation bits", activation_bits, 4, 8)
        self.channels        = channels
        self.pixels          = pixels
        self.tile_words      = tile_words
        self.activation_bits = activation_bits
        self.tag_shape       = tag_shape
        super().__init__({
            "i": In(stream.Signature(data.StructLayout({
                "word":      activation_word(channels, pixels, activation_bits),
                "tile_word": range(max(tile_words, 2)),
                "valid":     range(pixels + 1),
                "first":     1,
                "last":      1,
                "tag":       tag_shape,
            }))),
            "parameters": In(ChannelParameters),
            "range":      In(LayerRange),
            "o": Out(stream.Signature(data.StructLayout({
                "means": data.ArrayLayout(signed(activation_bits), channels),
                "tag":   tag_shape,
            }))),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.requantize = requantize = Requantize(
            channels=self.channels, pixels=1, activation_bits=self.activation_bits,
            tag_shape=self.tag_shape)
        advance = Signal()
        m.d.comb += [
            advance.eq(~requantize.i.valid | requantize.i.ready),
            self.i.ready.eq(advance),
        ]

        # Stage 1: the sum of the word's pixels.
        item    = self.i.payload
        valid   = Signal()
        first   = Signal()
        last    = Signal()
        place   = Signal.like(item.tile_word)
        tag     = Signal(self.tag_shape)
        partial = Signal(data.ArrayLayout(signed(POOL_SUM_BITS), self.channels))
        with m.If(advance):
            m.d.sync += [
                valid.eq(self.i.valid),
                first.eq(item.first),
                last.eq(item.last),
                place.eq(item.tile_word),
                tag.eq(item.tag),
            ]
            for channel in range(self.channels):
                m.d.sync += partial[channel].eq(sum(
                    Mux(pixel < item.valid, item.word[pixel][channel], 0)
                    for pixel in range(self.pixels)))

        # Stage 2: the sum over words, one for each channel of the tile.
        sums  = Signal(data.ArrayLayout(data.ArrayLayout(signed(POOL_SUM_BITS), self.channels),
                                        self.tile_words))
        total = Signal(data.ArrayLayout(signed(POOL_SUM_BITS), self.channels))
        for channel in range(self.channels):
            m.d.comb += total[channel].eq(
                Mux(first, 0, sums[place][channel]) + partial[channel])
        with m.If(advance):
            m.d.sync += [
                requantize.i.valid.eq(valid & last),
                requantize.i.payload.tag.eq(tag),
            ]
            for channel in range(self.channels):
                m.d.sync += requantize.i.payload.accumulators[0][channel].eq(total[channel])
            with m.If(valid):
                for index in range(self.tile_words):
                    with m.If(place == index):
                        m.d.sync += sums[index].eq(total)

        m.d.comb += [
            requantize.i.payload.range.eq(self.range),
            self.o.valid.eq(requantize.o.valid),
            self.o.payload.means.eq(requantize.o.payload.word[0]),
            self.o.payload.tag.eq(requantize.o.payload.tag),
            requantize.o.ready.eq(self.o.ready),
        ]
        for channel in range(self.channels):
            m.d.comb += requantize.i.payload.parameters[channel].eq(self.parameters)
        return m
