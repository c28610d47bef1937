"""Way of results through the residual adder: queue, read of the other summand, addition."""

from amaranth import *
from amaranth.lib import data, fifo, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .config import ADDRESS_BITS
from .layouts import AddParameters, activation_word
from .map_memory import placed_word
from .residual import ResidualAdd

__all__ = ["ResidualPath"]


class ResidualPath(wiring.Component):
    """Adds each result to a word of the block's input, which is read when the map memory is free.

    Parameters
    ----------
    channels, pixels : int
        Lanes of a word.
    lanes : int
        Elements that are added in a cycle, see :class:`mnv2.hw.residual.ResidualAdd`.
    queue_words : int
        Results that wait for the adder; more must not be given.
    rounding, operand_bits, multipliers_in_luts, activation_bits
        See :class:`mnv2.hw.residual.ResidualAdd`.

    Members
    -------
    valid, word, address, residual_address
        A result, the address of its sum, and that of the word of the block's input.
    parameters
        Parameters of the addition; constant while anything is under way.
    fetch, fetch_address, grant, fetched
        Asks the map memory for a word, which comes in the cycle after ``grant``.
    taken
        A result has left the queue.
    sum_valid, sum
        The sum and its address.
    """

    def __init__(self, *, channels, pixels, lanes, queue_words, rounding="double",
                 operand_bits=27, multipliers_in_luts=False, activation_bits=8):
        check_integer("Queue words", queue_words)
        self.queue_words = queue_words
        self._adder = ResidualAdd(
            channels=channels, pixels=pixels, lanes=lanes, rounding=rounding,
            operand_bits=operand_bits, multipliers_in_luts=multipliers_in_luts,
            activation_bits=activation_bits, tag_shape=ADDRESS_BITS)
        self._word = activation_word(channels, pixels, activation_bits)
        #: Cycles from a word's fetch to its sum, and to the next fetch at the earliest.
        self.latency         = 1 + self._adder.latency
        self.cycles_per_item = 1 + self._adder.cycles_per_item
        super().__init__({
            "valid":            In(1),
            "word":             In(self._word),
            "address":          In(ADDRESS_BITS),
            "residual_address": In(ADDRESS_BITS),
            "parameters":       In(AddParameters),
            "fetch":            Out(1),
            "fetch_address":    Out(ADDRESS_BITS),
            "grant":            In(1),
            "fetched":          In(self._word),
            "taken":            Out(1),
            "sum_valid":        Out(1),
            "sum":              Out(placed_word(self._word)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.adder = adder = self._adder
        entry = data.StructLayout({
            "word": self._word, "address": ADDRESS_BITS, "residual_address": ADDRESS_BITS})
        m.submodules.queue = queue = fifo.SyncFIFO(width=entry.size, depth=self.queue_words)
        arriving, waiting, held = Signal(entry), Signal(entry), Signal(entry)
        reading = Signal()              # the word that was fetched is there
        m.d.comb += [
            arriving.word.eq(self.word),
            arriving.address.eq(self.address),
            arriving.residual_address.eq(self.residual_address),
            queue.w_en.eq(self.valid),
            queue.w_data.eq(arriving),
            waiting.eq(queue.r_data),
            self.fetch.eq(queue.r_rdy & adder.i.ready & ~reading),
            self.fetch_address.eq(waiting.residual_address),
            self.taken.eq(self.grant),
            queue.r_en.eq(self.grant),
            adder.i.valid.eq(reading),
            adder.i.payload.a.eq(self.fetched),
            adder.i.payload.b.eq(held.word),
            adder.i.payload.parameters.eq(self.parameters),
            adder.i.payload.tag.eq(held.address),
            adder.o.ready.eq(1),
            self.sum_valid.eq(adder.o.valid),
            self.sum.word.eq(adder.o.payload.word),
            self.sum.address.eq(adder.o.payload.tag),
        ]
        m.d.sync += reading.eq(self.grant)
        with m.If(self.grant):
            m.d.sync += held.eq(waiting)
        return m
