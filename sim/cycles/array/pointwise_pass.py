"""Passes without windows, of projection, head and classifier: counted where nothing waits."""

from collections import deque
from operator import sub

from mnv2.sim.cycles import timing
from mnv2.sim.cycles.causes import POINTWISE, Wait
from mnv2.sim.cycles.port.interface import ACTIVATIONS, PARAMETERS, WEIGHTS

__all__ = ["pointwise_pass"]


def pointwise_pass(core, begin, command, descriptor, counts, *, early):
    """A pass without windows.

    Parameters
    ----------
    core : mnv2.sim.cycles.core_state.CoreState
    begin : int
        Cycle in which it is asked for.
    command : Pass
    descriptor : mnv2.sim.cycles.plan.PlannedDescriptor
    counts : list of int
        Cycles by cause, then pointwise and depthwise.
    early : bool
        The next pass need not wait for the results.

    Returns
    -------
    int
        Cycle in which the sequencer goes on.
    """
    reads, tile_words = core.reads, core.tile_words
    core.rewind(command)
    steps, target = command.input_words, command.target
    groups = command.rows * command.groups
    to_map = target in ("map", "pool")
    load = descriptor.load and not command.from_strip
    logged = descriptor.load or descriptor.store
    slack = core.pixels + 1
    waits = deque()  # fetches of residual words that are still to come
    used = 0
    logits = 0
    pending_until = 0
    counts[Wait.DRAIN] += 2
    cycle = begin + 2
    words_before = 0
    parameters = core.parameters_freed + command.parameters
    while words_before < command.output_words:
        count = min(tile_words, command.output_words - words_before)
        words_before += count
        parameters += count
        group = 0
        while waits and waits[0][1] < cycle:
            waits.popleft()
            used -= 1
        if core.weights < core.weight + steps or core.parameters < parameters:
            core.ask(cycle)
        plenty = core.weights >= core.weight + steps
        if (
            core.skips
            and plenty
            and not load
            and not (logged and target == "residual")
            and core.parameters >= parameters
            and steps >= count
            and pending_until <= cycle + steps - 1
            and not (descriptor.load and target == "map")
            and (
                to_map
                or (
                    target == "residual"
                    and not waits
                    and steps >= max(count * slack, timing.RESULT + 1)
                    and core.fetch <= cycle + steps + timing.RESULT
                    and core.queue_words >= 2 * count
                )
            )
        ):
            # Nothing waits for anything.
            cycle += steps * groups
            counts[POINTWISE] += steps * groups
            pending_until = cycle - 1 + count
            if target == "residual":
                fetched = [cycle + timing.RESULT + slack * k for k in range(count)]
                ready = [cycle + timing.RESULT + k for k in range(count)]
                waits.extend(zip(ready, fetched, strict=True))
                used += count
                core.fetch = fetched[-1] + slack
            core.weight += steps
            group = groups
        while group < groups:
            if load:
                need = command.index + command.input_words * (group + 1)
                arrived = _when_loaded(core, need, cycle)
                if arrived > cycle:
                    counts[Wait.ACTIVATIONS] += arrived - cycle
                    cycle = arrived
            if group == 0 and not plenty:
                gives = reads.until(WEIGHTS, core.weight + steps, cycle)
                # One step a cycle, each behind its weights.
                late = (
                    1
                    - cycle
                    + max(map(sub, gives[core.weight : core.weight + steps], range(steps)))
                )
                if late > 0:
                    counts[Wait.WEIGHTS] += late
                    cycle += late
            cycle += steps - 1
            if group == 0:
                core.weight += steps
            # The last step of the tile and these pixels.
            if core.parameters < parameters:
                reads.advance(cycle)
                arrives = reads.until(PARAMETERS, parameters, cycle)[parameters - 1]
                if arrives >= cycle:
                    counts[Wait.PARAMETERS] += arrives + 1 - cycle
                    cycle = arrives + 1
            if pending_until > cycle:
                counts[Wait.REQUANTIZE] += pending_until - cycle
                cycle = pending_until
            if target == "residual":
                while waits and waits[0][1] < cycle:
                    waits.popleft()
                    used -= 1
                if core.queue_words - used < count:
                    missing = count - (core.queue_words - used)
                    there = waits[missing - 1][1] + 1
                    counts[Wait.RESIDUAL] += there - cycle
                    cycle = there
                    while waits and waits[0][1] < cycle:
                        waits.popleft()
                        used -= 1
            elif target == "logits" and core.queue_words < logits + count:
                core.writes.advance(cycle)
                while core.queue_words - logits + core.writes.taken < count:
                    cycle += 1
                    counts[Wait.RESIDUAL] += 1
                    core.writes.advance(cycle)
            counts[POINTWISE] += steps
            pending_until = cycle + count
            for k in range(count):
                lands = cycle + k + timing.RESULT
                if target == "residual":
                    fetch = max(lands + 1, core.fetch)
                    core.fetch = fetch + slack
                    waits.append((lands + 1, fetch))
                    if descriptor.store:
                        core.writes.reads(fetch)
                    lands = fetch + core.pixels + timing.ADD
                elif target == "logits":
                    core.writes.logits_word(lands)
                elif target == "pool":
                    lands += timing.POOL
                if descriptor.load and (target != "pool" or group == groups - 1):
                    reads.write_busy.add(lands)
            if target == "residual":
                used += count
            elif target == "logits":
                logits += count
            cycle += 1
            group += 1
        if command.free:
            core.free_weights(cycle)
    # The last step was a cycle before.
    last = cycle - 1 + count - 1  # slot of the last word
    if target == "logits":
        core.writes.advance(cycle)
        while core.writes.taken < logits:
            core.writes.advance(core.writes.now + 1)
        done = core.writes.last_taken + 1
    elif target == "residual":
        done = waits[-1][1] + core.pixels + timing.ADD + 1
    else:
        done = last + timing.RESULT + 1 + (timing.POOL if target == "pool" else 0)
    if early:
        counts[Wait.DRAIN] += 1
        core.pending = max(0, pending_until - cycle - 1)
        core.residual = target == "residual"
        # What is fetched or lands from the next pass's first cycle on is its business.
        if core.residual:
            core.ready.extend(
                ready
                for ready, fetch in waits
                if fetch > cycle and ready <= cycle + timing.RESULT + 1
            )
            core.fetch = next((fetch for _, fetch in waits if fetch > cycle), core.fetch)
            before = [fetch for _, fetch in waits if fetch <= cycle]
            core.added = before[-1] + core.pixels + timing.ADD + 1 if before else 0
        else:
            core.landed = done - core.pending
        return cycle
    counts[Wait.DRAIN] += max(done, pending_until) - cycle + 1
    return max(done, pending_until)


def _when_loaded(core, words, cycle):
    """Cycle from which so many words of the input are there."""
    core.reads.advance(cycle)
    if core.reads.loaded(cycle) >= words:
        return cycle
    return core.reads.until(ACTIVATIONS, words, cycle)[words - 1] + 1
