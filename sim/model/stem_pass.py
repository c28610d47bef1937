"""Passes of the stem, whose windows come of the image as it arrives."""

from sim.model import passes
from sim.model.passes import POINTWISE, Wait
from sim.model.reads import ACTIVATIONS, PARAMETERS, WEIGHTS

__all__ = ["stem_pass"]


def stem_pass(core, begin, command, line, work, counts):
    """A pass from the image, whose windows each serve all tiles in turn.

    Parameters and result are those of `sim.model.window_pass.window_pass`.
    """
    reads, tile_words = core.reads, core.tile_words
    result, drain, line_buffer = passes.RESULT, Wait.DRAIN, Wait.LINE_BUFFER
    core.rewind(command)
    steps, words = command.input_words, command.output_words
    tiles   = -(-words // tile_words)
    counted = [min(tile_words, words - k * tile_words) for k in range(tiles)]
    weight  = first_weight = core.weight
    pixels  = command.rows * command.groups       # groups of pixels that are left
    tile = step = 0
    count = counted[0]
    active = line_active = False
    line_row, line_group = line.first_row, 0
    end_row, map_rows, map_groups, line_steps = (line.end_row, line.rows, line.groups,
                                                 line.steps)
    pad_start = line.pad_start
    valid_1 = emit_1 = window = False
    pending, landed = core.pending, core.landed
    core.ask(begin)
    weights    = core.weights
    parameters = core.parameters - core.parameters_freed
    image = reads.when(ACTIVATIONS)               # cycle of the image's next word
    started, cycle = 2, begin
    while True:
        if image > cycle and (step == tile == 0 or not (window and valid_1 and emit_1)):
            reads.advance(cycle)
            image = reads.when(ACTIVATIONS)
        issued = ends = takes = False
        cause = drain
        if active:
            if weight >= weights:
                reads.advance(cycle)
                weights = reads.available(WEIGHTS, cycle)
            if step == 0 and tile == 0 and not window:
                cause = line_buffer if image <= cycle else Wait.ACTIVATIONS
            elif weight >= weights:
                cause = Wait.WEIGHTS
            elif step == steps - 1:
                end = command.parameters + tile * tile_words + count
                if end > parameters:
                    reads.advance(cycle)
                    parameters = reads.available(PARAMETERS, cycle) - core.parameters_freed
                if end > parameters:
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
                            flushed  = pending if pending < more else more
                            pending -= flushed
                            landed   = cycle + flushed + result
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
            landed  = cycle + result + 1
        elif pending:
            pending -= 1
            landed  = cycle + result + 1
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
                core.weight = core.tile_weight = weight
                active = False
                if command.free:
                    core.free_weights(cycle)
        count = counted[tile]
    core.pending, core.residual = 0, False
    core.landed = core.added = 0
    counts[drain] += 1
    return cycle
