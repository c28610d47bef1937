"""The line buffer as the model steps it: words come in, windows come out."""

from mnv2.sim.cycles.array.repetition import GROUP, ROW

__all__ = ["LineWalk"]

#: More than any count of tiles.
NO_END = 1 << 30


class LineWalk:
    """Where the line buffer stands in the map, and what is on its way out.

    A word that is taken in a cycle is valid in the next, and a window behind that if it completes
    one. A window that is not taken holds everything up. See `mnv2.hw.line_buffer`.

    Parameters
    ----------
    line : mnv2.sim.cycles.planned_pass.PlannedLine
    tile_words : int
        Words of a tile, all of whose rows pass before those of the next.

    Attributes
    ----------
    active : bool
        There are places left to step over.
    tile, row, group, word : int
        The next: first word of the tile, row and group of pixels, word in the tile.
    valid, emits : bool
        A place was stepped over in the cycle before, and completes a window.
    passed : int
        Its word.
    window : bool
        A window waits to be taken: that of word `window_word`.
    """

    __slots__ = (
        "_end_row",
        "_groups",
        "_line",
        "_rows",
        "_steps",
        "_stride_2",
        "_tile_words",
        "_words",
        "active",
        "emits",
        "group",
        "passed",
        "row",
        "tile",
        "valid",
        "window",
        "window_word",
        "word",
    )

    def __init__(self, line, tile_words):
        self._line, self._tile_words = line, tile_words
        self._rows, self._groups, self._steps = line.rows, line.groups, line.steps
        self._end_row, self._stride_2 = line.end_row, line.stride_2
        self.active = self.valid = self.emits = self.window = False
        self.tile, self.row, self.group, self.word = 0, line.first_row, 0, 0
        self.passed = self.window_word = 0
        self._words = min(tile_words, line.words)

    def waits(self):
        """Whether nothing moves until a word comes: no padding to step over, nothing on its way."""
        return not (self.window or self.valid) and (
            not self.active or (self.row < self._rows and self.group < self._groups)
        )

    def ended(self):
        """Whether all has come out."""
        return not (self.active or self.window or self.valid)

    def step(self, queued, served):
        """A cycle.

        Parameters
        ----------
        queued : int
            Words that wait.
        served : bool
            The window is taken.

        Returns
        -------
        bool
            A word was taken.
        """
        if self.valid and self.emits:
            if self.window and not served:
                return False
            self.window, self.window_word = True, self.passed
        elif served:
            self.window = False
        self.valid = False
        if not self.active:
            return False
        row, group = self.row, self.group
        real = row < self._rows and group < self._groups
        if real and not queued:
            return False
        self.valid = True
        if not self._stride_2:
            self.emits = row != 0 and group != 0
        elif self._line.pad_start:
            self.emits = row & 1 and group & 1
        else:
            self.emits = row and not row & 1 and group and not group & 1
        self.passed = self.tile + self.word
        self.word += 1
        if self.word == self._words:
            self.word = 0
            self._next_group()
        return real

    def _next_group(self):
        self.group += 1
        if self.group != self._steps:
            return
        self.group = 0
        self.row += 1
        if self.row != self._end_row:
            return
        self.row = self._line.first_row
        self._skip_tiles(1)
        self.active = self.tile < self._line.words

    def _skip_tiles(self, tiles):
        self.tile += tiles * self._tile_words
        self._words = min(self._tile_words, self._line.words - self.tile)

    def left(self, level):
        """Groups or rows of the map behind that in work; no end of tiles."""
        if level == GROUP:
            return min(self._groups, self._steps) - 1 - self.group
        if level == ROW:
            return min(self._rows, self._end_row) - 1 - self.row
        return NO_END

    def number(self, level):
        """Group or row in work; for a tile it does not matter."""
        return (self.group, self.row, 1)[level]

    def relative(self, level, place):
        """Where it stands, seen from a place of the pass in which a group, a row or a tile begins.

        Parameters
        ----------
        level : int
        place : mnv2.sim.cycles.array.pass_place.PassPlace

        Returns
        -------
        tuple
            For every second group or row other windows come of a stride of 2.
        """
        if level == GROUP:
            where = self.tile, self.row, self.group - place.group
        elif level == ROW:
            where = self.tile, self.row - place.row, self.group
        else:
            return self.tile - place.tile * self._tile_words, self.row, self.group, 0
        return *where, self.number(level) & 1 if self._stride_2 else 0

    def state(self):
        """All that decides what follows, beside where it stands."""
        return self.word, self.valid, self.emits, self.window

    def skip(self, level, places):
        """Go on by so many groups, rows or tiles, all else as it is."""
        if level == GROUP:
            self.group += places
        elif level == ROW:
            self.row += places
        else:
            self._skip_tiles(places)
            self.passed += places * self._tile_words
            self.window_word += places * self._tile_words
