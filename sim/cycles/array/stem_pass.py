"""Passes of the stem, whose windows come of the image as it arrives."""

from dataclasses import replace

from mnv2.sim.cycles import timing
from mnv2.sim.cycles.array.known_passes import KnownPass, pass_shape
from mnv2.sim.cycles.causes import POINTWISE, Wait, empty_counts
from mnv2.sim.cycles.port.interface import ACTIVATIONS, NEVER, PARAMETERS, WEIGHTS

__all__ = ["stem_pass"]


class _Row:
    """A row of pixels as it is stepped.

    Attributes
    ----------
    begin : int
        Cycle in which it begins.
    state : tuple
        Of core and line buffer then.
    line_row : int
        Row of the image that the line buffer took then.
    counts : list of int
        Cycles by cause until then.
    takes : list of int
        Cycles in which words of the image were taken.
    dues : list of int
        Cycles from which on they were asked for.
    taken : int
        Words that the port knows to be taken before the core has stepped so far.
    late : bool
        The image kept the row waiting, so that it is no pattern for others.
    """

    __slots__ = ("begin", "counts", "dues", "late", "line_row", "state", "taken", "takes")

    def __init__(self, taken=0):
        self.taken, self.late, self.takes = taken, False, []
        self.dues = []
        self.begin = self.line_row = 0
        self.state = self.counts = None


def stem_pass(core, begin, command, line, descriptor, counts):
    """A pass from the image, whose windows each serve all tiles in turn.

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
        takes, dues = known.begins
        taken = core.reads.take_all(begin, takes, ACTIVATIONS, dues[: len(takes)])
        if taken == len(takes) and (len(dues) == taken or _is_there(core.reads, begin + dues[-1])):
            core.weight += steps - command.input_words
            return known.repeat(core, begin, command, counts)
    cycle, _, _ = _step(core, begin, command, line, counts, taken)
    core.end_early_pass()
    counts[Wait.DRAIN] += 1
    return cycle


def _is_there(reads, cycle):
    """Whether the image's next word is there in a cycle."""
    reads.advance(cycle)
    return reads.when(ACTIVATIONS) <= cycle


def _learn(core, begin, command, line):
    """The pass as it is when it waits for nothing from memory; nobody is told of it.

    In place of cycles in which groups of pixels begin, it has those in which words of the image are
    taken, and those by which they must be there; its only tile end is that of all together.
    """
    weight, counts = core.weight, empty_counts()
    cycle, end, image = _step(core, begin, replace(command, free=False), line, counts, None)
    core.weight = weight
    counts[Wait.DRAIN] += 1
    return KnownPass(
        cycle - begin,
        counts,
        [end - begin],
        [[place - begin for place in places] for places in image],
        None,
        None,
    )


def _step(core, begin, command, line, counts, known):
    """Step a pass, cycle by cycle where rows do not repeat themselves.

    Parameters
    ----------
    known : int or None
        Words of the image that the port knows to be taken already. None where the whole image is
        there and the port is told nothing.

    Returns
    -------
    cycle : int
        As `stem_pass`.
    end : int
        Cycle in which the weights were done with.
    image : (list of int, list of int)
        Cycles in which words of the image were taken, and from which on they are asked for, where
        the port is told nothing: what the core waits for depends on it before the line buffer does,
        and on the word behind the last.
    """
    reads, tile_words = core.reads, core.tile_words
    result, drain, line_buffer = timing.RESULT, Wait.DRAIN, Wait.LINE_BUFFER
    steps, words = command.input_words, command.output_words
    tiles = -(-words // tile_words)
    counted = [min(tile_words, words - k * tile_words) for k in range(tiles)]
    weight = first_weight = core.weight
    groups = command.groups
    pixels = command.rows * groups  # groups of pixels that are left
    tile = step = 0
    count = counted[0]
    active = line_active = False
    line_row, line_group = line.first_row, 0
    end_row, map_rows, map_groups, line_steps = (line.end_row, line.rows, line.groups, line.steps)
    pad_start = line.pad_start
    valid_1 = emit_1 = window = False
    pending, landed = core.pending, core.landed
    weights = core.weights
    parameters = core.parameters - core.parameters_freed
    started, cycle = 2, begin
    told = known is not None
    # Cycle of the image's next word.
    image = begin if known or not told else reads.when(ACTIVATIONS)
    row = _Row(known or 0)
    end = begin
    all_takes, all_dues, due = [], [], None
    while True:
        if image > cycle and (step == tile == 0 or not (window and valid_1 and emit_1)):
            if image == NEVER:
                reads.advance(cycle)
                image = reads.when(ACTIVATIONS)
            row.late |= image > cycle
        issued = ends = takes = False
        cause = drain
        if active:
            if weight >= weights:
                reads.advance(cycle)
                weights = reads.available(WEIGHTS, cycle)
            if step == 0 and tile == 0 and not window:
                cause = line_buffer if image <= cycle else Wait.ACTIVATIONS
                if due is None:
                    due = cycle
            elif weight >= weights:
                cause = Wait.WEIGHTS
            elif step == steps - 1:
                needed = command.parameters + tile * tile_words + count
                if needed > parameters:
                    reads.advance(cycle)
                    parameters = reads.available(PARAMETERS, cycle) - core.parameters_freed
                if needed > parameters:
                    cause = Wait.PARAMETERS
                elif pending:
                    cause = Wait.REQUANTIZE
                else:
                    issued = ends = True
            else:
                issued = True
                # Up to the tile's last step, while the line buffer waits for its window to be
                # taken.
                if step and window and valid_1 and emit_1:
                    more = min(steps - 1 - step, weights - weight) - 1
                    if more > 0:
                        counts[POINTWISE] += more
                        if pending:
                            flushed = pending if pending < more else more
                            pending -= flushed
                            landed = cycle + flushed + result
                        step += more
                        weight += more
                        cycle += more
            takes = issued and step == 0 and tile == 0
        counts[POINTWISE if issued else cause] += 1
        # The line buffer.
        if not (valid_1 and emit_1 and window and not takes):
            if valid_1 and emit_1:
                window = True
            elif takes:
                window = False
            valid_1 = False
            if line_active:
                real = line_row < map_rows and line_group < map_groups
                if not real or image <= cycle:
                    valid_1 = True
                    if pad_start:
                        emit_1 = line_row & 1 and line_group & 1
                    else:
                        emit_1 = line_row and not line_row & 1 and line_group and not line_group & 1
                    line_group += 1
                    if line_group == line_steps:
                        line_group = 0
                        line_row += 1
                        line_active = line_row != end_row
                    if real:
                        row.takes.append(cycle)
                        row.dues.append(cycle if due is None else due)
                        due = None
                        if not told:
                            all_takes.append(cycle)
                            all_dues.append(row.dues[-1])
                        elif row.taken:  # the port knows of this word
                            row.taken -= 1
                            if not row.taken:
                                image = reads.when(ACTIVATIONS)
                        else:
                            image = reads.take(cycle, ACTIVATIONS)
        elif takes:
            window = False
        if ends:
            pending = count - 1
            landed = cycle + result + 1
        elif pending:
            pending -= 1
            landed = cycle + result + 1
        cycle += 1
        if started:
            started -= 1
            line_active = True
            active = not started
            continue
        if not issued:
            if (
                not active
                and not window
                and not valid_1
                and not line_active
                and not pending
                and cycle >= landed
            ):
                break
            continue
        step += 1
        if step < steps:
            weight += 1
            continue
        step = 0
        if tile < tiles - 1:
            tile += 1
            weight += 1
            count = counted[tile]
            continue
        tile = 0
        count = counted[0]
        pixels -= 1
        if not pixels:
            weight += 1
            core.weight = weight
            active, end = False, cycle
            if command.free:
                core.free_weights(cycle)
            continue
        weight = first_weight
        if pixels % groups or not core.skips:
            continue
        # A row of pixels ends: what follows repeats it as long as the image comes in time.
        state = (line_group, valid_1, emit_1, window, pending, landed - cycle)
        if (
            row.state == state
            and not row.late
            and not row.taken
            and row.line_row + 2 == line_row
            and row.line_row
            and line_active
        ):
            rows = min(pixels // groups - 1, (min(end_row, map_rows) - line_row) // 2 - 1)
            spent = [now - before for now, before in zip(counts, row.counts, strict=True)]
            length, places = cycle - row.begin, [taken - row.begin for taken in row.takes]
            # What is asked for at a row's end is the first word of the next.
            dues = [early - row.begin for early in row.dues]
            dues[0] = max(dues[0], 0) if due is None else due - cycle
            taken = 0
            while rows > 0:
                if told:
                    taken = reads.take_all(cycle, places, ACTIVATIONS, dues)
                    if taken < len(places) or (
                        due is not None and not _is_there(reads, due + length)
                    ):
                        break
                else:
                    all_takes += [cycle + place for place in places]
                    all_dues += [cycle + place for place in dues]
                for cause, cycles in enumerate(spent):
                    counts[cause] += cycles
                if due is not None:
                    due += length
                cycle += length
                landed += length
                pixels -= groups
                line_row += 2
                rows -= 1
                taken = 0
            image = cycle if taken or not told else reads.when(ACTIVATIONS)
            row = _Row(taken)
        else:
            row = _Row(row.taken)
        row.begin, row.state, row.line_row, row.counts = cycle, state, line_row, counts.copy()
    if due is not None:
        all_dues.append(due)
    return cycle, end, (all_takes, all_dues)
