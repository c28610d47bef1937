"""Position of a pass to the line buffer: tile, row of the tile, group of pixels of the row."""

from typing import TYPE_CHECKING

from mnv2.sim.cycles.array.repetition import GROUP, ROW, TILE, Period
from mnv2.sim.cycles.planned_pass import PlannedPass

if TYPE_CHECKING:
    from mnv2.sim.cycles.core_state import CoreState

__all__ = ["PassPlace"]


class PassPlace:
    """The pixels being processed.

    Parameters
    ----------
    core : CoreState
        Its weights are released as tiles are finished.
    command : PlannedPass

    Attributes
    ----------
    tile, row, group : int
    count : int
        Words of results of a group of pixels in this tile.
    steps : int
        Cycles that a group of pixels takes.
    weight : int
        Word of the ring that the first step takes.
    need : int
        Words of the input up to these pixels' end.
    parameters : int
        Parameters of the descriptor up to this tile's end.
    tile_ends : list of int
        The cycle after the last of each tile so far.
    """

    __slots__ = (
        "_command",
        "_core",
        "_tile_words",
        "_tiles",
        "count",
        "group",
        "need",
        "parameters",
        "row",
        "steps",
        "tile",
        "tile_ends",
        "weight",
    )

    def __init__(self, core: "CoreState", command: PlannedPass):
        self._core, self._command = core, command
        self._tile_words = core.tile_words
        self._tiles = -(-command.output_words // core.tile_words)
        self.row = self.group = 0
        self.weight = core.weight
        self.tile_ends: list[int] = []
        self._begin_tile(0)

    def _begin_tile(self, tile: int) -> None:
        command = self._command
        before = tile * self._tile_words
        self.tile = tile
        self.count = min(self._tile_words, command.output_words - before)
        self.steps = self.count if command.copy else command.input_words
        self.need = command.index + command.input_words
        self.parameters = command.parameters + before + self.count

    def next(self, cycle: int) -> int:
        """Move on after the last step; returns what begins: `GROUP`, `ROW` or `TILE`."""
        command = self._command
        self.group += 1
        if self.group != command.groups:
            self.need += command.input_words
            return GROUP
        self.group = 0
        self.row += 1
        if self.row != command.rows:
            self.need += command.input_words
            return ROW
        self.row = 0
        self._end_tile(cycle)
        self._begin_tile(self.tile + 1)
        return TILE

    def _end_tile(self, cycle: int) -> None:
        self.tile_ends.append(cycle)
        if self._command.copy:
            return
        self.weight += self._command.input_words
        self._core.weight = self.weight
        if self._command.free:
            self._core.free_weights(cycle)

    @property
    def ended(self) -> bool:
        """Whether no tile is left."""
        return self.tile == self._tiles

    def left(self, level: int) -> int:
        """Groups, rows or tiles that follow the one that begins."""
        if level == GROUP:
            return self._command.groups - 1 - self.group
        if level == ROW:
            return self._command.rows - 1 - self.row
        return self._tiles - 1 - self.tile

    def words(self, level: int, places: int) -> int:
        """Words of the input that a number of further groups or rows takes."""
        return self._command.input_words * places * (self._command.groups if level == ROW else 1)

    def skip(self, level: int, period: Period, times: int) -> None:
        """Move by a number of periods, each a repetition of the one before."""
        places = times * period.places
        if level == GROUP:
            self.group += places
            self.need += self.words(level, places)
        elif level == ROW:
            self.row += places
            self.need += self.words(level, places)
        else:
            latest = self.tile_ends[-period.places :]
            for k in range(1, times + 1):
                for tile_end in latest:
                    self._end_tile(tile_end + k * period.cycles)
            self._begin_tile(self.tile + places)
