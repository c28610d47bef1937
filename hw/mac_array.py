"""Array of multipliers that works on 1x1 convolutions and on 3x3 depthwise windows."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .config import TAPS
from .layouts import accumulator_word, activation_word, tap_word
from .line_buffer import window_layout

__all__ = ["MacArray", "weight_word"]


def weight_word(inputs, outputs, bits):
    """Layout of a word of 1x1 weights, indexed ``[output][input]``."""
    return data.ArrayLayout(data.ArrayLayout(signed(bits), inputs), outputs)


def _tree_sum(terms):
    """Sum in a balanced tree, so that widths grow by one bit a level."""
    terms = list(terms)
    while len(terms) > 1:
        unpaired = terms[len(terms) // 2 * 2:]
        terms = [a + b for a, b in zip(terms[::2], terms[1::2], strict=False)] + unpaired
    return terms[0]


class MacArray(wiring.Component):
    """``outputs * inputs * pixels`` multipliers, adder trees and accumulators, pipelined.

    An item is either one step of a 1x1 convolution, ``inputs`` channels of ``pixels`` pixels
    against all ``outputs``, added to the accumulators; or a word of 3x3 windows, which is complete
    in itself. For windows, channel ``c`` has the ``outputs / inputs`` output lanes from ``c *
    outputs / inputs`` on, one tap for each of their multipliers, so nine taps need ``outputs >=
    9``. Windows leave the accumulators alone and may come between the steps of a convolution.

    An array for one kind of work alone has no ports and no multipliers for the other; for windows
    it has ``9 * inputs * pixels`` multipliers whatever ``outputs`` is.

    Parameters
    ----------
    outputs, inputs, pixels : int
        Lanes.
    weight_bits, activation_bits : int
        Widths of the factors, 4 to 8 bits.
    pointwise, depthwise : bool
        Kinds of work that the array does, at least one.
    tag_shape : ShapeLike
        Shape of a tag that travels with the item.

    Members
    -------
    i
        ``pointwise``: a step of a convolution, of the activations ``x`` and the ``weights``, which
        begins new sums if ``first``. ``depthwise``: the ``windows`` and the ``taps``. Neither: only
        the tag travels.
    o
        ``accumulators`` after the item, indexed ``[output // inputs][pixel][output % inputs]``;
        ``sums`` of the windows, indexed ``[pixel][channel]``; both are sums of products, without
        bias.
    """

    #: Cycles from ``i`` to ``o``.
    latency = 4

    def __init__(self, *, outputs, inputs, pixels, weight_bits=8, activation_bits=8,
                 pointwise=True, depthwise=True, tag_shape=1):
        check_integer("Outputs", outputs)
        check_integer("Inputs", inputs)
        check_integer("Pixels", pixels)
        check_integer("Weight bits", weight_bits, 4, 8)
        check_integer("Activation bits", activation_bits, 4, 8)
        if outputs % inputs:
            raise ValueError(f"Outputs must be a multiple of inputs ({inputs}), not {outputs!r}")
        if not (pointwise or depthwise):
            raise ValueError("An array must be for pointwise work, for depthwise work, or for both")
        if depthwise and outputs < TAPS:
            raise ValueError(f"Outputs must be at least {TAPS}, the taps of a 3x3 kernel, "
                             f"not {outputs!r}")
        self.outputs         = outputs
        self.inputs          = inputs
        self.pixels          = pixels
        self.weight_bits     = weight_bits
        self.activation_bits = activation_bits
        self.pointwise       = bool(pointwise)
        self.depthwise       = bool(depthwise)
        self.tag_shape       = tag_shape
        item, result = {}, {}
        if pointwise:
            item["x"]              = activation_word(inputs, pixels, activation_bits)
            item["weights"]        = weight_word(inputs, outputs, weight_bits)
            item["first"]          = 1
            result["accumulators"] = data.ArrayLayout(accumulator_word(inputs, pixels),
                                                      outputs // inputs)
        if depthwise:
            item["windows"] = window_layout(inputs, pixels, activation_bits)
            item["taps"]    = tap_word(inputs, weight_bits)
            result["sums"]  = accumulator_word(inputs, pixels)
        common = {"pointwise": 1, "depthwise": 1, "tag": tag_shape}
        super().__init__({
            "i": In(stream.Signature(data.StructLayout({**item, **common}))),
            "o": Out(stream.Signature(data.StructLayout({**result, **common}))),
        })

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
            control[0].first.eq(self.i.payload.first if self.pointwise else 0),
            tags[0].eq(self.i.payload.tag),
        ]
        with m.If(advance):
            for stage in range(self.latency):
                m.d.sync += [control[stage + 1].eq(control[stage]), tags[stage + 1].eq(tags[stage])]

        # Stage 1: the factors, one activation for each multiplier and one weight for all pixels.
        # Stage 2: the products. Stage 3: the sum of each lane, at most `inputs` products.
        item         = self.i.payload
        product_bits = self.weight_bits + self.activation_bits
        lane_bits    = product_bits + (self.inputs - 1).bit_length()
        lane_sum = [[Signal(signed(lane_bits), name=f"sum_{o}_{p}") for p in range(self.pixels)]
                    for o in range(self.outputs)]
        for output in range(self.outputs):
            channel, lane = divmod(output, lanes_per_channel)
            products = [[] for _ in range(self.pixels)]
            for i in range(self.inputs):
                tap = lane * self.inputs + i
                has_tap = self.depthwise and tap < TAPS
                if not (self.pointwise or has_tap):
                    continue
                weight = self._choose(item.weights[output][i] if self.pointwise else None,
                                      item.taps[channel][tap] if has_tap else C(0, 1))
                b = Signal(signed(self.weight_bits), name=f"b_{output}_{i}")
                with m.If(advance):
                    m.d.sync += b.eq(weight)
                for pixel in range(self.pixels):
                    x = self._choose(item.x[pixel][i] if self.pointwise else None,
                                     item.windows[pixel][channel][tap] if has_tap else None)
                    a = Signal(signed(self.activation_bits), name=f"a_{output}_{pixel}_{i}")
                    product = Signal(signed(product_bits), name=f"product_{output}_{pixel}_{i}")
                    products[pixel].append(product)
                    with m.If(advance):
                        m.d.sync += [a.eq(x), product.eq(a * b)]
            with m.If(advance):
                for pixel in range(self.pixels):
                    if products[pixel]:
                        m.d.sync += lane_sum[output][pixel].eq(_tree_sum(products[pixel]))

        # Stage 4: accumulate over the steps of a convolution, or join the lanes of a channel.
        out = self.o.payload
        with m.If(advance):
            if self.pointwise:
                with m.If(control[3].valid & control[3].pointwise):
                    for output in range(self.outputs):
                        word, channel = divmod(output, self.inputs)
                        for pixel in range(self.pixels):
                            accumulator = out.accumulators[word][pixel][channel]
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

    def _choose(self, pointwise, depthwise):
        """Operand of a multiplier: of the item's kind, or the only one there is."""
        if pointwise is None or not self.depthwise:
            return depthwise if pointwise is None else pointwise
        if depthwise is None:
            return pointwise
        return Mux(self.i.payload.depthwise, depthwise, pointwise)
