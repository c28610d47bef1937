"""Passes to the line buffer, with the windows that result from them.

`WindowPass.step` is one cycle, as the RTL has it. `_run` is the loop over the cycles of a pass, and
its shortcuts are functions of their own: `_skip_steps`, `_skip_periods`, and whole passes in
`window_pass`. Their arguments are in the docstring of `mnv2.sim.cycles`.
"""

from dataclasses import replace

from mnv2.sim.cycles import timing
from mnv2.sim.cycles.array.known_passes import KnownPass, pass_shape
from mnv2.sim.cycles.array.line_walk import LineWalk
from mnv2.sim.cycles.array.pass_place import PassPlace
from mnv2.sim.cycles.array.repetition import GROUP, ROW, TILE, Period, Repetition
from mnv2.sim.cycles.causes import DEPTHWISE, POINTWISE, Wait, empty_counts
from mnv2.sim.cycles.core_state import CoreState
from mnv2.sim.cycles.plan import PlannedDescriptor
from mnv2.sim.cycles.planned_pass import PlannedLine, PlannedPass
from mnv2.sim.cycles.port.interface import ACTIVATIONS, NEVER, PARAMETERS, TAPS, WEIGHTS

__all__ = ["window_pass"]


def window_pass(
    core: CoreState,
    begin: int,
    command: PlannedPass,
    line: PlannedLine,
    descriptor: PlannedDescriptor,
    counts: list[int],
) -> int:
    """Predict a pass to the line buffer, with the windows that result from it.

    Parameters
    ----------
    core : CoreState
    begin : int
        Cycle in which it is asked for.
    command : PlannedPass
    line : PlannedLine
    descriptor : PlannedDescriptor
    counts : list of int
        Cycles by cause, then pointwise and depthwise; those of the pass are added.

    Returns
    -------
    int
        Cycle in which nothing of the pass is in the pipelines any more.
    """
    core.rewind(command)
    words = command.output_words
    tiles = -(-words // core.tile_words)
    end = 0 if command.copy else core.weight + tiles * command.input_words
    # In the ring, the parameters of the windows follow those of the pass.
    before = command.parameters + (0 if command.copy else words)
    if (
        core.weights < end
        or core.parameters < core.parameters_freed + before + words
        or core.taps < core.taps_freed + words
    ):
        # Parameters serve windows a cycle late.
        core.ask(begin - 1)
    windows = min(core.taps - core.taps_freed, core.parameters - core.parameters_freed - before)
    if core.skips and core.weights >= end and windows >= words:
        shape = pass_shape(core, begin, command, line, descriptor)
        known = core.passes.get(shape)
        if known is None:
            known = _learn(core, begin, command, line, descriptor, windows, before)
            core.passes[shape] = known
        if not descriptor.load or core.reads.loaded_in_time(
            begin, known.begins, command.index, command.input_words
        ):
            return known.repeat(core, begin, command, counts)
    store = None
    if descriptor.store:
        store = core.writes.busy_from(begin)
    loaded = core.reads.loaded(begin) if descriptor.load else NEVER
    stepped = WindowPass(core, begin, command, line, counts, windows, before, loaded, store)
    _run(stepped)
    core.end_early_pass()
    counts[Wait.DRAIN] += 1
    return stepped.cycle


def _learn(
    core: CoreState,
    begin: int,
    command: PlannedPass,
    line: PlannedLine,
    descriptor: PlannedDescriptor,
    windows: int,
    before: int,
) -> KnownPass:
    """Step the pass as if nothing came late from memory; the ports are not told."""
    fetch, weight, counts = core.fetch, core.weight, empty_counts()
    store = bytearray() if descriptor.store else None
    stepped = WindowPass(
        core, begin, replace(command, free=False), line, counts, windows, before, NEVER, store
    )
    _run(stepped)
    core.weight = weight
    counts[Wait.DRAIN] += 1
    return KnownPass(
        cycles=stepped.cycle - begin,
        counts=counts,
        tile_ends=[tile_end - begin for tile_end in stepped.place.tile_ends],
        begins=[start - begin for start in stepped.begins],
        busy=None if store is None else bytes(store),
        fetch=core.fetch - begin if core.fetch != fetch else None,
    )


class WindowPass:
    """The array, the line buffer and the residual adder during a pass, at the begin of a cycle.

    Parameters
    ----------
    core : CoreState
    begin : int
        Cycle in which the pass is asked for.
    command : PlannedPass
    line : PlannedLine
    counts : list of int
        Cycles by cause, then pointwise and depthwise; those of the pass are added.
    windows : int
        Words whose windows are known to have kernels and parameters.
    before : int
        Parameters of the descriptor that precede those of the windows.
    loaded : int
        Words of the input that are known to be in the map memory; `NEVER` if none is waited for.
    store : bytearray or None
        Gets, for each cycle, whether the pass reads the map memory; None if nobody asks.

    Attributes
    ----------
    cycle : int
        The next cycle to step.
    active : bool
        The pass has steps left.
    place : PassPlace
        The pixels that the pass has reached.
    number : int
        Step within them: one input word each, or one word of a copy.
    walk : LineWalk
        The line buffer.
    flying : int
        Words between the array and the line buffer's queue: bit k arrives in k cycles.
    queued, room : int
        Words in that queue, and places that no word is on its way to.
    pending : int
        Words of the last tile that the requantiser has still to take.
    to_queue : bool
        They are of this pass, for the line buffer; otherwise of the pass before.
    residual : bool
        Words of the pass before wait for the residual adder.
    landed, added : int
        Cycle from which all results, and all residual sums, are in their memory.
    weights, parameters : int
        Words that are known to have come: of weights in all, of parameters for this descriptor.
    begins : list of int
        Cycles in which the groups of pixels of the first tile begin.
    """

    __slots__ = (
        "active",
        "added",
        "before",
        "begins",
        "command",
        "copy",
        "core",
        "counts",
        "cycle",
        "flying",
        "landed",
        "loaded",
        "number",
        "parameters",
        "pending",
        "place",
        "queued",
        "residual",
        "result",
        "room",
        "store",
        "to_queue",
        "walk",
        "weights",
        "windows",
    )

    def __init__(
        self,
        core: CoreState,
        begin: int,
        command: PlannedPass,
        line: PlannedLine,
        counts: list[int],
        windows: int,
        before: int,
        loaded: int,
        store: bytearray | None,
    ):
        self.core, self.command, self.copy, self.counts = core, command, command.copy, counts
        self.cycle, self.active, self.number = begin, False, 0
        self.place = PassPlace(core, command)
        self.walk = LineWalk(line, core.tile_words)
        self.flying, self.queued, self.room = 0, 0, core.queue_words
        self.pending, self.to_queue = core.pending, False
        self.residual = core.residual and bool(core.pending or core.ready)
        self.landed, self.added = core.landed, core.added
        self.weights = NEVER if command.copy else core.weights
        self.parameters = core.parameters - core.parameters_freed
        self.windows, self.before, self.loaded, self.store = windows, before, loaded, store
        self.begins = [begin + timing.START]
        self.result = core.timing.result

    def step(self) -> bool:
        """Take a cycle; whether the pass takes a step in it."""
        cycle, walk, place = self.cycle, self.walk, self.place
        # The array takes a window if there is one, else a step of the pass. Copies go past it.
        window = walk.window
        depthwise = window and (walk.window_word < self.windows or self._window_is_served())
        issued = copied = ends = False
        cause = Wait.DRAIN
        if self.active:
            # Causes in the RTL's order. A copy keeps the array waiting for the line buffer.
            ends = self.number == place.steps - 1
            if place.need > self.loaded and self._input_is_late():
                cause = Wait.ACTIVATIONS
            elif self.copy:
                cause, copied = Wait.LINE_BUFFER, self.room > 0
            elif place.weight + self.number >= self.weights and self._weights_are_late():
                cause = Wait.WEIGHTS
            elif ends and place.parameters > self.parameters and self._parameters_are_late():
                cause = Wait.PARAMETERS
            elif ends and self.pending:
                cause = Wait.REQUANTIZE
            elif ends and self.room < place.count:
                cause = Wait.LINE_BUFFER
            else:
                issued = not depthwise
        if issued:
            self.counts[POINTWISE] += 1
        elif depthwise:
            self.counts[DEPTHWISE] += 1
        else:
            self.counts[Wait.PARAMETERS if window else cause] += 1

        # The line buffer takes a word from its queue, where another arrives.
        if walk.step(self.queued, depthwise):
            self.queued -= 1
            self.room += 1
        flying = self.flying
        if flying:
            self.queued += flying & 1
            flying >>= 1

        # One word leaves the array: of the windows, of the tile that ends, or of the one before.
        if depthwise:
            self.landed = cycle + self.result + 1
        elif issued and ends:
            flying |= 1 << (self.result - 1)
            self.pending, self.to_queue = place.count - 1, True
            self.room -= place.count
        elif self.pending:
            self.pending -= 1
            if self.to_queue:
                flying |= 1 << (self.result - 1)
            elif self.residual:
                self.core.ready.append(cycle + self.result + 1)
            else:
                self.landed = cycle + self.result + 1
        if copied:
            self.room -= 1
            flying |= 1
            issued = True
        self.flying = flying
        if self.residual:
            self._step_residual_adder(issued)
        if self.store is not None:
            self.store.append(issued)
        self.cycle = cycle + 1
        return issued

    def _step_residual_adder(self, issued: bool) -> None:
        """Fetch a residual word, if one waits and the pass leaves the map memory free."""
        core, cycle = self.core, self.cycle
        ready = core.ready
        if ready and not issued and ready[0] <= cycle and core.fetch <= cycle:
            ready.popleft()
            core.fetch = cycle + core.timing.fetch
            self.added = cycle + core.timing.add + 1
        self.residual = bool(ready) or (self.pending > 0 and not self.to_queue)

    def ended(self) -> bool:
        """Whether nothing of the pass is left anywhere."""
        return (
            not self.active
            and self.walk.ended()
            and not (self.flying or self.queued or self.pending or self.residual)
            and self.cycle >= self.landed
            and self.cycle >= self.added
        )

    # The port is asked only where the known arrivals are not enough: a query may be slow.

    def _window_is_served(self) -> bool:
        core, reads = self.core, self.core.reads
        reads.advance(self.cycle)
        self.windows = min(
            reads.available(TAPS, self.cycle) - core.taps_freed,
            # Parameters serve windows a cycle late.
            reads.available(PARAMETERS, self.cycle - 1) - core.parameters_freed - self.before,
        )
        return self.walk.window_word < self.windows

    def _input_is_late(self) -> bool:
        self.core.reads.advance(self.cycle)
        self.loaded = self.core.reads.loaded(self.cycle)
        return self.place.need > self.loaded

    def _weights_are_late(self) -> bool:
        self.ask_weights()
        return self.place.weight + self.number >= self.weights

    def _parameters_are_late(self) -> bool:
        self.ask_parameters()
        return self.place.parameters > self.parameters

    def ask_weights(self) -> None:
        """Ask the port for the words of weights that have come."""
        self.core.reads.advance(self.cycle)
        self.weights = self.core.reads.available(WEIGHTS, self.cycle)

    def ask_parameters(self) -> None:
        """Ask the port for the words of parameters that have come for this descriptor."""
        reads = self.core.reads
        reads.advance(self.cycle)
        self.parameters = reads.available(PARAMETERS, self.cycle) - self.core.parameters_freed


def _run(state: WindowPass) -> None:
    """Step a pass to its end, and skip what needs no stepping."""
    place, walk, skips = state.place, state.walk, state.core.skips
    # The line buffer begins before the array does.
    for cycle in range(timing.START):
        walk.active = cycle >= timing.LINE_START
        state.step()
    state.active = True
    repetition = Repetition()
    step = state.step
    while True:
        if not step():
            if state.ended():
                break
            if skips and state.active and not (state.pending or state.queued or state.flying):
                _skip_wait(state)
            continue
        # The next step, group of pixels, row, tile.
        if state.number != place.steps - 1:
            state.number += 1
        else:
            state.number = 0
            level = place.next(state.cycle)
            if place.ended:
                state.active = False
                continue
            if place.tile == 0:
                state.begins.append(state.cycle)
            if skips:
                repetition.begins(level)
                if not state.residual and state.windows >= state.command.output_words:
                    _skip_periods(state, repetition, level)
        if skips and not (state.queued or walk.valid or walk.window or state.copy):
            _skip_steps(state)


def _skip_wait(state: WindowPass) -> None:
    """Wait for the input, or for weights, until they are there, if nothing else moves."""
    if state.residual or not state.walk.waits():
        return
    place, reads, cycle = state.place, state.core.reads, state.cycle
    weight = place.weight + state.number
    if place.need > state.loaded:
        cause, there = Wait.ACTIVATIONS, reads.until(ACTIVATIONS, place.need, cycle)[place.need - 1]
    elif weight >= state.weights:
        cause, there = Wait.WEIGHTS, reads.until(WEIGHTS, weight + 1, cycle)[weight]
    else:
        return
    # It came before the cycle in which it is used.
    cycles = there + 1 - cycle
    if cycles <= 0:
        return
    state.counts[cause] += cycles
    state.cycle += cycles
    if state.store is not None:
        state.store += bytes(cycles)


def _skip_steps(state: WindowPass) -> None:
    """Take the steps up to the tile's last, or up to a word's arrival; the line buffer waits."""
    walk, place, number = state.walk, state.place, state.number
    steps = place.steps - 1 - number
    if steps <= 0 or state.residual or place.need > state.loaded or (walk.active and not walk.real):
        return
    known = state.weights - place.weight - number
    if known < steps:
        steps = known
    flying = state.flying
    if flying:
        # Its lowest bit is the word that arrives first.
        first = (flying & -flying).bit_length() - 1
        if first < steps:
            steps = first
    if steps <= 0:
        return
    if state.pending:
        # One word a cycle follows: none of them arrives yet.
        steps = min(steps, state.result)
        words = min(state.pending, steps)
        state.pending -= words
        if state.to_queue:
            flying |= (1 << words) - 1 << state.result
        else:
            state.landed = state.cycle + words + state.result
    state.flying = flying >> steps
    state.counts[POINTWISE] += steps
    state.number += steps
    state.cycle += steps
    if state.store is not None:
        state.store += b"\1" * steps


def _skip_periods(state: WindowPass, repetition: Repetition, level: int) -> None:
    """Repeat what was stepped since this state was last seen, as often as nothing else begins."""
    place, walk = state.place, state.walk
    left = min(place.left(level), walk.left(level))
    if left <= 0:
        return
    seen = (
        *walk.state(level, place),
        state.flying,
        state.queued,
        state.room,
        state.pending,
        max(state.landed - state.cycle, 0),
    )
    if level == GROUP:
        numbers = place.group, walk.group
    elif level == ROW:
        numbers = place.row, walk.row
    else:
        numbers = place.tile, 1
    period = repetition.find(level, seen, numbers, state.cycle, state.counts)
    if period is None:
        return
    times = left // period.places
    if level == TILE:
        times = _tiles_provided(state, period, times)
    elif place.need + place.words(level, left) > state.loaded:
        return
    if times <= 0:
        return
    if place.tile == 0 and level != TILE:
        groups = state.command.groups if level == ROW else 1
        latest = state.begins[-period.places * groups :]
        for k in range(1, times + 1):
            state.begins += [start + k * period.cycles for start in latest]
    for cause, cycles in enumerate(period.counts):
        state.counts[cause] += times * cycles
    if state.store is not None:
        state.store += state.store[-period.cycles :] * times
    place.skip(level, period, times)
    walk.skip(level, times * period.places)
    state.cycle += times * period.cycles
    state.landed += times * period.cycles


def _tiles_provided(state: WindowPass, period: Period, times: int) -> int:
    """Count the periods of tiles whose weights and parameters have come, `times` at most."""
    place = state.place
    if state.copy:
        return times
    words = period.places * place.steps
    if state.weights < place.weight + times * words:
        state.ask_weights()
        times = min(times, (state.weights - place.weight) // words)
    ready, words = place.parameters - place.count, period.places * state.core.tile_words
    if state.parameters < ready + times * words:
        state.ask_parameters()
        times = min(times, (state.parameters - ready) // words)
    return times
