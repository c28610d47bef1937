"""Decides, each cycle, what the multiplier array and the requantiser do."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .passes import (
    ADDRESS_BITS,
    INDEX_BITS,
    WORDS_BITS,
    PassCommand,
    Range,
    Stall,
    Target,
    slot_layout,
)

__all__ = ["Issue"]


class Issue(wiring.Component):
    """Steps through a pass and lets windows in between, so that the multipliers always have work.

    Everything behind the issue takes what it is given: the pipeline never stalls. So a step is
    issued only when its operands are there and its results have a place: a tile may end when the
    requantiser has taken the words of the tile before and the queue behind has room for its words.
    Windows go first, since the line buffer is what a pass to it may wait for.

    Parameters
    ----------
    tile_words
        Words of results of a tile, ``outputs / inputs``.
    weight_ring, tap_ring, parameter_ring
        Words in each ring.
    queue_words
        Room in the queue before the line buffer, and in those before the residual adder and for the
        logits.

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
        The rings, see :class:`hw.ring.Ring`.
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
        A pass is under way, or results of its last tile wait for the requantiser.
    stall
        Why the array does nothing. Valid while ``active``.
    active
        A pass is under way, or a window waits.
    """

    def __init__(self, *, tile_words, weight_ring, tap_ring, parameter_ring, queue_words):
        self.tile_words     = tile_words
        self.weight_ring    = weight_ring
        self.tap_ring       = tap_ring
        self.parameter_ring = parameter_ring
        self.queue_words    = queue_words
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

        # Where the pass stands: tile of output words, row, group of pixels, input word.
        active  = Signal()
        command = Signal(PassCommand)
        tile    = Signal(WORDS_BITS)
        row     = Signal(WORDS_BITS)
        group   = Signal(8)
        step    = Signal(WORDS_BITS)
        input_pixel    = Signal(ADDRESS_BITS)
        output_pixel   = Signal(ADDRESS_BITS)
        residual_pixel = Signal(ADDRESS_BITS)
        residual_start = Signal(ADDRESS_BITS)
        index          = Signal(INDEX_BITS)
        weight         = Signal(range(self.weight_ring))      # address of this step's weights
        weight_tile    = Signal(range(self.weight_ring))      # and of the tile's first
        behind         = Signal(range(self.weight_ring + 1))  # weights before this step's
        behind_tile    = Signal(range(self.weight_ring + 1))

        words_left = Signal(WORDS_BITS + 1)
        tile_count = Signal(range(self.tile_words + 1))
        last_tile  = Signal()
        last_step  = Signal()
        last_group = Signal()
        last_pixel = Signal()
        pixel_done = Signal()     # this step is the last of its pixels
        steps      = Signal(WORDS_BITS)
        pixel_index = Signal(INDEX_BITS)
        m.d.comb += [
            words_left.eq(command.output_words - tile),
            last_tile.eq(words_left <= self.tile_words),
            tile_count.eq(Mux(last_tile, words_left, self.tile_words)),
            steps.eq(Mux(command.copy, tile_count, command.input_words)),
            last_step.eq(step + 1 == steps),
            last_group.eq(group + 1 == command.groups),
            last_pixel.eq((row + 1 == command.rows) & last_group),
            pixel_done.eq(last_step & (~command.stem | last_tile)),
            pixel_index.eq(index + Mux(command.from_strip, command.output_words,
                                       command.input_words)),
        ]

        # Room behind: what the requantiser still has to take, and the places in the queues. A pass
        # to the residual adder and one that gives logits are never under way together.
        pending    = Signal(range(self.tile_words + 1))
        queue_room = Signal(range(self.queue_words + 1), init=self.queue_words)
        side_room  = Signal(range(self.queue_words + 1), init=self.queue_words)
        to_side    = Signal()

        pixel_begins     = Signal()     # a stem takes a window, and keeps it for all its steps
        input_there      = Signal()
        weights_there    = Signal()
        parameters_there = Signal()
        requantizer_free = Signal()
        room             = Signal()
        ends_tile        = Signal()
        parameter        = Signal(WORDS_BITS + 1)
        issued           = Signal()
        m.d.comb += [
            ends_tile.eq(last_step & ~command.copy),
            parameter.eq(command.parameters + tile),
            to_side.eq((command.target == Target.RESIDUAL) | (command.target == Target.LOGITS)),
            pixel_begins.eq((step == 0) & (tile == 0)),
            input_there.eq(Mux(command.stem, self.window_valid | ~pixel_begins,
                               command.from_strip | (pixel_index <= self.loaded))),
            weights_there.eq(command.copy | (behind < self.weights_available)),
            parameters_there.eq(~ends_tile | (parameter + tile_count <= self.parameters_available)),
            requantizer_free.eq(~ends_tile | (pending == 0)),
        ]
        with m.If(command.copy):
            m.d.comb += room.eq(queue_room != 0)
        with m.Elif(~ends_tile):
            m.d.comb += room.eq(1)
        with m.Elif(to_side):
            m.d.comb += room.eq(side_room >= tile_count)
        with m.Else():
            m.d.comb += room.eq((command.target != Target.QUEUE) | (queue_room >= tile_count))

        # A window needs its kernels and its parameters; its result always has a place.
        window_parameter = Signal(WORDS_BITS + 1)
        window_waits     = Signal()
        m.d.comb += [
            window_parameter.eq(self.depthwise_parameters + self.window_word),
            window_waits.eq(self.window_valid & ~(active & command.stem)),
            self.depthwise.eq(window_waits & (self.window_word < self.taps_available)
                              & (window_parameter < self.parameters_available)),
            self.window_ready.eq(self.depthwise | (self.stem & pixel_begins)),
            issued.eq(active & input_there & weights_there & parameters_there & requantizer_free
                      & room & (command.copy | ~self.depthwise)),
            self.pointwise.eq(issued & ~command.copy),
            self.copy.eq(issued & command.copy),
            self.first.eq(step == 0),
            self.stem.eq(issued & command.stem),
            self.stem_step.eq(step),
            self.from_strip.eq(command.from_strip),
            self.map_read.eq(issued & ~command.from_strip & ~command.stem),
            self.map_address.eq(input_pixel + step + Mux(command.copy, tile, 0)),
            self.strip_address.eq(input_pixel + step),
            self.weight_address.eq(weight),
        ]

        # Step on: pixels of the tile, then the next tile over the same pixels.
        next_input    = Signal(ADDRESS_BITS)
        next_output   = Signal(ADDRESS_BITS)
        next_residual = Signal(ADDRESS_BITS)
        next_weight   = Signal(range(self.weight_ring))
        free          = Signal()
        for pointer, words, base, end, following in (
                (input_pixel, command.input_words, command.input_base, command.input_end,
                 next_input),
                (output_pixel, command.output_words, command.output_base, command.output_end,
                 next_output),
                (residual_pixel, command.output_words, self.residual_base, self.residual_end,
                 next_residual)):
            stepped = Signal(ADDRESS_BITS, name=f"{following.name}_stepped")
            m.d.comb += [
                stepped.eq(pointer + words),
                following.eq(Mux(stepped == end, base, stepped)),
            ]
        m.d.comb += [
            next_weight.eq(Mux(weight == self.weight_ring - 1, 0, weight + 1)),
            # Weights in use are the oldest: those of the tile; for the stem, those of all tiles.
            free.eq(self.pointwise & pixel_done & last_pixel & command.free_weights),
            self.weights_free.eq(Mux(free, behind + 1, 0)),
        ]
        with m.If(issued):
            m.d.sync += step.eq(step + 1)
            with m.If(~command.copy):
                m.d.sync += [weight.eq(next_weight), behind.eq(behind + 1)]
            with m.If(last_step):
                m.d.sync += step.eq(0)
            with m.If(last_step & ~pixel_done):
                m.d.sync += tile.eq(tile + self.tile_words)
            with m.If(pixel_done):
                m.d.sync += [
                    group.eq(group + 1),
                    input_pixel.eq(next_input),
                    output_pixel.eq(next_output),
                    residual_pixel.eq(next_residual),
                    index.eq(pixel_index),
                    weight.eq(weight_tile),
                    behind.eq(behind_tile),
                ]
                with m.If(command.stem):
                    m.d.sync += tile.eq(0)
                with m.If(last_group):
                    m.d.sync += [group.eq(0), row.eq(row + 1)]
                with m.If(last_pixel):
                    m.d.sync += [row.eq(0), tile.eq(tile + self.tile_words)]
                    with m.If(~command.copy):
                        m.d.sync += [weight.eq(next_weight), weight_tile.eq(next_weight)]
                        with m.If(command.free_weights):
                            m.d.sync += behind.eq(0)
                        with m.Else():
                            m.d.sync += [behind.eq(behind + 1), behind_tile.eq(behind + 1)]
                    with m.If(last_tile):
                        m.d.sync += active.eq(0)
                    with m.Else():
                        m.d.sync += [
                            input_pixel.eq(command.input),
                            output_pixel.eq(command.output),
                            residual_pixel.eq(residual_start),
                            index.eq(command.index),
                        ]
        start = self.i_command.payload
        m.d.comb += self.i_command.ready.eq(~active)
        with m.If(self.i_command.valid & ~active):
            m.d.sync += [
                active.eq(1),
                command.eq(start),
                tile.eq(0),
                row.eq(0),
                group.eq(0),
                step.eq(0),
                input_pixel.eq(start.input),
                output_pixel.eq(start.output),
                residual_pixel.eq(self.residual_input),
                residual_start.eq(self.residual_input),
                index.eq(start.index),
            ]
            with m.If(start.rewind):
                m.d.sync += [
                    weight.eq(self.weights_base),
                    weight_tile.eq(self.weights_base),
                    behind.eq(0),
                    behind_tile.eq(0),
                ]
        m.d.comb += [
            self.input_next.eq(input_pixel),
            self.output_next.eq(output_pixel),
            self.residual_next.eq(residual_pixel),
            self.index_next.eq(index),
        ]

        # Results: windows at once, a tile's words one after another from its last step on.
        flush = Signal(slot_layout(self.tile_words))   # the tile's next word
        slot  = self.slot
        ends  = Signal()
        m.d.comb += ends.eq(self.pointwise & last_step)
        with m.If(self.depthwise):
            m.d.comb += [
                slot.valid.eq(1),
                slot.depthwise.eq(1),
                slot.parameters.eq(window_parameter),
                slot.range.eq(Range.DEPTHWISE),
                slot.target.eq(Target.STRIP),
                slot.address.eq(self.window_address),
            ]
        with m.Elif(ends):
            m.d.comb += [
                slot.load.eq(1),
                slot.valid.eq(1),
                slot.parameters.eq(parameter),
                slot.range.eq(command.range),
                slot.target.eq(command.target),
                slot.address.eq(output_pixel + tile),
                slot.residual_address.eq(residual_pixel + tile),
                slot.first_pixels.eq((row == 0) & (group == 0)),
                slot.last_pixels.eq(last_pixel),
                slot.row_ends.eq(last_group),
            ]
            m.d.sync += [
                pending.eq(tile_count - 1),
                flush.eq(slot),
                flush.load.eq(0),
                flush.tile_word.eq(1),
                flush.parameters.eq(parameter + 1),
                flush.address.eq(output_pixel + tile + 1),
                flush.residual_address.eq(residual_pixel + tile + 1),
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
        queue_words = Signal(range(self.tile_words + 1))
        side_words  = Signal(range(self.tile_words + 1))
        with m.If(self.copy):
            m.d.comb += queue_words.eq(1)
        with m.Elif(ends & (command.target == Target.QUEUE)):
            m.d.comb += queue_words.eq(tile_count)
        with m.Elif(ends & to_side):
            m.d.comb += side_words.eq(tile_count)
        m.d.sync += [
            queue_room.eq(queue_room - queue_words + self.queue_taken),
            side_room.eq(side_room - side_words + self.side_taken),
        ]
        m.d.comb += [
            self.active.eq(active | self.window_valid),
            self.busy.eq(active | (pending != 0)),
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
