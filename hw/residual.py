"""Residual addition of two words of activations, each with its own scale."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_choice, check_integer
from .config import OPERAND_BITS, REQUANTIZERS
from .layouts import AddParameters, activation_word
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

__all__ = ["ResidualAdd"]


class ResidualAdd(wiring.Component):
    """Adds two words element by element on a common scale, ``lanes`` elements per cycle.

    Every element is ``clamp(zero_point + MBQM(A + B, multiplier, shift))`` with
    ``A = MBQM((a - a_zero_point) << 20, a_multiplier, a_shift)``, likewise ``B``, and LiteRT's
    double rounding or a single one. One of the two inputs has the factor 1/2, that is the
    multiplier ``2**30`` and the shift 0, as LiteRT gives it to the input of the larger scale: it is
    not multiplied, and neither are the 20 zeros of the other one.

    Parameters
    ----------
    channels, pixels : int
        A word holds ``channels * pixels`` elements.
    lanes : int
        Elements per cycle; divides ``channels * pixels``.
    rounding, operand_bits, multipliers_in_luts
        As of :class:`mnv2.hw.requantize.Requantize`.
    activation_bits : int
        Width of an element, 4 to 8. The range must fit it: ``minimum``, ``maximum``.
    tag_shape : ShapeLike
        What travels with each word, unchanged.

    Attributes
    ----------
    cycles_per_item : int
        Cycles per word in steady state, ``channels * pixels / lanes``.
    latency : int
        Cycles from a word's transfer at ``i`` to its result at ``o`` while ``o`` is ready.

    Members
    -------
    i
        The two words, the parameters of this addition (all shifts 0 to 31), and a tag.
    o
        The sum and the tag, in the same order.

    Ref: LiteRT, kernels/internal/reference/add.h, AddElementwise; kernels/add.cc, left_shift = 20.
    """

    def __init__(self, *, channels, pixels, lanes, rounding="double", operand_bits=27,
                 multipliers_in_luts=False, activation_bits=8, tag_shape=1):
        check_integer("Channels", channels)
        check_integer("Pixels", pixels)
        check_integer("Lanes", lanes)
        check_choice("Rounding", rounding, REQUANTIZERS)
        check_choice("Operand bits", operand_bits, OPERAND_BITS)
        check_integer("Activation bits", activation_bits, 4, 8)
        if channels * pixels % lanes:
            raise ValueError(f"Lanes must divide the {channels * pixels} elements of a word, "
                             f"not {lanes!r}")
        self.channels        = channels
        self.pixels          = pixels
        self.lanes           = lanes
        self.activation_bits = activation_bits
        self.tag_shape       = tag_shape
        self.rounding            = rounding
        self.operand_bits        = operand_bits
        self.multipliers_in_luts = multipliers_in_luts
        self._factor_bits        = FACTOR_BITS[rounding]
        self.cycles_per_item = channels * pixels // lanes
        self.latency         = self.cycles_per_item + 10
        word = activation_word(channels, pixels, activation_bits)
        super().__init__({
            "i": In(stream.Signature(data.StructLayout({
                "a":          word,
                "b":          word,
                "parameters": AddParameters,
                "tag":        tag_shape,
            }))),
            "o": Out(stream.Signature(data.StructLayout({
                "word": word,
                "tag":  tag_shape,
            }))),
        })

    def elaborate(self, platform):
        m = Module()

        advance = Signal()
        m.d.comb += advance.eq(~self.o.valid | self.o.ready)

        # Stage 1: the current word, and the group of lanes that is next. One of the two inputs has
        # the factor 1/2: it is the plain one, of which nothing is rounded off.
        group_bits = self.lanes * self.activation_bits
        busy       = Signal()
        group      = Signal(range(max(self.cycles_per_item, 2)))
        operands   = {name: register(group_bits * self.cycles_per_item, name) for name in "ab"}
        parameters = register(AddParameters, "parameters")
        plain_a    = register(1, "plain_a")
        tag        = register(self.tag_shape, "tag")
        at_last    = Signal()           # the group is the last
        last       = Signal()
        given      = self.i.payload
        m.d.comb += [
            last.eq(busy & at_last),
            self.i.ready.eq(advance & (last | ~busy)),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [
                busy.eq(1),
                group.eq(0),
                at_last.eq(self.cycles_per_item == 1),
                operands["a"].eq(given.a),
                operands["b"].eq(given.b),
                parameters.eq(given.parameters),
                plain_a.eq(_is_half(given.parameters.a_multiplier, given.parameters.a_shift)),
                tag.eq(given.tag),
            ]
        with m.Elif(advance & busy):
            m.d.sync += [
                busy.eq(~last),
                group.eq(group + 1),
                at_last.eq(group == self.cycles_per_item - 2),
            ]

        self._check_input(m)

        # What all lanes share, brought to the stage that reads it. Multipliers are not negative.
        def factor(value, stages, name):
            return delay(m, advance, value[31 - self._factor_bits:31], stages, name=name)

        scaled_multiplier = Mux(plain_a, parameters.b_multiplier, parameters.a_multiplier)
        scaled_multiplier = factor(scaled_multiplier, 1, "scaled_multiplier")
        scaled_shift      = Mux(plain_a, parameters.b_shift, parameters.a_shift)[:5]
        scaled_shift      = delay(m, advance, scaled_shift, 3, name="scaled_shift")
        scaled_last       = delay(m, advance, scaled_shift[0], 1, name="scaled_last")
        multiplier  = factor(parameters.multiplier, 5, "multiplier")
        coarse      = delay(m, advance, parameters.shift[:5], 7, name="shift")
        fine        = delay(m, advance, coarse[:3], 1, name="fine")
        limits      = delay(m, advance, parameters.range, 9, name="range")
        tag         = delay(m, advance, tag, 10, name="tag")
        valid       = delay(m, advance, last, 9, name="last", reset_less=False)

        results = []
        for lane in range(self.lanes):
            elements = []
            for name, operand in operands.items():
                element = Signal(signed(self.activation_bits), name=f"{name}_{lane}")
                choices = [operand.word_select(k * self.lanes + lane, self.activation_bits)
                           for k in range(self.cycles_per_item)]
                m.d.comb += element.eq(Array(choices)[group])
                elements.append((element, parameters[f"{name}_zero_point"]))
            (a, a_zero), (b, b_zero) = elements
            plain  = register(signed(9), f"plain_{lane}")
            scaled = register(signed(9), f"scaled_{lane}")
            with m.If(advance):
                m.d.sync += [                                                   # 2
                    plain.eq(Mux(plain_a, a, b) - Mux(plain_a, a_zero, b_zero)),
                    scaled.eq(Mux(plain_a, b, a) - Mux(plain_a, b_zero, a_zero)),
                ]
            plain = delay(m, advance, plain, 3, name=f"plain_{lane}")
            # 9 x 31 bits give 40; all but one of the 11 to round off are dropped: 3 and 4.
            high = self._multiply(m, advance, scaled_multiplier, scaled, 20, signed(30),
                                  f"scaled_high_{lane}")
            item = start_shift(m, high, scaled_shift, f"scaled_start_{lane}")
            item = shift_right(m, item, scaled_shift[3:], 8, 30, f"scaled_coarse_{lane}")
            item = shift_right(m, item, scaled_shift[1:3], 2, 30, f"scaled_middle_{lane}")
            item = delay(m, advance, item, 1, name=f"scaled_middle_{lane}")     # 5
            item = shift_right(m, item, scaled_last, 1, 30, f"scaled_fine_{lane}")
            # The plain term is at most 255 * 2**19, the other one 255 * 2**20, so the sum is below
            # 2**29 and the product below 2**60.
            added = register(signed(30), f"sum_{lane}")
            with m.If(advance):
                m.d.sync += added.eq(add_offset(round_shifted(item, self.rounding),     # 6
                                                Cat(C(0, 19), plain).as_signed()))
            # All but one of the 31 bits to round off are dropped: 7 and 8.
            high = self._multiply(m, advance, added, multiplier, 0, signed(31), f"high_{lane}")
            # As in Requantize: saturation to 10 bits ends beyond minimum or maximum in any case.
            item = start_shift(m, high, coarse, f"start_{lane}")
            item = shift_right(m, item, coarse[3:], 8, 17, f"coarse_{lane}")
            item = delay(m, advance, item, 1, name=f"coarse_{lane}")            # 9
            item = shift_right(m, item, fine[1:], 2, 11, f"middle_{lane}")
            item = shift_right(m, item, fine[:1], 1, 10, f"fine_{lane}")
            shifted = delay(m, advance, round_shifted(item, self.rounding), 1,
                            name=f"shifted_{lane}")                             # 10
            total   = Signal(signed(10), name=f"total_{lane}")
            clamped = Signal(signed(self.activation_bits), name=f"clamped_{lane}")
            m.d.comb += [
                total.eq(add_offset(shifted, limits.zero_point)),
                clamped.eq(clamp(total, limits.minimum, limits.maximum)),
            ]
            results.append(clamped)

        # Stage 11: groups enter at the top, so that the first ends in the least significant bits.
        # Those that enter before a word's first have left when its last enters.
        word = register(len(operands["a"]), "word")
        with m.If(advance):
            m.d.sync += [
                word.eq(Cat(word, *results) >> group_bits),
                self.o.valid.eq(valid),
            ]
        m.d.comb += [
            self.o.payload.word.eq(word),
            self.o.payload.tag.eq(tag),
        ]
        return m

    def _multiply(self, m, advance, wide, narrow, zeros, shape, name):
        """A product with a multiplier without its last 30 bits, two stages later.

        The multiplier may be either operand; the other one lacks its last ``zeros``.
        """
        drop   = self._factor_bits - 1 - zeros
        result = multiply(m, advance, wide, narrow, max(drop, 0),
                          signed(shape.width - max(-drop, 0)), stages=2,
                          operand_bits=self.operand_bits, in_luts=self.multipliers_in_luts,
                          name=name)
        return Cat(C(0, max(-drop, 0)), result).as_signed()

    def _check_input(self, m):
        """Stop the simulation on parameters that the datapath cannot honour."""
        smallest, largest = -(1 << self.activation_bits - 1), (1 << self.activation_bits - 1) - 1
        parameters = self.i.payload.parameters
        limits     = parameters.range
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += Assert((limits.minimum >= smallest) & (limits.maximum <= largest),
                               Format("Range of {:d} to {:d} does not fit the activations",
                                      limits.minimum, limits.maximum))
            for shift in (parameters.a_shift, parameters.b_shift, parameters.shift):
                m.d.sync += Assert((shift >= 0) & (shift <= 31),
                                   Format("Shift of {:d} is outside 0 to 31", shift))
            for multiplier in (parameters.a_multiplier, parameters.b_multiplier,
                               parameters.multiplier):
                m.d.sync += Assert(multiplier >= 0,
                                   Format("Multiplier of {:d} is negative", multiplier))
            m.d.sync += Assert(_is_half(parameters.a_multiplier, parameters.a_shift)
                               | _is_half(parameters.b_multiplier, parameters.b_shift),
                               "Neither input has the factor 1/2")


def _is_half(multiplier, shift):
    """Whether a factor is 1/2, which LiteRT gives the input of the larger scale."""
    return (multiplier == 1 << 30) & (shift == 0)
