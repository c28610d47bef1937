"""Words on their way to the line buffer, against a Python queue."""

import random
from collections import deque

import pytest

from mnv2.hw.layouts import activation_word
from mnv2.hw.line_input import LineInput
from tests.hw.harness import check_conversion, simulate
from tests.hw.testbench import run

WIDTH = 20


def make(queue_words=8):
    return LineInput(word=WIDTH, queue_words=queue_words)


@pytest.mark.parametrize("pace", [0.3, 0.8], ids=["slow", "fast"])
@pytest.mark.parametrize("queue_words", [1, 3, 8])
def test_words_of_the_queue(queue_words, pace):
    """Expanded and copied words leave in the order in which they came, whatever the stalls."""
    dut, rng = make(queue_words), random.Random(queue_words)
    met = dict.fromkeys(("expanded", "copied", "full", "empty", "taken"), 0)

    async def testbench(ctx):
        queue = deque()
        for cycle in range(2000):
            came = None
            # Many words and few, in turns.
            if len(queue) < queue_words and rng.random() < (0.1, 1.0)[cycle // 100 % 2]:
                came = rng.choice(["expanded", "copied"])
            word = rng.getrandbits(WIDTH)
            for name in ("expanded", "copied"):
                ctx.set(getattr(dut, f"{name}_valid"), came == name)
                ctx.set(getattr(dut, name), word if came == name else rng.getrandbits(WIDTH))
            ready = rng.random() < pace
            ctx.set(dut.o.ready, ready)
            *_, valid, payload, taken = await ctx.tick().sample(
                dut.o.valid, dut.o.payload, dut.taken
            )
            # A word shows in the cycle after it came, and holds.
            assert valid == bool(queue)
            assert not queue or payload == queue[0]
            assert taken == (bool(queue) and ready)
            met["full"] += len(queue) == queue_words
            met["empty"] += not queue
            if taken:
                queue.popleft()
                met["taken"] += 1
            if came:
                queue.append(word)
                met[came] += 1

    run(dut, testbench)
    assert min(met.values()) > 20, met


def test_a_word_a_cycle():
    dut, seen = make(2), []

    async def testbench(ctx):
        ctx.set(dut.expanded_valid, 1)
        ctx.set(dut.o.ready, 1)
        for cycle in range(50):
            ctx.set(dut.expanded, cycle)
            *_, valid, payload = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            seen.append(payload if valid else None)

    run(dut, testbench)
    assert seen == [None, *range(49)]


@pytest.mark.parametrize("stall", [0.0, {"i_image": 0.5}, {"o": 0.6}, 0.4])
def test_words_of_an_image(stall):
    """They pass in the cycle in which they are offered, and none counts as taken from the queue."""
    rng = random.Random(1)
    items = [rng.getrandbits(WIDTH) for _ in range(200)]
    dut = make()
    trace = simulate(dut, {"i_image": items}, {"o": len(items)}, seed=1, stall=stall)
    assert trace.items["o"] == items
    assert (trace.cycles["o"] == trace.cycles["i_image"]).all()
    if stall == 0:
        assert trace.cycles["o"].tolist() == list(range(200))


def test_image_and_queue_in_turns():
    dut, rng = make(6), random.Random(2)

    async def testbench(ctx):
        for turn in range(60):
            image = turn % 2 == 0
            words = [rng.getrandbits(WIDTH) for _ in range(rng.randint(1, 6))]
            seen, given, taken_words = [], 0, 0
            while len(seen) < len(words):
                offered = given < len(words) and (image or rng.random() < 0.7)
                word = words[given] if offered else rng.getrandbits(WIDTH)
                ctx.set(dut.i_image.valid, offered and image)
                ctx.set(dut.i_image.payload, word if image else rng.getrandbits(WIDTH))
                ctx.set(dut.expanded_valid, offered and not image)
                ctx.set(dut.expanded, rng.getrandbits(WIDTH) if image else word)
                ctx.set(dut.o.ready, rng.random() < 0.6)
                *_, image_ready, valid, ready, payload, taken = await ctx.tick().sample(
                    dut.i_image.ready, dut.o.valid, dut.o.ready, dut.o.payload, dut.taken
                )
                given += offered and bool(image_ready or not image)
                taken_words += taken
                if valid and ready:
                    seen.append(payload)
            assert seen == words
            assert taken_words == (0 if image else len(words))
            ctx.set(dut.i_image.valid, 0)
            ctx.set(dut.expanded_valid, 0)

    run(dut, testbench)


def test_words_of_the_queue_stay_while_an_image_passes():
    dut, seen = make(4), []

    async def testbench(ctx):
        ctx.set(dut.o.ready, 1)
        for cycle in range(12):
            ctx.set(dut.i_image.valid, cycle < 8)
            ctx.set(dut.i_image.payload, 100 + cycle)
            ctx.set(dut.copied_valid, cycle < 3)
            ctx.set(dut.copied, cycle)
            *_, valid, payload, taken = await ctx.tick().sample(
                dut.o.valid, dut.o.payload, dut.taken
            )
            assert taken == (8 <= cycle < 11)
            if valid:
                seen.append(payload)

    run(dut, testbench)
    assert seen == [*range(100, 108), 0, 1, 2]


@pytest.mark.parametrize(
    ("queue_words", "error", "value"), [(0, ValueError, "0"), (2.0, TypeError, "2.0")]
)
def test_bad_parameters(queue_words, error, value):
    with pytest.raises(error, match=f"^Queue words must be a positive integer, not {value}$"):
        make(queue_words)


@pytest.mark.parametrize("word", [activation_word(4, 7, 8), activation_word(6, 2, 5)])
def test_conversion(word):
    check_conversion(lambda: LineInput(word=word, queue_words=8))
