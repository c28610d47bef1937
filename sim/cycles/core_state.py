"""The core's state between passes."""

from collections import deque
from typing import Any

from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cycles.planned_pass import PlannedPass
from mnv2.sim.cycles.port.interface import PARAMETERS, TAPS, WEIGHTS, ReadSide, WriteSide
from mnv2.sim.cycles.timing import core_timing

__all__ = ["CoreState"]


class CoreState:
    """The rings as the core knows them, and what an early end of a pass leaves in the pipelines.

    Words of the rings are counted from the program's first.

    Parameters
    ----------
    config : AcceleratorConfig
    reads : ReadSide
    writes : WriteSide
    passes : dict of tuple to KnownPass
        See `mnv2.sim.cycles.array.known_passes.known_passes`; more are added.

    Attributes
    ----------
    skips : bool
        Steps whose outcome is known are skipped. False takes every step: the result is the same,
        and takes longer.
    weight : int
        The next word of weights.
    weights_freed, parameters_freed, taps_freed : int
        Words released.
    weights, parameters, taps : int
        Words that are known to have come: asking may take the port's time.
    timing : mnv2.sim.cycles.timing.Timing
    passes : dict of tuple to KnownPass
        Passes to the line buffer that wait for nothing, by their shapes.
    pending : int
        Words of the last tile that the requantiser has still to take.
    residual : bool
        They go to the residual adder.
    landed : int
        Cycle from which all results are in the map memory.
    ready : deque of int
        Cycles from which words wait for the residual adder.
    fetch : int
        Cycle from which it takes the next.
    added : int
        Cycle from which all its sums are in the map memory.
    """

    skips = True

    def __init__(
        self,
        config: AcceleratorConfig,
        reads: ReadSide,
        writes: WriteSide,
        passes: dict[tuple, Any],
    ):
        self.reads, self.writes = reads, writes
        self.tile_words = config.tile_words
        self.queue_words = config.queue_words
        self.timing = core_timing(config)
        self.weight = self.weights_freed = 0
        self.parameters_freed = self.taps_freed = 0
        self.weights = self.parameters = self.taps = 0
        self.passes = passes
        self.pending = 0
        self.residual = False
        self.landed = 0
        self.ready: deque[int] = deque()
        self.fetch = 0
        self.added = 0

    def ask(self, cycle: int) -> None:
        """Ask the port what has come before a cycle."""
        reads = self.reads
        reads.advance(cycle)
        self.weights = reads.available(WEIGHTS, cycle)
        self.parameters = reads.available(PARAMETERS, cycle)
        self.taps = reads.available(TAPS, cycle)

    def rewind(self, command: PlannedPass) -> None:
        """Begin a pass: with the oldest weights that are not released, if it says so."""
        if command.rewind:
            self.weight = self.weights_freed

    def end_early_pass(self) -> None:
        """Forget what the pass before left in the pipelines: it has left them."""
        self.pending, self.residual = 0, False
        self.landed = self.added = 0

    def free_weights(self, cycle: int) -> None:
        """Release all weights before the next step's; the last step was a cycle before."""
        self.reads.free(cycle, WEIGHTS, self.weight - self.weights_freed)
        self.weights_freed = self.weight
