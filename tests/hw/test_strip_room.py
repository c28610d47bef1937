"""Room in the ring of a stored map."""

import random

import pytest
from amaranth.sim import Simulator

from mnv2.hw.program import Descriptor
from mnv2.hw.strip_room import StripRoom
from tests.hw.harness import check_conversion

#: The ring holds 64 words, a strip has 24.
BLOCK = {"store": 1, "output_base": 200, "output_end": 264, "strip_output_words": 24}


def watch(block, words):
    """Verdict for each (produced, stored), three cycles each: all that were seen."""
    dut, seen = StripRoom(), []

    async def testbench(ctx):
        ctx.set(dut.block, Descriptor.const(block))
        for produced, stored in words:
            ctx.set(dut.produced, produced)
            ctx.set(dut.stored, stored)
            found = []
            for _ in range(3):
                _, _, room = await ctx.tick().sample(dut.room)
                found.append(bool(room))
            seen.append(found)

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.run()
    return seen


@pytest.mark.parametrize(
    ("produced", "stored", "room"),
    [
        (0, 0, True),
        (40, 0, True),
        (41, 0, False),
        (41, 1, True),
        (48, 7, False),
        (48, 8, True),
        (2**24 - 1, 2**24 - 42, False),
        (2**24 - 1, 2**24 - 41, True),
    ],
)
def test_last_word_of_room(produced, stored, room):
    assert watch(BLOCK, [(produced, stored)])[0][2] == room


def test_a_map_that_stays_on_the_chip_needs_none():
    assert watch({**BLOCK, "store": 0}, [(10_000, 0)])[0] == [True] * 3


@pytest.mark.parametrize("words", [0, 64, 65, 200, 65_535])
def test_strips_that_the_ring_does_or_does_not_hold(words):
    block = {**BLOCK, "strip_output_words": words}
    assert watch(block, [(100, 100)])[0][2] == (words <= 64)


def test_latency():
    """One cycle from what is produced, none from what is stored; the first two are the block's."""
    seen = watch(BLOCK, [(0, 0), (41, 0), (41, 1), (41, 0), (40, 0)])
    assert seen[1:] == [
        [True, False, False],
        [True] * 3,
        [False] * 3,
        [False, True, True],
    ]


def test_random_words():
    rng = random.Random(1)
    for _ in range(20):
        base = rng.randrange(2**16 - 1)
        end = rng.randrange(base + 1, 2**16)
        strip = rng.choice([rng.randrange(2**16), rng.randrange(end - base + 1)])
        block = {"store": 1, "output_base": base, "output_end": end, "strip_output_words": strip}
        words = []
        for _ in range(20):
            produced = rng.randrange(2**24)
            edge = produced + strip - (end - base) + rng.choice([-1, 0, 1, rng.randrange(-99, 99)])
            words.append((produced, min(max(edge, 0), 2**24 - 1)))
        for (produced, stored), seen in zip(words, watch(block, words), strict=True):
            assert seen[2] == (produced + strip - stored <= end - base)


def test_conversion():
    check_conversion(StripRoom)
