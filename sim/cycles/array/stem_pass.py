"""Passes of the stem, whose windows come from the image as it arrives.

`StemPass.step` is one cycle, as the RTL has it. `_run` is the loop over the cycles of a pass, and
its shortcuts are functions of their own: `_skip_steps`, `_skip_rows`, and whole passes in
`stem_pass`. Their arguments are in the docstring of `mnv2.sim.cycles`.
"""

from dataclasses import dataclass, replace

from mnv2.sim.cycles import timing
from mnv2.sim.cycles.array.image_words import ImageWords, is_there
from mnv2.sim.cycles.array.known_passes import KnownPass, pass_shape
from mnv2.sim.cycles.array.line_walk import LineWalk
from mnv2.sim.cycles.causes import POINTWISE, Wait, empty_counts
from mnv2.sim.cycles.core_state import CoreState
from mnv2.sim.cycles.plan import PlannedDescriptor
from mnv2.sim.cycles.planned_pass import PlannedLine, PlannedPass
from mnv2.sim.cycles.port.interface import ACTIVATIONS, PARAMETERS, WEIGHTS

__all__ = ["stem_pass"]


def stem_pass(
    core: CoreState,
    begin: int,
    command: PlannedPass,
    line: PlannedLine,
    descriptor: PlannedDescriptor,
    counts: list[int],
) -> int:
    """Predict a pass from the image, whose windows each serve all tiles in turn.

    Parameters and result are those of `mnv2.sim.cycles.array.window_pass.window_pass`.
    """
    core.rewind(command)
    core.ask(begin)
    steps = -(-command.output_words // core.tile_words) * command.input_words
    taken = 0
    if (
        core.skips
        and core.weights >= core.weight + steps
        and core.parameters >= core.parameters_freed + command.parameters + command.output_words
    ):
        shape = ("stem", *pass_shape(core, begin, command, line, descriptor))
        known = core.passes.get(shape)
        if known is None:
            known = core.passes[shape] = _learn(core, begin, command, line)
        words = len(known.takes)
        taken = core.reads.take_all(begin, known.takes, ACTIVATIONS, known.dues[:words])
        if taken == words and (
            len(known.dues) == words or is_there(core.reads, begin + known.dues[-1])
        ):
            core.weight += steps - command.input_words
            return known.repeat(core, begin, command, counts)
    stepped = StemPass(core, begin, command, line, counts, ImageWords(core.reads, begin, taken))
    _run(stepped)
    core.end_early_pass()
    counts[Wait.DRAIN] += 1
    return stepped.cycle


def _learn(core: CoreState, begin: int, command: PlannedPass, line: PlannedLine) -> KnownPass:
    """Step the pass as if nothing came late from memory; the ports are not told.

    Its only tile end is that of all tiles together, since each window serves all of them.
    """
    weight, counts = core.weight, empty_counts()
    image = ImageWords(None, begin, 0)
    stepped = StemPass(core, begin, replace(command, free=False), line, counts, image)
    _run(stepped)
    core.weight = weight
    counts[Wait.DRAIN] += 1
    # The word after the last taken is asked for too.
    dues = image.dues if image.due is None else [*image.dues, image.due]
    return KnownPass(
        cycles=stepped.cycle - begin,
        counts=counts,
        tile_ends=[stepped.end - begin],
        takes=[cycle - begin for cycle in image.takes],
        dues=[cycle - begin for cycle in dues],
    )


class StemPass:
    """The array and the line buffer during a pass, at the begin of a cycle.

    Parameters
    ----------
    core : CoreState
    begin : int
        Cycle in which the pass is asked for.
    command : PlannedPass
    line : PlannedLine
    counts : list of int
        Cycles by cause, then pointwise and depthwise; those of the pass are added.
    image : ImageWords

    Attributes
    ----------
    cycle : int
        The next cycle to step.
    active : bool
        The pass has steps left.
    pixels : int
        Groups of pixels that are left.
    sizes, needs : list of int
        Words of results of each tile, and parameters of the descriptor up to its end.
    tile, number : int
        Tile of these pixels, and step within it: some taps of the window each.
    weight : int
        Word of the ring that the step takes; `first_weight` is that of the first tile's first.
    walk : LineWalk
        The line buffer.
    pending : int
        Words of the last tile that the requantiser has still to take.
    landed : int
        Cycle from which all results are in the map memory.
    weights, parameters : int
        Words that are known to have come: of weights in all, of parameters for this descriptor.
    late : bool
        A word of the image was waited for since this row of pixels began.
    end : int
        Cycle in which the weights were done with.
    """

    __slots__ = (
        "active",
        "command",
        "core",
        "counts",
        "cycle",
        "end",
        "first_weight",
        "image",
        "landed",
        "late",
        "needs",
        "line",
        "number",
        "parameters",
        "pending",
        "pixels",
        "result",
        "sizes",
        "steps",
        "tile",
        "walk",
        "weight",
        "weights",
    )

    def __init__(
        self,
        core: CoreState,
        begin: int,
        command: PlannedPass,
        line: PlannedLine,
        counts: list[int],
        image: ImageWords,
    ):
        self.core, self.command, self.line = core, command, line
        self.counts, self.image = counts, image
        self.cycle = self.end = begin
        self.active = False
        self.steps = command.input_words
        words = range(0, command.output_words, core.tile_words)
        self.sizes = [min(core.tile_words, command.output_words - word) for word in words]
        self.needs = [
            command.parameters + word + size for word, size in zip(words, self.sizes, strict=True)
        ]
        self.pixels = command.rows * command.groups
        self.tile = self.number = 0
        self.weight = self.first_weight = core.weight
        self.walk = LineWalk(line, core.tile_words)
        self.pending, self.landed = core.pending, core.landed
        self.weights = core.weights
        self.parameters = core.parameters - core.parameters_freed
        self.late = False
        self.result = core.timing.result

    def step(self) -> bool:
        """Take a cycle; whether the array takes a step of the pass in it."""
        cycle, walk, image = self.cycle, self.walk, self.image
        first = self.number == self.tile == 0
        # The image is read by the core, for its first step, and by the line buffer when it moves.
        there = image.there <= cycle
        if not there and (first or not walk.held):
            there = not image.is_late(cycle)
            self.late |= not there
        # The first step takes the window, which the others use too. Causes in the RTL's order.
        issued = ends = False
        cause = Wait.DRAIN
        if self.active:
            ends = self.number == self.steps - 1
            if first and not walk.window:
                if image.due is None:
                    image.due = cycle
                cause = Wait.LINE_BUFFER if there else Wait.ACTIVATIONS
            elif self.weight >= self.weights and self._weights_are_late():
                cause = Wait.WEIGHTS
            elif ends and self.needs[self.tile] > self.parameters and self._parameters_are_late():
                cause = Wait.PARAMETERS
            elif ends and self.pending:
                cause = Wait.REQUANTIZE
            else:
                issued = True
        self.counts[POINTWISE if issued else cause] += 1
        if walk.step(there, issued and first):
            image.takes.append(cycle)
            image.dues.append(cycle if image.due is None else image.due)
            image.due = None
            if image.reads is None or image.ahead:
                image.there = image.take_known(cycle)
            else:
                image.there = image.reads.take(cycle, ACTIVATIONS)
        # A word leaves the array: of the tile that ends, or of the one before.
        if ends and issued:
            self.pending = self.sizes[self.tile] - 1
            self.landed = cycle + self.result + 1
        elif self.pending:
            self.pending -= 1
            self.landed = cycle + self.result + 1
        self.cycle = cycle + 1
        return issued

    def _weights_are_late(self) -> bool:
        self.core.reads.advance(self.cycle)
        self.weights = self.core.reads.available(WEIGHTS, self.cycle)
        return self.weight >= self.weights

    def _parameters_are_late(self) -> bool:
        reads = self.core.reads
        reads.advance(self.cycle)
        self.parameters = reads.available(PARAMETERS, self.cycle) - self.core.parameters_freed
        return self.needs[self.tile] > self.parameters

    def next_tile(self) -> bool:
        """Go to the next tile, or to the next pixels' first; whether a row of pixels begins."""
        self.number = 0
        self.tile += 1
        self.weight += 1
        if self.tile < len(self.sizes):
            return False
        self.tile = 0
        self.pixels -= 1
        if not self.pixels:
            self.active, self.end = False, self.cycle
            self.core.weight = self.weight
            if self.command.free:
                self.core.free_weights(self.cycle)
            return False
        self.weight = self.first_weight
        return self.pixels % self.command.groups == 0

    def ended(self) -> bool:
        """Whether nothing of the pass is left anywhere."""
        return (
            not self.active and self.walk.ended() and not self.pending and self.cycle >= self.landed
        )


@dataclass(slots=True)
class _Row:
    """The begin of a row of pixels.

    Attributes
    ----------
    cycle : int
    state : tuple of int
        All of the core and of the line buffer that decides what follows, but for `line_row`.
    line_row : int
        Row of the image that the line buffer stands in.
    counts : list of int
        Cycles by cause until then.
    words : int
        Words of the image taken until then.
    """

    cycle: int
    state: tuple[int, ...]
    line_row: int
    counts: list[int]
    words: int


def _row(state: StemPass) -> _Row:
    """Record the start of a row of pixels."""
    walk = state.walk
    left = state.pending, state.landed - state.cycle
    seen = walk.group, walk.valid, walk.emits, walk.window, *left
    return _Row(state.cycle, seen, walk.row, state.counts.copy(), len(state.image.takes))


def _run(state: StemPass) -> None:
    """Step a pass to its end, and skip what needs no stepping."""
    walk, skips = state.walk, state.core.skips
    # The line buffer begins before the array does.
    for cycle in range(timing.START):
        walk.active = cycle >= timing.LINE_START
        state.step()
    state.active = True
    row, step = None, state.step
    while True:
        if not step():
            if state.ended():
                break
            if skips and state.active and not state.pending:
                _skip_wait(state)
            continue
        if state.number != state.steps - 1:
            state.number += 1
            state.weight += 1
            if skips and walk.window and walk.valid and walk.emits:
                _skip_steps(state)
        elif state.next_tile() and skips:
            if row is not None and not (state.late or state.image.ahead):
                _skip_rows(state, row)
            state.late = False
            row = _row(state)


def _skip_wait(state: StemPass) -> None:
    """Wait for the image until its next word is there, if nothing else moves."""
    walk = state.walk
    if walk.active and walk.waits() and state.number == state.tile == 0:
        cycles = state.image.wait(state.cycle) - state.cycle
        state.counts[Wait.ACTIVATIONS] += cycles
        state.cycle += cycles


def _skip_steps(state: StemPass) -> None:
    """Take steps of these pixels up to the last of a tile; the line buffer is held meanwhile."""
    steps, size = state.steps, state.sizes[0]
    cycles = steps - 1 - state.number
    known = state.weights - state.weight
    tiles = len(state.sizes) - 1 - state.tile
    if (
        tiles
        and state.pending <= cycles
        and steps >= size
        and known >= cycles + tiles * steps
        and state.parameters >= state.needs[-2]
    ):
        # Up to the last tile's last: the requantiser is free again when each tile ends.
        cycles += tiles * steps
        state.tile += tiles
        state.number = steps - 1
        state.pending = 0
        state.landed = state.cycle + cycles - steps + size + state.result
    else:
        cycles = min(cycles, known)
        if cycles <= 0:
            return
        if state.pending:
            words = min(state.pending, cycles)
            state.pending -= words
            state.landed = state.cycle + words + state.result
        state.number += cycles
    state.counts[POINTWISE] += cycles
    state.weight += cycles
    state.cycle += cycles


def _skip_rows(state: StemPass, before: _Row) -> None:
    """Repeat the row that ends, as long as the image comes in time and nothing else begins."""
    walk, image, groups = state.walk, state.image, state.command.groups
    now = _row(state)
    if (
        now.state != before.state
        or now.line_row != before.line_row + 2
        or not before.line_row
        or not walk.active
    ):
        return
    real_rows = min(state.line.end_row, state.line.rows)
    rows = min(state.pixels // groups - 1, (real_rows - walk.row) // 2 - 1)
    length = now.cycle - before.cycle
    places = [cycle - before.cycle for cycle in image.takes[before.words :]]
    dues = [cycle - before.cycle for cycle in image.dues[before.words :]]
    # What is asked for at a row's end is the first word of the next.
    dues[0] = max(dues[0], 0) if image.due is None else image.due - now.cycle
    rows = image.take_rows(now.cycle, length, places, dues, rows)
    for cause, cycles in enumerate(now.counts):
        state.counts[cause] += rows * (cycles - before.counts[cause])
    state.cycle += rows * length
    state.landed += rows * length
    state.pixels -= rows * groups
    walk.row += 2 * rows
