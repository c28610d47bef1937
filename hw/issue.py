"""Decides, each cycle, what the multiplier array and the requantiser do."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .arguments import check_integer
from .config import ADDRESS_BITS, INDEX_BITS, WORDS_BITS
from .pass_walk import PassWalk
from .passes import PassCommand, Range, Stall, Target, slot_layout

__all__ = ["Issue"]

#: What a step needs: its input is there, its weights, its parameters; the requantiser is free, and
#: its results have a place.
_FACTS = data.StructLayout({
    "input":       1,
    "weights":     1,
    "parameters":  1,
    "requantizer": 1,
    "room":        1,
})


class Issue(wiring.Component):
    """Steps through a pass and lets windows in between, so that the multipliers always have work.

    Everything after the issue takes what it is given: the pipeline never stalls. So a step is
    issued only when its operands are there and its results have a place: a tile may end when the
    requantiser has taken the words of the previous tile and the next queue has room for its words.
    Windows go first, since the line buffer is what a pass to it may wait for.

    Whether a step, or a window, may be issued is found out in the cycle before, from what will then
    be there: once for the step that waits and once for the one after it. So the decision is the AND
    of a few registers, and has the whole cycle to reach all that it moves.

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
    window_follows, window_next
        Another will be there in the next cycle, if there is none then, and its word.
    depthwise_parameters
        Position of the depthwise layer's first parameters.
    residual_input, residual_base, residual_end
        Address of the block's input word that belongs to the pass's first output word, and the ring
        it lies in.
    loaded, loading
        Input words of the map that have arrived, and whether one arrives in this cycle.
    weights_base, weights_available, weights_free, taps_available, parameters_available
        The rings, see :class:`mnv2.hw.ring.Ring`.
    weights_arrive, taps_arrive, parameters_arrive
        A word is written to the ring in this cycle.
    image_valid
        A word of the image waits for the line buffer.
    queue_taken, side_taken
        A word has left the queue before the line buffer; that before the residual adder or for the
        logits.
    map_read, map_address, strip_read, strip_address, weight_read, weight_address
        What to read for this step; strip and weights are read while it waits, too.
    pointwise, depthwise, copy
        What is issued in this cycle.
    first, stem, stem_step, from_strip
        Of the step, whether it is issued or waits.
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
            "window_follows":       In(1),
            "window_next":          In(WORDS_BITS),
            "depthwise_parameters": In(WORDS_BITS),
            "residual_input":       In(ADDRESS_BITS),
            "residual_base":        In(ADDRESS_BITS),
            "residual_end":         In(ADDRESS_BITS),
            "loaded":               In(INDEX_BITS),
            "loading":              In(1),
            "weights_base":         In(range(weight_ring)),
            "weights_available":    In(range(weight_ring + 1)),
            "weights_arrive":       In(1),
            "weights_free":         Out(WORDS_BITS),
            "taps_available":       In(range(tap_ring + 1)),
            "taps_arrive":          In(1),
            "parameters_available": In(range(parameter_ring + 1)),
            "parameters_arrive":    In(1),
            "image_valid":          In(1),
            "queue_taken":          In(1),
            "side_taken":           In(1),
            "map_read":             Out(1),
            "strip_read":           Out(1),
            "weight_read":          Out(1),
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
        room = Signal(data.StructLayout({
            "pending":     range(self.tile_words + 1),
            "means":       range(self.tile_words + 1),      # totals of the pool, after those
            "until_means": range(self.mean_cycles),
            "queue":       range(self.queue_words + 1),
            "side":        range(self.queue_words + 1),
        }), init={"queue": self.queue_words, "side": self.queue_words})
        pending, means, until_means = room.pending, room.means, room.until_means
        queue_room, side_room       = room.queue, room.side
        to_side = Signal()

        # What holds for the step that waits, or a window, in this cycle.
        facts        = Signal(_FACTS)
        go           = Signal()                 # a step waits, and all of them hold
        takes_window = Signal()                 # the step waits for one, of the image
        image_waits  = Signal()
        window_first = Signal()                 # a window goes, and the step would need the array
        window_waits = Signal()
        ends_tile    = Signal()
        input_there  = Signal()
        issued       = Signal()
        m.d.comb += [
            ends_tile.eq(walk.last_step & ~command.copy),
            to_side.eq((command.target == Target.RESIDUAL) | (command.target == Target.LOGITS)),
            image_waits.eq(takes_window & ~self.window_valid),
            input_there.eq(facts.input & ~image_waits),
            window_waits.eq(self.window_valid & ~(walk.active & command.stem)),
            self.window_ready.eq(self.depthwise | (issued & takes_window)),
            issued.eq(go & ~image_waits & ~window_first),
            walk.advance.eq(issued),
            self.pointwise.eq(issued & ~command.copy),
            self.copy.eq(issued & command.copy),
            self.first.eq(walk.first_step),
            self.stem.eq(command.stem),
            self.stem_step.eq(walk.step),
            self.from_strip.eq(command.from_strip),
            self.map_read.eq(issued & ~command.from_strip & ~command.stem),
            self.strip_read.eq(walk.active & command.from_strip),
            self.weight_read.eq(walk.active),
            self.map_address.eq(walk.input_address),
            self.strip_address.eq(walk.input_address),
            self.weight_address.eq(walk.weight),
        ]

        # Results: windows at once, a tile's words one after another from its last step on, then the
        # pool's totals of the tile.
        flush = Signal(slot_layout(self.tile_words))   # the tile's next word
        mean  = Signal(slot_layout(self.tile_words))   # the tile's next total
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
        # Of a step the slot is what it will be once the step is issued: that, it says itself.
        with m.Elif((pending == 0) & (means == 0)):
            m.d.comb += [
                slot.load.eq(ends),
                slot.valid.eq(ends),
                slot.parameters.eq(tile.parameter),
                slot.range.eq(command.range),
                slot.target.eq(command.target),
                slot.address.eq(walk.output_address),
                slot.residual_address.eq(walk.residual_address),
                slot.first_pixels.eq(walk.first_pixels),
                slot.last_pixels.eq(walk.last_pixels),
                slot.row_ends.eq(walk.last_group),
            ]
            with m.If(ends):
                m.d.sync += pending.eq(tile.count - 1)
            m.d.sync += [
                flush.eq(slot),
                flush.load.eq(0),
                flush.valid.eq(1),
                flush.tile_word.eq(1),
                flush.parameters.eq(tile.parameter + 1),
                flush.address.eq(walk.output_address + 1),
                flush.residual_address.eq(walk.residual_address + 1),
            ]
            with m.If(ends & (command.target == Target.POOL) & walk.last_pixels):
                m.d.sync += [means.eq(tile.count), until_means.eq(self.mean_cycles - 1)]
            m.d.sync += [
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
        self._look_ahead(m, walk, facts, go, takes_window, window_first, issued, room)
        m.d.comb += [
            self.active.eq(walk.active | self.window_valid),
            self.busy.eq(~walk.ready | (pending != 0) | (means != 0)),
        ]

        # Why nothing is issued, the first cause that holds.
        with m.If(self.pointwise | self.depthwise):
            m.d.comb += self.stall.eq(Stall.NONE)
        with m.Elif(window_waits):
            m.d.comb += self.stall.eq(Stall.PARAMETERS)
        with m.Elif(self.copy | (image_waits & self.image_valid)):
            m.d.comb += self.stall.eq(Stall.LINE_BUFFER)
        with m.Elif(~input_there):
            m.d.comb += self.stall.eq(Stall.ACTIVATIONS)
        with m.Elif(~facts.weights):
            m.d.comb += self.stall.eq(Stall.WEIGHTS)
        with m.Elif(~facts.parameters):
            m.d.comb += self.stall.eq(Stall.PARAMETERS)
        with m.Elif(~facts.requantizer):
            m.d.comb += self.stall.eq(Stall.REQUANTIZE)
        with m.Elif(to_side):
            m.d.comb += self.stall.eq(Stall.RESIDUAL)
        with m.Else():
            m.d.comb += self.stall.eq(Stall.LINE_BUFFER)
        return m

    def _look_ahead(self, m, walk, facts, go, takes_window, window_first, issued, room):
        """Find out what will hold in the next cycle, for a pass's first step, for the step that
        waits, and for the one after it."""
        command, tile, after, opening = walk.command, walk.tile, walk.after, walk.opening
        opens, stays, moves = (Signal(_FACTS, name=name) for name in ("opens", "stays", "moves"))
        given        = command.from_strip | command.stem    # an image is waited for elsewhere
        weights      = _reached(walk.weights_needed, self.weights_available, self.weights_arrive)
        # One word more than this step needs, in the next cycle.
        one_more     = ((walk.weights_needed < self.weights_available)
                        | (self.weights_arrive & (walk.weights_needed == self.weights_available)))
        ends_now     = walk.last_step & ~command.copy
        ends_after   = after.last_step & ~command.copy

        def parameters(position):
            return _reached(position, self.parameters_available, self.parameters_arrive)

        # The requantiser takes a word, or a total, in each cycle without a window.
        free = Mux(self.depthwise, (room.pending == 0) & (room.means == 0),
                   ((room.pending[1:] == 0) & (room.means == 0))
                   | ((room.pending == 0) & (room.means == 1) & (room.until_means == 0)))
        last_total = (command.target == Target.POOL) & walk.last_pixels
        # Places in the queue that the results go to, with those that this step may take.
        to_side, no_queue = Signal(), Signal()
        places, leaves    = Signal.like(room.queue), Signal()
        m.d.sync += [
            to_side.eq((command.target == Target.RESIDUAL) | (command.target == Target.LOGITS)),
            no_queue.eq((command.target == Target.MAP) | (command.target == Target.POOL)
                        | (command.target == Target.STRIP)),
        ]
        m.d.comb += [
            places.eq(Mux(to_side, room.side, room.queue)),
            leaves.eq(Mux(to_side, self.side_taken, self.queue_taken)),
        ]

        def has_room(words):
            return _reached(Value.cast(words), places, leaves)

        one_place, one_tile = has_room(1), has_room(tile.count)
        m.d.comb += [
            opens.input.eq(given | _reached(walk.opening_end, self.loaded, self.loading)),
            opens.weights.eq(command.copy | Mux(
                command.rewind, (self.weights_available != 0) | self.weights_arrive, weights)),
            opens.parameters.eq(~opening.single_step | command.copy
                                | parameters(opening.parameter_end)),
            opens.requantizer.eq(~opening.single_step | command.copy | free),
            opens.room.eq(Mux(command.copy, has_room(1), ~opening.single_step | no_queue
                              | has_room(opening.count))),

            stays.input.eq(given | _reached(walk.index_end, self.loaded, self.loading)),
            stays.weights.eq(command.copy | weights),
            stays.parameters.eq(~ends_now | parameters(tile.parameter_end)),
            stays.requantizer.eq(~ends_now | free),
            stays.room.eq(Mux(command.copy, one_place, ~walk.last_step | no_queue | one_tile)),

            moves.input.eq(given | ~after.new_pixels
                           | _reached(after.index_end, self.loaded, self.loading)),
            moves.weights.eq(command.copy | after.new_pixels | one_more),
            moves.parameters.eq(~ends_after | parameters(after.parameter_end)),
            moves.requantizer.eq(~ends_after
                                 | Mux(ends_now, (tile.count == 1) & ~last_total, free)),
            moves.room.eq(Mux(command.copy, has_room(2), ~after.last_step | no_queue | Mux(
                ~walk.last_step, one_tile, Mux(after.new_tile, has_room(tile.both_counts),
                                               has_room(Cat(C(0, 1), tile.count)))))),
        ]
        with m.If(walk.prepare):
            m.d.sync += [
                facts.eq(opens),
                go.eq(opens.as_value().all()),
                takes_window.eq(command.stem),
            ]
        with m.Elif(issued):
            m.d.sync += [
                facts.eq(moves),
                go.eq(moves.as_value().all() & ~after.ends),
                takes_window.eq(command.stem & after.new_pixels),
            ]
        with m.Else():
            m.d.sync += [facts.eq(stays), go.eq(stays.as_value().all() & walk.active)]

        # A window needs its kernels and its parameters; its result always has a place. How many
        # words have their parameters is seen a cycle late: a block's first windows come much later
        # than its parameters' position, and within a block there are only ever more.
        def served(word):
            return (_reached(word + 1, self.taps_available, self.taps_arrive)
                    & (word + self.depthwise_parameters < self.parameters_available))

        goes = Signal()
        m.d.comb += goes.eq(~(walk.active & command.stem) & Mux(
            self.window_valid & ~self.depthwise, served(self.window_word),
            self.window_follows & served(self.window_next)))
        m.d.sync += [
            self.depthwise.eq(goes),
            window_first.eq(goes & ~command.copy),
        ]

def _reached(needed, available, arrives):
    """Whether the needed words are there in the next cycle; one may arrive in this."""
    return (needed <= available) | (arrives & _is_next(needed, available))


def _is_next(needed, available):
    """Whether ``needed == available + 1``, without a carry: each bit of ``needed + ~available`` is
    0 if it is the carry that comes from below, as long as those below are 0."""
    width = max(len(needed), len(available)) + 1
    a = Cat(needed, C(0, width - len(needed)))
    b = ~Cat(available, C(0, width - len(available)))
    return ~((a ^ b) ^ Cat(C(0, 1), a | b)[:width]).any()
