"""Decides, each cycle, what the multiplier array and the requantiser do."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .arguments import check_integer
from .config import ADDRESS_BITS, INDEX_BITS, WORDS_BITS
from .pass_walk import PassWalk
from .passes import PassCommand, Range, Stall, Target, slot_layout

__all__ = ["Issue"]


class Issue(wiring.Component):
    """Steps through a pass and lets windows in between, so that the multipliers always have work.

    Everything after the issue takes what it is given: the pipeline never stalls. So a step is
    issued only when its operands are there and its results have a place: a tile may end when the
    requantiser has taken the words of the previous tile and the next queue has room for its words.
    Windows go first, since the line buffer is what a pass to it may wait for.

    After the last pixels of a tile for the pool, the requantiser takes the pool's totals of the
    tile, too, once they are complete.

    Parameters
    ----------
    tile_words : int
        Words of results of a tile, ``outputs / inputs``.
    weight_ring, tap_ring, parameter_ring : int
        Words in each ring.
    queue_words : int
        Room in the queue before the line buffer, and in those before the residual adder and for the
        logits.
    pool_cycles : int
        Cycles from a word at the requantiser's input to its total in the pool.

    Members
    -------
    i_command
        Passes.
    window_valid, window_word, window_address, window_ready
        Windows at the line buffer's output.
    depthwise_parameters
        Position of the depthwise layer's first parameters.
    residual_input, residual_base, residual_end
        Address of the block's input word that belongs to the pass's first output word, and the ring
        it lies in.
    loaded
        Input words of the map that have arrived.
    weights_base, weights_available, weights_free, taps_available, parameters_available
        The rings, see :class:`mnv2.hw.ring.Ring`.
    image_valid
        A word of the image waits for the line buffer.
    queue_taken, side_taken
        A word has left the queue before the line buffer; that before the residual adder or for the
        logits.
    map_read, map_address, strip_address, weight_address
        What to read for this step.
    pointwise, depthwise, copy, first, stem, stem_step, from_strip
        What is issued in this cycle.
    slot
        What happens to results, see :func:`slot_layout`.
    input_next, index_next, output_next, residual_next
        Where the pass after this one goes on. Valid while not ``busy``.
    busy
        A pass is there, or results of its last tile, or of the pool, wait for the requantiser.
    stall
        Why the array does nothing. Valid while ``active``.
    active
        A pass has a step, or a window waits.
    """

    def __init__(self, *, tile_words, weight_ring, tap_ring, parameter_ring, queue_words,
                 pool_cycles):
        check_integer("Tile words", tile_words)
        check_integer("Weight ring", weight_ring, 2)
        check_integer("Tap ring", tap_ring, 2)
        check_integer("Parameter ring", parameter_ring, 2)
        check_integer("Queue words", queue_words)
        check_integer("Pool cycles", pool_cycles)
        self.tile_words     = tile_words
        self.weight_ring    = weight_ring
        self.tap_ring       = tap_ring
        self.parameter_ring = parameter_ring
        self.queue_words    = queue_words
        #: Cycles from a word for the pool to the total that it completes.
        self.mean_cycles    = max(pool_cycles, tile_words)
        super().__init__({
            "i_command":            In(stream.Signature(PassCommand)),
            "window_valid":         In(1),
            "window_word":          In(WORDS_BITS),
            "window_address":       In(ADDRESS_BITS),
            "window_ready":         Out(1),
            "depthwise_parameters": In(WORDS_BITS),
            "residual_input":       In(ADDRESS_BITS),
            "residual_base":        In(ADDRESS_BITS),
            "residual_end":         In(ADDRESS_BITS),
            "loaded":               In(INDEX_BITS),
            "weights_base":         In(range(weight_ring)),
            "weights_available":    In(range(weight_ring + 1)),
            "weights_free":         Out(WORDS_BITS),
            "taps_available":       In(range(tap_ring + 1)),
            "parameters_available": In(range(parameter_ring + 1)),
            "image_valid":          In(1),
            "queue_taken":          In(1),
            "side_taken":           In(1),
            "map_read":             Out(1),
            "map_address":          Out(ADDRESS_BITS),
            "strip_address":        Out(ADDRESS_BITS),
            "weight_address":       Out(range(weight_ring)),
            "pointwise":            Out(1),
            "depthwise":            Out(1),
            "copy":                 Out(1),
            "first":                Out(1),
            "stem":                 Out(1),
            "stem_step":            Out(5),
            "from_strip":           Out(1),
            "slot":                 Out(slot_layout(tile_words)),
            "input_next":           Out(ADDRESS_BITS),
            "index_next":           Out(INDEX_BITS),
            "output_next":          Out(ADDRESS_BITS),
            "residual_next":        Out(ADDRESS_BITS),
            "busy":                 Out(1),
            "active":               Out(1),
            "stall":                Out(Stall),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.walk = walk = PassWalk(tile_words=self.tile_words,
                                            weight_ring=self.weight_ring)
        command = walk.command
        tile    = walk.tile
        connect(m, flipped(self.i_command), walk.i_command)
        m.d.comb += [
            walk.residual_input.eq(self.residual_input),
            walk.residual_base.eq(self.residual_base),
            walk.residual_end.eq(self.residual_end),
            walk.weights_base.eq(self.weights_base),
            self.weights_free.eq(walk.weights_free),
            self.input_next.eq(walk.input_next),
            self.index_next.eq(walk.index_next),
            self.output_next.eq(walk.output_next),
            self.residual_next.eq(walk.residual_next),
        ]

        # Room downstream: words that the requantiser still has to take, and places in the queues. A
        # pass to the residual adder and one that gives logits are never under way together.
        pending    = Signal(range(self.tile_words + 1))
        means      = Signal(range(self.tile_words + 1))     # totals of the pool, after those
        queue_room = Signal(range(self.queue_words + 1), init=self.queue_words)
        side_room  = Signal(range(self.queue_words + 1), init=self.queue_words)
        to_side    = Signal()

        input_there      = Signal()
        weights_there    = Signal()
        parameters_there = Signal()
        requantizer_free = Signal()
        room             = Signal()
        ends_tile        = Signal()
        issued           = Signal()
        m.d.comb += [
            ends_tile.eq(walk.last_step & ~command.copy),
            to_side.eq((command.target == Target.RESIDUAL) | (command.target == Target.LOGITS)),
            input_there.eq(Mux(command.stem, self.window_valid | ~walk.pixel_begins,
                               command.from_strip | (walk.index_end <= self.loaded))),
            weights_there.eq(command.copy | (walk.weights_needed <= self.weights_available)),
            parameters_there.eq(~ends_tile | (tile.parameter_end <= self.parameters_available)),
            requantizer_free.eq(~ends_tile | ((pending == 0) & (means == 0))),
        ]
        with m.If(command.copy):
            m.d.comb += room.eq(queue_room != 0)
        with m.Elif(~ends_tile):
            m.d.comb += room.eq(1)
        with m.Elif(to_side):
            m.d.comb += room.eq(side_room >= tile.count)
        with m.Else():
            m.d.comb += room.eq((command.target != Target.QUEUE) | (queue_room >= tile.count))

        # A window needs its kernels and its parameters; its result always has a place. How many
        # words have their parameters is seen a cycle late: a block's first windows come much later
        # than its parameters' position, and within a block there are only ever more.
        window_words = Signal(WORDS_BITS)
        window_waits = Signal()
        m.d.sync += window_words.eq(Mux(
            self.parameters_available > self.depthwise_parameters,
            self.parameters_available - self.depthwise_parameters, 0))
        m.d.comb += [
            window_waits.eq(self.window_valid & ~(walk.active & command.stem)),
            self.depthwise.eq(window_waits & (self.window_word < self.taps_available)
                              & (self.window_word < window_words)),
            self.window_ready.eq(self.depthwise | (self.stem & walk.pixel_begins)),
            issued.eq(walk.active & input_there & weights_there & parameters_there
                      & requantizer_free & room & (command.copy | ~self.depthwise)),
            walk.advance.eq(issued),
            self.pointwise.eq(issued & ~command.copy),
            self.copy.eq(issued & command.copy),
            self.first.eq(walk.first_step),
            self.stem.eq(issued & command.stem),
            self.stem_step.eq(walk.step),
            self.from_strip.eq(command.from_strip),
            self.map_read.eq(issued & ~command.from_strip & ~command.stem),
            self.map_address.eq(walk.input_address),
            self.strip_address.eq(walk.input_address),
            self.weight_address.eq(walk.weight),
        ]

        # Results: windows at once, a tile's words one after another from its last step on, then the
        # pool's totals of the tile.
        flush = Signal(slot_layout(self.tile_words))   # the tile's next word
        mean  = Signal(slot_layout(self.tile_words))   # the tile's next total
        until_means = Signal(range(self.mean_cycles))
        slot  = self.slot
        ends  = Signal()
        m.d.comb += ends.eq(self.pointwise & walk.last_step)
        with m.If(self.depthwise):
            m.d.comb += [
                slot.valid.eq(1),
                slot.depthwise.eq(1),
                slot.parameters.eq(self.depthwise_parameters + self.window_word),
                slot.range.eq(Range.DEPTHWISE),
                slot.target.eq(Target.STRIP),
                slot.address.eq(self.window_address),
            ]
        with m.Elif(ends):
            m.d.comb += [
                slot.load.eq(1),
                slot.valid.eq(1),
                slot.parameters.eq(tile.parameter),
                slot.range.eq(command.range),
                slot.target.eq(command.target),
                slot.address.eq(walk.output_address),
                slot.residual_address.eq(walk.residual_address),
                slot.first_pixels.eq(walk.first_pixels),
                slot.last_pixels.eq(walk.last_pixels),
                slot.row_ends.eq(walk.last_group),
            ]
            m.d.sync += [
                pending.eq(tile.count - 1),
                flush.eq(slot),
                flush.load.eq(0),
                flush.tile_word.eq(1),
                flush.parameters.eq(tile.parameter + 1),
                flush.address.eq(walk.output_address + 1),
                flush.residual_address.eq(walk.residual_address + 1),
            ]
            with m.If((command.target == Target.POOL) & walk.last_pixels):
                m.d.sync += [
                    means.eq(tile.count),
                    until_means.eq(self.mean_cycles - 1),
                    mean.valid.eq(1),
                    mean.mean.eq(1),
                    mean.target.eq(Target.MAP),
                    mean.tile_word.eq(0),
                    mean.address.eq(walk.output_address),
                ]
        with m.Elif(pending != 0):
            m.d.comb += slot.eq(flush)
            m.d.sync += [
                pending.eq(pending - 1),
                flush.tile_word.eq(flush.tile_word + 1),
                flush.parameters.eq(flush.parameters + 1),
                flush.address.eq(flush.address + 1),
                flush.residual_address.eq(flush.residual_address + 1),
            ]
        with m.Elif((means != 0) & (until_means == 0)):
            m.d.comb += slot.eq(mean)
            m.d.sync += [
                means.eq(means - 1),
                mean.tile_word.eq(mean.tile_word + 1),
                mean.address.eq(mean.address + 1),
            ]
        with m.If(until_means != 0):
            m.d.sync += until_means.eq(until_means - 1)
        queue_words = Signal(range(self.tile_words + 1))
        side_words  = Signal(range(self.tile_words + 1))
        with m.If(self.copy):
            m.d.comb += queue_words.eq(1)
        with m.Elif(ends & (command.target == Target.QUEUE)):
            m.d.comb += queue_words.eq(tile.count)
        with m.Elif(ends & to_side):
            m.d.comb += side_words.eq(tile.count)
        m.d.sync += [
            queue_room.eq(queue_room - queue_words + self.queue_taken),
            side_room.eq(side_room - side_words + self.side_taken),
        ]
        m.d.comb += [
            self.active.eq(walk.active | self.window_valid),
            self.busy.eq(~walk.ready | (pending != 0) | (means != 0)),
        ]

        # Why nothing is issued, the first cause that holds.
        with m.If(self.pointwise | self.depthwise):
            m.d.comb += self.stall.eq(Stall.NONE)
        with m.Elif(window_waits):
            m.d.comb += self.stall.eq(Stall.PARAMETERS)
        with m.Elif(self.copy | (command.stem & ~input_there & self.image_valid)):
            m.d.comb += self.stall.eq(Stall.LINE_BUFFER)
        with m.Elif(~input_there):
            m.d.comb += self.stall.eq(Stall.ACTIVATIONS)
        with m.Elif(~weights_there):
            m.d.comb += self.stall.eq(Stall.WEIGHTS)
        with m.Elif(~parameters_there):
            m.d.comb += self.stall.eq(Stall.PARAMETERS)
        with m.Elif(~requantizer_free):
            m.d.comb += self.stall.eq(Stall.REQUANTIZE)
        with m.Elif(to_side):
            m.d.comb += self.stall.eq(Stall.RESIDUAL)
        with m.Else():
            m.d.comb += self.stall.eq(Stall.LINE_BUFFER)
        return m
