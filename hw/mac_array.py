"""Array of multipliers that works on 1x1 convolutions and on 3x3 depthwise windows."""

from functools import partial
from itertools import product

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .config import (
    ACCUMULATOR_BITS,
    NARROW_ACCUMULATOR_BITS,
    TAPS,
    field_bits,
    packed_products,
)
from .layouts import accumulator_word, activation_word, tap_word
from .line_buffer import window_layout
from .multiply import cut_product
from .packing import Term, add_terms, check_packing, columns, flip_mask, pack, split
from .pipelines import delay, register

__all__ = ["MacArray", "weight_word"]


def weight_word(inputs, outputs, bits):
    """Layout of a word of 1x1 weights, indexed ``[output][input]``."""
    return data.ArrayLayout(data.ArrayLayout(signed(bits), inputs), outputs)


class MacArray(wiring.Component):
    """Multipliers, adder trees and accumulators, pipelined; two products a multiplier if packed.

    An item is either one step of a 1x1 convolution, ``inputs`` channels of ``pixels`` pixels
    against all ``outputs``, added to the accumulators; or a word of 3x3 windows, which is complete
    in itself. For windows, channel ``c`` has the ``outputs / inputs`` output lanes from ``c *
    outputs / inputs`` on, one tap for each of their multipliers, so nine taps need ``outputs >=
    9``. Windows leave the accumulators alone and may come between the steps of a convolution.

    Activations are multiplied as ``x + 2**(activation_bits - 1)``, which is not negative, with or
    without packing: whoever wants sums of ``x`` subtracts as often the weights' sum, as part of the
    bias.

    An array for one kind of work alone has no ports and no multipliers for the other; for windows
    it has nine for each channel and pixel, or pair of pixels, whatever ``outputs`` is.

    Parameters
    ----------
    outputs, inputs, pixels : int
        Lanes.
    frames : int
        1, or 2 to multiply the pixels of two frames with the same weights.
    packing : str
        Which two products share a multiplier, one of :data:`mnv2.hw.config.PACKINGS`.
    operand_bits : int
        Wider operand of a multiplier, one of :data:`mnv2.hw.config.OPERAND_BITS`.
    lut_outputs : int
        Outputs whose products are made of LUTs, each by itself: those of the last lanes of each
        channel, which have no taps where there are enough.
    weight_bits, activation_bits : int
        Widths of the factors, 4 to 8 bits.
    accumulator_bits : int
        Width of a sum, 16 to 32 bits; sums are exact modulo 2**accumulator_bits.
    pointwise, depthwise : bool
        Kinds of work that the array does, at least one.
    tag_shape : ShapeLike
        Shape of a tag that travels with the item.

    Attributes
    ----------
    latency : int
        Cycles from ``i`` to ``o``: 4, or 5 where the products of a lane are added in several packed
        sums, which are added after that.

    Members
    -------
    i
        ``pointwise``: a step of a convolution, of the activations ``x`` and the ``weights``, which
        begins new sums if ``first``. ``depthwise``: the ``windows`` and the ``taps``. Neither: only
        the tag travels. Channel ``c`` of frame ``f`` is at ``f * inputs + c`` of ``x`` and of
        ``windows``.
    o
        ``accumulators`` after the item, indexed ``[output // inputs][pixel][frame * inputs + output
        % inputs]``; ``sums`` of the windows, indexed ``[pixel][frame * inputs + channel]``; both
        are sums of products, without bias.
    """

    def __init__(self, *, outputs, inputs, pixels, frames=1, packing="none", operand_bits=27,
                 lut_outputs=0, weight_bits=8, activation_bits=8, accumulator_bits=ACCUMULATOR_BITS,
                 pointwise=True, depthwise=True, tag_shape=1):
        check_integer("Outputs", outputs)
        check_integer("Inputs", inputs)
        check_integer("Pixels", pixels)
        check_integer("Frames", frames, 1, 2)
        check_integer("LUT outputs", lut_outputs, 0, outputs)
        check_integer("Weight bits", weight_bits, 4, 8)
        check_integer("Activation bits", activation_bits, 4, 8)
        check_integer("Accumulator bits", accumulator_bits, NARROW_ACCUMULATOR_BITS[0],
                      ACCUMULATOR_BITS)
        check_packing(packing, pixels=pixels, frames=frames, operand_bits=operand_bits,
                      weight_bits=weight_bits, activation_bits=activation_bits)
        if outputs % inputs:
            raise ValueError(f"Outputs must be a multiple of inputs ({inputs}), not {outputs!r}")
        if not (pointwise or depthwise):
            raise ValueError("An array must be for pointwise work, for depthwise work, or for both")
        if depthwise and outputs < TAPS:
            raise ValueError(f"Outputs must be at least {TAPS}, the taps of a 3x3 kernel, "
                             f"not {outputs!r}")
        self.outputs          = outputs
        self.inputs           = inputs
        self.pixels           = pixels
        self.frames           = frames
        self.packing          = packing
        self.operand_bits     = operand_bits
        self.lut_outputs      = lut_outputs
        self.weight_bits      = weight_bits
        self.activation_bits  = activation_bits
        self.accumulator_bits = accumulator_bits
        self.pointwise        = bool(pointwise)
        self.depthwise        = bool(depthwise)
        self.tag_shape        = tag_shape
        # The pixels that share multipliers, and those of an output in LUTs; their numbers in names;
        # products that are added before a sum is split; lanes of a channel that have taps; the
        # outputs in LUTs.
        alone           = columns("none", pixels=pixels, frames=frames)
        self._columns   = columns(packing, pixels=pixels, frames=frames)
        self._alone     = alone if lut_outputs else []
        self._numbers   = {column: number for number, column in enumerate(
            dict.fromkeys([*self._columns, *self._alone]))}
        self._field     = field_bits(operand_bits, activation_bits)
        self._chunk     = inputs if packing == "none" else min(
            inputs, packed_products(operand_bits, activation_bits, weight_bits))
        self._tap_lanes = -(-TAPS // inputs) if depthwise else 0
        lanes           = outputs // inputs
        self._in_luts   = sorted(range(outputs), key=lambda output: output % lanes)[
            outputs - lut_outputs:]
        self.latency    = 4 if self._chunk in (1, inputs) else 5
        channels = frames * inputs
        item, result = {}, {}
        if pointwise:
            item["x"]              = activation_word(channels, pixels, activation_bits)
            item["weights"]        = weight_word(inputs, outputs, weight_bits)
            item["first"]          = 1
            result["accumulators"] = data.ArrayLayout(
                accumulator_word(channels, pixels, accumulator_bits), outputs // inputs)
        if depthwise:
            item["windows"] = window_layout(channels, pixels, activation_bits)
            item["taps"]    = tap_word(inputs, weight_bits)
            result["sums"]  = accumulator_word(channels, pixels, accumulator_bits)
        common = {"pointwise": 1, "depthwise": 1, "tag": tag_shape}
        super().__init__({
            "i": In(stream.Signature(data.StructLayout({**item, **common}))),
            "o": Out(stream.Signature(data.StructLayout({**result, **common}))),
        })

    def elaborate(self, platform):
        m = Module()
        advance = Signal()
        m.d.comb += [advance.eq(~self.o.valid | self.o.ready), self.i.ready.eq(advance)]

        class Control(data.Struct):
            valid:     1
            pointwise: 1
            depthwise: 1
            first:     1

        control = [Signal(Control, name=f"control_{stage}") for stage in range(self.latency + 1)]
        tags    = [Signal(self.tag_shape, name=f"tag_{stage}") for stage in range(self.latency + 1)]
        out     = self.o.payload
        m.d.comb += [
            control[0].valid.eq(self.i.valid),
            control[0].pointwise.eq(self.i.payload.pointwise),
            control[0].depthwise.eq(self.i.payload.depthwise),
            control[0].first.eq(self.i.payload.first if self.pointwise else 0),
            tags[0].eq(self.i.payload.tag),
            self.o.valid.eq(control[-1].valid),
            out.pointwise.eq(control[-1].pointwise),
            out.depthwise.eq(control[-1].depthwise),
            out.tag.eq(tags[-1]),
        ]
        # What the last stage does, in a register for each kind: each leads to all sums.
        adds, joins = Signal(), Signal()
        with m.If(advance):
            for stage in range(self.latency):
                m.d.sync += [control[stage + 1].eq(control[stage]), tags[stage + 1].eq(tags[stage])]
            m.d.sync += [
                adds.eq(control[-3].valid & control[-3].pointwise),
                joins.eq(control[-3].valid & control[-3].depthwise),
            ]

        after = partial(delay, m, advance, stages=1)
        self._accumulate(m, advance, self._lanes(m, after, self._products(m, after)), control[-2],
                         adds, joins)
        return m

    def _products(self, m, after):
        """Stages 1 and 2: operands, then what each output adds up for a column, in a list.

        That is a product for each input; of an output in LUTs it is the terms of one. No register
        has a reset, and all have one enable: tools find them in the device's DSPs.
        """
        item     = self.i.payload
        summands = {}
        operands = {}       # one for all outputs where no window goes
        x        = self._activations(m) if self.pointwise else {}
        for output in range(self.outputs):
            channel, lane = divmod(output, self.outputs // self.inputs)
            for i in range(self.inputs):
                tap     = lane * self.inputs + i
                has_tap = self.depthwise and tap < TAPS
                if not (self.pointwise or has_tap):
                    continue
                weight = item.weights[output][i] if self.pointwise else None
                if has_tap:
                    weight = self._choose(weight, item.taps[channel][tap])
                elif lane < self._tap_lanes:
                    weight = self._choose(weight, C(0, 1))      # the lane's sum is of taps alone
                b = after(weight, name=f"b_{output}_{i}")
                for column in self._columns_of(output):
                    number = self._numbers[column]
                    key    = (output, number, i) if has_tap else (number, i)
                    if key not in operands:
                        value = x.get((number, i))
                        if has_tap:
                            value = self._choose(value, pack(
                                [item.windows[pixel][frame * self.inputs + channel][tap]
                                 for pixel, frame in column], self._field))
                        mask = flip_mask(len(column), self.activation_bits, self._field)
                        operands[key] = after(value ^ mask, name="a_" + "_".join(map(str, key)))
                    summands.setdefault((output, column), []).extend(self._multiply(
                        m, after, operands[key], b, output in self._in_luts,
                        name=f"product_{output}_{number}_{i}"))
        return summands

    def _columns_of(self, output):
        """The pixels that are multiplied together for an output."""
        return self._alone if output in self._in_luts else self._columns

    def _activations(self, m):
        """Activations of a step by column and input, those of a pair side by side."""
        x = {}
        for column, number in self._numbers.items():
            for i in range(self.inputs):
                value = pack([self.i.payload.x[pixel][frame * self.inputs + i]
                              for pixel, frame in column], self._field)
                x[number, i] = Signal(len(value), name=f"x_{number}_{i}")
                m.d.comb += x[number, i].eq(value)
        return x

    def _choose(self, pointwise, depthwise):
        """Operand of a multiplier: of the item's kind, or the only one there is."""
        return depthwise if pointwise is None else Mux(
            self.i.payload.depthwise, depthwise, pointwise)

    def _multiply(self, m, after, a, b, in_luts, *, name):
        """Registers of a product, or of the terms that it is the sum of, each in its place."""
        if not in_luts:
            return [after(a * b, name=name)]
        terms = cut_product(m, b, a, operand_bits=self.operand_bits, in_luts=True, name=name)
        return [after(term, name=f"{name}_{place}") << place for place, term in terms]

    def _lanes(self, m, after, summands):
        """Sums of products, by output, pixel and frame: one stage or two."""
        lanes = {}
        for (output, column), given in summands.items():
            name = f"{output}_{self._numbers[column]}"
            if output in self._in_luts:
                lanes[(output, *column[0])] = self._sum(m, after, given, name)
                continue
            chunks = []
            for first in range(0, len(given), self._chunk):
                total = add_terms(m, [Term(one) for one in given[first:first + self._chunk]],
                                  f"sum_{name}_{first}").value
                if not self._chunk == 1 < self.inputs:      # a product that is split needs no stage
                    total = after(total, name=f"sum_{name}_{first}")
                chunks.append(split(total, len(column), self._field))
            for (pixel, frame), terms in zip(column, zip(*chunks, strict=True), strict=False):
                term = terms[0]
                if self._chunk < self.inputs:
                    lane = f"lane_{output}_{pixel}_{frame}"
                    term = add_terms(m, terms, lane)
                    term = Term(after(term.value, name=lane), None if term.borrow is None else
                                after(term.borrow, name=f"{lane}_borrow"))
                lanes[output, pixel, frame] = term
        return lanes

    def _sum(self, m, after, given, name):
        """Sum of the terms of products in LUTs, as late as those of the other outputs."""
        bits  = self.weight_bits + self.activation_bits + (self.inputs - 1).bit_length()
        total = add_terms(m, [Term(one) for one in given], f"sum_{name}").value
        total = total[:bits].as_signed() if len(total) > bits else total
        for stage in range(3, self.latency):
            total = after(total, name=f"sum_{name}_{stage}")
        return Term(total)

    def _accumulate(self, m, advance, lanes, step, adds, joins):
        """Last stage: accumulate over the steps of a convolution, or join the lanes of a channel.

        The same adders do both: for windows, a lane adds the sum of the lanes above instead of its
        accumulator.
        """
        out         = self.o.payload
        per_channel = self.outputs // self.inputs
        sum_bits    = min(self.accumulator_bits,
                          self.weight_bits + self.activation_bits + (TAPS - 1).bit_length())
        for channel, pixel, frame in product(
                range(self.inputs), range(self.pixels), range(self.frames)):
            place  = f"{pixel}_{frame}"
            terms  = [lanes.get((channel * per_channel + lane, pixel, frame))
                      for lane in range(per_channel)]
            tapped = terms[:self._tap_lanes]
            joined = C(0)
            if not self.pointwise:
                joined = add_terms(m, tapped, f"joined_{channel}_{place}").plus(joined)
            elif tapped and tapped[-1].borrow is None:
                joined = tapped.pop().value
            for lane in reversed(range(per_channel)) if self.pointwise else ():
                output      = channel * per_channel + lane
                word, other = divmod(output, self.inputs)
                accumulator = Signal(signed(self.accumulator_bits), reset_less=True,
                                     name=f"accumulator_{output}_{place}")
                added       = Mux(step.first, 0, accumulator)
                if lane < len(tapped):
                    added = Mux(step.depthwise, joined, added)
                total = terms[lane].plus(added)
                if lane < len(tapped):
                    joined = Signal(signed(self.accumulator_bits), name=f"joined_{output}_{place}")
                    m.d.comb += joined.eq(total)
                    total = joined
                with m.If(advance & adds):
                    m.d.sync += accumulator.eq(total)
                m.d.comb += out.accumulators[word][pixel][frame * self.inputs + other].eq(
                    accumulator)
            if self.depthwise:
                sums = register(signed(sum_bits), f"sum_{channel}_{place}")
                with m.If(advance & joins):
                    m.d.sync += sums.eq(joined)
                m.d.comb += out.sums[pixel][frame * self.inputs + channel].eq(sums)
