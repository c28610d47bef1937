"""Way of logits out of the core: accumulators wait for their requantised values."""

from amaranth import *
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .config import ACCUMULATOR_BITS, NARROW_ACCUMULATOR_BITS
from .layouts import logits_word

__all__ = ["LogitsPath"]


class LogitsPath(wiring.Component):
    """Joins the accumulators of the first pixel, their biases added, with their requantised values.

    Parameters
    ----------
    inputs, frames : int
        Channels of a word, and frames that have them.
    accumulator_bits, activation_bits : int
        Widths of an accumulator and of a requantised value.
    queue_words : int
        Words of logits that wait; more must not be given.

    Members
    -------
    valid, accumulators, biases
        Accumulators, ``[frame * inputs + channel]``, and the biases of the channels.
    result_valid, results
        Their requantised values, later and in the same order.
    taken
        A word of logits leaves.
    o
        Words of logits, see :func:`mnv2.hw.layouts.logits_word`.
    """

    def __init__(self, *, inputs, frames=1, accumulator_bits=ACCUMULATOR_BITS, activation_bits=8,
                 queue_words):
        check_integer("Inputs", inputs)
        check_integer("Frames", frames)
        check_integer("Accumulator bits", accumulator_bits, NARROW_ACCUMULATOR_BITS[0],
                      ACCUMULATOR_BITS)
        check_integer("Activation bits", activation_bits, 4, 8)
        check_integer("Queue words", queue_words)
        self.inputs           = inputs
        self.frames           = frames
        self.accumulator_bits = accumulator_bits
        self.queue_words      = queue_words
        channels = frames * inputs
        super().__init__({
            "valid":        In(1),
            "accumulators": In(data.ArrayLayout(signed(accumulator_bits), channels)),
            "biases":       In(data.ArrayLayout(signed(accumulator_bits), inputs)),
            "result_valid": In(1),
            "results":      In(data.ArrayLayout(signed(activation_bits), channels)),
            "taken":        Out(1),
            "o":            Out(stream.Signature(logits_word(channels))),
        })

    def elaborate(self, platform):
        m = Module()
        word = logits_word(self.frames * self.inputs)
        total_shape, value_shape = word["accumulators"].shape, word["logits"].shape
        m.submodules.total_queue = total_queue = fifo.SyncFIFO(
            width=word["accumulators"].width, depth=self.queue_words)
        m.submodules.value_queue = value_queue = fifo.SyncFIFO(
            width=word["logits"].width, depth=self.queue_words)
        # Both are sign-extended to the widths that the host reads.
        totals, total_valid = Signal(total_shape), Signal()
        values = Signal(value_shape)
        m.d.sync += total_valid.eq(self.valid)
        for channel in range(self.frames * self.inputs):
            total = Signal(signed(self.accumulator_bits), name=f"total_{channel}")
            m.d.comb += [
                total.eq(self.accumulators[channel] + self.biases[channel % self.inputs]),
                values[channel].eq(self.results[channel]),
            ]
            m.d.sync += totals[channel].eq(total)
        m.d.comb += [
            total_queue.w_en.eq(total_valid),
            total_queue.w_data.eq(totals),
            value_queue.w_en.eq(self.result_valid),
            value_queue.w_data.eq(values),
            self.o.valid.eq(total_queue.r_rdy & value_queue.r_rdy),
            self.o.payload.accumulators.eq(total_queue.r_data),
            self.o.payload.logits.eq(value_queue.r_data),
            self.taken.eq(self.o.valid & self.o.ready),
            total_queue.r_en.eq(self.taken),
            value_queue.r_en.eq(self.taken),
        ]
        return m
