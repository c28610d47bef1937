"""Causes of lost cycles as the issue names them, and its count of the room after it."""

import random

import pytest

from mnv2.hw.issue import Issue
from mnv2.hw.passes import Range, Stall, Target
from tests.hw.testbench import run

QUEUE_WORDS = 5
#: Nothing is missing, and all results find a place at once.
PLENTY = {"loaded": 1000, "weights_available": 37, "parameters_available": 30, "taps_available": 10}
#: A pass whose tile ends with its only step; its two words take the requantiser two cycles.
SINGLE = {
    "rewind": 1,
    "rows": 2,
    "groups": 8,
    "input_words": 1,
    "output_words": 2,
    "input_end": 1000,
    "output_end": 1000,
}
#: A pass with more steps to a tile than the requantiser takes for its words.
LONG = {**SINGLE, "input_words": 4}
STEM = {**LONG, "stem": 1, "target": Target.MAP}

#: The pass, what is otherwise than in `PLENTY`, the steps that are issued all the same (None where
#: that goes on), and why the array does nothing, once it does.
CAUSES = {
    "no activations": ({**LONG, "target": Target.MAP}, {"loaded": 3}, 0, Stall.ACTIVATIONS),
    "few activations": ({**LONG, "target": Target.MAP}, {"loaded": 11}, 8, Stall.ACTIVATIONS),
    "no weights": ({**LONG, "target": Target.MAP}, {"weights_available": 0}, 0, Stall.WEIGHTS),
    "few weights": ({**LONG, "target": Target.MAP}, {"weights_available": 3}, 3, Stall.WEIGHTS),
    "no parameters": (
        {**LONG, "target": Target.MAP},
        {"parameters_available": 1},
        3,
        Stall.PARAMETERS,
    ),
    "no parameters of a single step": (
        {**SINGLE, "target": Target.MAP},
        {"parameters_available": 1},
        0,
        Stall.PARAMETERS,
    ),
    "no kernels": (
        {**LONG, "target": Target.MAP, "groups": 1, "rows": 1},
        {"window_valid": 1, "taps_available": 0},
        4,
        Stall.PARAMETERS,
    ),
    "no parameters of a window": (
        {**LONG, "target": Target.MAP, "groups": 1, "rows": 1},
        {"window_valid": 1, "window_word": 4, "depthwise_parameters": 26},
        4,
        Stall.PARAMETERS,
    ),
    "requantiser": ({**SINGLE, "target": Target.MAP, "rows": 200}, {}, None, Stall.REQUANTIZE),
    "totals of the pool": (
        {**SINGLE, "target": Target.POOL, "rows": 1, "groups": 1, "output_words": 30},
        {},
        None,
        Stall.REQUANTIZE,
    ),
    "full queue": ({**LONG, "target": Target.QUEUE}, {}, 11, Stall.LINE_BUFFER),
    "copies": ({**SINGLE, "copy": 1, "target": Target.QUEUE}, {}, 0, Stall.LINE_BUFFER),
    "residual adder": ({**LONG, "target": Target.RESIDUAL}, {}, 11, Stall.RESIDUAL),
    "logits": ({**LONG, "target": Target.LOGITS}, {}, 11, Stall.RESIDUAL),
    "no image": (STEM, {}, 0, Stall.ACTIVATIONS),
    "no window of the image": (STEM, {"image_valid": 1}, 0, Stall.LINE_BUFFER),
}


def make_issue(tile_words=2, pool_cycles=9):
    return Issue(
        tile_words=tile_words,
        weight_ring=37,
        tap_ring=10,
        parameter_ring=30,
        queue_words=QUEUE_WORDS,
        pool_cycles=pool_cycles,
    )


async def give_pass(ctx, dut, command):
    ctx.set(dut.i_command.payload, command)
    ctx.set(dut.i_command.valid, 1)
    await ctx.tick().until(dut.i_command.ready)
    ctx.set(dut.i_command.valid, 0)


@pytest.mark.parametrize("name", CAUSES)
def test_a_lost_cycle_has_the_cause_that_was_made(name):
    command, missing, steps, cause = CAUSES[name]
    dut, lost, issued = make_issue(), [], []

    async def testbench(ctx):
        for port, value in {**PLENTY, **missing}.items():
            ctx.set(getattr(dut, port), value)
        await give_pass(ctx, dut, command)
        for _ in range(60):
            *_, active, pointwise, depthwise, stall = await ctx.tick().sample(
                dut.active, dut.pointwise, dut.depthwise, dut.stall
            )
            assert not (pointwise and depthwise)
            if pointwise or depthwise:
                assert stall == Stall.NONE
                issued.append(pointwise)
            elif active:
                lost.append(stall)

    run(dut, testbench)
    assert len(lost) > 20
    assert set(lost) == {cause}
    assert steps is None or len(issued) == steps


@pytest.mark.parametrize(
    ("target", "copy"),
    [(Target.QUEUE, False), (Target.QUEUE, True), (Target.RESIDUAL, False), (Target.LOGITS, False)],
)
@pytest.mark.parametrize("pace", [0.2, 0.5, 1.0])
def test_queue_behind_is_never_overfilled_and_always_filled(target, copy, pace):
    """A place that is forgotten, or counted twice, would show when nothing leaves for a while."""
    dut, rng = make_issue(), random.Random(1)
    command = {
        **SINGLE,
        "rows": 40,
        "target": target,
        "copy": copy,
        **({"input_words": 2} if copy else {}),
    }
    left, queued, pauses = 40 * 8 * 2, 0, 0

    async def testbench(ctx):
        nonlocal left, queued, pauses
        for port, value in PLENTY.items():
            ctx.set(getattr(dut, port), value)
        await give_pass(ctx, dut, command)
        taken = dut.queue_taken if target == Target.QUEUE else dut.side_taken
        for cycle in range(6000):
            takes = queued > 0 and cycle % 50 < 35 and rng.random() < pace
            ctx.set(taken, takes)
            *_, valid, copied = await ctx.tick().sample(dut.slot.valid, dut.copy)
            came = int(copied if copy else valid)
            queued, left = queued + came - takes, left - came
            assert queued <= QUEUE_WORDS
            if left == 0:
                return
            if cycle % 50 == 49:
                # There is room for a tile as a whole or for none of it.
                assert queued >= QUEUE_WORDS - (0 if copy else 1)
                pauses += 1
        raise AssertionError(f"{left} words did not come")

    run(dut, testbench)
    assert pauses > 5


@pytest.mark.parametrize(
    ("target", "copy"),
    [(Target.QUEUE, False), (Target.QUEUE, True), (Target.RESIDUAL, False), (Target.LOGITS, False)],
)
def test_first_step_of_a_pass_waits_for_room(target, copy):
    """The pass before has left one place for a tile of two words, or none for a copied word."""
    dut = make_issue()
    words = 1 if copy else 2
    command = {**SINGLE, "target": target, "copy": copy, "input_words": 1, "output_words": words}

    async def testbench(ctx):
        for port, value in PLENTY.items():
            ctx.set(getattr(dut, port), value)
        taken = dut.queue_taken if target == Target.QUEUE else dut.side_taken

        async def count(cycles):
            steps = 0
            for _ in range(cycles):
                *_, pointwise, copied = await ctx.tick().sample(dut.pointwise, dut.copy)
                steps += pointwise or copied
            return steps

        await give_pass(ctx, dut, {**command, "rows": 1, "groups": QUEUE_WORDS // words})
        assert await count(30) == QUEUE_WORDS // words
        await give_pass(ctx, dut, {**command, "rows": 1, "groups": 1})
        assert await count(30) == 0
        assert ctx.get(dut.stall) == (
            Stall.LINE_BUFFER if target == Target.QUEUE else Stall.RESIDUAL
        )
        ctx.set(taken, 1)
        await ctx.tick()
        ctx.set(taken, 0)
        assert await count(30) == 1

    run(dut, testbench)


@pytest.mark.parametrize(("output_words", "groups"), [(25, 1), (1, 25)])
def test_tiles_of_one_word_fill_the_queue_and_no_more(output_words, groups):
    """A tile a cycle, of the same channels or of the next: each finds its own place."""
    dut, steps = make_issue(tile_words=1), 0
    size = {"rows": 1, "groups": groups, "output_words": output_words}

    async def testbench(ctx):
        nonlocal steps
        for port, value in PLENTY.items():
            ctx.set(getattr(dut, port), value)
        await give_pass(ctx, dut, {**SINGLE, **size, "target": Target.QUEUE})
        for _ in range(40):
            *_, pointwise = await ctx.tick().sample(dut.pointwise)
            steps += pointwise

    run(dut, testbench)
    assert steps == QUEUE_WORDS


def test_weights_that_arrive_one_a_cycle_hold_nothing_up():
    """Each is in the ring when its step needs it, and not before."""
    dut, steps = make_issue(), 12
    command = {**LONG, "target": Target.MAP, "rows": 1, "groups": 1, "input_words": steps}

    async def testbench(ctx):
        for port, value in PLENTY.items():
            ctx.set(getattr(dut, port), value)
        ctx.set(dut.weights_available, 1)
        await give_pass(ctx, dut, command)
        done, available, cycles = 0, 1, []
        for cycle in range(40):
            # Words come from the cycle of the first step on.
            arrives = (done > 0 or ctx.get(dut.pointwise)) and available < steps
            ctx.set(dut.weights_arrive, arrives)
            ctx.set(dut.weights_available, available)
            *_, pointwise = await ctx.tick().sample(dut.pointwise)
            if pointwise:
                cycles.append(cycle)
                done += 1
                assert done <= available
            available += arrives
        assert cycles == list(range(cycles[0], cycles[0] + steps))

    run(dut, testbench)


def test_words_are_copied_beside_windows():
    """A copy leaves the array to a window of the same cycle."""
    dut, both = make_issue(), 0

    async def testbench(ctx):
        nonlocal both
        for port, value in PLENTY.items():
            ctx.set(getattr(dut, port), value)
        ctx.set(dut.window_valid, 1)
        ctx.set(dut.window_follows, 1)
        await give_pass(ctx, dut, {**SINGLE, "copy": 1, "target": Target.QUEUE, "input_words": 2})
        copies = 0
        while copies < 32:
            *_, copied, depthwise = await ctx.tick().sample(dut.copy, dut.depthwise)
            ctx.set(dut.queue_taken, copied)
            copies += copied
            both += copied and depthwise

    run(dut, testbench, cycles=200)
    assert both == 32


def pool_slots(command, tile_words, mean_cycles):
    """Slots of a pass for the pool that nothing holds up: (cycle, whether a mean, word, address).

    Cycles count from the pass's first step. A tile ends when its steps are done, the words of the
    tile before have gone, and so have the pool's totals of that tile if it was their last.
    """
    pixels, slots, begin, free = command["rows"] * command["groups"], [], 0, 0
    for offset in range(0, command["output_words"], tile_words):
        count = min(tile_words, command["output_words"] - offset)
        for pixel in range(pixels):
            end = max(begin + command["input_words"] - 1, free)
            words = [(end + w, False, w, command["output"] + offset + w) for w in range(count)]
            slots += words
            begin, free = end + 1, end + count
            if pixel == pixels - 1:
                slots += [(cycle + mean_cycles, True, *place) for cycle, _, *place in words]
                free = slots[-1][0] + 1
    return slots


@pytest.mark.parametrize(
    ("tile_words", "pool_cycles", "mean_cycles"), [(1, 9, 9), (2, 9, 9), (4, 9, 9), (4, 1, 4)]
)
@pytest.mark.parametrize("size", [(1, 1), (2, 3)], ids=["a pixel", "pixels"])
@pytest.mark.parametrize("input_words", [1, 3, 12])
def test_totals_of_the_pool(tile_words, pool_cycles, mean_cycles, size, input_words):
    """They follow the words of a tile's last pixels, each after as many cycles as it takes."""
    dut = make_issue(tile_words, pool_cycles)
    assert dut.mean_cycles == mean_cycles
    command = {
        **SINGLE,
        "target": Target.POOL,
        "range": Range.PROJECT,
        "rows": size[0],
        "groups": size[1],
        "input_words": input_words,
        "output_words": 2 * tile_words + 1,
        "output": 300,
        "output_base": 300,
        "output_end": 300 + 2 * tile_words + 1,
    }
    expected = pool_slots(command, tile_words, mean_cycles)
    found, ends, idle = [], [], []

    async def testbench(ctx):
        for port, value in PLENTY.items():
            ctx.set(getattr(dut, port), value)
        await give_pass(ctx, dut, command)
        begin = None
        for cycle in range(expected[-1][0] + 40):
            *_, active, busy, stepped, stall, slot = await ctx.tick().sample(
                dut.active, dut.busy, dut.pointwise, dut.stall, dut.slot
            )
            if stepped and begin is None:
                begin = cycle
            if stepped:
                assert stall == Stall.NONE
            elif active:
                # A step that waits does so for the words, or the totals, of the tile before.
                assert stall == Stall.REQUANTIZE
            if slot.load:
                ends.append(cycle - begin)
            if slot.valid:
                found.append((cycle - begin, bool(slot.mean), slot.tile_word, slot.address))
                assert not slot.depthwise
                assert slot.target == (Target.MAP if slot.mean else Target.POOL)
                assert slot.load == (slot.tile_word == 0 and not slot.mean)
                assert busy
            if not busy:
                idle.append(cycle - (begin or 0))

    run(dut, testbench)
    assert found == expected
    assert ends == [cycle for cycle, mean, word, _ in expected if word == 0 and not mean]
    # Busy until the last total has gone, and then no more.
    assert [cycle for cycle in idle if cycle >= 0][:1] == [expected[-1][0] + 1]


def test_no_totals_of_other_passes():
    """Only the pool has totals, and only after the pass's last pixels."""
    for target in (Target.MAP, Target.QUEUE, Target.RESIDUAL, Target.LOGITS):
        dut, found = make_issue(), []

        async def testbench(ctx, dut=dut, found=found, target=target):
            for port, value in PLENTY.items():
                ctx.set(getattr(dut, port), value)
            ctx.set(dut.queue_taken, target == Target.QUEUE)
            await give_pass(ctx, dut, {**SINGLE, "target": target, "rows": 1, "groups": 2})
            for _ in range(60):
                *_, slot = await ctx.tick().sample(dut.slot)
                if slot.valid:
                    found.append((bool(slot.mean), slot.target))
            assert not ctx.get(dut.busy)

        run(dut, testbench)
        assert found == [(False, target)] * 4
