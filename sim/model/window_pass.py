"""Passes to the line buffer and the windows that come of them: stepped until they repeat."""

from sim.model import passes
from sim.model.passes import DEPTHWISE, POINTWISE, Wait
from sim.model.reads import NEVER, PARAMETERS, TAPS, WEIGHTS

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
    reads, tile_words = core.reads, core.tile_words
    result, drain, line_buffer = passes.RESULT, Wait.DRAIN, Wait.LINE_BUFFER
    core.rewind(command)
    copy, steps = command.copy, command.input_words
    rows, groups, words = command.rows, command.groups, command.output_words
    tiles  = -(-words // tile_words)
    counted = [min(tile_words, words - k * tile_words) for k in range(tiles)]
    count  = counted[0]
    steps_here = count if copy else steps
    # Where the pass and the line buffer stand.
    active = line_active = False
    tile = row = group = step = 0
    line_tile, line_row, line_group, line_word = 0, line.first_row, 0, 0
    line_words = count
    first_row, end_row, map_rows = line.first_row, line.end_row, line.rows
    map_groups, line_steps = line.groups, line.steps
    stride_2, pad_start = line.stride_2, line.pad_start
    last_row = min(map_rows, end_row) - 1
    weight = core.weight
    valid_1 = emit_1 = window = False
    word_1 = window_word = 0
    # Between the array and the line buffer: bit k is a word that arrives in k cycles.
    flying = 0
    queued, room = 0, core.queue_words
    pending, to_queue = core.pending, False
    residual = core.residual and (pending or core.ready)
    landed, added = core.landed, core.added
    # What is known to be there.
    depthwise_parameters = command.parameters + (0 if copy else words)
    if ((not copy and core.weights < weight + tiles * steps)
            or core.parameters < core.parameters_freed + depthwise_parameters + words
            or core.taps < core.taps_freed + words):
        # Parameters serve windows a cycle late.
        core.ask(begin - 1)
    weights    = NEVER if copy else core.weights
    parameters = core.parameters - core.parameters_freed
    windows    = min(core.taps - core.taps_freed, parameters - depthwise_parameters)
    # A pass that waits for nothing from memory is like all others of its shape.
    shape = None
    if (core.skips and not work.load and not work.store
            and weights >= weight + tiles * steps and windows >= words):
        shape = (copy, steps, rows, groups, words, first_row == 0, first_row & 1,
                 end_row - first_row, map_rows - first_row if map_rows < end_row else 0,
                 map_groups, line_steps, stride_2, pad_start,
                 max(core.landed - begin, 0), max(core.added - begin, 0), pending)
        if residual:
            shape += (max(core.fetch - begin, 0), *(max(ready - begin, 0) for ready in core.ready))
        if shape in core.passes:
            return _repeat_pass(core, begin, command, counts, *core.passes[shape])
        earlier, fetch = counts.copy(), core.fetch
    loaded = reads.loaded(begin) if work.load else NEVER
    need = command.index + steps                  # input words up to these pixels' end
    store = core.writes.busy if work.store else None
    if store is not None:
        core.writes.reads(begin - 1)
        store[-1] = 0
    started = 2                                   # cycles before the first step
    cycle = begin
    # States that were seen where a group of pixels, a row, a tile begins.
    seen_groups, seen_rows, seen_tiles = {}, {}, {}
    tile_begins = []
    line_limit = min(map_groups, line_steps)
    while True:
        depthwise = issued = False
        if window:
            if window_word >= windows:
                reads.advance(cycle)
                windows = min(
                    reads.available(TAPS, cycle) - core.taps_freed,
                    reads.available(PARAMETERS, cycle - 1) - core.parameters_freed
                    - depthwise_parameters)
            depthwise = window_word < windows
        cause = drain
        ends = False
        if active:
            last = step == steps_here - 1
            if need > loaded:
                reads.advance(cycle)
                loaded = reads.loaded(cycle)
            if weight >= weights:
                reads.advance(cycle)
                weights = reads.available(WEIGHTS, cycle)
            if copy:
                if need > loaded:
                    cause = Wait.ACTIVATIONS
                elif not room:
                    cause = line_buffer
                else:
                    issued = True
                    cause = line_buffer
            elif need > loaded:
                cause = Wait.ACTIVATIONS
            elif weight >= weights:
                cause = Wait.WEIGHTS
            elif last:
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
                if (not window and not pending and not valid_1 and not residual
                        and not queued and (not line_active or (
                            line_row < map_rows and line_group < map_groups))):
                    more = min(steps_here - 1 - step, weights - weight) - 1
                    if flying:
                        quiet = (flying & -flying).bit_length() - 1
                        more = min(more, quiet)
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
        elif window:
            counts[Wait.PARAMETERS] += 1
        else:
            counts[cause] += 1
        # The line buffer takes a word, or steps over the padding.
        taken = False
        arrives = flying & 1
        flying >>= 1
        if not (valid_1 and emit_1 and window and not depthwise):
            if valid_1 and emit_1:
                window, window_word = True, word_1
            elif depthwise:
                window = False
            valid_1 = False
            if line_active:
                real = line_row < map_rows and line_group < map_groups
                if queued or not real:
                    taken = real
                    valid_1 = True
                    if not stride_2:
                        emit_1 = line_row != 0 and line_group != 0
                    elif pad_start:
                        emit_1 = line_row & 1 and line_group & 1
                    else:
                        emit_1 = (line_row and not line_row & 1
                                  and line_group and not line_group & 1)
                    word_1 = line_tile + line_word
                    line_word += 1
                    if line_word == line_words:
                        line_word = 0
                        line_group += 1
                        if line_group == line_steps:
                            line_group = 0
                            line_row += 1
                            if line_row == end_row:
                                line_row = first_row
                                line_tile += tile_words
                                if line_tile >= words:
                                    line_active = False
                                else:
                                    line_words = counted[line_tile // tile_words]
        elif depthwise:
            window = False
        # A word leaves the array.
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
            line_active = True
            active = not started
            continue
        if not issued:
            if (not active and not window and not valid_1 and not line_active and not flying
                    and not queued and not pending and not residual and cycle >= landed
                    and cycle >= added):
                break
            continue
        # The next step.
        if step != steps_here - 1:
            step += 1
            if not copy:
                weight += 1
            continue
        step = 0
        group += 1
        if group != groups or row != rows - 1:
            need += steps
            if not copy:
                weight -= steps - 1
            if group != groups:
                seen, where, place = seen_groups, group, line_group
                parity = line_group & 1 if stride_2 else 0
                left = min(groups - 1 - group, line_limit - 1 - line_group)
                key = line_tile, line_row, line_group - group
            else:
                group = 0
                row  += 1
                seen_groups.clear()
                seen, where, place = seen_rows, row, line_row
                left = min(rows - 1 - row, last_row - line_row)
                parity = line_row & 1 if stride_2 else 0
                key = line_tile, line_row - row, line_group
        else:
            group = row = 0
            need = command.index + steps
            if not copy:
                weight += 1
                core.weight = weight
                if command.free:
                    core.free_weights(cycle)
            tile += 1
            tile_begins.append(cycle)
            if tile == tiles:
                active = False
                continue
            count = counted[tile]
            if copy:
                steps_here = count
            seen_groups.clear()
            seen_rows.clear()
            seen, where, place = seen_tiles, tile, 1
            left = tiles - 1 - tile
            parity = 0
            key = line_tile - tile * tile_words, line_row, line_group
        if left <= 0 or residual or windows < words or not core.skips:
            continue
        key = (*key, line_word, parity, flying, queued, room, pending, valid_1, emit_1, window,
               landed - cycle if landed > cycle else 0)
        before = seen.get(key)
        seen[key] = where, place, cycle, counts.copy()
        if before is None or not before[1] or before[3][:3] != counts[:3]:
            continue            # what came late once comes in time from now on
        # As it stood a period ago: what follows repeats itcore.
        period, length = where - before[0], cycle - before[2]
        times = left // period
        if seen is seen_tiles:
            if not copy:
                step_words = period * steps
                if weights < weight + times * step_words:
                    reads.advance(cycle)
                    weights = reads.available(WEIGHTS, cycle)
                    times = min(times, (weights - weight) // step_words)
                end = command.parameters + (tile + times * period) * tile_words
                if parameters < end:
                    reads.advance(cycle)
                    parameters = reads.available(PARAMETERS, cycle) - core.parameters_freed
                    times = min(times, (parameters - command.parameters
                                        - tile * tile_words) // (period * tile_words))
        elif need + steps * (left if seen is seen_groups else left * groups) > loaded:
            continue
        if times <= 0:
            continue
        for k in range(11):
            counts[k] += times * (counts[k] - before[3][k])
        if store is not None:
            store += store[-length:] * times
        if seen is seen_groups:
            group      += times * period
            line_group += times * period
            need       += times * period * steps
        elif seen is seen_rows:
            row        += times * period
            line_row   += times * period
            need       += times * period * groups * steps
        else:
            latest = tile_begins[-period:]
            for k in range(1, times + 1):
                for tile_begin in latest:
                    tile_begins.append(tile_begin + k * length)
                    if not copy:
                        weight += steps
                        core.weight = weight
                        if command.free:
                            core.free_weights(tile_begin + k * length)
            tile        += times * period
            count        = counted[tile]
            shift        = times * period * tile_words
            line_tile   += shift
            line_words   = counted[line_tile // tile_words]
            word_1      += shift
            window_word += shift
            if copy:
                steps_here = count
        cycle  += times * length
        landed += times * length
    core.weight = core.tile_weight = weight if not copy else core.weight
    core.pending, core.residual = 0, False
    core.landed = core.added = 0
    counts[drain] += 1
    if shape:
        core.passes[shape] = (
            cycle - begin, [one - other for one, other in zip(counts, earlier, strict=True)],
            [tile_begin - begin for tile_begin in tile_begins],
            core.fetch - begin if core.fetch != fetch else None)
    return cycle


def _repeat_pass(core, begin, command, counts, length, spent, tile_ends, fetch):
    """A pass as one before."""
    for cause, cycles in enumerate(spent):
        counts[cause] += cycles
    if not command.copy:
        for tile_end in tile_ends:
            core.weight += command.input_words
            if command.free:
                core.free_weights(begin + tile_end)
        core.tile_weight = core.weight
    core.ready.clear()
    if fetch is not None:
        core.fetch = begin + fetch
    core.pending, core.residual = 0, False
    core.landed = core.added = 0
    return begin + length
