"""Pointwise unit: words of activations in, accumulators of a 1x1 convolution out.

The stand-alone form, for use and tests on its own: a memory of weights and multipliers of its own.
The accelerator uses :class:`mnv2.hw.mac_array.MacArray` itself, so that pointwise and depthwise
work share the multipliers.
"""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..arguments import check_integer
from ..config import ACCUMULATOR_BITS, ADDRESS_BITS, WORDS_BITS
from ..layouts import accumulator_word, activation_word
from ..mac_array import MacArray, weight_word
from .weight_banks import WeightBanks

__all__ = ["Pointwise"]

GROUP_BITS = 16         # of a count of pixel groups, of a whole map


class Pointwise(wiring.Component):
    """1x1 convolution, one step a cycle.

    There are ``outputs * inputs`` multipliers for each pixel of each frame, or for each pair of
    pixels.

    For each group of pixels the input channel words arrive one after the other, once for each tile
    of ``outputs`` output channels: the caller, who holds the map, reads them again. A tile leaves
    as words of ``inputs`` channels, ready for :class:`mnv2.hw.requantize.Requantize`, while the
    next one is summed. So there is no idle cycle between tiles, groups or commands, as long as the
    output takes a word a cycle and a tile has no more output words than the sum has input words;
    with fewer, the output is what limits.

    Weights come in sets, one word for each step of a group of pixels, in order of use: by tile,
    then input word. A command waits until its set is complete, and keeps it for the commands that
    follow unless it says ``release``; the next set may be loaded meanwhile.

    Parameters
    ----------
    inputs, outputs, pixels : int
        Lanes: input channels and pixels of a word, output channels of a tile; ``outputs`` is a
        multiple of ``inputs``.
    frames : int
        1, or 2 for two maps with the same weights.
    packing, operand_bits
        Products that share a multiplier, see :class:`mnv2.hw.mac_array.MacArray`.
    weight_words : int
        Words of a set, of ``outputs * inputs`` weights each. The memory holds two sets.
    weight_bits, activation_bits : int
        Width of a weight and of an activation, 4 to 8 bits.
    accumulator_bits : int
        Width of a sum, 16 to 32 bits; sums are exact modulo 2**accumulator_bits.

    Attributes
    ----------
    latency : int
        Cycles from the last input word of a tile to its first output word.

    Members
    -------
    i_weights
        Weights of the step ``address``, indexed ``[output][input]``; ``last`` completes the set.
    i_command
        ``groups`` of pixels to work on; ``input_words`` and ``output_words``, channel words of each
        group; all at least 1. The lanes of a last tile beyond ``output_words`` are left out.
        ``release``, the last command that uses the set of weights.
    i
        Words of activations, by group, tile, input word; channel ``c`` of frame ``f`` at ``f *
        inputs + c``.
    o
        ``accumulators``, sums of ``(x + 2**(activation_bits - 1)) * weight`` without bias, indexed
        like ``i``; ``word``, the output channel word; ``address``, the position of the output word
        counted from the command's first: ``group * output_words + word``.
    """

    def __init__(self, *, inputs, outputs, pixels, frames=1, packing="none", operand_bits=27,
                 weight_words, weight_bits=8, activation_bits=8,
                 accumulator_bits=ACCUMULATOR_BITS):
        check_integer("Inputs", inputs)
        check_integer("Outputs", outputs)
        check_integer("Pixels", pixels)
        check_integer("Frames", frames, 1, 2)
        check_integer("Weight words", weight_words)
        check_integer("Weight bits", weight_bits, 4, 8)
        check_integer("Activation bits", activation_bits, 4, 8)
        if outputs % inputs:
            raise ValueError(f"Outputs must be a multiple of inputs ({inputs}), not {outputs!r}")
        self.inputs           = inputs
        self.outputs          = outputs
        self.pixels           = pixels
        self.frames           = frames
        self.weight_words     = weight_words
        self.weight_bits      = weight_bits
        self.activation_bits  = activation_bits
        self.accumulator_bits = accumulator_bits
        self._weights = weight_word(inputs, outputs, weight_bits)
        # What the last step of a tile carries: where the tile begins, and how much of it counts.
        self._tag = data.StructLayout({
            "last":    1,
            "words":   range(self.tile_words + 1),
            "word":    WORDS_BITS,
            "address": ADDRESS_BITS,
        })
        self._array = MacArray(
            outputs=outputs, inputs=inputs, pixels=pixels, frames=frames, packing=packing,
            operand_bits=operand_bits, weight_bits=weight_bits, activation_bits=activation_bits,
            accumulator_bits=accumulator_bits, depthwise=False, tag_shape=self._tag)
        self.latency  = WeightBanks.latency + self._array.latency + 1
        self._command = data.StructLayout({
            "groups":       GROUP_BITS,
            "input_words":  WORDS_BITS,
            "output_words": WORDS_BITS,
            "release":      1,
        })
        super().__init__({
            "i_weights": In(stream.Signature(data.StructLayout({
                "weights": self._weights,
                "address": range(weight_words),
                "last":    1,
            }))),
            "i_command": In(stream.Signature(self._command)),
            "i": In(stream.Signature(activation_word(frames * inputs, pixels, activation_bits))),
            "o": Out(stream.Signature(data.StructLayout({
                "accumulators": accumulator_word(frames * inputs, pixels, accumulator_bits),
                "word":         WORDS_BITS,
                "address":      ADDRESS_BITS,
            }))),
        })

    @property
    def tile_words(self):
        """Output words of a tile."""
        return self.outputs // self.inputs

    def elaborate(self, platform):
        m = Module()
        m.submodules.array   = array   = self._array
        m.submodules.weights = weights = WeightBanks(shape=self._weights, words=self.weight_words)
        connect(m, flipped(self.i_weights), weights.i)

        # Stage 0: count the steps; each takes a word and reads its weights.
        valid_1 = Signal()
        advance = Signal()
        m.d.comb += advance.eq(~valid_1 | array.i.ready)

        active     = Signal()
        command    = Signal(self._command)
        group      = Signal(GROUP_BITS)
        word       = Signal(WORDS_BITS)               # first output word of the tile
        step       = Signal(WORDS_BITS)               # input word
        address    = Signal(ADDRESS_BITS)            # of the tile's first output word
        weight     = Signal(range(self.weight_words + 1))
        words_left = Signal(WORDS_BITS)
        words      = Signal(range(self.tile_words + 1))
        last_step  = Signal()
        last_tile  = Signal()
        last_group = Signal()
        fire       = Signal()
        finish     = Signal()
        m.d.comb += [
            fire.eq(active & self.i.valid & advance),
            self.i.ready.eq(active & advance),
            words_left.eq(command.output_words - word),
            last_step.eq(step + 1 == command.input_words),
            last_tile.eq(words_left <= self.tile_words),
            last_group.eq(group + 1 == command.groups),
            words.eq(Mux(last_tile, words_left, self.tile_words)),
            finish.eq(fire & last_step & last_tile & last_group),
            self.i_command.ready.eq((~active | finish) & weights.full),
            weights.address.eq(weight),
            weights.enable.eq(advance),
            weights.release.eq(finish & command.release),
        ]
        with m.If(fire):
            m.d.sync += [step.eq(step + 1), weight.eq(weight + 1)]
            with m.If(last_step):
                m.d.sync += [
                    step.eq(0),
                    word.eq(word + self.tile_words),
                    address.eq(address + words),
                ]
                with m.If(last_tile):
                    m.d.sync += [word.eq(0), weight.eq(0), group.eq(group + 1)]
            m.d.sync += Assert(weight < self.weight_words,
                               Format("No weights at address {:d}", weight))
        with m.If(finish):
            m.d.sync += active.eq(0)
        with m.If(self.i_command.valid & self.i_command.ready):
            m.d.sync += [
                active.eq(1),
                command.eq(self.i_command.payload),
                group.eq(0),
                word.eq(0),
                step.eq(0),
                address.eq(0),
                weight.eq(0),
            ]

        # Stage 1: the word meets its weights. The array adds its own stages.
        x_1     = Signal.like(self.i.payload, reset_less=True)
        first_1 = Signal(reset_less=True)
        tag_1   = Signal(self._tag, reset_less=True)
        with m.If(advance):
            m.d.sync += [
                valid_1.eq(fire),
                x_1.eq(self.i.payload),
                first_1.eq(step == 0),
                tag_1.last.eq(last_step),
                tag_1.words.eq(words),
                tag_1.word.eq(word),
                tag_1.address.eq(address),
            ]
        m.d.comb += [
            array.i.valid.eq(valid_1),
            array.i.payload.x.eq(x_1),
            array.i.payload.weights.eq(weights.data),
            array.i.payload.first.eq(first_1),
            array.i.payload.pointwise.eq(1),
            array.i.payload.depthwise.eq(0),
            array.i.payload.tag.eq(tag_1),
        ]

        # Last stage: a finished tile leaves word by word, the lowest first.
        done   = array.o.payload.tag
        tile   = Signal.like(array.o.payload.accumulators, reset_less=True)
        left   = Signal(range(self.tile_words + 1))  # words that have not left
        room   = Signal()
        out    = self.o.payload
        m.d.comb += [
            self.o.valid.eq(left != 0),
            out.accumulators.eq(tile[0]),
            room.eq((left == 0) | ((left == 1) & self.o.ready)),
            array.o.ready.eq(~done.last | room),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [
                left.eq(left - 1),
                out.word.eq(out.word + 1),
                out.address.eq(out.address + 1),
            ]
            m.d.sync += [tile[k].eq(tile[k + 1]) for k in range(self.tile_words - 1)]
        with m.If(array.o.valid & done.last & room):
            m.d.sync += [
                left.eq(done.words),
                tile.eq(array.o.payload.accumulators),
                out.word.eq(done.word),
                out.address.eq(done.address),
            ]
        return m
