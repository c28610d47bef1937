"""Passes that wait for nothing from memory: all of one shape take the same cycles.

They are the same for every accelerator with the same lanes, queues and pipelines, so that a search
over designs steps each once.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cycles.core_state import CoreState
from mnv2.sim.cycles.plan import PlannedDescriptor
from mnv2.sim.cycles.planned_pass import PlannedLine, PlannedPass
from mnv2.sim.cycles.timing import Timing, core_timing

__all__ = ["KnownPass", "known_passes", "pass_shape"]


@dataclass(slots=True)
class KnownPass:
    """The outcome of a pass; cycles are counted from its first.

    Attributes
    ----------
    cycles : int
    counts : list of int
        Of them, by cause.
    tile_ends : list of int
        Cycle after the last use of the weights of each tile.
    begins : list of int
        When each group of pixels of the first tile begins, for which its input must be there.
    takes, dues : list of int
        Of the stem: when each word of the image is taken, and when it must be there; one more
        word is requested if there is one more due.
    busy : bytes or None
        For each cycle, whether the core reads the map memory; None if this is not needed.
    fetch : int or None
        Cycle from which the residual adder takes a word, if it takes one.
    """

    cycles: int
    counts: list[int]
    tile_ends: list[int]
    begins: list[int] = field(default_factory=list)
    takes: list[int] = field(default_factory=list)
    dues: list[int] = field(default_factory=list)
    busy: bytes | None = None
    fetch: int | None = None

    def repeat(self, core: CoreState, begin: int, command: PlannedPass, counts: list[int]) -> int:
        """Repeat the pass that begins in a cycle; the cycle in which it ends."""
        for cause, cycles in enumerate(self.counts):
            counts[cause] += cycles
        # Before weights are released, which moves the port on.
        if self.busy is not None:
            core.writes.reads_as(begin, self.busy)
        if not command.copy:
            for tile_end in self.tile_ends:
                core.weight += command.input_words
                if command.free:
                    core.free_weights(begin + tile_end)
        core.ready.clear()
        if self.fetch is not None:
            core.fetch = begin + self.fetch
        core.end_early_pass()
        return begin + self.cycles


def known_passes(config: AcceleratorConfig) -> dict[tuple, KnownPass]:
    """Passes that are known, by their shapes; more are added as they are stepped.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    dict of tuple to KnownPass
    """
    return _known(config.tile_words, config.queue_words, core_timing(config))


@lru_cache(maxsize=64)
def _known(tile_words: int, queue_words: int, timing: Timing) -> dict[tuple, KnownPass]:
    return {}


def pass_shape(
    core: CoreState,
    begin: int,
    command: PlannedPass,
    line: PlannedLine,
    descriptor: PlannedDescriptor,
) -> tuple:
    """Everything that determines the cycles of a pass that waits for nothing from memory.

    Parameters
    ----------
    core : mnv2.sim.cycles.core_state.CoreState
        What the pass before left in the pipelines is part of it.
    begin : int
    command : mnv2.sim.cycles.planned_pass.PlannedPass
    line : mnv2.sim.cycles.planned_pass.PlannedLine
    descriptor : mnv2.sim.cycles.plan.PlannedDescriptor

    Returns
    -------
    tuple
    """
    shape: tuple = (
        descriptor.load,
        descriptor.store,
        command.copy,
        command.input_words,
        command.rows,
        command.groups,
        command.output_words,
        line.first_row == 0,
        line.first_row & 1,
        line.end_row - line.first_row,
        line.rows - line.first_row if line.rows < line.end_row else 0,
        line.groups,
        line.steps,
        line.stride_2,
        line.pad_top,
        line.pad_left,
        max(core.landed - begin, 0),
        max(core.added - begin, 0),
        core.pending,
    )
    if core.residual and (core.pending or core.ready):
        shape += (max(core.fetch - begin, 0), *(max(ready - begin, 0) for ready in core.ready))
    return shape
