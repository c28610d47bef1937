"""Passes without windows: projection, head and classifier.

Nothing competes for the array here, so no cycle is stepped: `PointwisePass.step_pixels` takes the
steps of a group of pixels together. They follow each other one a cycle, and only the first can
wait for the input, the first pass over a tile's weights for weights, and the last for whatever
takes the results. `PointwisePass.skip_tile` takes all groups of pixels of a tile together if
nothing waits. Their arguments are in the docstring of `mnv2.sim.cycles`.
"""

from collections import deque
from collections.abc import Iterable
from operator import sub

from mnv2.sim.cycles import timing
from mnv2.sim.cycles.causes import POINTWISE, Wait
from mnv2.sim.cycles.core_state import CoreState
from mnv2.sim.cycles.plan import PlannedDescriptor
from mnv2.sim.cycles.planned_pass import PlannedPass
from mnv2.sim.cycles.port.interface import ACTIVATIONS, PARAMETERS, WEIGHTS

__all__ = ["pointwise_pass"]


def pointwise_pass(
    core: CoreState,
    begin: int,
    command: PlannedPass,
    descriptor: PlannedDescriptor,
    counts: list[int],
    *,
    early: bool,
) -> int:
    """Predict a pass without windows.

    Parameters
    ----------
    core : CoreState
    begin : int
        Cycle in which it is requested.
    command : PlannedPass
    descriptor : PlannedDescriptor
    counts : list of int
        Cycles by cause, then pointwise and depthwise; those of the pass are added.
    early : bool
        The next pass need not wait for the results.

    Returns
    -------
    int
        Cycle in which the sequencer continues.
    """
    core.rewind(command)
    state = PointwisePass(core, begin, command, descriptor, counts)
    for word in range(0, command.output_words, core.tile_words):
        state.begin_tile(min(core.tile_words, command.output_words - word))
        if core.skips and state.waits_for_nothing():
            state.skip_tile()
        else:
            for group in range(state.groups):
                state.step_pixels(group)
        if command.free:
            core.free_weights(state.cycle)
    done = state.done()
    if early:
        counts[Wait.DRAIN] += 1
        state.end_early(done)
        return state.cycle
    end = max(done, state.pending_until)
    counts[Wait.DRAIN] += end - state.cycle + 1
    return end


class PointwisePass:
    """The array, and what takes its results, during a pass without windows.

    Parameters
    ----------
    core : CoreState
    begin : int
        Cycle in which the pass is asked for.
    command : PlannedPass
    descriptor : PlannedDescriptor
    counts : list of int
        Cycles by cause, then pointwise and depthwise; those of the pass are added.

    Attributes
    ----------
    cycle : int
        The next step's, unless it waits.
    groups : int
        Groups of pixels of the pass.
    count : int
        Words of results of each, in this tile.
    parameters : int
        Parameters in the ring up to this tile's end.
    plenty : bool
        The weights of this tile are known to have come.
    pending_until : int
        Cycle from which the requantiser takes another tile.
    queue : deque of (int, int)
        For each word in the residual adder's queue, or on its way there: the cycle from which it is
        there, and the one in which it is fetched.
    logits : int
        Words of logits so far.
    """

    def __init__(
        self,
        core: CoreState,
        begin: int,
        command: PlannedPass,
        descriptor: PlannedDescriptor,
        counts: list[int],
    ):
        self.core, self.command, self.descriptor, self.counts = core, command, descriptor, counts
        counts[Wait.DRAIN] += timing.START
        self.cycle = begin + timing.START
        self.groups = command.rows * command.groups
        self.count = 0
        self.parameters = core.parameters_freed + command.parameters
        self.plenty = False
        self.pending_until = 0
        self.queue: deque[tuple[int, int]] = deque()
        self.logits = 0
        # The input comes from memory while the pass runs.
        self._loads = descriptor.load and not command.from_strip
        # The port must be told when the map memory is read or written.
        self._told = descriptor.load or descriptor.store
        self._timing = core.timing

    def begin_tile(self, count: int) -> None:
        """Go to the next tile, of `count` words of results for each group of pixels."""
        core = self.core
        self.count = count
        self.parameters += count
        self._take_residual_words()
        end = core.weight + self.command.input_words
        if core.weights < end or core.parameters < self.parameters:
            core.ask(self.cycle)
        self.plenty = core.weights >= end

    def step_pixels(self, group: int) -> None:
        """Take the steps of a group of pixels of this tile; the pass's first is 0."""
        core, counts, target = self.core, self.counts, self.command.target
        steps = self.command.input_words
        if self._loads:
            self._wait_for_input(self.command.index + steps * (group + 1))
        if group == 0:
            if not self.plenty:
                self._wait_for_weights(steps)
            core.weight += steps
        self.cycle += steps - 1
        # The last step of the tile and these pixels.
        if core.parameters < self.parameters:
            self._wait_for_parameters()
        if self.pending_until > self.cycle:
            counts[Wait.REQUANTIZE] += self.pending_until - self.cycle
            self.cycle = self.pending_until
        if target == "residual":
            self._wait_for_residual_queue()
        elif target == "logits":
            self._wait_for_logits_queue()
        counts[POINTWISE] += steps
        last = group == self.groups - 1
        self.pending_until = self.cycle + self.count + self._mean_cycles(last)
        self._send_words(self.cycle + self._timing.result, last)
        self.cycle += 1

    def _send_words(self, first: int, last: bool) -> None:
        """Send a tile's words on, one a cycle from cycle `first` on at the requantiser's output."""
        core, count, target = self.core, self.count, self.command.target
        lands: Iterable[int] = range(first, first + count)
        if target == "residual":
            fetch, queue = core.fetch, self.queue
            for ready in range(first + 1, first + 1 + count):
                if ready > fetch:
                    fetch = ready
                queue.append((ready, fetch))
                fetch += self._timing.fetch
            core.fetch = fetch
            if self._told:
                fetches = [queue[k][1] for k in range(-count, 0)]
                if self.descriptor.store:
                    for fetch in fetches:
                        core.writes.reads(fetch)
                lands = [fetch + self._timing.add for fetch in fetches]
        elif target == "logits":
            for cycle in lands:
                core.writes.logits_word(cycle)
            self.logits += count
        elif target == "pool":
            lands = range(first + self._timing.mean, first + self._timing.mean + count)
        # A pool gives its words with the last pixels.
        if self.descriptor.load and (target != "pool" or last):
            core.reads.write_busy.update(lands)

    def _mean_cycles(self, last: bool) -> int:
        """Cycles that the totals of a tile take in addition, after a tile's last pixels."""
        return self._timing.mean if self.command.target == "pool" and last else 0

    # What a step waits for.

    def _wait_for_input(self, words: int) -> None:
        """Wait until that many words of the input have come."""
        reads, cycle = self.core.reads, self.cycle
        reads.advance(cycle)
        if reads.loaded(cycle) < words:
            there = reads.until(ACTIVATIONS, words, cycle)[words - 1] + 1
            if there > cycle:
                self.counts[Wait.ACTIVATIONS] += there - cycle
                self.cycle = there

    def _wait_for_weights(self, steps: int) -> None:
        """Wait as many cycles as the steps of a tile wait for weights, all together."""
        first = self.core.weight
        gives = self.core.reads.until(WEIGHTS, first + steps, self.cycle)
        # One step a cycle, each in a cycle after its weights came.
        late = max(map(sub, gives[first : first + steps], range(steps))) + 1 - self.cycle
        if late > 0:
            self.counts[Wait.WEIGHTS] += late
            self.cycle += late

    def _wait_for_parameters(self) -> None:
        """Wait until the parameters of this tile have come."""
        reads = self.core.reads
        reads.advance(self.cycle)
        arrives = reads.until(PARAMETERS, self.parameters, self.cycle)[self.parameters - 1]
        if arrives >= self.cycle:
            self.counts[Wait.PARAMETERS] += arrives + 1 - self.cycle
            self.cycle = arrives + 1

    def _wait_for_residual_queue(self) -> None:
        """Wait until the residual adder's queue has room for the words of the tile."""
        queue = self.queue
        while queue and queue[0][1] < self.cycle:
            queue.popleft()
        missing = self.count - (self.core.queue_words - len(queue))
        if missing > 0:
            there = queue[missing - 1][1] + 1
            self.counts[Wait.RESIDUAL] += there - self.cycle
            self.cycle = there
            self._take_residual_words()

    def _take_residual_words(self) -> None:
        """Take the words that were fetched before this cycle out of the queue."""
        queue = self.queue
        while queue and queue[0][1] < self.cycle:
            queue.popleft()

    def _wait_for_logits_queue(self) -> None:
        """Wait until the queue of logits has room for the words of the tile."""
        queue_words, writes = self.core.queue_words, self.core.writes
        if queue_words >= self.logits + self.count:
            return
        writes.advance(self.cycle)
        while queue_words - self.logits + writes.taken < self.count:
            self.cycle += 1
            self.counts[Wait.RESIDUAL] += 1
            writes.advance(self.cycle)

    # What is skipped.

    def waits_for_nothing(self) -> bool:
        """Whether all groups of pixels of this tile follow each other without a wait.

        Weights and parameters have come; no input is loaded; each group of pixels takes as many
        steps as the requantiser needs for its words; and nothing needs to know when results land.
        Words for the residual adder are all fetched before those of the next group are due, so that
        its queue never holds more than those of two.
        """
        core, load, store = self.core, self.descriptor.load, self.descriptor.store
        steps, target = self.command.input_words, self.command.target
        if not (
            self.plenty
            and core.parameters >= self.parameters
            and not self._loads
            and steps >= self.count
            and self.pending_until <= self.cycle + steps - 1
        ):
            return False
        if target == "residual":
            return (
                not (load or store or self.queue)
                and steps >= max(self.count * self._timing.fetch, self._timing.result + 1)
                and core.fetch <= self.cycle + steps + self._timing.result
                and core.queue_words >= 2 * self.count
            )
        return target == "pool" or (target == "map" and not load)

    def skip_tile(self) -> None:
        """Take all steps of this tile."""
        core, steps = self.core, self.command.input_words
        self.cycle += steps * self.groups
        self.counts[POINTWISE] += steps * self.groups
        core.weight += steps
        self.pending_until = self.cycle - 1 + self.count + self._mean_cycles(True)
        if self.command.target == "residual":
            # The words of the last group of pixels; those before are fetched.
            first = self.cycle + self._timing.result
            for word in range(self.count):
                self.queue.append((first + word, first + word * self._timing.fetch))
            core.fetch = first + self.count * self._timing.fetch

    # The end.

    def done(self) -> int:
        """Cycle from which all results are where they belong."""
        core, target = self.core, self.command.target
        # The last step was a cycle before, and the last word of its tile follows.
        last = self.cycle - 1 + self.count - 1
        if target == "logits":
            writes = core.writes
            writes.advance(self.cycle)
            while writes.taken < self.logits:
                writes.advance(writes.now + 1)
            # The count of words follows a cycle later than that of other results.
            return writes.last_taken + 2
        if target == "residual":
            return self.queue[-1][1] + self._timing.add + 1
        return last + self._timing.result + 1 + self._mean_cycles(True)

    def end_early(self, done: int) -> None:
        """Leave to the next pass what is fetched or lands from its first cycle on."""
        core, cycle = self.core, self.cycle
        core.pending = max(0, self.pending_until - cycle - 1)
        core.residual = self.command.target == "residual"
        if not core.residual:
            core.landed = done - core.pending
            return
        # Words whose slots are in that pass reach the residual adder when it steps them.
        core.ready.extend(
            ready
            for ready, fetch in self.queue
            if fetch > cycle and ready <= cycle + self._timing.result + 1
        )
        core.fetch = next((fetch for _, fetch in self.queue if fetch > cycle), core.fetch)
        fetched = [fetch for _, fetch in self.queue if fetch <= cycle]
        core.added = fetched[-1] + self._timing.add + 1 if fetched else 0
