"""Requantisation of a word of accumulators to a word of activations."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_choice, check_integer
from .config import (
    ACCUMULATOR_BITS,
    NARROW_ACCUMULATOR_BITS,
    OPERAND_BITS,
    REQUANTIZERS,
)
from .layouts import LayerRange, accumulator_word, activation_word, channel_parameters
from .multiply import multiply
from .pipelines import delay, register
from .rounding import (
    FACTOR_BITS,
    add_offset,
    clamp,
    round_shifted,
    shift_right,
    start_shift,
)

__all__ = ["Requantize"]


class Requantize(wiring.Component):
    """Scales each accumulator by its channel's factor and clamps it, one word per cycle.

    Every element is ``clamp(zero_point + MBQM(acc + bias, multiplier, shift))`` with LiteRT's
    double rounding or with a single one. The bias is added modulo ``2**accumulator_bits``. With
    accumulators of 32 bits and LiteRT's rounding a shift may be negative: it is applied to the
    left, before the multiplication, modulo ``2**32``.

    Parameters
    ----------
    channels, pixels, frames : int
        Lanes; a word holds ``frames * channels`` elements of each pixel, those of a frame next to
        each other. Frames share the parameters of their channels.
    accumulator_bits : int
        32, or fewer: 16 to 28. The latter have the smaller record of parameters.
    rounding : str
        ``"double"``, or ``"single"``: multipliers have 16 bits then, their last 15 are zero.
    operand_bits : int
        Wider operand of the device's multipliers, one of :data:`mnv2.hw.config.OPERAND_BITS`.
    multipliers_in_luts : bool
        Multiply in LUTs instead.
    activation_bits : int
        Width of an output element, 4 to 8. The range must fit it: ``minimum``, ``maximum``.
    tag_shape : ShapeLike
        What travels with each word, unchanged.

    Attributes
    ----------
    latency : int
        Cycles from a word's transfer at ``i`` to its result at ``o`` while ``o`` is ready: 7, or 6
        with a single rounding.
    cycles_per_item : int
        Cycles per word in steady state.

    Members
    -------
    i
        Accumulators ``[pixel][frame * channels + channel]``, the parameters of the channels, the
        layer's range, and a tag.
    o
        Activations in the same places and the tag, in the same order.

    Ref: LiteRT, kernels/internal/reference/integer_ops/conv.h, ConvPerChannel.
    """

    cycles_per_item = 1

    def __init__(self, *, channels, pixels, frames=1, accumulator_bits=ACCUMULATOR_BITS,
                 rounding="double", operand_bits=27, multipliers_in_luts=False,
                 activation_bits=8, tag_shape=1):
        check_integer("Channels", channels)
        check_integer("Pixels", pixels)
        check_integer("Frames", frames)
        check_integer("Accumulator bits", accumulator_bits, NARROW_ACCUMULATOR_BITS[0],
                      ACCUMULATOR_BITS)
        check_choice("Accumulator bits", accumulator_bits,
                     (*NARROW_ACCUMULATOR_BITS, ACCUMULATOR_BITS))
        check_choice("Rounding", rounding, REQUANTIZERS)
        check_choice("Operand bits", operand_bits, OPERAND_BITS)
        check_integer("Activation bits", activation_bits, 4, 8)
        self.channels            = channels
        self.pixels              = pixels
        self.frames              = frames
        self.accumulator_bits    = accumulator_bits
        self.rounding            = rounding
        self.operand_bits        = operand_bits
        self.multipliers_in_luts = multipliers_in_luts
        self.activation_bits     = activation_bits
        self.tag_shape           = tag_shape
        self._shifts_left = accumulator_bits == ACCUMULATOR_BITS and rounding == "double"
        self._factor_bits = FACTOR_BITS[rounding]
        self.latency      = 7 if rounding == "double" else 6
        super().__init__({
            "i": In(stream.Signature(data.StructLayout({
                "accumulators": accumulator_word(frames * channels, pixels, accumulator_bits),
                "parameters":   data.ArrayLayout(channel_parameters(accumulator_bits), channels),
                "range":        LayerRange,
                "tag":          tag_shape,
            }))),
            "o": Out(stream.Signature(data.StructLayout({
                "word": activation_word(frames * channels, pixels, activation_bits),
                "tag":  tag_shape,
            }))),
        })

    def elaborate(self, platform):
        m = Module()

        advance = Signal()
        m.d.comb += advance.eq(~self.o.valid | self.o.ready)
        m.d.comb += self.i.ready.eq(advance)

        # What all lanes share.
        last   = self.latency - 1
        valid  = delay(m, advance, self.i.valid, last, name="valid", reset_less=False)
        tag    = delay(m, advance, self.i.payload.tag, self.latency, name="tag")
        limits = delay(m, advance, self.i.payload.range, last, name="range")
        with m.If(advance):
            m.d.sync += self.o.valid.eq(valid)
        m.d.comb += self.o.payload.tag.eq(tag)

        self._check_input(m, advance)

        for channel in range(self.channels):
            # What the pixels and frames of a channel share. A multiplier is not negative.
            parameters = self.i.payload.parameters[channel]
            multiplier = parameters.multiplier[31 - self._factor_bits:31]
            scaling    = {"multiplier": delay(m, advance, multiplier, 2 if self._shifts_left else 1,
                                              name=f"multiplier_{channel}")}
            right = parameters.shift[:5]
            if self._shifts_left:
                is_left = parameters.shift[-1]
                right   = Mux(is_left, 0, right)
                scaling["left"] = delay(m, advance, Mux(is_left, -parameters.shift, 0)[:5], 1,
                                        name=f"left_{channel}")
            scaling["coarse"] = delay(m, advance, right, last - 2, name=f"right_{channel}")
            scaling["fine"]   = delay(m, advance, scaling["coarse"][:3], 1, name=f"fine_{channel}")

            for pixel in range(self.pixels):
                for frame in range(self.frames):
                    place = frame * self.channels + channel
                    total = self._lane(
                        m, advance, self.i.payload.accumulators[pixel][place], parameters.bias,
                        scaling, f"{pixel}_{place}")
                    offset  = Signal(signed(10), name=f"total_{pixel}_{place}")
                    clamped = register(signed(self.activation_bits), f"clamped_{pixel}_{place}")
                    m.d.comb += [
                        offset.eq(add_offset(total, limits.zero_point)),
                        self.o.payload.word[pixel][place].eq(clamped),
                    ]
                    with m.If(advance):
                        m.d.sync += clamped.eq(clamp(offset, limits.minimum, limits.maximum))
        return m

    def _lane(self, m, advance, accumulator, bias, scaling, lane):
        """Add the scaling of a lane: a value with a fraction bit, a stage before the last."""
        bits   = self.accumulator_bits
        biased = register(signed(bits), f"biased_{lane}")
        with m.If(advance):
            m.d.sync += biased.eq(accumulator + bias)                           # 1
        if self._shifts_left:
            scaled = register(signed(bits), f"scaled_{lane}")
            with m.If(advance):
                m.d.sync += scaled.eq(biased << scaling["left"])                # 2
            biased = scaled
        # Of the 31 bits to round off, or 16, one is left: as many as an accumulator has, and one.
        high = multiply(
            m, advance, biased, scaling["multiplier"], self._factor_bits - 1, signed(bits + 1),
            stages=2 if self.rounding == "single" or self._shifts_left else 3,          # 3 or 4
            operand_bits=self.operand_bits, in_luts=self.multipliers_in_luts, name=f"high_{lane}")

        # 10 bits with the fraction bit: a rounded value outside [-256, 256] ends beyond minimum or
        # maximum whatever the zero point, and so does its saturation.
        start  = start_shift(m, high, scaling["coarse"], f"start_{lane}")
        coarse = shift_right(m, start, scaling["coarse"][3:], 8, 17, f"coarse_{lane}")
        coarse = delay(m, advance, coarse, 1, name=f"coarse_{lane}")            # 4 or 5
        middle = shift_right(m, coarse, scaling["fine"][1:], 2, 11, f"middle_{lane}")
        fine   = shift_right(m, middle, scaling["fine"][:1], 1, 10, f"fine_{lane}")
        result = round_shifted(fine, self.rounding)
        return delay(m, advance, result, 1, name=f"shifted_{lane}")             # 5 or 6

    def _check_input(self, m, advance):
        """Stop the simulation on parameters that the datapath cannot honour."""
        smallest, largest = -(1 << self.activation_bits - 1), (1 << self.activation_bits - 1) - 1
        limits = self.i.payload.range
        least  = -30 if self._shifts_left else 0
        with m.If(self.i.valid & advance):
            m.d.sync += Assert((limits.minimum >= smallest) & (limits.maximum <= largest),
                               Format("Range of {:d} to {:d} does not fit the activations",
                                      limits.minimum, limits.maximum))
            for parameters in self.i.payload.parameters:
                # The narrow record holds nothing else.
                if self.accumulator_bits == ACCUMULATOR_BITS:
                    m.d.sync += [
                        Assert((parameters.shift >= least) & (parameters.shift <= 31),
                               Format(f"Shift of {{:d}} is outside {least} to 31",
                                      parameters.shift)),
                        Assert(parameters.multiplier >= 0,
                               Format("Multiplier of {:d} is negative", parameters.multiplier)),
                    ]
                sign = parameters.bias[self.accumulator_bits - 1:]
                m.d.sync += Assert(sign.all() | ~sign.any(),
                                   Format(f"Bias of {{:d}} does not fit {self.accumulator_bits} "
                                          "bits", parameters.bias))
                if self.rounding == "single":
                    m.d.sync += Assert(~parameters.multiplier[:31 - self._factor_bits].any(),
                                       Format("Multiplier of {:d} has more than 16 bits",
                                              parameters.multiplier))
