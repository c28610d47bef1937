"""What lasts from pass to pass of the core."""

from collections import deque

from mnv2.sim.cycles.array.known_passes import known_passes
from mnv2.sim.cycles.port.reads import PARAMETERS, TAPS, WEIGHTS

__all__ = ["Core"]


class Core:
    """State between passes.

    Attributes
    ----------
    skips : bool
        What repeats itself is stepped once, and what waits for nothing not at all; without, every
        step is taken, which gives the same and takes longer.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    reads : mnv2.sim.cycles.port.reads.ReadPort
    writes : mnv2.sim.cycles.port.writes.WritePort
    """

    skips = True

    def __init__(self, config, reads, writes):
        self.reads, self.writes = reads, writes
        self.tile_words = config.tile_words
        self.queue_words = config.queue_words
        self.pixels = config.pixels
        #: Words of the rings, counted from the program's first.
        self.weight = self.tile_weight = self.weights_freed = 0
        self.parameters_freed = self.taps_freed = 0
        # Words that are known to have come: asking may take time.
        self.weights = self.parameters = self.taps = 0
        #: Passes to the line buffer that wait for nothing, by their shapes.
        self.passes = known_passes(config)
        # What an early end of a pass leaves under way.
        self.pending = 0  # words of the last tile for the requantiser
        self.residual = False  # they go to the residual adder
        self.landed = 0  # cycle from which results are in the map memory
        self.ready = deque()  # cycles from which words wait for the residual adder
        self.fetch = 0  # cycle from which it takes the next
        self.added = 0  # cycle from which all sums are in the map memory

    def ask(self, cycle):
        """See what has come before a cycle."""
        reads = self.reads
        reads.advance(cycle)
        self.weights = reads.available(WEIGHTS, cycle)
        self.parameters = reads.available(PARAMETERS, cycle)
        self.taps = reads.available(TAPS, cycle)

    def rewind(self, command):
        if command.rewind:
            self.weight = self.tile_weight = self.weights_freed

    def end_early_pass(self):
        """Nothing of the pass before is under way any more."""
        self.pending, self.residual = 0, False
        self.landed = self.added = 0

    def free_weights(self, cycle):
        """Release all weights before the next step's; the last step was a cycle before."""
        self.reads.free(cycle, WEIGHTS, self.weight - self.weights_freed)
        self.weights_freed = self.weight
