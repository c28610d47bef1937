"""Periods of a pass, found where its state recurs: each is stepped once.

A pass goes through tiles, each through rows, each through groups of pixels. Where one of them
begins in a state that was seen where another began, everything that follows is as it was then, as
long as nothing waits for memory and no edge of the map is met.
"""

from dataclasses import dataclass

from mnv2.sim.cycles.causes import MEMORY_CAUSES

__all__ = ["GROUP", "ROW", "TILE", "Period", "Repetition"]

#: The loops of a pass, from the innermost; a level says which of them begins its next turn.
GROUP, ROW, TILE = range(3)


@dataclass(slots=True)
class Period:
    """The interval from a state to its recurrence.

    Attributes
    ----------
    places : int
        Groups, rows or tiles.
    cycles : int
    counts : list of int
        Of these cycles, by cause.
    """

    places: int
    cycles: int
    counts: list[int]


class Repetition:
    """States that were seen, of each level."""

    def __init__(self) -> None:
        #: By state: number in the pass, number in the line buffer, cycle, counts.
        self._seen: tuple[dict[tuple, tuple[int, int, int, list[int]]], ...] = ({}, {}, {})

    def begins(self, level: int) -> None:
        """Forget the states of inner loops when an outer one advances."""
        for inner in range(level):
            self._seen[inner].clear()

    def find(
        self,
        level: int,
        state: tuple,
        numbers: tuple[int, int],
        cycle: int,
        counts: list[int],
    ) -> Period | None:
        """Find the period that ends here, if this state was seen before.

        Parameters
        ----------
        level : int
            `GROUP`, `ROW` or `TILE`.
        state : tuple
            All that decides what follows.
        numbers : (int, int)
            The group, row or tile that begins in the pass, and the one that the line buffer stands
            in; for a tile the second is 1.
        cycle : int
        counts : list of int
            Cycles by cause until now.

        Returns
        -------
        Period or None
            None too if something came late from memory meanwhile, as it will not again, or if the
            line buffer was at the edge.
        """
        seen = self._seen[level]
        before = seen.get(state)
        seen[state] = *numbers, cycle, counts.copy()
        if before is None or not before[1] or before[3][:MEMORY_CAUSES] != counts[:MEMORY_CAUSES]:
            return None
        return Period(
            numbers[0] - before[0],
            cycle - before[2],
            [now - then for now, then in zip(counts, before[3], strict=True)],
        )
