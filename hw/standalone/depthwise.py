"""Depthwise unit: a map word by word in, accumulators of a 3x3 depthwise convolution out.

The stand-alone form, for use and tests on its own: a line buffer, a memory of kernels and
multipliers of its own. The accelerator joins :class:`mnv2.hw.line_buffer.LineBuffer` and
:class:`mnv2.hw.mac_array.MacArray` itself, so that depthwise and pointwise work share the
multipliers.
"""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..arguments import check_integer
from ..config import ACCUMULATOR_BITS, ADDRESS_BITS, TAPS, WORDS_BITS
from ..layouts import accumulator_word, activation_word, tap_word
from ..line_buffer import LineBuffer, LineCommand
from ..mac_array import MacArray
from .weight_banks import WeightBanks

__all__ = ["Depthwise"]


class Depthwise(wiring.Component):
    """3x3 depthwise convolution, one output word a cycle.

    There are nine multipliers for each channel and pixel of each frame, or for each pair of pixels.

    One step a cycle while both sides are ready: with stride 1 an output word for each input word,
    except for the steps at the start of a row and of a map, which only fill the windows.

    Kernels come in sets, addressed by channel word. A command waits until its set is complete, and
    keeps it for the commands that follow unless it says ``release``; the next set may be loaded
    meanwhile.

    Parameters
    ----------
    channels, pixels : int
        Lanes of a word, of each frame.
    frames : int
        1, or 2 for two maps with the same kernels.
    packing, operand_bits
        Products that share a multiplier, see :class:`mnv2.hw.mac_array.MacArray`.
    tile_words : int
        Channel words that arrive side by side for each group of pixels.
    depth : int
        Words in a row that the line memory holds: channel words times groups.
    words : int
        Channel words of a set of kernels, at most 4096. The memory holds two sets.
    weight_bits, activation_bits : int
        Width of a weight and of an activation, 4 to 8 bits.
    accumulator_bits : int
        Width of a sum, 16 to 32 bits; sums are exact modulo 2**accumulator_bits.

    Attributes
    ----------
    latency : int
        Cycles from the last word of a window to its accumulators.

    Members
    -------
    i_weights
        Kernels of the channel word ``address``; ``last`` completes the set.
    i_command
        ``line``, rows to take in, see :class:`mnv2.hw.line_buffer.LineCommand`; ``release``, the
        last command that uses the set of kernels.
    i
        Words of the map in the line buffer's step order, channel ``c`` of frame ``f`` at ``f *
        channels + c``.
    o
        ``accumulators``, sums of ``(x + 2**(activation_bits - 1)) * weight`` without bias, indexed
        like ``i``; ``word``, the channel word; ``address``, the position of the output word counted
        from the command's first.
    """

    def __init__(self, *, channels, pixels, frames=1, packing="none", operand_bits=27, tile_words=1,
                 depth, words, weight_bits=8, activation_bits=8,
                 accumulator_bits=ACCUMULATOR_BITS):
        check_integer("Channels", channels)
        check_integer("Pixels", pixels)
        check_integer("Frames", frames, 1, 2)
        check_integer("Tile words", tile_words)
        check_integer("Depth", depth)
        check_integer("Words", words, 1, 1 << WORDS_BITS)
        check_integer("Weight bits", weight_bits, 4, 8)
        check_integer("Activation bits", activation_bits, 4, 8)
        self.channels         = channels
        self.pixels           = pixels
        self.frames           = frames
        self.tile_words       = tile_words
        self.depth            = depth
        self.words            = words
        self.weight_bits      = weight_bits
        self.activation_bits  = activation_bits
        self.accumulator_bits = accumulator_bits
        self._taps = tap_word(channels, weight_bits)
        self._tag  = data.StructLayout({"word": WORDS_BITS, "address": ADDRESS_BITS})
        self._array = MacArray(
            # The fewest output lanes whose multipliers hold nine taps for each channel.
            outputs=channels * -(-TAPS // channels), inputs=channels, pixels=pixels, frames=frames,
            packing=packing, operand_bits=operand_bits, weight_bits=weight_bits,
            activation_bits=activation_bits, accumulator_bits=accumulator_bits, pointwise=False,
            tag_shape=self._tag)
        self.latency = LineBuffer.latency + WeightBanks.latency + self._array.latency
        super().__init__({
            "i_weights": In(stream.Signature(data.StructLayout({
                "weights": self._taps,
                "address": range(words),
                "last":    1,
            }))),
            "i_command": In(stream.Signature(data.StructLayout({
                "line":    LineCommand,
                "release": 1,
            }))),
            "i": In(stream.Signature(activation_word(frames * channels, pixels, activation_bits))),
            "o": Out(stream.Signature(data.StructLayout({
                "accumulators": accumulator_word(frames * channels, pixels, accumulator_bits),
                "word":         WORDS_BITS,
                "address":      ADDRESS_BITS,
            }))),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.line_buffer = line_buffer = LineBuffer(
            channels=self.frames * self.channels, pixels=self.pixels, tile_words=self.tile_words,
            depth=self.depth, activation_bits=self.activation_bits, address_bits=ADDRESS_BITS)
        m.submodules.array   = array   = self._array
        m.submodules.kernels = kernels = WeightBanks(shape=self._taps, words=self.words)

        connect(m, flipped(self.i), line_buffer.i)
        connect(m, flipped(self.i_weights), kernels.i)

        # A command waits for its kernels, and for those before it to be released.
        releasing = Signal()
        start     = Signal()
        m.d.comb += [
            start.eq(kernels.full & ~releasing),
            line_buffer.i_command.valid.eq(self.i_command.valid & start),
            line_buffer.i_command.payload.eq(self.i_command.payload.line),
            self.i_command.ready.eq(line_buffer.i_command.ready & start),
            kernels.release.eq(releasing & ~line_buffer.busy),
        ]
        with m.If(self.i_command.valid & self.i_command.ready):
            m.d.sync += releasing.eq(self.i_command.payload.release)
        with m.If(kernels.release):
            m.d.sync += releasing.eq(0)

        # Stage 1: the windows wait for their kernels. The array adds its own stages.
        window    = line_buffer.o
        advance   = Signal()
        valid_1   = Signal()
        windows_1 = Signal.like(window.payload.window, reset_less=True)
        tag_1     = Signal(self._tag, reset_less=True)
        m.d.comb += [
            advance.eq(~valid_1 | array.i.ready),
            window.ready.eq(advance),
            kernels.address.eq(window.payload.word),
            kernels.enable.eq(advance),
        ]
        with m.If(advance):
            m.d.sync += [
                valid_1.eq(window.valid),
                windows_1.eq(window.payload.window),
                tag_1.word.eq(window.payload.word),
                tag_1.address.eq(window.payload.address),
            ]
        with m.If(window.valid):
            m.d.sync += Assert(window.payload.word < self.words,
                               Format("No kernels for channel word {:d}", window.payload.word))
        m.d.comb += [
            array.i.valid.eq(valid_1),
            array.i.payload.windows.eq(windows_1),
            array.i.payload.taps.eq(kernels.data),
            array.i.payload.pointwise.eq(0),
            array.i.payload.depthwise.eq(1),
            array.i.payload.tag.eq(tag_1),
            array.o.ready.eq(self.o.ready),
            self.o.valid.eq(array.o.valid),
            self.o.payload.accumulators.eq(array.o.payload.sums),
            self.o.payload.word.eq(array.o.payload.tag.word),
            self.o.payload.address.eq(array.o.payload.tag.address),
        ]
        return m
