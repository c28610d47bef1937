"""Requantisation of a word of accumulators to a word of activations."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .layouts import ChannelParameters, LayerRange, accumulator_word, activation_word
from .pipelines import delay, register
from .rounding import add_offset, clamp, keep_half, saturate, settle_half

__all__ = ["Requantize"]


class Requantize(wiring.Component):
    """Scales each accumulator by its channel's factor and clamps it, one word per cycle.

    Every element is ``clamp(zero_point + MBQM(acc + bias, multiplier, shift))`` with LiteRT's
    double rounding. The bias is added and a negative shift is applied (to the left, before the
    multiplication) modulo ``2**32``.

    Parameters
    ----------
    channels, pixels : int
        Lanes; a word holds ``channels * pixels`` elements.
    activation_bits : int
        Width of an output element, 4 to 8. The range must fit it: ``minimum``, ``maximum``.
    tag_shape : ShapeLike
        What travels with each word, unchanged.

    Attributes
    ----------
    latency : int
        Cycles from a word's transfer at ``i`` to its result at ``o`` while ``o`` is ready.
    cycles_per_item : int
        Cycles per word in steady state.

    Members
    -------
    i
        Accumulators, the parameters of the word's channels, the layer's range, and a tag.
    o
        Activations and the tag, in the same order.

    Ref: LiteRT, kernels/internal/reference/integer_ops/conv.h, ConvPerChannel.
    """

    latency         = 7
    cycles_per_item = 1

    def __init__(self, *, channels, pixels, activation_bits=8, tag_shape=1):
        check_integer("Channels", channels)
        check_integer("Pixels", pixels)
        check_integer("Activation bits", activation_bits, 4, 8)
        self.channels        = channels
        self.pixels          = pixels
        self.activation_bits = activation_bits
        self.tag_shape       = tag_shape
        super().__init__({
            "i": In(stream.Signature(data.StructLayout({
                "accumulators": accumulator_word(channels, pixels),
                "parameters":   data.ArrayLayout(ChannelParameters, channels),
                "range":        LayerRange,
                "tag":          tag_shape,
            }))),
            "o": Out(stream.Signature(data.StructLayout({
                "word": activation_word(channels, pixels, activation_bits),
                "tag":  tag_shape,
            }))),
        })

    def elaborate(self, platform):
        m = Module()

        advance = Signal()
        m.d.comb += advance.eq(~self.o.valid | self.o.ready)
        m.d.comb += self.i.ready.eq(advance)

        # What all lanes share.
        valid  = delay(m, advance, self.i.valid, 6, name="valid", reset_less=False)
        tag    = delay(m, advance, self.i.payload.tag, 7, name="tag")
        limits = delay(m, advance, self.i.payload.range, 6, name="range")
        with m.If(advance):
            m.d.sync += self.o.valid.eq(valid)
        m.d.comb += self.o.payload.tag.eq(tag)

        self._check_input(m, advance)

        for channel in range(self.channels):
            # What the pixels of a channel share. A multiplier is not negative: 31 bits.
            parameters = self.i.payload.parameters[channel]
            is_left    = parameters.shift[-1]
            left       = delay(m, advance, Mux(is_left, -parameters.shift, 0)[:5], 1,
                               name=f"left_{channel}")
            multiplier = delay(m, advance, parameters.multiplier[:31], 2,
                               name=f"multiplier_{channel}")
            right      = delay(m, advance, Mux(is_left, 0, parameters.shift)[:5], 5,
                               name=f"right_{channel}")

            for pixel in range(self.pixels):
                lane    = f"{pixel}_{channel}"
                biased  = register(signed(32), f"biased_{lane}")
                scaled  = register(signed(32), f"scaled_{lane}")
                # 32 x 31 bits give 63; all but one of the 31 to round off are dropped.
                product = register(signed(33), f"product_{lane}")
                high    = register(signed(33), f"high_{lane}")
                settled = register(signed(33), f"settled_{lane}")
                divided = Signal(signed(33), name=f"divided_{lane}")
                # 10 bits with the fraction bit: a rounded value outside [-256, 255] ends beyond
                # minimum or maximum whatever the zero point, and so does its saturation.
                shifted = register(signed(10), f"shifted_{lane}")
                total   = Signal(signed(10), name=f"total_{lane}")      # [-256, 256] + [-128, 127]
                clamped = register(signed(self.activation_bits), f"clamped_{lane}")
                m.d.comb += [
                    divided.eq(settled >> right),
                    total.eq(add_offset(shifted, limits.zero_point)),
                    self.o.payload.word[pixel][channel].eq(clamped),
                ]
                with m.If(advance):
                    m.d.sync += [
                        biased.eq(self.i.payload.accumulators[pixel][channel]       # 1
                                  + parameters.bias),
                        scaled.eq(biased << left),                                  # 2
                        product.eq(keep_half(scaled * multiplier, 31)),             # 3
                        high.eq(product),                                           # 4
                        settled.eq(settle_half(high)),                              # 5
                        shifted.eq(saturate(divided, 10)),                          # 6
                        clamped.eq(clamp(total, limits.minimum, limits.maximum)),   # 7
                    ]
        return m

    def _check_input(self, m, advance):
        """Stop the simulation on parameters that the datapath cannot honour."""
        smallest, largest = -(1 << self.activation_bits - 1), (1 << self.activation_bits - 1) - 1
        limits = self.i.payload.range
        with m.If(self.i.valid & advance):
            m.d.sync += Assert((limits.minimum >= smallest) & (limits.maximum <= largest),
                               Format("Range of {:d} to {:d} does not fit the activations",
                                      limits.minimum, limits.maximum))
            for parameters in self.i.payload.parameters:
                m.d.sync += Assert((parameters.shift >= -30) & (parameters.shift <= 31),
                                   Format("Shift of {:d} is outside -30 to 31", parameters.shift))
                m.d.sync += Assert(parameters.multiplier >= 0,
                                   Format("Multiplier of {:d} is negative", parameters.multiplier))
