"""Residual addition of two words of activations, each with its own scale."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .layouts import AddParameters, activation_word
from .pipelines import delay, register
from .rounding import add_offset, clamp, keep_half, round_half, saturate, settle_half

__all__ = ["ResidualAdd"]


class ResidualAdd(wiring.Component):
    """Adds two words element by element on a common scale, ``lanes`` elements per cycle.

    Every element is ``clamp(zero_point + MBQM(A + B, multiplier, shift))`` with
    ``A = MBQM((a - a_zero_point) << 20, a_multiplier, a_shift)``, likewise ``B``, and LiteRT's
    double rounding. The 20 zeros are not multiplied:
    ``SRDHM(d << 20, M) = floor((d*M + 2**10) / 2**11)``.

    Parameters
    ----------
    channels, pixels : int
        A word holds ``channels * pixels`` elements.
    lanes : int
        Elements per cycle; divides ``channels * pixels``.
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

    def __init__(self, *, channels, pixels, lanes, activation_bits=8, tag_shape=1):
        check_integer("Channels", channels)
        check_integer("Pixels", pixels)
        check_integer("Lanes", lanes)
        check_integer("Activation bits", activation_bits, 4, 8)
        if channels * pixels % lanes:
            raise ValueError(f"Lanes must divide the {channels * pixels} elements of a word, "
                             f"not {lanes!r}")
        self.channels        = channels
        self.pixels          = pixels
        self.lanes           = lanes
        self.activation_bits = activation_bits
        self.tag_shape       = tag_shape
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

        # Stage 1: the current word. Its next group of lanes is in the least significant bits.
        group_bits = self.lanes * self.activation_bits
        remaining  = Signal(range(self.cycles_per_item + 1))         # groups that are left
        operands   = {name: register(group_bits * self.cycles_per_item, name) for name in "ab"}
        parameters = register(AddParameters, "parameters")
        tag        = register(self.tag_shape, "tag")
        last       = Signal()
        m.d.comb += [
            last.eq(remaining == 1),
            self.i.ready.eq(advance & (last | (remaining == 0))),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [
                remaining.eq(self.cycles_per_item),
                operands["a"].eq(self.i.payload.a),
                operands["b"].eq(self.i.payload.b),
                parameters.eq(self.i.payload.parameters),
                tag.eq(self.i.payload.tag),
            ]
        with m.Elif(advance & (remaining != 0)):
            m.d.sync += remaining.eq(remaining - 1)
            m.d.sync += [operand.eq(operand >> group_bits) for operand in operands.values()]

        self._check_input(m)

        # What all lanes share, brought to the stage that reads it. Multipliers are not negative.
        multipliers = {
            "a": delay(m, advance, parameters.a_multiplier[:31], 1, name="a_multiplier"),
            "b": delay(m, advance, parameters.b_multiplier[:31], 1, name="b_multiplier"),
        }
        shifts = {
            "a": delay(m, advance, parameters.a_shift[:5], 3, name="a_shift"),
            "b": delay(m, advance, parameters.b_shift[:5], 3, name="b_shift"),
        }
        zero_points = {"a": parameters.a_zero_point, "b": parameters.b_zero_point}
        multiplier  = delay(m, advance, parameters.multiplier[:31], 5, name="multiplier")
        shift       = delay(m, advance, parameters.shift[:5], 8, name="shift")
        limits      = delay(m, advance, parameters.range, 9, name="range")
        tag         = delay(m, advance, tag, 10, name="tag")
        valid       = delay(m, advance, last, 9, name="last", reset_less=False)

        results = []
        for lane in range(self.lanes):
            divided = {}
            for name, operand in operands.items():
                element    = operand.word_select(lane, self.activation_bits).as_signed()
                difference = register(signed(9), f"{name}_difference_{lane}")
                # 9 x 31 bits give 40; all but one of the 11 to round off are dropped.
                product = register(signed(30), f"{name}_product_{lane}")
                settled = register(signed(30), f"{name}_settled_{lane}")
                divided[name] = register(signed(30), f"{name}_divided_{lane}")
                with m.If(advance):
                    m.d.sync += [
                        difference.eq(element - zero_points[name]),                 # 2
                        product.eq(keep_half(difference * multipliers[name], 11)),  # 3
                        settled.eq(settle_half(product)),                           # 4
                        divided[name].eq(settled >> shifts[name]),                  # 5
                    ]
            # Each term is below 255 * 2**20, the sum below 2**29 and so the product below 2**60.
            added   = register(signed(30), f"sum_{lane}")
            product = register(signed(31), f"product_{lane}")
            high    = register(signed(31), f"high_{lane}")
            settled = register(signed(31), f"settled_{lane}")
            scaled  = Signal(signed(31), name=f"scaled_{lane}")
            # As in Requantize: saturation to 10 bits ends beyond minimum or maximum in any case.
            shifted = register(signed(10), f"shifted_{lane}")
            total   = Signal(signed(10), name=f"total_{lane}")
            m.d.comb += [
                scaled.eq(settled >> shift),
                total.eq(add_offset(shifted, limits.zero_point)),
            ]
            with m.If(advance):
                m.d.sync += [
                    added.eq(round_half(divided["a"]) + round_half(divided["b"])),  # 6
                    product.eq(keep_half(added * multiplier, 31)),                  # 7
                    high.eq(product),                                               # 8
                    settled.eq(settle_half(high)),                                  # 9
                    shifted.eq(saturate(scaled, 10)),                               # 10
                ]
            clamped = Signal(signed(self.activation_bits), name=f"clamped_{lane}")
            m.d.comb += clamped.eq(clamp(total, limits.minimum, limits.maximum))
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
