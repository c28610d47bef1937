"""Array of multipliers that works on 1x1 convolutions and on 3x3 depthwise windows."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .layouts import ACCUMULATOR_BITS, TAPS, accumulator_word, activation_word, tap_word
from .line_buffer import window_layout

__all__ = ["MacArray", "weight_word"]


def weight_word(inputs, outputs, bits):
    """Layout of a word of 1x1 weights, indexed ``[output][input]``."""
    return data.ArrayLayout(data.ArrayLayout(signed(bits), inputs), outputs)


def _tree_sum(terms):
    """Sum in a balanced tree, so that widths grow by one bit a level."""
    terms = list(terms)
    while len(terms) > 1:
        terms = [sum(terms[k:k + 2]) for k in range(0, len(terms), 2)]
    return terms[0]


class MacArray(wiring.Component):
    """``outputs * inputs * pixels`` multipliers, adder trees and accumulators, pipelined.

    An item is either one step of a 1x1 convolution, ``inputs`` channels of ``pixels`` pixels against all
    ``outputs``, added to the accumulators; or a word of 3x3 windows, which is complete in itself. For windows,
    channel ``c`` has the ``outputs / inputs`` output lanes from ``c * outputs / inputs`` on, one tap for each of
    their multipliers, so nine taps need ``outputs >= 9``. Windows leave the accumulators alone and may
    come between the steps of a convolution.

    Parameters
    ----------
    outputs, inputs, pixels
        Lanes.
    weight_bits, activation_bits
        Widths of the factors, 4 to 8 bits.
    tag_shape
        Shape of a tag that travels with the item.

    Members
    -------
    i
        ``pointwise``: a step of a convolution, of the activations ``x`` and the ``weights``, which begins new sums
        if ``first``. ``depthwise``: the ``windows`` and the ``taps``. Neither: only the tag travels.
    o
        ``accumulators`` after the item, indexed ``[output // inputs][pixel][output % inputs]``; ``sums`` of the windows,
        indexed ``[pixel][channel]``; both are sums of products, without bias.
    """

    #: Cycles from ``i`` to ``o``.
    latency = 4

    def __init__(self, *, outputs, inputs, pixels, weight_bits=8, activation_bits=8,
                 tag_shape=unsigned(1)):
        check_integer("Outputs", outputs)
        check_integer("Inputs", inputs)
        check_integer("Pixels", pixels)
        check_integer("Weight bits", weight_bits, 4, 8)
        check_integer("Activation bits", activation_bits, 4, 8)
        if outputs % inputs:
            raise ValueError(f"Outputs must be a multiple of inputs ({inputs}), not {outputs!r}")
        self.outputs         = outputs
        self.inputs          = inputs
        self.pixels          = pixels
        self.weight_bits     = weight_bits
        self.activation_bits = activation_bits
        self.tag_shape       = tag_shape
        super().__init__({
            "i": In(stream.Signature(data.StructLayout({
                "x":         activation_word(inputs, pixels, activation_bits),
                "weights":   weight_word(inputs, outputs, weight_bits),
                "windows":   window_layout(inputs, pixels, activation_bits),
                "taps":      tap_word(inputs, weight_bits),
                "pointwise": 1,
                "depthwise": 1,
                "first":     1,
                "tag":       tag_shape,
            }))),
            "o": Out(stream.Signature(data.StructLayout({
                "accumulators": data.ArrayLayout(accumulator_word(inputs, pixels),
                                                 outputs // inputs),
                "sums":         accumulator_word(inputs, pixels),
                "pointwise":    1,
                "depthwise":    1,
                "tag":          tag_shape,
            }))),
        })

    @property
    def depthwise(self):
        """Whether the 3x3 kernels of a word fit; without, windows are not supported."""
        return self.outputs >= TAPS

    def elaborate(self, platform):
        m = Module()
        lanes_per_channel = self.outputs // self.inputs
        advance = Signal()
        m.d.comb += [advance.eq(~self.o.valid | self.o.ready), self.i.ready.eq(advance)]

        class Control(data.Struct):
            valid:     1
            pointwise: 1
            depthwise: 1
            first:     1

        control = [Signal(Control, name=f"control_{stage}") for stage in range(self.latency + 1)]
        tags    = [Signal(self.tag_shape, name=f"tag_{stage}") for stage in range(self.latency + 1)]
        m.d.comb += [
            control[0].valid.eq(self.i.valid),
            control[0].pointwise.eq(self.i.payload.pointwise),
            control[0].depthwise.eq(self.i.payload.depthwise),
            control[0].first.eq(self.i.payload.first),
            tags[0].eq(self.i.payload.tag),
        ]
        with m.If(advance):
            for stage in range(self.latency):
                m.d.sync += [control[stage + 1].eq(control[stage]), tags[stage + 1].eq(tags[stage])]

        # Stage 1: the factors, one activation for each multiplier and one weight for all pixels.
        item     = self.i.payload
        factor_a = [[[Signal(signed(self.activation_bits), name=f"a_{o}_{p}_{i}")
                      for i in range(self.inputs)] for p in range(self.pixels)]
                    for o in range(self.outputs)]
        factor_b = [[Signal(signed(self.weight_bits), name=f"b_{o}_{i}")
                     for i in range(self.inputs)] for o in range(self.outputs)]
        for output in range(self.outputs):
            channel, lane = divmod(output, lanes_per_channel)
            for i in range(self.inputs):
                tap = lane * self.inputs + i
                has_tap = self.depthwise and tap < TAPS
                with m.If(advance):
                    if has_tap:
                        m.d.sync += factor_b[output][i].eq(
                            Mux(item.depthwise, item.taps[channel][tap], item.weights[output][i]))
                    else:
                        m.d.sync += factor_b[output][i].eq(
                            Mux(item.depthwise, 0, item.weights[output][i]))
                    for pixel in range(self.pixels):
                        x = item.x[pixel][i]
                        if has_tap:
                            x = Mux(item.depthwise, item.windows[pixel][channel][tap], x)
                        m.d.sync += factor_a[output][pixel][i].eq(x)

        # Stage 2: the products. Stage 3: the sum of each lane, `inputs` products.
        product_bits = self.weight_bits + self.activation_bits
        lane_bits    = product_bits + (self.inputs - 1).bit_length()
        lane_sum = [[Signal(signed(lane_bits), name=f"sum_{o}_{p}") for p in range(self.pixels)]
                    for o in range(self.outputs)]
        for output in range(self.outputs):
            for pixel in range(self.pixels):
                products = [Signal(signed(product_bits), name=f"product_{output}_{pixel}_{i}")
                            for i in range(self.inputs)]
                with m.If(advance):
                    for i in range(self.inputs):
                        m.d.sync += products[i].eq(
                            factor_a[output][pixel][i] * factor_b[output][i])
                    m.d.sync += lane_sum[output][pixel].eq(_tree_sum(products))

        # Stage 4: accumulate over the steps of a convolution, or join the lanes of a channel.
        out = self.o.payload
        with m.If(advance):
            for output in range(self.outputs):
                word, channel = divmod(output, self.inputs)
                for pixel in range(self.pixels):
                    accumulator = out.accumulators[word][pixel][channel]
                    with m.If(control[3].valid & control[3].pointwise):
                        m.d.sync += accumulator.eq(
                            Mux(control[3].first, 0, accumulator) + lane_sum[output][pixel])
            if self.depthwise:
                for channel in range(self.inputs):
                    for pixel in range(self.pixels):
                        m.d.sync += out.sums[pixel][channel].eq(_tree_sum(
                            lane_sum[channel * lanes_per_channel + lane][pixel]
                            for lane in range(lanes_per_channel)))
        m.d.comb += [
            self.o.valid.eq(control[4].valid),
            out.pointwise.eq(control[4].pointwise),
            out.depthwise.eq(control[4].depthwise),
            out.tag.eq(tags[4]),
        ]
        return m
