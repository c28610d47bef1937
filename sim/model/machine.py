"""The accelerator without data, cycle by cycle: what the array does, and why it waits."""

from collections import deque

from sim.model.memory import PARAMETERS, PROGRAM, TAPS, WEIGHTS, MemoryPort

__all__ = ["CAUSES", "Machine"]

#: Why the array does nothing, as `hw.passes.Stall` without NONE, in the same order.
CAUSES = ("activations", "weights", "parameters", "requantize", "line_buffer", "residual",
          "output", "drain", "program")
(_ACTIVATIONS, _WEIGHTS, _PARAMETERS, _REQUANTIZE, _LINE_BUFFER, _RESIDUAL, _OUTPUT, _DRAIN,
 _PROGRAM) = range(9)
POINTWISE, DEPTHWISE = 9, 10

#: Cycles from a step to its result, through array and requantiser.
_RESULT = 13
_POOL   = 9
_ADD    = 11
QUEUE, STRIP, MAP, RESIDUAL, POOL, POOL_LAST, LOGITS = range(7)


class Pass:
    def __init__(self, *, target, rows, groups, input_words, output_words, parameters=0, index=0,
                 copy=False, stem=False, from_strip=False, free=False, rewind=False):
        self.target = target
        self.rows = rows
        self.groups = groups
        self.input_words = input_words
        self.output_words = output_words
        self.parameters = parameters
        self.index = index
        self.copy = copy
        self.stem = stem
        self.from_strip = from_strip
        self.free = free
        self.rewind = rewind


class Line:
    def __init__(self, *, first_row, end_row, rows, groups, steps, words, stride_2, pad_start):
        self.first_row = first_row
        self.end_row = end_row
        self.rows = rows
        self.groups = groups
        self.steps = steps
        self.words = words
        self.stride_2 = stride_2
        self.pad_start = pad_start


class Machine:
    def __init__(self, config, plan, latency, bytes_per_cycle=0):
        self.config = config
        self.plan = plan
        self.port = MemoryPort(config, latency, bytes_per_cycle)
        self.counts = []         # per descriptor: (block, stem) lists of 11
        self.bytes = []

    def run(self):
        config, plan, port = self.config, self.plan, self.port
        tile_words = config.tile_words
        pixels = config.pixels
        works = deque(plan.works)
        t = 0
        state = "HEADER"
        port.note(0, "command", PROGRAM, plan.program_beats)
        o_pass = o_line = None
        counts = None

        def open_row():
            nonlocal counts
            self.counts.append(([0] * 11, [0] * 11))
            self.bytes.append(([0] * 6, [0] * 6))
            counts = self.counts[-1][0]
            port.note(t, "row", self.bytes[-1][0])

        open_row()
        # Walk.
        prepare = active = False
        command = None
        tile = row = group = step = 0
        pointer = tile_begin = weights_freed = 0
        tile_counts = []
        steps_here = 0
        # Line buffer.
        l_active = valid_1 = emit_1 = o_valid = False
        word_1 = o_word = 0
        line = None
        l_tile = l_row = l_group = l_word = 0
        # Issue.
        pending = 0
        flush_kind = 0
        queue_room = config.queue_words
        side_used = 0            # words given a place beside; those taken are counted elsewhere
        side_taken = 0
        under_way = 0
        logits_sent = 0
        queue_level = 0
        pipe = deque()
        copied = False
        residual_queue = 0
        fetched = False
        residual_remaining = 0
        residual_out = deque()
        pool_out = deque()
        parameters_freed = taps_freed = 0
        known_weights = known_parameters = known_taps = known_loaded = 0
        known_window = 0
        work = None
        stemming = projecting = alone = False
        produced = 0
        while True:
            # ---- combinational, from registers
            if state in ("HEADER", "DESCRIPTOR"):
                port.advance(t)
                if port.record_valid:
                    port.note(t, "record")
                    if state == "HEADER":
                        for channel, beats in ((WEIGHTS, plan.weights_beats),
                                               (TAPS, plan.taps_beats),
                                               (PARAMETERS, plan.parameters_beats)):
                            port.note(t + 1, "command", channel, beats)
                        state = "DESCRIPTOR"
                    else:
                        work = works.popleft()
                        state = "BEGIN"
                        port.note(t + 1, "stem", work.stem)
                        port.note(t + 1, "work", work)
                counts[_PROGRAM] += 1
                t += 1
                continue
            if state == "BEGIN":
                counts[_DRAIN] += 1
                port.begin(t, work)
                port.write_busy.clear()
                alone = work.kind != "block"
                output_row = step_row = image_row = 0
                input_index = produced = 0
                known_loaded = 0
                stemming, projecting = work.stem, alone
                fill_parameters = work.input_words if work.stem else 0
                depthwise_parameters = fill_parameters + (0 if work.copy else work.hidden_words)
                known_window = known_parameters - parameters_freed - depthwise_parameters
                t += 1
                state = "PROJECT" if alone else "STEM" if work.stem else "FILL"
                last_strip = output_row + work.strip_rows >= work.output_rows
                if stemming:
                    counts = self.counts[-1][1]
                    port.note(t, "row", self.bytes[-1][1])
                o_pass = True
                o_line = not alone
                continue
            # The strip.
            last_strip = output_row + work.strip_rows >= work.output_rows
            output_end = work.output_rows if last_strip else output_row + work.strip_rows
            step_end = (2 * output_end + (not work.pad_start) if work.stride_2
                        else output_end + 1)
            input_end = min(step_end, work.input_rows)
            image_end = 2 * input_end + (not work.image_pad_start)

            stem_walk = active and command.stem
            window_waits = o_valid and not stem_walk
            depthwise = False
            if window_waits:
                if o_word >= known_taps - taps_freed:
                    port.advance(t)
                    known_taps = port.available(TAPS)
                if o_word >= known_window:
                    port.advance(t)
                    known_window = (port.channels[PARAMETERS].given_before - parameters_freed
                                    - depthwise_parameters)
                depthwise = o_word < known_taps - taps_freed and o_word < known_window
            image_valid = False
            if stemming:
                port.advance(t)
                image_valid = port.image_valid
            # Issue.
            pointwise = copy = ends = False
            input_there = weights_there = parameters_there = requantizer_free = room = True
            first_step = last_step = False
            if active:
                first_step = step == 0
                last_step = step == steps_here - 1
                count = tile_counts[tile]
                ends_tile = last_step and not command.copy
                if command.stem:
                    input_there = o_valid or not (first_step and tile == 0)
                elif not command.from_strip and work.load:
                    need = command.index + command.input_words * (row * command.groups + group + 1)
                    if need > known_loaded:
                        port.advance(t)
                        known_loaded = port.loaded
                    input_there = need <= known_loaded
                if not command.copy:
                    if pointer >= known_weights:
                        port.advance(t)
                        known_weights = port.available(WEIGHTS)
                    weights_there = pointer < known_weights
                if ends_tile:
                    end = (command.parameters + min((tile + 1) * tile_words,
                                                    command.output_words))
                    if end > known_parameters - parameters_freed:
                        port.advance(t)
                        known_parameters = port.available(PARAMETERS)
                    parameters_there = end <= known_parameters - parameters_freed
                    requantizer_free = pending == 0
                if command.copy:
                    room = queue_room != 0
                elif ends_tile:
                    if command.target in (RESIDUAL, LOGITS):
                        if command.target == LOGITS and config.queue_words - side_used < count:
                            port.advance(t)
                            side_used -= port.logits_taken - side_taken
                            side_taken = port.logits_taken
                        room = config.queue_words - side_used >= count
                    elif command.target == QUEUE:
                        room = queue_room >= count
                issued = (input_there and weights_there and parameters_there and requantizer_free
                          and room and (command.copy or not depthwise))
                pointwise = issued and not command.copy
                copy = issued and command.copy
                ends = pointwise and last_step
            else:
                issued = False
            stem_takes = issued and command.stem and first_step and tile == 0
            window_ready = depthwise or stem_takes
            map_read = issued and not command.from_strip and not command.stem
            # Line buffer.
            advance = not valid_1 or not emit_1 or not o_valid or window_ready
            takes = False
            fire = False
            queue_taken = False
            if l_active and advance:
                in_rows = l_row < line.rows
                in_groups = l_group < line.groups
                real = in_rows and in_groups
                i_valid = image_valid or queue_level != 0
                fire = i_valid or not real
                if real and i_valid:
                    takes = True
                    queue_taken = not image_valid
            if takes and image_valid:
                port.note(t, "image")
            # Arrivals.
            to = -1
            if pipe and pipe[0][0] == t:
                to = pipe.popleft()[1]
            added = residual_out and residual_out[0] == t
            if added:
                residual_out.popleft()
            pooled = pool_out and pool_out[0] == t
            if pooled:
                pool_out.popleft()
            fetch = (residual_queue != 0 and residual_remaining <= 1 and not fetched
                     and not map_read)
            if work.load and (added or to == MAP or pooled):
                port.write_busy.add(t)
            if work.store and (map_read or fetch):
                port.read_busy.add(t)
            # Cause.
            if pointwise:
                counts[POINTWISE] += 1
            elif depthwise:
                counts[DEPTHWISE] += 1
            elif active or o_valid:
                if window_waits:
                    cause = _PARAMETERS
                elif copy or (command.stem and not input_there and image_valid):
                    cause = _LINE_BUFFER
                elif not input_there:
                    cause = _ACTIVATIONS
                elif not weights_there:
                    cause = _WEIGHTS
                elif not parameters_there:
                    cause = _PARAMETERS
                elif not requantizer_free:
                    cause = _REQUANTIZE
                elif command.target in (RESIDUAL, LOGITS):
                    cause = _RESIDUAL
                else:
                    cause = _LINE_BUFFER
                counts[cause] += 1
            elif state == "ROOM" or state == "WRITTEN":
                counts[_OUTPUT] += 1
            else:
                counts[_DRAIN] += 1
            # Sequencer.
            walk_ready = not active and not prepare
            quiet = False
            if walk_ready and not pending and not o_pass and not o_line and not l_active \
                    and not valid_1 and not o_valid:
                if logits_sent:
                    port.advance(t)
                    quiet = under_way - port.logits_taken == 0
                else:
                    quiet = under_way == 0
            next_state = state
            next_pass, next_line = o_pass, o_line
            lb_ready = not l_active and not valid_1
            take_pass = o_pass and walk_ready
            take_line = o_line and lb_ready
            if take_pass:
                next_pass = False
            if take_line:
                next_line = False
            taking_line = None
            if take_line:
                if stemming:
                    taking_line = Line(
                        first_row=image_row, end_row=image_end, rows=work.image_rows,
                        groups=work.image_groups, steps=work.image_steps, words=1, stride_2=True,
                        pad_start=work.image_pad_start)
                else:
                    taking_line = Line(
                        first_row=step_row, end_row=step_end, rows=work.input_rows,
                        groups=work.input_groups, steps=work.steps, words=work.hidden_words,
                        stride_2=work.stride_2, pad_start=work.pad_start)
            taking_pass = None
            if take_pass:
                free = last_strip or alone
                if stemming:
                    taking_pass = Pass(
                        stem=True, target=MAP, rewind=True, rows=input_end - step_row,
                        groups=work.input_groups, input_words=work.stem_steps,
                        output_words=work.input_words, free=free)
                elif not projecting:
                    taking_pass = Pass(
                        copy=work.copy, target=QUEUE, rewind=not work.stem,
                        rows=input_end - step_row, groups=work.input_groups,
                        input_words=work.input_words, output_words=work.hidden_words,
                        parameters=fill_parameters, index=input_index, free=free)
                elif alone:
                    taking_pass = Pass(
                        target=POOL if work.kind == "head" else LOGITS, rewind=True,
                        rows=work.input_rows, groups=work.input_groups,
                        input_words=work.input_words, output_words=work.output_words, free=free)
                else:
                    taking_pass = Pass(
                        from_strip=True, target=RESIDUAL if work.residual else MAP,
                        rows=output_end - output_row, groups=work.output_groups,
                        input_words=work.hidden_words, output_words=work.output_words,
                        parameters=depthwise_parameters + work.hidden_words, index=produced,
                        free=free)
            finish = False
            if state == "STEM":
                if not o_pass and not o_line and quiet:
                    image_row = image_end
                    stemming = False
                    counts = self.counts[-1][0]
                    port.note(t + 1, "row", self.bytes[-1][0])
                    next_pass = next_line = True
                    next_state = "FILL"
            elif state == "FILL":
                if not o_pass and not o_line and quiet:
                    input_index += work.input_words * work.input_groups * (input_end - step_row)
                    projecting = True
                    if not work.residual:
                        port.note(t + 1, "freed", input_index)
                    next_state = "ROOM"
            elif state == "ROOM":
                room_there = True
                if work.store:
                    port.advance(t)
                    words = work.strip_rows * work.output_groups * work.output_words
                    room_there = produced + words - port.stored <= work.output_ring
                if room_there:
                    next_pass = True
                    next_state = "PROJECT"
            elif state == "PROJECT":
                early = (not work.load and not work.store and not last_strip and not alone
                         and not (work.stem and work.residual))
                if not o_pass and (quiet or (early and walk_ready)):
                    if not alone:
                        produced += work.output_words * work.output_groups * (
                            output_end - output_row)
                    else:
                        produced = work.input_words * work.input_groups * work.input_rows
                    port.note(t + 1, "produced", produced)
                    output_row, step_row = output_end, step_end
                    projecting = False
                    if work.residual:
                        port.note(t + 1, "freed", produced)
                    if last_strip or alone:
                        next_state = "WRITTEN"
                    else:
                        stemming = work.stem
                        next_pass = next_line = True
                        next_state = "STEM" if stemming else "FILL"
                        if stemming:
                            counts = self.counts[-1][1]
                            port.note(t + 1, "row", self.bytes[-1][1])
            elif state == "WRITTEN":
                if work.store:
                    port.advance(t)
                if not work.store or port.written:
                    finish = True
                    port.note(t, "free", TAPS, work.hidden_words)
                    port.note(t, "free", PARAMETERS, work.parameter_words)
                    taps_freed += work.hidden_words
                    parameters_freed += work.parameter_words
                    next_state = "DESCRIPTOR"
            # ---- registers
            # Pipeline.
            slot = -1
            if depthwise:
                slot = STRIP
            elif ends:
                slot = command.target
                if slot == POOL and row == command.rows - 1 and group == command.groups - 1:
                    slot = POOL_LAST
                flush_kind = slot
                pending = count - 1
            elif pending:
                slot = flush_kind
                pending -= 1
            if slot >= 0:
                pipe.append((t + _RESULT, slot))
                under_way += 1
            # Queues.
            queue_in = copied + (to == QUEUE)
            queue_level += queue_in - queue_taken
            if copy:
                queue_room -= 1
            elif ends and command.target == QUEUE:
                queue_room -= count
            elif ends and command.target in (RESIDUAL, LOGITS):
                side_used += count
                if command.target == LOGITS:
                    logits_sent += count
            queue_room += queue_taken
            under_way += copy - (to == STRIP) - (to == MAP) - bool(added) - queue_taken \
                - (to == POOL) - bool(pooled)
            copied = copy
            if to == LOGITS:
                port.logits_times.append(t)
            if to == POOL_LAST:
                pool_out.append(t + _POOL)
            # Residual.
            if fetched:
                residual_remaining = pixels
                residual_out.append(t + pixels + _ADD - 1)
            elif residual_remaining:
                residual_remaining -= 1
            residual_queue += (to == RESIDUAL) - fetch
            side_used -= fetch
            fetched = fetch
            # Walk.
            if prepare:
                prepare, active = False, True
            if taking_pass:
                command = taking_pass
                prepare = True
                words = command.output_words
                tile_counts = [min(tile_words, words - k) for k in range(0, words, tile_words)]
                tile = row = group = step = 0
                steps_here = tile_counts[0] if command.copy else command.input_words
                if command.rewind:
                    pointer = tile_begin = weights_freed
            elif issued:
                if not last_step:
                    step += 1
                    if not command.copy:
                        pointer += 1
                else:
                    step = 0
                    last_tile = tile == len(tile_counts) - 1
                    last_group = group == command.groups - 1
                    last_pixels = last_group and row == command.rows - 1
                    pixel_done = not command.stem or last_tile
                    if not command.copy:
                        if pixel_done and not last_pixels:
                            pointer = tile_begin
                        else:
                            pointer += 1
                            if pixel_done:
                                tile_begin = pointer
                                if command.free:
                                    port.note(t + 1, "free", WEIGHTS, pointer - weights_freed)
                                    weights_freed = pointer
                    if not pixel_done:
                        tile += 1
                    else:
                        if command.stem:
                            tile = 0
                        group += 1
                        if last_group:
                            group = 0
                            row += 1
                        if last_pixels:
                            row = 0
                            if last_tile:
                                active = False
                            else:
                                tile += 1
                    if command.copy and active:
                        steps_here = tile_counts[tile]
            # Line buffer, stage 2, 1, 0.
            if window_ready:
                o_valid = False
            if advance:
                if valid_1 and emit_1:
                    o_valid, o_word = True, word_1
                valid_1 = fire
                if fire:
                    if not line.stride_2:
                        emit_1 = l_row != 0 and l_group != 0
                    elif line.pad_start:
                        emit_1 = l_row & 1 and l_group & 1
                    else:
                        emit_1 = (not l_row & 1 and l_row != 0
                                  and not l_group & 1 and l_group != 0)
                    word_1 = l_tile + l_word
                    l_word += 1
                    left = line.words - l_tile
                    if l_word == tile_words or l_word == left:
                        l_word = 0
                        l_group += 1
                        if l_group == line.steps:
                            l_group = 0
                            l_row += 1
                            if l_row == line.end_row:
                                l_row = line.first_row
                                l_tile += tile_words
                                if left <= tile_words:
                                    l_active = False
            if taking_line:
                line = taking_line
                l_active = True
                l_tile = l_group = l_word = 0
                l_row = line.first_row
            o_pass, o_line = next_pass, next_line
            state = next_state
            t += 1
            if finish:
                if not works:
                    port.advance(t)
                    port.note(t, "row", None)
                    return t
                open_row()
