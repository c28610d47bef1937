"""Passes of the core: when each step is taken, and why none is."""

from collections import deque
from dataclasses import dataclass

from sim.model.reads import ACTIVATIONS, NEVER, PARAMETERS, TAPS, WEIGHTS

__all__ = ["CAUSES", "DEPTHWISE", "DRAIN", "OUTPUT", "POINTWISE", "PROGRAM", "Core", "Line",
           "Pass"]

#: Why the array does nothing, as `hw.passes.Stall` without NONE, in the same order.
CAUSES = ("activations", "weights", "parameters", "requantize", "line_buffer", "residual",
          "output", "drain", "program")
(_ACTIVATIONS, _WEIGHTS, _PARAMETERS, _REQUANTIZE, _LINE_BUFFER, _RESIDUAL, OUTPUT, DRAIN,
 PROGRAM) = range(9)
#: Places of the array's work behind those of the causes.
POINTWISE, DEPTHWISE = 9, 10

#: Cycles from a step to its result behind the requantiser, from there through the pool, and from
#: the fetch of a residual word to its sum, beside those that its pixels take.
_RESULT, _POOL, _ADD = 13, 9, 11


@dataclass(slots=True)
class Pass:
    """See `hw.passes.PassCommand`. The target is ``"queue"``, ``"map"``, ``"residual"``,
    ``"pool"`` or ``"logits"``."""

    target:       str
    rows:         int
    groups:       int
    input_words:  int
    output_words: int
    parameters:   int  = 0
    index:        int  = 0
    copy:         bool = False
    from_strip:   bool = False
    free:         bool = False
    rewind:       bool = False


@dataclass(slots=True)
class Line:
    """See `hw.line_buffer.LineCommand`."""

    first_row: int
    end_row:   int
    rows:      int
    groups:    int
    steps:     int
    words:     int
    stride_2:  bool
    pad_start: bool


class Core:
    """State between passes.

    Attributes
    ----------
    skips : bool
        What repeats itself is stepped once, and what waits for nothing not at all; without, every
        step is taken, which gives the same and takes longer.

    Parameters
    ----------
    config : hw.config.AcceleratorConfig
    reads : sim.model.reads.ReadPort
    writes : sim.model.writes.WritePort
    """

    skips = True

    def __init__(self, config, reads, writes):
        self._reads, self._writes = reads, writes
        self._tile_words  = config.tile_words
        self._queue_words = config.queue_words
        self._pixels      = config.pixels
        #: Words of the rings, counted from the program's first.
        self._weight = self._tile_weight = self._weights_freed = 0
        self.parameters_freed = self.taps_freed = 0
        # Words that are known to have come: asking may take time.
        self._weights = self._parameters = self._taps = 0
        #: Passes to the line buffer by their shapes: cycles, counts, and when each tile ended.
        self._passes  = {}
        # What an early end of a pass leaves under way.
        self._pending  = 0          # words of the last tile for the requantiser
        self._residual = False      # they go to the residual adder
        self._landed   = 0          # cycle from which results are in the map memory
        self._ready    = deque()    # cycles from which words wait for the residual adder
        self._fetch    = 0          # cycle from which it takes the next
        self._added    = 0          # cycle from which all sums are in the map memory

    def _ask(self, cycle):
        """See what has come before a cycle."""
        reads = self._reads
        reads.advance(cycle)
        self._weights    = reads.available(WEIGHTS, cycle)
        self._parameters = reads.available(PARAMETERS, cycle)
        self._taps       = reads.available(TAPS, cycle)

    def _rewind(self, command):
        if command.rewind:
            self._weight = self._tile_weight = self._weights_freed

    def _free_weights(self, cycle):
        """Release all weights before the next step's; the last step was a cycle before."""
        self._reads.free(cycle, WEIGHTS, self._weight - self._weights_freed)
        self._weights_freed = self._weight

    # Head, classifier and projection.

    def pointwise_pass(self, begin, command, work, counts, *, early):
        """A pass without windows.

        Parameters
        ----------
        begin : int
            Cycle in which it is asked for.
        command : Pass
        work : sim.model.plan.Work
        counts : list of int
            Cycles by cause, then pointwise and depthwise.
        early : bool
            The next pass need not wait for the results.

        Returns
        -------
        int
            Cycle in which the sequencer goes on.
        """
        reads, tile_words = self._reads, self._tile_words
        self._rewind(command)
        steps, target = command.input_words, command.target
        groups  = command.rows * command.groups
        to_map  = target in ("map", "pool")
        load    = work.load and not command.from_strip
        logged  = work.load or work.store
        slack   = self._pixels + 1
        waits   = deque()           # fetches of residual words that are still to come
        used    = 0
        logits  = 0
        pending_until = 0
        counts[DRAIN] += 2
        cycle = begin + 2
        words_before = 0
        parameters = self.parameters_freed + command.parameters
        while words_before < command.output_words:
            count = min(tile_words, command.output_words - words_before)
            words_before += count
            parameters   += count
            group = 0
            while waits and waits[0][1] < cycle:
                waits.popleft()
                used -= 1
            if self._weights < self._weight + steps or self._parameters < parameters:
                self._ask(cycle)
            plenty = self._weights >= self._weight + steps
            if (self.skips and plenty and not load and not (logged and target == "residual")
                    and self._parameters >= parameters
                    and steps >= count and pending_until <= cycle + steps - 1
                    and not (work.load and target == "map")
                    and (to_map or (target == "residual" and not waits
                                    and steps >= max(count * slack, _RESULT + 1)
                                    and self._fetch <= cycle + steps + _RESULT
                                    and self._queue_words >= 2 * count))):
                # Nothing waits for anything.
                cycle += steps * groups
                counts[POINTWISE] += steps * groups
                pending_until = cycle - 1 + count
                if target == "residual":
                    fetched = [cycle + _RESULT + slack * k for k in range(count)]
                    ready   = [cycle + _RESULT + k for k in range(count)]
                    waits.extend(zip(ready, fetched, strict=True))
                    used += count
                    self._fetch = fetched[-1] + slack
                self._weight += steps
                group = groups
            while group < groups:
                if load:
                    need = command.index + command.input_words * (group + 1)
                    arrived = self._when_loaded(need, cycle)
                    if arrived > cycle:
                        counts[_ACTIVATIONS] += arrived - cycle
                        cycle = arrived
                if group == 0 and not plenty:
                    gives = reads.until(WEIGHTS, self._weight + steps, cycle)
                    for arrives in gives[self._weight:self._weight + steps]:
                        if arrives >= cycle:
                            counts[_WEIGHTS] += arrives + 1 - cycle
                            cycle = arrives + 1
                        cycle += 1
                    cycle -= 1
                else:
                    cycle += steps - 1
                if group == 0:
                    self._weight += steps
                # The last step of the tile and these pixels.
                if self._parameters < parameters:
                    reads.advance(cycle)
                    arrives = reads.until(PARAMETERS, parameters, cycle)[parameters - 1]
                    if arrives >= cycle:
                        counts[_PARAMETERS] += arrives + 1 - cycle
                        cycle = arrives + 1
                if pending_until > cycle:
                    counts[_REQUANTIZE] += pending_until - cycle
                    cycle = pending_until
                if target == "residual":
                    while waits and waits[0][1] < cycle:
                        waits.popleft()
                        used -= 1
                    if self._queue_words - used < count:
                        missing = count - (self._queue_words - used)
                        there = waits[missing - 1][1] + 1
                        counts[_RESIDUAL] += there - cycle
                        cycle = there
                        while waits and waits[0][1] < cycle:
                            waits.popleft()
                            used -= 1
                elif target == "logits" and self._queue_words < logits + count:
                    self._writes.advance(cycle)
                    while self._queue_words - logits + self._writes.taken < count:
                        cycle += 1
                        counts[_RESIDUAL] += 1
                        self._writes.advance(cycle)
                counts[POINTWISE] += steps
                pending_until = cycle + count
                for k in range(count):
                    lands = cycle + k + _RESULT
                    if target == "residual":
                        fetch = max(lands + 1, self._fetch)
                        self._fetch = fetch + slack
                        waits.append((lands + 1, fetch))
                        if work.store:
                            self._writes.reads(fetch)
                        lands = fetch + self._pixels + _ADD
                    elif target == "logits":
                        self._writes.logits_word(lands)
                    elif target == "pool":
                        lands += _POOL
                    if work.load and (target != "pool" or group == groups - 1):
                        reads.write_busy.add(lands)
                if target == "residual":
                    used += count
                elif target == "logits":
                    logits += count
                cycle += 1
                group += 1
            self._tile_weight = self._weight
            if command.free:
                self._free_weights(cycle)
        # The last step was a cycle before.
        last = cycle - 1 + count - 1            # slot of the last word
        if target == "logits":
            self._writes.advance(cycle)
            while self._writes.taken < logits:
                self._writes.advance(self._writes.now + 1)
            done = self._writes.last_taken + 1
        elif target == "residual":
            done = waits[-1][1] + self._pixels + _ADD + 1
        else:
            done = last + _RESULT + 1 + (_POOL if target == "pool" else 0)
        if early:
            counts[DRAIN] += 1
            self._pending  = max(0, pending_until - cycle - 1)
            self._residual = target == "residual"
            # What is fetched or lands from the next pass's first cycle on is its business.
            if self._residual:
                self._ready.extend(ready for ready, fetch in waits
                                   if fetch > cycle and ready <= cycle + _RESULT + 1)
                self._fetch = next((fetch for _, fetch in waits if fetch > cycle), self._fetch)
                before = [fetch for _, fetch in waits if fetch <= cycle]
                self._added = before[-1] + self._pixels + _ADD + 1 if before else 0
            else:
                self._landed = done - self._pending
            return cycle
        counts[DRAIN] += max(done, pending_until) - cycle + 1
        return max(done, pending_until)

    def _when_loaded(self, words, cycle):
        """Cycle from which so many words of the input are there."""
        self._reads.advance(cycle)
        if self._reads.loaded(cycle) >= words:
            return cycle
        return self._reads.until(ACTIVATIONS, words, cycle)[words - 1] + 1

    # Expansion, or copy, to the line buffer and its windows.

    def window_pass(self, begin, command, line, work, counts):
        """A pass to the line buffer, with the windows that come of it.

        Parameters
        ----------
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
        reads, tile_words = self._reads, self._tile_words
        self._rewind(command)
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
        weight = self._weight
        valid_1 = emit_1 = window = False
        word_1 = window_word = 0
        # Between the array and the line buffer: bit k is a word that arrives in k cycles.
        flying = 0
        queued, room = 0, self._queue_words
        pending, to_queue = self._pending, False
        residual = self._residual and (pending or self._ready)
        landed, added = self._landed, self._added
        # What is known to be there.
        depthwise_parameters = command.parameters + (0 if copy else words)
        if ((not copy and self._weights < weight + tiles * steps)
                or self._parameters < self.parameters_freed + depthwise_parameters + words
                or self._taps < self.taps_freed + words):
            # Parameters serve windows a cycle late.
            self._ask(begin - 1)
        weights    = NEVER if copy else self._weights
        parameters = self._parameters - self.parameters_freed
        windows    = min(self._taps - self.taps_freed, parameters - depthwise_parameters)
        # A pass that waits for nothing from memory is like all others of its shape.
        shape = None
        if (self.skips and not work.load and not work.store and not self._pending
                and not self._residual and weights >= weight + tiles * steps and windows >= words):
            shape = (copy, steps, rows, groups, words, first_row == 0, first_row & 1,
                     end_row - first_row, map_rows - first_row if map_rows < end_row else 0,
                     map_groups, line_steps, stride_2, pad_start,
                     max(self._landed - begin, 0), max(self._added - begin, 0))
            if shape in self._passes:
                return self._repeat_pass(begin, command, counts, *self._passes[shape])
            earlier = counts.copy()
        loaded = reads.loaded(begin) if work.load else NEVER
        need = command.index + steps                  # input words up to these pixels' end
        store = self._writes.busy if work.store else None
        if store is not None:
            self._writes.reads(begin - 1)
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
                        reads.available(TAPS, cycle) - self.taps_freed,
                        reads.available(PARAMETERS, cycle - 1) - self.parameters_freed
                        - depthwise_parameters)
                depthwise = window_word < windows
            cause = DRAIN
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
                        cause = _ACTIVATIONS
                    elif not room:
                        cause = _LINE_BUFFER
                    else:
                        issued = True
                        cause = _LINE_BUFFER
                elif need > loaded:
                    cause = _ACTIVATIONS
                elif weight >= weights:
                    cause = _WEIGHTS
                elif last:
                    end = command.parameters + tile * tile_words + count
                    if end > parameters:
                        reads.advance(cycle)
                        parameters = reads.available(PARAMETERS, cycle) - self.parameters_freed
                    if end > parameters:
                        cause = _PARAMETERS
                    elif pending:
                        cause = _REQUANTIZE
                    elif room < count:
                        cause = _LINE_BUFFER
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
                counts[_PARAMETERS] += 1
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
                landed = cycle + _RESULT + 1
            elif ends:
                flying |= 1 << (_RESULT - 1)
                pending, to_queue = count - 1, True
            elif pending:
                pending -= 1
                if to_queue:
                    flying |= 1 << (_RESULT - 1)
                elif residual:
                    self._ready.append(cycle + _RESULT + 1)
                else:
                    landed = cycle + _RESULT + 1
            if residual:
                ready = self._ready
                if ready and not issued and ready[0] <= cycle and self._fetch <= cycle:
                    ready.popleft()
                    self._fetch = cycle + self._pixels + 1
                    added = cycle + self._pixels + _ADD + 1
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
                    self._weight = weight
                    if command.free:
                        self._free_weights(cycle)
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
            if left <= 0 or residual or windows < words or not self.skips:
                continue
            key = (*key, line_word, parity, flying, queued, room, pending, valid_1, emit_1, window,
                   landed - cycle if landed > cycle else 0)
            before = seen.get(key)
            seen[key] = where, place, cycle, counts.copy()
            if before is None or not before[1] or before[3][:3] != counts[:3]:
                continue            # what came late once comes in time from now on
            # As it stood a period ago: what follows repeats itself.
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
                        parameters = reads.available(PARAMETERS, cycle) - self.parameters_freed
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
                            self._weight = weight
                            if command.free:
                                self._free_weights(tile_begin + k * length)
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
        self._weight = self._tile_weight = weight if not copy else self._weight
        self._pending, self._residual = 0, False
        self._landed = self._added = 0
        counts[DRAIN] += 1
        if shape:
            self._passes[shape] = (
                cycle - begin, [one - other for one, other in zip(counts, earlier, strict=True)],
                [tile_begin - begin for tile_begin in tile_begins])
        return cycle

    def _repeat_pass(self, begin, command, counts, length, spent, tile_ends):
        """A pass as one before."""
        for cause, cycles in enumerate(spent):
            counts[cause] += cycles
        if not command.copy:
            for tile_end in tile_ends:
                self._weight += command.input_words
                if command.free:
                    self._free_weights(begin + tile_end)
            self._tile_weight = self._weight
        self._landed = self._added = 0
        return begin + length

    # Stem.

    def stem_pass(self, begin, command, line, work, counts):
        """A pass from the image, whose windows each serve all tiles in turn.

        Parameters and result are those of `window_pass`.
        """
        reads, tile_words = self._reads, self._tile_words
        self._rewind(command)
        steps, words = command.input_words, command.output_words
        tiles   = -(-words // tile_words)
        counted = [min(tile_words, words - k * tile_words) for k in range(tiles)]
        weight  = first_weight = self._weight
        pixels  = command.rows * command.groups       # groups of pixels that are left
        tile = step = 0
        count = counted[0]
        active = line_active = False
        line_row, line_group = line.first_row, 0
        end_row, map_rows, map_groups, line_steps = (line.end_row, line.rows, line.groups,
                                                     line.steps)
        pad_start = line.pad_start
        valid_1 = emit_1 = window = False
        pending, landed = self._pending, self._landed
        self._ask(begin)
        weights    = self._weights
        parameters = self._parameters - self.parameters_freed
        image = reads.when(ACTIVATIONS)               # cycle of the image's next word
        started, cycle = 2, begin
        while True:
            if image > cycle and (step == tile == 0 or not (window and valid_1 and emit_1)):
                reads.advance(cycle)
                image = reads.when(ACTIVATIONS)
            issued = ends = takes = False
            cause = DRAIN
            if active:
                if weight >= weights:
                    reads.advance(cycle)
                    weights = reads.available(WEIGHTS, cycle)
                if step == 0 and tile == 0 and not window:
                    cause = _LINE_BUFFER if image <= cycle else _ACTIVATIONS
                elif weight >= weights:
                    cause = _WEIGHTS
                elif step == steps - 1:
                    end = command.parameters + tile * tile_words + count
                    if end > parameters:
                        reads.advance(cycle)
                        parameters = reads.available(PARAMETERS, cycle) - self.parameters_freed
                    if end > parameters:
                        cause = _PARAMETERS
                    elif pending:
                        cause = _REQUANTIZE
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
                                flushed  = pending if pending < more else more
                                pending -= flushed
                                landed   = cycle + flushed + _RESULT
                            step   += more
                            weight += more
                            cycle  += more
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
                            emit_1 = (line_row and not line_row & 1
                                      and line_group and not line_group & 1)
                        line_group += 1
                        if line_group == line_steps:
                            line_group = 0
                            line_row += 1
                            line_active = line_row != end_row
                        if real:
                            image = reads.take(cycle, ACTIVATIONS)
            elif takes:
                window = False
            if ends:
                pending = count - 1
                landed  = cycle + _RESULT + 1
            elif pending:
                pending -= 1
                landed  = cycle + _RESULT + 1
            cycle += 1
            if started:
                started -= 1
                line_active = True
                active = not started
                continue
            if not issued:
                if (not active and not window and not valid_1 and not line_active and not pending
                        and cycle >= landed):
                    break
                continue
            step += 1
            if step < steps:
                weight += 1
                continue
            step = 0
            if tile < tiles - 1:
                tile  += 1
                weight += 1
            else:
                tile = 0
                pixels -= 1
                if pixels:
                    weight = first_weight
                else:
                    weight += 1
                    self._weight = self._tile_weight = weight
                    active = False
                    if command.free:
                        self._free_weights(cycle)
            count = counted[tile]
        self._pending, self._residual = 0, False
        self._landed = self._added = 0
        counts[DRAIN] += 1
        return cycle
