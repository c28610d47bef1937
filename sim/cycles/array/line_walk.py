"""The line buffer as the model steps it: words come in, windows come out."""

from mnv2.sim.cycles.array.pass_place import PassPlace
from mnv2.sim.cycles.array.repetition import GROUP, ROW
from mnv2.sim.cycles.planned_pass import PlannedLine

__all__ = ["LineWalk"]

#: More than any count of tiles.
NO_END = 1 << 30


class LineWalk:
    """The line buffer's position in the map, and the window on its way out.

    A word that is taken in a cycle is valid in the next, and the window that it completes is there
    in the cycle after that. A window that is not taken blocks the next one, which in turn blocks
    everything else. See `mnv2.hw.line_buffer`.

    Parameters
    ----------
    line : PlannedLine
    tile_words : int
        Words of a tile, all of whose rows pass before those of the next.

    Attributes
    ----------
    active : bool
        There are places left to step through.
    tile, row, group, word : int
        The next: first word of the tile, row and group of pixels, word in the tile.
    real : bool
        It is of the map, not padding.
    valid, emits : bool
        A place was stepped through in the cycle before, and completes a window.
    passed : int
        Its word.
    window : bool
        A window waits to be taken: that of word `window_word`.
    """

    __slots__ = (
        "_completes",
        "_groups",
        "_inner_row",
        "_line",
        "_mask",
        "_odd_column",
        "_odd_row",
        "_real_row",
        "_steps",
        "_tile_words",
        "_words",
        "active",
        "emits",
        "group",
        "passed",
        "real",
        "row",
        "tile",
        "valid",
        "window",
        "window_word",
        "word",
    )

    def __init__(self, line: PlannedLine, tile_words: int):
        self._line, self._tile_words = line, tile_words
        self._steps, self._groups = line.steps, line.groups
        self.active = self.valid = self.emits = self.window = False
        self.tile, self.row, self.group, self.word = 0, line.first_row, 0, 0
        self.passed = self.window_word = 0
        self._words = min(tile_words, line.words)
        # A window is centred a row and a group back; with a stride of 2, on every second of each.
        self._mask = self._odd_row = self._odd_column = 0
        if line.stride_2:
            self._mask, self._odd_row, self._odd_column = 1, int(line.pad_top), int(line.pad_left)
        self._enter_row()
        # The first group is never the last of a window.
        self.real, self._completes = self._real_row, False

    @property
    def held(self) -> bool:
        """Whether a window that is not taken holds everything up."""
        return self.window and self.valid and self.emits

    def waits(self) -> bool:
        """Whether nothing moves until a word comes: no padding to step, nothing on its way."""
        return not (self.window or self.valid) and (self.real or not self.active)

    def ended(self) -> bool:
        """Whether all has come out."""
        return not (self.active or self.window or self.valid)

    def step(self, queued: bool | int, served: bool) -> bool:
        """Take a cycle.

        Parameters
        ----------
        queued : bool or int
            Whether a word waits.
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
        real = self.real
        if not self.active or (real and not queued):
            self.valid = False
            return False
        self.valid, self.emits = True, self._completes
        self.passed = self.tile + self.word
        self.word += 1
        if self.word == self._words:
            self.word = 0
            group = self.group + 1
            if group == self._steps:
                group = 0
                self._next_row()
            self.group = group
            self.real = self._real_row and group < self._groups
            self._completes = (
                self._inner_row and group > 0 and group & self._mask == self._odd_column
            )
        return real

    def _next_row(self) -> None:
        line = self._line
        self.row += 1
        if self.row == line.end_row:
            self.row = line.first_row
            self._move_tiles(1)
            self.active = self.tile < line.words
        self._enter_row()

    def _enter_row(self) -> None:
        """Find out whether this row is of the map, and whether groups in it complete windows."""
        row = self.row
        self._real_row = row < self._line.rows
        self._inner_row = row > 0 and row & self._mask == self._odd_row

    def _move_tiles(self, tiles: int) -> None:
        self.tile += tiles * self._tile_words
        self._words = min(self._tile_words, self._line.words - self.tile)

    def left(self, level: int) -> int:
        """Groups or rows of the map that follow the one being stepped; tiles have no end here."""
        if level == GROUP:
            return min(self._line.groups, self._steps) - 1 - self.group
        if level == ROW:
            return min(self._line.rows, self._line.end_row) - 1 - self.row
        return NO_END

    def state(self, level: int, place: PassPlace) -> tuple:
        """All that decides what follows, where a group, a row or a tile of a pass begins.

        The position is relative to that of the pass. With a stride of 2 it matters whether the
        group, or row, is even or odd.
        """
        tile, row, group, odd = self.tile, self.row, self.group, 0
        if level == GROUP:
            odd = group & self._mask
            group -= place.group
        elif level == ROW:
            odd = row & self._mask
            row -= place.row
        else:
            tile -= place.tile * self._tile_words
        return tile, row, group, odd, self.word, self.valid, self.emits, self.window

    def skip(self, level: int, places: int) -> None:
        """Move by a number of groups, rows or tiles, all else unchanged.

        No edge of the map is among them, and by two rows or groups each if the stride is 2: the
        place is of the same kind as before.
        """
        if level == GROUP:
            self.group += places
        elif level == ROW:
            self.row += places
        else:
            self._move_tiles(places)
            self.passed += places * self._tile_words
            self.window_word += places * self._tile_words
