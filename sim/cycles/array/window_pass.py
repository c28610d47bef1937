"""Passes to the line buffer and the windows that come of them: stepped until they repeat."""

from dataclasses import replace

from mnv2.sim.cycles import passes
from mnv2.sim.cycles.array.known_passes import KnownPass, pass_shape
from mnv2.sim.cycles.array.line_walk import LineWalk
from mnv2.sim.cycles.array.pass_place import PassPlace
from mnv2.sim.cycles.array.repetition import ROW, TILE, Repetition
from mnv2.sim.cycles.passes import DEPTHWISE, POINTWISE, Wait
from mnv2.sim.cycles.port.reads import NEVER, PARAMETERS, TAPS, WEIGHTS

__all__ = ["window_pass"]


def window_pass(core, begin, command, line, work, counts):
    """A pass to the line buffer, with the windows that come of it.

    Parameters
    ----------
    core : mnv2.sim.cycles.core.Core
    begin : int
        Cycle in which it is asked for.
    command : Pass
    line : Line
    work : mnv2.sim.cycles.plan.Work
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
    end = 0 if command.copy else core.weight + tiles * command.input_words
    # Behind those of the pass in the ring are the parameters of the windows.
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
        shape = pass_shape(core, begin, command, line, work)
        known = core.passes.get(shape)
        if known is None:
            known = core.passes[shape] = _learn(core, begin, command, line, work, windows, before)
        if not work.load or core.reads.loaded_in_time(
            begin, known.begins, command.index, command.input_words
        ):
            return known.repeat(core, begin, command, counts)
    store = None
    if work.store:
        store = core.writes.busy
        core.writes.reads(begin - 1)
        store[-1] = 0
    loaded = core.reads.loaded(begin) if work.load else NEVER
    cycle, _, _ = _step(core, begin, command, line, counts, windows, before, loaded, store)
    core.end_early_pass()
    counts[Wait.DRAIN] += 1
    return cycle


def _learn(core, begin, command, line, work, windows, before):
    """The pass as it is when it waits for nothing from memory; nobody is told of it."""
    fetch, weight, counts = core.fetch, core.weight, [0] * (DEPTHWISE + 1)
    store = bytearray() if work.store else None
    cycle, tile_ends, begins = _step(
        core, begin, replace(command, free=False), line, counts, windows, before, NEVER, store
    )
    core.weight = weight
    counts[Wait.DRAIN] += 1
    return KnownPass(
        cycle - begin,
        counts,
        [tile_end - begin for tile_end in tile_ends],
        [start - begin for start in begins],
        None if store is None else bytes(store),
        core.fetch - begin if core.fetch != fetch else None,
    )


def _step(core, begin, command, line, counts, windows, before, loaded, store):
    """Step a pass, cycle by cycle where it does not repeat itself.

    Parameters
    ----------
    windows : int
        Words whose windows have taps and parameters.
    before : int
        Parameters of this descriptor before those of the windows.
    loaded : int
        Words of the input that are there before the first cycle, `NEVER` where none is waited for.
    store : bytearray or None
        Is told for each cycle whether the core reads the map memory.

    Returns
    -------
    cycle : int
        As `window_pass`.
    tile_ends : list of int
        Cycles in which the weights of each tile were done with.
    begins : list of int
        Cycles in which the groups of pixels of the first tile begin.
    """
    reads, tile_words = core.reads, core.tile_words
    result, line_buffer = passes.RESULT, Wait.LINE_BUFFER
    copy, words = command.copy, command.output_words
    # Where the pass and the line buffer stand.
    active = False
    place = PassPlace(core, command)
    walk = LineWalk(line, tile_words)
    count, steps, need, step = place.count, place.steps, place.need, 0
    weight = place.weight
    # Between the array and the line buffer: bit k is a word that arrives in k cycles.
    flying = 0
    queued, room = 0, core.queue_words
    pending, to_queue = core.pending, False
    residual = core.residual and (pending or core.ready)
    landed, added = core.landed, core.added
    # What is known to be there.
    weights = NEVER if copy else core.weights
    parameters = core.parameters - core.parameters_freed
    started = 2  # cycles before the first step
    cycle = begin
    repetition = Repetition()
    begins = [cycle + started]
    while True:
        # What the array does: a window first, else a step of the pass.
        depthwise = issued = ends = False
        if walk.window:
            if walk.window_word >= windows:
                reads.advance(cycle)
                windows = min(
                    reads.available(TAPS, cycle) - core.taps_freed,
                    reads.available(PARAMETERS, cycle - 1) - core.parameters_freed - before,
                )
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
                cause = line_buffer
            elif weight >= weights:
                cause = Wait.WEIGHTS
            elif step == steps - 1:
                if place.parameters > parameters:
                    reads.advance(cycle)
                    parameters = reads.available(PARAMETERS, cycle) - core.parameters_freed
                if place.parameters > parameters:
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
                    more = min(steps - 1 - step, weights - weight) - 1
                    if flying:
                        more = min(more, (flying & -flying).bit_length() - 1)
                    if more > 0:
                        counts[POINTWISE] += more
                        step += more
                        weight += more
                        cycle += more
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
        taken = walk.step(queued, depthwise)
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
        room += taken
        if ends:
            room -= count
        elif issued and copy:
            room -= 1
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
            if (
                not active
                and walk.ended()
                and not (flying or queued or pending or residual)
                and cycle >= landed
                and cycle >= added
            ):
                break
            continue
        # The next step, group of pixels, row, tile.
        if step != steps - 1:
            step += 1
            if not copy:
                weight += 1
            continue
        step = 0
        level = place.next(cycle)
        if place.ended:
            active = False
            continue
        count, steps, need, weight = place.count, place.steps, place.need, place.weight
        if place.tile == 0:
            begins.append(cycle)
        repetition.begins(level)
        left = min(place.left(level), walk.left(level))
        if left <= 0 or residual or windows < words or not core.skips:
            continue
        # What follows repeats what was, from a state that was seen on.
        period = repetition.find(
            level,
            (
                *walk.relative(level, place),
                *walk.state(),
                flying,
                queued,
                room,
                pending,
                max(landed - cycle, 0),
            ),
            place,
            walk,
            cycle,
            counts,
        )
        if period is None:
            continue
        times = left // period.places
        if level != TILE:
            if need + place.words(level, left) > loaded:
                continue
            if place.tile == 0:
                latest = begins[-period.places * (command.groups if level == ROW else 1) :]
                for k in range(1, times + 1):
                    begins += [start + k * period.cycles for start in latest]
        else:
            if not copy:
                period_words = period.places * steps
                if weights < weight + times * period_words:
                    reads.advance(cycle)
                    weights = reads.available(WEIGHTS, cycle)
                    times = min(times, (weights - weight) // period_words)
                ready, period_words = place.parameters - count, period.places * tile_words
                if parameters < ready + times * period_words:
                    reads.advance(cycle)
                    parameters = reads.available(PARAMETERS, cycle) - core.parameters_freed
                    times = min(times, (parameters - ready) // period_words)
            if times <= 0:
                continue
        for cause, cycles in enumerate(period.counts):
            counts[cause] += times * cycles
        if store is not None:
            store += store[-period.cycles :] * times
        place.skip(level, period, times)
        walk.skip(level, times * period.places)
        count, steps, need, weight = place.count, place.steps, place.need, place.weight
        cycle += times * period.cycles
        landed += times * period.cycles
    core.tile_weight = core.weight
    return cycle, place.tile_ends, begins
