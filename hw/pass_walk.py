"""Walk through a pass: tile, pixels, step, and the addresses that go with them."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .config import ADDRESS_BITS, INDEX_BITS, WORDS_BITS
from .passes import PassCommand

__all__ = ["PassWalk", "after_layout", "tile_layout"]


def tile_layout(tile_words):
    """A tile of output words within a pass.

    Members
    -------
    offset
        Its first output word, counted from the pass's first.
    count, after
        Output words in it and after it.
    next_count, next_last
        Output words in the tile after it, if there is one; whether none are after that.
    both_counts
        Output words in it and in the tile after it.
    first, last
        None are before it; none are after it.
    steps_after, single_step
        Steps after its first one, for each group of pixels; whether there are none.
    parameter, parameter_end
        Positions in the ring of parameters: of its first word's, and one past its last word's.
    """
    return data.StructLayout({
        "offset":        WORDS_BITS,
        "count":         range(tile_words + 1),
        "after":         WORDS_BITS,
        "next_count":    range(tile_words + 1),
        "next_last":     1,
        "both_counts":   range(2 * tile_words + 1),
        "first":         1,
        "last":          1,
        "steps_after":   WORDS_BITS,
        "single_step":   1,
        "parameter":     WORDS_BITS + 1,
        "parameter_end": WORDS_BITS + 1,
    })


def after_layout(tile_words):
    """The step after a step of a pass, before it is there.

    Members
    -------
    ends
        There is none: the pass ends.
    last_step, count, parameter_end
        The same of its tile, see :func:`tile_layout`.
    new_tile
        It is another tile's, and its pixels are those of this step or the pass's first.
    new_pixels
        Its pixels have not been used in this pass, or not by its tile; all of its weights have.
    index_end
        Words of the input map that it needs, if its pixels are new.
    """
    return data.StructLayout({
        "ends":          1,
        "last_step":     1,
        "count":         range(tile_words + 1),
        "parameter_end": WORDS_BITS + 1,
        "new_tile":      1,
        "new_pixels":    1,
        "index_end":     INDEX_BITS,
    })


class PassWalk(wiring.Component):
    """Steps through a pass: tiles of output words, rows, groups of pixels, input words.

    Every output is a register or the AND of two, so that the logic that decides whether a step is
    taken has the whole cycle to do so. A pass begins three cycles after its command was taken.

    Parameters
    ----------
    tile_words : int
        Words of results of a tile.
    weight_ring : int
        Words in the ring of weights.

    Members
    -------
    i_command
        Passes.
    advance
        The step is taken in this cycle; only while ``active``.
    residual_input, residual_base, residual_end
        See :class:`mnv2.hw.issue.Issue`.
    weights_base
        Address of the oldest word in the ring of weights.
    weights_free
        Words of weights to release in this cycle.
    active
        There is a step.
    prepare
        The pass's first step comes in the next cycle.
    opening, opening_end
        Its tile, see :func:`tile_layout`; words of the input map up to the end of its pixels.
    after
        The step that comes once this one is taken, see :func:`after_layout`. Depends on registers
        alone.
    ready
        The pass before has been stepped through.
    command
        The pass.
    tile
        The tile, see :func:`tile_layout`.
    step, first_step, last_step
        Number of the step within its tile and pixels, and whether it is the first or the last.
    pixel_begins, pixel_done
        The step is the first, or the last, of all tiles that use these pixels before the next.
    first_pixels, last_group, last_pixels
        The pixels are the pass's first; the last of their row; the pass's last.
    input_address
        Of the input word.
    output_address, residual_address
        Of the tile's first output word at these pixels, and of the block's input word there.
    weight, weights_needed
        Address of the step's weights in the ring; words that the ring must hold to have them.
    index_end
        Words of the input map up to the end of these pixels'.
    input_next, output_next, residual_next, index_next
        Where the pass after this one goes on. Valid while ``ready``.
    """

    def __init__(self, *, tile_words, weight_ring):
        check_integer("Tile words", tile_words)
        check_integer("Weight ring", weight_ring, 2)
        self.tile_words  = tile_words
        self.weight_ring = weight_ring
        super().__init__({
            "i_command":        In(stream.Signature(PassCommand)),
            "advance":          In(1),
            "residual_input":   In(ADDRESS_BITS),
            "residual_base":    In(ADDRESS_BITS),
            "residual_end":     In(ADDRESS_BITS),
            "weights_base":     In(range(weight_ring)),
            "weights_free":     Out(range(weight_ring + 1)),
            "active":           Out(1),
            "prepare":          Out(1),
            "opening":          Out(tile_layout(tile_words)),
            "opening_end":      Out(INDEX_BITS),
            "after":            Out(after_layout(tile_words)),
            "ready":            Out(1),
            "command":          Out(PassCommand),
            "tile":             Out(tile_layout(tile_words)),
            "step":             Out(WORDS_BITS),
            "first_step":       Out(1),
            "last_step":        Out(1),
            "pixel_begins":     Out(1),
            "pixel_done":       Out(1),
            "first_pixels":     Out(1),
            "last_group":       Out(1),
            "last_pixels":      Out(1),
            "input_address":    Out(ADDRESS_BITS),
            "output_address":   Out(ADDRESS_BITS),
            "residual_address": Out(ADDRESS_BITS),
            "weight":           Out(range(weight_ring)),
            "weights_needed":   Out(range(weight_ring + 2)),
            "index_end":        Out(INDEX_BITS),
            "input_next":       Out(ADDRESS_BITS),
            "output_next":      Out(ADDRESS_BITS),
            "residual_next":    Out(ADDRESS_BITS),
            "index_next":       Out(INDEX_BITS),
        })

    def elaborate(self, platform):
        m = Module()
        command  = self.command
        prepare  = self.prepare                 # the command is there, its first step is not
        settle   = Signal()                     # the command has come in the cycle before
        last_row = Signal()
        m.d.comb += [
            self.ready.eq(~self.active & ~prepare & ~settle),
            self.i_command.ready.eq(self.ready),
            self.pixel_begins.eq(self.first_step & self.tile.first),
            self.last_pixels.eq(last_row & self.last_group),
        ]
        # What follows the step is chosen by registers; whether it is taken only lets it in.
        tile_goes   = Signal()                  # on to the next tile, from the first pixels on
        tile_within = Signal()                  # on to the next tile of the same pixels
        m.d.comb += [
            tile_goes.eq(self.pixel_done & self.last_pixels & ~self.tile.last),
            tile_within.eq(self.last_step & ~self.pixel_done),
        ]
        with m.If(self.ready & self.i_command.valid):
            m.d.sync += command.eq(self.i_command.payload)
        m.d.sync += [settle.eq(self.ready & self.i_command.valid), prepare.eq(settle)]
        with m.If(prepare):
            m.d.sync += self.active.eq(1)
        with m.Elif(self.advance & self.after.ends):
            m.d.sync += self.active.eq(0)

        following = self._walk_tiles(m, prepare, tile_goes, tile_within)
        self._look_ahead(m, following)
        self._walk_steps(m, prepare, following)
        self._walk_pixels(m, prepare, last_row)
        self._walk_addresses(m, prepare, tile_goes, tile_within, following.offset)
        self._walk_weights(m, prepare)
        return m

    def _walk_tiles(self, m, prepare, tile_goes, tile_within):
        """The tile, and the next one, which depends on registers alone."""
        tile      = self.tile
        following = Signal.like(tile)
        # Registers: from the cycle of preparing on.
        words = self.command.output_words
        last  = words <= self.tile_words
        m.d.sync += [
            self.opening.offset.eq(0),
            self.opening.first.eq(1),
            *self._cut_tile(self.opening, words, last, Mux(last, words, self.tile_words),
                            self.command.parameters),
        ]
        m.d.comb += [
            following.offset.eq(tile.offset + self.tile_words),
            *self._cut_tile(following, tile.after, tile.next_last, tile.next_count,
                            tile.parameter_end),
        ]
        with m.If(prepare):
            m.d.sync += tile.eq(self.opening)
        with m.Elif(self.advance):
            with m.If(self.command.stem & self.after.new_pixels):
                m.d.sync += tile.eq(self.opening)
            with m.Elif(tile_goes | tile_within):
                m.d.sync += tile.eq(following)
        return following

    def _cut_tile(self, tile, words, last, count, parameter):
        """Assignments of the first tile of the given words."""
        steps = Mux(self.command.copy, count, self.command.input_words)
        after_last = words <= 2 * self.tile_words
        return [
            tile.last.eq(last),
            tile.count.eq(count),
            tile.after.eq(Mux(last, 0, words - self.tile_words)),
            tile.next_last.eq(after_last),
            tile.next_count.eq(Mux(after_last, words - self.tile_words, self.tile_words)),
            tile.both_counts.eq(Mux(after_last, words, 2 * self.tile_words)),
            tile.parameter.eq(parameter),
            # Both sums, then the choice.
            tile.parameter_end.eq(Mux(last, parameter + words, parameter + self.tile_words)),
            tile.steps_after.eq(steps - 1),
            tile.single_step.eq(steps == 1),
        ]

    def _look_ahead(self, m, following):
        """The step after this one, whether or not it is known that this one is taken."""
        tile, after, opening = self.tile, self.after, self.opening
        last_tile = Signal()                    # of the pixels, if the pass is a stem
        with m.If(self.prepare):
            m.d.sync += self.pixel_done.eq(opening.single_step
                                           & (~self.command.stem | opening.last))
        with m.Elif(self.advance):
            m.d.sync += self.pixel_done.eq(after.last_step & (~self.command.stem | last_tile))
        m.d.comb += [
            after.ends.eq(self.pixel_done & self.last_pixels & tile.last),
            after.new_tile.eq(self.last_step & (~self.pixel_done | self.last_pixels)),
            after.new_pixels.eq(self.pixel_done & ~self.last_pixels),
        ]
        with m.If(after.new_tile):
            m.d.comb += [
                after.count.eq(following.count),
                after.parameter_end.eq(following.parameter_end),
                last_tile.eq(following.last),
            ]
        with m.Elif(self.command.stem & self.last_step):
            m.d.comb += [
                after.count.eq(opening.count),
                after.parameter_end.eq(opening.parameter_end),
                last_tile.eq(opening.last),
            ]
        with m.Else():
            m.d.comb += [
                after.count.eq(tile.count),
                after.parameter_end.eq(tile.parameter_end),
                last_tile.eq(tile.last),
            ]

    def _walk_steps(self, m, prepare, following):
        """Steps within a tile and pixels."""
        left = Signal(WORDS_BITS)               # steps after this one
        # All tiles of a stem have as many steps.
        with m.If(self.after.new_tile):
            m.d.comb += self.after.last_step.eq(following.single_step)
        with m.Elif(self.last_step):
            m.d.comb += self.after.last_step.eq(self.tile.single_step)
        with m.Else():
            m.d.comb += self.after.last_step.eq(left == 1)
        with m.If(prepare):
            m.d.sync += [
                self.step.eq(0),
                self.first_step.eq(1),
                self.last_step.eq(self.opening.single_step),
                left.eq(self.opening.steps_after),
            ]
        with m.Elif(self.advance):
            m.d.sync += [
                self.first_step.eq(self.last_step),
                self.last_step.eq(self.after.last_step),
            ]
            with m.If(self.last_step):
                m.d.sync += [
                    self.step.eq(0),
                    left.eq(Mux(self.after.new_tile, following.steps_after,
                                self.tile.steps_after)),
                ]
            with m.Else():
                m.d.sync += [self.step.eq(self.step + 1), left.eq(left - 1)]

    def _walk_pixels(self, m, prepare, last_row):
        """Groups of pixels of a row, rows of the pass."""
        groups_after = Signal(len(self.command.groups))
        rows_after   = Signal(len(self.command.rows))
        first_group = [self.last_group.eq(self.command.groups == 1),
                       groups_after.eq(self.command.groups - 1)]
        first_row   = [last_row.eq(self.command.rows == 1),
                       rows_after.eq(self.command.rows - 1)]
        with m.If(prepare):
            m.d.sync += [self.first_pixels.eq(1), *first_group, *first_row]
        with m.Elif(self.advance):
            with m.If(self.pixel_done):
                m.d.sync += self.first_pixels.eq(self.last_pixels)
                with m.If(self.last_group):
                    m.d.sync += first_group
                    with m.If(last_row):
                        m.d.sync += first_row
                    with m.Else():
                        m.d.sync += [last_row.eq(rows_after == 1), rows_after.eq(rows_after - 1)]
                with m.Else():
                    m.d.sync += [
                        self.last_group.eq(groups_after == 1),
                        groups_after.eq(groups_after - 1),
                    ]

    def _walk_addresses(self, m, prepare, tile_goes, tile_within, next_offset):
        """Pixels of a map follow one another in a ring; each tile begins at the first again."""
        command = self.command
        start = Signal(ADDRESS_BITS)            # of the pass's residual words
        with m.If(prepare):
            m.d.sync += start.eq(self.residual_input)
        for name, first, words, base, end, address, follow in (
                ("input", command.input, command.input_words, command.input_base,
                 command.input_end, self.input_address, command.copy),
                ("output", command.output, command.output_words, command.output_base,
                 command.output_end, self.output_address, ~command.stem),
                ("residual", Mux(prepare, self.residual_input, start), command.output_words,
                 self.residual_base, self.residual_end, self.residual_address, ~command.stem)):
            pixel   = Signal(ADDRESS_BITS, name=f"{name}_pixel")
            stepped = Signal(ADDRESS_BITS, name=f"{name}_stepped")
            wraps   = Signal(name=f"{name}_wraps")
            offset  = Mux(follow, self.tile.offset, 0)
            m.d.comb += [
                stepped.eq(pixel + words),
                wraps.eq(stepped == end),
                getattr(self, f"{name}_next").eq(pixel),
            ]
            # The tile's own words lie ``offset`` after the pixels'.
            with m.If(prepare):
                m.d.sync += [pixel.eq(first), address.eq(first)]
            with m.Elif(self.advance):
                with m.If(tile_goes):
                    m.d.sync += [
                        pixel.eq(first),
                        address.eq(first + Mux(command.copy | (name != "input"), next_offset, 0)),
                    ]
                with m.Elif(self.pixel_done):
                    m.d.sync += [
                        pixel.eq(Mux(wraps, base, stepped)),
                        # Both sums, then the choice.
                        address.eq(Mux(wraps, base + offset, stepped + offset)),
                    ]
                with m.Elif(tile_within & (name != "input")):
                    m.d.sync += address.eq(address + self.tile_words)
                with m.Elif(C(name == "input")):
                    m.d.sync += address.eq(address + 1)

        index = Signal(INDEX_BITS)
        words = Mux(command.from_strip, command.output_words, command.input_words)
        after = self.after.index_end            # a register, too
        m.d.comb += self.index_next.eq(index)
        m.d.sync += self.opening_end.eq(command.index + words)
        begin = [
            index.eq(command.index),
            self.index_end.eq(self.opening_end),
            after.eq(self.opening_end + words),
        ]
        with m.If(prepare):
            m.d.sync += begin
        with m.Elif(self.advance):
            with m.If(tile_goes):
                m.d.sync += begin
            with m.Elif(self.pixel_done):
                m.d.sync += [
                    index.eq(self.index_end),
                    self.index_end.eq(after),
                    after.eq(after + words),
                ]

    def _walk_weights(self, m, prepare):
        """A tile's weights are used for all its pixels; a stem's, those of all tiles.

        Weights are counted from the ring's oldest word. Words are freed a cycle after the step that
        needs them last, and the counts follow when the ring's own do.
        """
        command   = self.command
        tile_begin, tile_needed = Signal.like(self.weight), Signal.like(self.weights_needed)
        following = Signal.like(self.weight)
        freed     = self.weights_free
        needed    = Signal(signed(len(self.weights_needed) + 1))       # less what is freed
        m.d.comb += [
            following.eq(Mux(self.weight == self.weight_ring - 1, 0, self.weight + 1)),
            needed.eq(self.weights_needed - freed),
        ]
        m.d.sync += [
            freed.eq(0),
            self.weights_needed.eq(needed),
            tile_needed.eq(tile_needed - freed),
        ]
        with m.If(prepare):
            with m.If(command.rewind):
                m.d.sync += [
                    self.weight.eq(self.weights_base),
                    tile_begin.eq(self.weights_base),
                    self.weights_needed.eq(1),
                    tile_needed.eq(1),
                ]
        with m.Elif(self.advance & ~command.copy):
            with m.If(self.after.new_pixels):
                m.d.sync += [
                    self.weight.eq(tile_begin),
                    self.weights_needed.eq(tile_needed - freed),
                ]
            with m.Else():
                m.d.sync += [self.weight.eq(following), self.weights_needed.eq(needed + 1)]
                with m.If(self.pixel_done):
                    m.d.sync += [tile_begin.eq(following), tile_needed.eq(needed + 1)]
                    with m.If(command.free_weights):
                        m.d.sync += freed.eq(needed)
