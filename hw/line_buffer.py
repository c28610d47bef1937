"""Line buffer: words of a map in, padded 3x3 windows out."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory, MemoryData
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .config import GROUPS_BITS, PIXELS_BITS, TAPS, WORDS_BITS
from .layouts import activation_word

__all__ = ["LineBuffer", "LineCommand", "window_layout"]


class LineCommand(data.Struct):
    """Rows of a map to take in, for all its channel words.

    A *step* takes one word of each row and column position; positions beyond the map are steps too,
    and supply the padding. Steps are ordered by tile of channel words, row, group of pixels,
    channel word. An output row leaves when its lowest input row has arrived, so rows that an
    earlier command took in are the upper rows of the first windows here.

    Members
    -------
    first_row, end_row
        Input rows to step through, the second excluded. Rows from ``rows`` on are padding.
    rows
        Rows of the map.
    groups
        Groups of pixels in a row of the map.
    steps
        Groups to step through in a row: ``output groups + 1`` for stride 1, ``2 * output groups``
        for stride 2 with padding at the left, one more without.
    tail
        Pixels of the last group that belong to the map.
    words
        Channel words of the map.
    line
        Address in the line memory of the map's first word; ``words * groups`` from there on are its
        own.
    stride_2
        Stride is 2, not 1.
    pad_top, pad_left
        One row of padding at the top, one column at the left; always for stride 1.
    padding
        Value of the padding, the zero point of the map.
    """

    first_row: WORDS_BITS
    end_row:   WORDS_BITS
    rows:      WORDS_BITS
    groups:    GROUPS_BITS
    steps:     GROUPS_BITS
    tail:      PIXELS_BITS
    words:     WORDS_BITS
    line:      WORDS_BITS
    stride_2:  1
    pad_top:   1
    pad_left:  1
    padding:   signed(8)


def window_layout(channels, pixels, bits):
    """Layout of the 3x3 windows of a word, indexed ``[pixel][channel][tap]``."""
    kernel = data.ArrayLayout(signed(bits), TAPS)
    return data.ArrayLayout(data.ArrayLayout(kernel, channels), pixels)


class LineBuffer(wiring.Component):
    """Turns a map that arrives word by word into the 3x3 windows of a word of output pixels.

    One step a cycle while both sides are ready. Two rows of each channel word stay in the line
    memory, so a map may be taken in by several commands, a few rows at a time.

    Parameters
    ----------
    channels, pixels : int
        Lanes of a word.
    tile_words : int
        Channel words that arrive side by side for each group of pixels.
    depth : int
        Words in a row that the line memory holds: channel words times groups.
    activation_bits : int
        Width of an activation, 4 to 8 bits.
    address_bits : int
        Width of the output position.

    Members
    -------
    i_command
        Rows to take in; one command is processed at a time.
    i
        Words of the map in step order, real positions only.
    o
        ``window`` of each output pixel; ``word``, the channel word; ``address``, the position of
        the output word counted from the command's first: ``pixel group * words + word``.
    follows, word_next
        A window will be in ``o`` in the next cycle, if none is left there then, and its word.
    busy
        A command is under way or a window has not left.
    """

    #: Cycles from the last word of a window to the window.
    latency = 2

    def __init__(self, *, channels, pixels, tile_words, depth, activation_bits=8, address_bits=16):
        check_integer("Channels", channels)
        check_integer("Pixels", pixels)
        check_integer("Tile words", tile_words)
        check_integer("Depth", depth)
        check_integer("Activation bits", activation_bits, 4, 8)
        check_integer("Address bits", address_bits)
        self.channels        = channels
        self.pixels          = pixels
        self.tile_words      = tile_words
        self.depth           = depth
        self.activation_bits = activation_bits
        self.address_bits    = address_bits
        self._word_bits = channels * pixels * activation_bits
        # Two rows at least: one has an address of no bits, which Verilator refuses.
        self._lines   = MemoryData(shape=2 * self._word_bits, depth=max(depth, 2), init=())
        # Two groups of pixels to the left, of three rows, for each channel word of the tile.
        self._history = MemoryData(shape=6 * self._word_bits, depth=max(tile_words, 2),
                                   init=())
        super().__init__({
            "i_command": In(stream.Signature(LineCommand)),
            "i": In(stream.Signature(activation_word(channels, pixels, activation_bits))),
            "o": Out(stream.Signature(data.StructLayout({
                "window":  window_layout(channels, pixels, activation_bits),
                "word":    WORDS_BITS,
                "address": address_bits,
            }))),
            "follows":   Out(1),
            "word_next": Out(WORDS_BITS),
            "busy": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.lines = lines = Memory(self._lines)
        m.submodules.history = history = Memory(self._history)
        line_read     = lines.read_port()
        line_write    = lines.write_port()
        history_read  = history.read_port(domain="comb")
        history_write = history.write_port()

        # Only a step that completes a window waits for the window before it to leave.
        valid_1 = Signal()
        emit_1  = Signal()
        advance = Signal()
        m.d.comb += advance.eq(~valid_1 | ~emit_1 | ~self.o.valid | self.o.ready)

        # Stage 0: step through the positions; a real one takes a word and reads its two upper rows.
        active  = Signal()
        settle  = Signal()                           # the command has come in the cycle before
        command = Signal(LineCommand)
        tile    = Signal(WORDS_BITS)                 # first channel word of the tile
        row     = Signal(WORDS_BITS)
        group   = Signal(GROUPS_BITS)
        word    = Signal(range(self.tile_words + 1))  # within the tile
        line_base = Signal(range(self.depth + 1))
        line      = Signal(range(self.depth + 1))
        position  = Signal(self.address_bits)        # of the next output group's first word

        # About the position, known with it: of the tile, of the row, of the group of pixels.
        words_left = Signal(WORDS_BITS)              # this tile's, and those after it
        count      = Signal.like(word)               # words of this tile
        last_tile  = Signal()
        last_row   = Signal()
        in_rows    = Signal()
        emit_row   = Signal()
        last_group = Signal()
        in_groups  = Signal()
        emit_group = Signal()
        last_word  = Signal()
        real       = Signal()
        fire       = Signal()
        m.d.comb += [
            real.eq(in_rows & in_groups),
            fire.eq(active & advance & (self.i.valid | ~real)),
            self.i.ready.eq(active & advance & real),
            self.i_command.ready.eq(~active & ~settle & ~valid_1),
        ]

        # An output leaves with the position that completes it: one past its centre for stride 1,
        # its last of two (padded) or the first of the next two (not padded) for stride 2.
        def emits(index, padded):
            return Mux(command.stride_2,
                       Mux(padded, index[0], ~index[0] & (index != 0)), index != 0)

        def enter_tile(left, few):
            return [words_left.eq(left), last_tile.eq(few),
                    count.eq(Mux(few, left, self.tile_words)),
                    last_word.eq(C(self.tile_words == 1) | (left == 1))]

        def enter_row(index):
            index = index[:len(row)]
            return [row.eq(index), in_rows.eq(index < command.rows),
                    emit_row.eq(emits(index, command.pad_top)),
                    last_row.eq(index + 1 == command.end_row)]

        def enter_group(index):
            index = index[:len(group)]
            return [group.eq(index), in_groups.eq(index < command.groups),
                    emit_group.eq(emits(index, command.pad_left)),
                    last_group.eq(index + 1 == command.steps)]

        first_group = enter_group(C(0, len(group)))
        with m.If(self.i_command.valid & self.i_command.ready):
            m.d.sync += [command.eq(self.i_command.payload), settle.eq(1)]
        with m.If(settle):
            m.d.sync += [
                settle.eq(0),
                active.eq(1),
                tile.eq(0),
                word.eq(0),
                *enter_tile(command.words, command.words <= self.tile_words),
                *enter_row(command.first_row),
                *first_group,
                line_base.eq(command.line),
                line.eq(command.line),
                position.eq(0),
            ]
        with m.If(fire):
            m.d.sync += [word.eq(word + 1), last_word.eq(word + 2 == count)]
            with m.If(in_groups):
                m.d.sync += line.eq(line + 1)
            with m.If(last_word):
                m.d.sync += [word.eq(0), last_word.eq(count == 1), *enter_group(group + 1)]
                with m.If(emit_row & emit_group):
                    m.d.sync += position.eq(position + command.words)
                with m.If(last_group):
                    m.d.sync += [*first_group, *enter_row(row + 1), line.eq(line_base)]
                    with m.If(last_row):
                        m.d.sync += [
                            *enter_row(command.first_row),
                            tile.eq(tile + self.tile_words),
                            *enter_tile(words_left - self.tile_words,
                                        words_left <= 2 * self.tile_words),
                            position.eq(0),
                            # Past the words of the last group, which may not be the last step.
                            line_base.eq(Mux(in_groups, line + 1, line)),
                            line.eq(Mux(in_groups, line + 1, line)),
                        ]
                        with m.If(last_tile):
                            m.d.sync += active.eq(0)
        m.d.comb += [
            line_read.addr.eq(line),
            line_read.en.eq(advance),
        ]

        # Stage 1: the column of three words joins the two groups to its left.
        layout  = activation_word(self.channels, self.pixels, self.activation_bits)
        real_1  = Signal()                           # inside the groups of the map
        first_1 = Signal()                           # nothing to the left
        upper_1 = Signal(2)                          # rows above that exist: nearest, next
        word_1  = Signal(WORDS_BITS)
        slot_1  = Signal.like(word)
        line_1  = Signal.like(line)
        address_1 = Signal(self.address_bits)
        arrived = Signal(layout)
        padding = Signal(layout)
        for pixel in range(self.pixels):
            for channel in range(self.channels):
                m.d.comb += padding[pixel][channel].eq(command.padding)
        with m.If(advance):
            m.d.sync += [
                valid_1.eq(fire),
                emit_1.eq(emit_row & emit_group),
                real_1.eq(in_groups),
                first_1.eq(group == 0),
                upper_1.eq(Cat(row != 0, row > 1)),
                word_1.eq(tile + word),
                slot_1.eq(word),
                line_1.eq(line),
                address_1.eq(position + tile + word),
                arrived.eq(padding),
            ]
            with m.If(real):
                for pixel in range(self.pixels):
                    with m.If((group + 1 != command.groups) | (pixel < command.tail)):
                        m.d.sync += arrived[pixel].eq(self.i.payload[pixel])

        bits = self._word_bits
        older, newer = line_read.data[:bits], line_read.data[bits:]
        column = Signal(3 * bits)                    # rows from the top
        left   = Signal(6 * bits)                    # for each row, two groups from the left
        m.d.comb += [
            history_read.addr.eq(slot_1),
            left.eq(Mux(first_1, padding.as_value().replicate(6), history_read.data)),
            column.eq(Cat(Mux(real_1 & upper_1[1], older, padding.as_value()),
                          Mux(real_1 & upper_1[0], newer, padding.as_value()),
                          arrived.as_value())),
            line_write.addr.eq(line_1),
            line_write.data.eq(Cat(newer, arrived.as_value())),
            line_write.en.eq(valid_1 & real_1 & advance),
            history_write.addr.eq(slot_1),
            history_write.en.eq(valid_1 & advance),
            history_write.data.eq(Cat(
                Cat(left.word_select(2 * row + 1, bits), column.word_select(row, bits))
                for row in range(3))),
        ]

        # Stage 2: the window register. Columns of a row: two groups to the left, then the new one.
        window = Signal(self.o.payload.window.shape())
        for row_index in range(3):
            row_bits = Cat(left.word_select(2 * row_index, bits),
                           left.word_select(2 * row_index + 1, bits),
                           column.word_select(row_index, bits))
            pixels = data.View(data.ArrayLayout(data.ArrayLayout(
                signed(self.activation_bits), self.channels), 3 * self.pixels), row_bits)
            for pixel in range(self.pixels):
                for channel in range(self.channels):
                    for dx in range(3):
                        stride_1 = pixels[self.pixels - 1 + pixel + dx][channel]
                        padded   = pixels[self.pixels - 1 + 2 * pixel + dx][channel]
                        unpadded = pixels[2 * pixel + dx][channel]
                        m.d.comb += window[pixel][channel][3 * row_index + dx].eq(
                            Mux(command.stride_2,
                                Mux(command.pad_left, padded, unpadded), stride_1))
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(advance & valid_1 & emit_1):
            m.d.sync += [
                self.o.valid.eq(1),
                self.o.payload.window.eq(window),
                self.o.payload.word.eq(word_1),
                self.o.payload.address.eq(address_1),
            ]
        m.d.comb += [
            self.follows.eq(valid_1 & emit_1),
            self.word_next.eq(word_1),
            self.busy.eq(active | settle | valid_1 | self.o.valid),
        ]
        return m
