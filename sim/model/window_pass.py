"""Passes to the line buffer and the windows that come of them: stepped until they repeat."""

from sim.model import passes
from sim.model.known_passes import KnownPass, pass_shape
from sim.model.line_walk import LineWalk
from sim.model.passes import DEPTHWISE, POINTWISE, Wait
from sim.model.reads import NEVER, PARAMETERS, TAPS, WEIGHTS
from sim.model.repetition import GROUP, ROW, TILE, Repetition

__all__ = ["window_pass"]


def window_pass(core, begin, command, line, work, counts):
    """A pass to the line buffer, with the windows that come of it.

    Parameters
    ----------
    core : sim.model.core.Core
    begin : int
        Cycle in which it is asked for.
    command : Pass
    line : Line
    work : sim.model.plan.Work
    counts : list of int
        Cycles by cause, then pointwise and depthwise.

    Returns
    -------
    int
        Cycle in which nothing is under way any more.
    """
    core.rewind(command)
    words = command.output_words
    tiles = -(-words // core.tile_words)
    end   = 0 if command.copy else core.weight + tiles * command.input_words
    # Behind those of the pass in the ring are the parameters of the windows.
    before = command.parameters + (0 if command.copy else words)
    if (core.weights < end or core.parameters < core.parameters_freed + before + words
            or core.taps < core.taps_freed + words):
        # Parameters serve windows a cycle late.
        core.ask(begin - 1)
    windows = min(core.taps - core.taps_freed, core.parameters - core.parameters_freed - before)
    shape   = None
    if (core.skips and not work.load and not work.store
            and core.weights >= end and windows >= words):
        shape = pass_shape(core, begin, command, line)
        if shape in core.passes:
            return core.passes[shape].repeat(core, begin, command, counts)
        earlier, fetch = counts.copy(), core.fetch
    cycle, tile_ends = _step(core, begin, command, line, work, counts, windows, before)
    core.end_early_pass()
    counts[Wait.DRAIN] += 1
    if shape:
        core.passes[shape] = KnownPass(
            cycle - begin, [now - then for now, then in zip(counts, earlier, strict=True)],
            [tile_end - begin for tile_end in tile_ends],
            core.fetch - begin if core.fetch != fetch else None)
    return cycle


def _step(core, begin, command, line, work, counts, windows, before):
    """Step a pass, cycle by cycle where it does not repeat itself.

    Parameters
    ----------
    windows : int
        Words whose windows have taps and parameters.
    before : int
        Parameters of this descriptor before those of the windows.

    Returns
    -------
    cycle : int
        As `window_pass`.
    tile_ends : list of int
        Cycles in which the weights of each tile were done with.
    """
    reads, tile_words = core.reads, core.tile_words
    result, line_buffer = passes.RESULT, Wait.LINE_BUFFER
    copy, steps = command.copy, command.input_words
    rows, groups, words = command.rows, command.groups, command.output_words
    tiles   = -(-words // tile_words)
    counted = [min(tile_words, words - k * tile_words) for k in range(tiles)]
    count   = counted[0]
    steps_here = count if copy else steps
    # Where the pass and the line buffer stand.
    active = False
    tile = row = group = step = 0
    walk   = LineWalk(line, tile_words)
    last_row, last_group = min(line.rows, line.end_row) - 1, min(line.groups, line.steps) - 1
    weight = core.weight
    # Between the array and the line buffer: bit k is a word that arrives in k cycles.
    flying = 0
    queued, room = 0, core.queue_words
    pending, to_queue = core.pending, False
    residual = core.residual and (pending or core.ready)
    landed, added = core.landed, core.added
    # What is known to be there.
    weights    = NEVER if copy else core.weights
    parameters = core.parameters - core.parameters_freed
    loaded = reads.loaded(begin) if work.load else NEVER
    need   = command.index + steps                # input words up to these pixels' end
    store  = core.writes.busy if work.store else None
    if store is not None:
        core.writes.reads(begin - 1)
        store[-1] = 0
    started = 2                                   # cycles before the first step
    cycle   = begin
    repetition = Repetition()
    tile_ends  = []
    while True:
        # What the array does: a window first, else a step of the pass.
        depthwise = issued = ends = False
        if walk.window:
            if walk.window_word >= windows:
                reads.advance(cycle)
                windows = min(
                    reads.available(TAPS, cycle) - core.taps_freed,
                    reads.available(PARAMETERS, cycle - 1) - core.parameters_freed - before)
            depthwise = walk.window_word < windows
        cause = Wait.DRAIN
        if active:
            if need > loaded:
                reads.advance(cycle)
                loaded = reads.loaded(cycle)
            if weight >= weights:
                reads.advance(cycle)
                weights = reads.available(WEIGHTS, cycle)
            if need > loaded:
                cause = Wait.ACTIVATIONS
            elif copy:
                issued = bool(room)
                cause  = line_buffer
            elif weight >= weights:
                cause = Wait.WEIGHTS
            elif step == steps_here - 1:
                end = command.parameters + tile * tile_words + count
                if end > parameters:
                    reads.advance(cycle)
                    parameters = reads.available(PARAMETERS, cycle) - core.parameters_freed
                if end > parameters:
                    cause = Wait.PARAMETERS
                elif pending:
                    cause = Wait.REQUANTIZE
                elif room < count:
                    cause = line_buffer
                elif not depthwise:
                    issued = ends = True
            elif not depthwise:
                issued = True
                # Up to the tile's last step, as long as nothing else moves.
                if not (pending or residual or queued) and walk.waits():
                    more = min(steps_here - 1 - step, weights - weight) - 1
                    if flying:
                        more = min(more, (flying & -flying).bit_length() - 1)
                    if more > 0:
                        counts[POINTWISE] += more
                        step    += more
                        weight  += more
                        cycle   += more
                        flying >>= more
                        if store is not None:
                            store += b"\1" * more
        if issued and not copy:
            counts[POINTWISE] += 1
        elif depthwise:
            counts[DEPTHWISE] += 1
        elif walk.window:
            counts[Wait.PARAMETERS] += 1
        else:
            counts[cause] += 1
        arrives = flying & 1
        flying >>= 1
        taken   = walk.step(queued, depthwise)
        # A word leaves the array: to the queue of the line buffer, the residual adder, the map.
        if depthwise:
            landed = cycle + result + 1
        elif ends:
            flying |= 1 << (result - 1)
            pending, to_queue = count - 1, True
        elif pending:
            pending -= 1
            if to_queue:
                flying |= 1 << (result - 1)
            elif residual:
                core.ready.append(cycle + result + 1)
            else:
                landed = cycle + result + 1
        if residual:
            ready = core.ready
            if ready and not issued and ready[0] <= cycle and core.fetch <= cycle:
                ready.popleft()
                core.fetch = cycle + core.pixels + 1
                added = cycle + core.pixels + passes.ADD + 1
            residual = bool(ready) or (pending and not to_queue)
        queued += arrives - taken
        room   += taken
        if ends:
            room -= count
        elif issued and copy:
            room   -= 1
            flying |= 1
        if store is not None:
            store.append(issued)
        cycle += 1
        if started:
            started -= 1
            walk.active = True
            active = not started
            continue
        if not issued:
            if (not active and walk.ended() and not (flying or queued or pending or residual)
                    and cycle >= landed and cycle >= added):
                break
            continue
        # The next step, group of pixels, row, tile.
        if step != steps_here - 1:
            step += 1
            if not copy:
                weight += 1
            continue
        step = 0
        group += 1
        if group != groups:
            level, place, line_place = GROUP, group, walk.group
            left = min(groups - 1 - group, last_group - walk.group)
            where = walk.tile, walk.row, walk.group - group
        elif row != rows - 1:
            group = 0
            row  += 1
            repetition.forget(GROUP)
            level, place, line_place = ROW, row, walk.row
            left = min(rows - 1 - row, last_row - walk.row)
            where = walk.tile, walk.row - row, walk.group
        else:
            group = row = 0
            tile += 1
            tile_ends.append(cycle)
            if not copy:
                weight += 1
                core.weight = weight
                if command.free:
                    core.free_weights(cycle)
            if tile == tiles:
                active = False
                continue
            count = counted[tile]
            if copy:
                steps_here = count
            repetition.forget(GROUP, ROW)
            level, place, line_place = TILE, tile, 1
            left = tiles - 1 - tile
            where = walk.tile - tile * tile_words, walk.row, walk.group
        if level == TILE:
            need = command.index + steps
        else:
            need += steps
            if not copy:
                weight -= steps - 1
        if left <= 0 or residual or windows < words or not core.skips:
            continue
        # What follows repeats what was, from a state that was seen on.
        parity = line_place & 1 if line.stride_2 and level != TILE else 0
        period = repetition.find(
            level, (*where, *walk.state(), parity, flying, queued, room, pending,
                    max(landed - cycle, 0)), place, line_place, cycle, counts)
        if period is None:
            continue
        times = left // period.places
        if level == TILE:
            if not copy:
                period_words = period.places * steps
                if weights < weight + times * period_words:
                    reads.advance(cycle)
                    weights = reads.available(WEIGHTS, cycle)
                    times = min(times, (weights - weight) // period_words)
                begin_parameters = command.parameters + tile * tile_words
                period_words = period.places * tile_words
                if parameters < begin_parameters + times * period_words:
                    reads.advance(cycle)
                    parameters = reads.available(PARAMETERS, cycle) - core.parameters_freed
                    times = min(times, (parameters - begin_parameters) // period_words)
        elif need + steps * left * (groups if level == ROW else 1) > loaded:
            continue
        if times <= 0:
            continue
        for k, cycles in enumerate(period.counts):
            counts[k] += times * cycles
        if store is not None:
            store += store[-period.cycles:] * times
        places = times * period.places
        if level == GROUP:
            group      += places
            walk.group += places
            need       += places * steps
        elif level == ROW:
            row        += places
            walk.row   += places
            need       += places * groups * steps
        else:
            latest = tile_ends[-period.places:]
            for k in range(1, times + 1):
                for tile_end in latest:
                    tile_ends.append(tile_end + k * period.cycles)
                    if not copy:
                        weight += steps
                        core.weight = weight
                        if command.free:
                            core.free_weights(tile_ends[-1])
            tile += places
            count = counted[tile]
            if copy:
                steps_here = count
            walk.skip_tiles(places)
            walk.passed      += places * tile_words
            walk.window_word += places * tile_words
        cycle  += times * period.cycles
        landed += times * period.cycles
    if not copy:
        core.weight = core.tile_weight = weight
    else:
        core.tile_weight = core.weight
    return cycle, tile_ends
