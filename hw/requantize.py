"""Requantisation of a word of accumulators to a word of activations."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .layouts import ChannelParameters, LayerRange, accumulator_word, activation_word
from .rounding import keep_half, saturate, settle_half

__all__ = ["Requantize"]


class Requantize(wiring.Component):
    """Scales each accumulator by its channel's factor and clamps it, one word per cycle.

    Every element is ``clamp(zero_point + MBQM(acc + bias, multiplier, shift))`` with LiteRT's double
    rounding. The bias is added and a negative shift is applied (to the left, before the
    multiplication) modulo ``2**32``.

    Parameters
    ----------
    channels, pixels : int
        Lanes; a word holds ``channels * pixels`` elements.
    activation_bits : int
        Width of an output element, 4 to 8. The range must fit it: ``minimum``, ``maximum``.
    tag_shape : ShapeLike
        What travels beside each word, unchanged.

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

    def __init__(self, *, channels, pixels, activation_bits=8, tag_shape=unsigned(1)):
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

        # What all lanes share travels in stage registers 1 to latency - 1.
        valids = [self.i.valid,         *(Signal(name=f"valid_{n}") for n in range(1, 7))]
        tags   = [self.i.payload.tag,   *(Signal(self.tag_shape, name=f"tag_{n}")
                                          for n in range(1, 7))]
        ranges = [self.i.payload.range, *(Signal(LayerRange, name=f"range_{n}")
                                          for n in range(1, 7))]
        with m.If(advance):
            for items in (valids, tags, ranges):
                for before, after in zip(items[:-1], items[1:], strict=True):
                    m.d.sync += after.eq(before)
            m.d.sync += [
                self.o.valid.eq(valids[-1]),
                self.o.payload.tag.eq(tags[-1]),
            ]

        self._check_input(m, advance)

        for channel in range(self.channels):
            # What the pixels of a channel share. A multiplier is not negative: 31 bits.
            parameters  = self.i.payload.parameters[channel]
            left        = Signal(5, name=f"left_{channel}")
            multipliers = [Signal(31, name=f"multiplier_{n}_{channel}") for n in (1, 2)]
            rights      = [Signal(5, name=f"right_{n}_{channel}") for n in range(1, 6)]
            is_left     = parameters.shift < 0
            with m.If(advance):
                m.d.sync += [
                    left.eq(Mux(is_left, -parameters.shift, 0)),
                    rights[0].eq(Mux(is_left, 0, parameters.shift)),
                    multipliers[0].eq(parameters.multiplier),
                    multipliers[1].eq(multipliers[0]),
                ]
                for before, after in zip(rights[:-1], rights[1:], strict=True):
                    m.d.sync += after.eq(before)

            for pixel in range(self.pixels):
                lane    = f"{pixel}_{channel}"
                biased  = Signal(signed(32), name=f"biased_{lane}")
                scaled  = Signal(signed(32), name=f"scaled_{lane}")
                # 32 x 31 bits give 63; all but one of the 31 to round off are dropped.
                product = Signal(signed(33), name=f"product_{lane}")
                high    = Signal(signed(33), name=f"high_{lane}")
                settled = Signal(signed(33), name=f"settled_{lane}")
                # 10 bits with the fraction bit: a rounded value outside [-256, 255] ends beyond
                # minimum or maximum whatever the zero point, and so does its saturation.
                shifted = Signal(signed(10), name=f"shifted_{lane}")
                # [-256, 256] + [-128, 127], times 2 plus 1.
                doubled = Signal(signed(11), name=f"doubled_{lane}")
                total   = Signal(signed(10), name=f"total_{lane}")
                limits  = ranges[-1]
                result  = self.o.payload.word[pixel][channel]
                m.d.comb += [
                    # zero_point + round_half(shifted), in one adder
                    doubled.eq(shifted + Cat(C(1, 1), limits.zero_point).as_signed()),
                    total.eq(doubled >> 1),
                ]
                with m.If(advance):
                    m.d.sync += [
                        biased.eq(self.i.payload.accumulators[pixel][channel]       # 1
                                  + parameters.bias),
                        scaled.eq(biased << left),                                  # 2
                        product.eq(keep_half(scaled * multipliers[1], 31)),         # 3
                        high.eq(product),                                           # 4
                        settled.eq(settle_half(high)),                              # 5
                        shifted.eq(saturate(settled >> rights[-1], 10)),            # 6
                    ]
                    with m.If(total < limits.minimum):                              # 7
                        m.d.sync += result.eq(limits.minimum)
                    with m.Elif(total > limits.maximum):
                        m.d.sync += result.eq(limits.maximum)
                    with m.Else():
                        m.d.sync += result.eq(total)
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
