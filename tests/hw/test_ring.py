"""The ring against a Python list, under random writes, reads, rewinds and frees."""

import random

import pytest

from mnv2.hw.ring import Ring
from tests.hw.harness import check_conversion
from tests.hw.testbench import run

WIDTH = 24


@pytest.mark.parametrize(
    ("depth", "free_limit"),
    [
        (2, None),
        (3, 1),
        (8, None),
        (13, 5),
        (16, 4),
        (100, None),
    ],
)
def test_random_access(depth, free_limit):
    dut = Ring(shape=WIDTH, depth=depth, free_limit=free_limit)
    rng = random.Random(depth)
    met = {"full": 0, "empty": 0, "wrap": 0, "rewind": 0, "write and free": 0, "hold": 0}

    async def testbench(ctx):
        held, base, data, previous = [], 0, None, 0
        for cycle in range(3000):
            # Eagerly filled, then eagerly emptied, in turns.
            filling = cycle // 300 % 2 == 0
            write = rng.random() < (0.9 if filling else 0.3)
            word = rng.getrandbits(WIDTH)
            free = (
                min(rng.randrange(dut.free_limit + 1), len(held))
                if rng.random() < (0.02 if filling else 0.7)
                else 0
            )
            read = bool(held) and rng.random() < 0.8
            offset = rng.randrange(len(held)) if held else 0
            ctx.set(dut.i.valid, write)
            ctx.set(dut.i.payload, word)
            ctx.set(dut.free, free)
            ctx.set(dut.read_enable, read)
            ctx.set(dut.read_address, (base + offset) % depth)
            _, _, ready, seen_base, available, seen = await ctx.tick().sample(
                dut.i.ready, dut.base, dut.available, dut.read_data
            )
            assert ready == (len(held) < depth)
            assert (seen_base, available) == (base, len(held))
            if data is not None:
                assert seen == data
            met["full"] += not ready
            met["empty"] += not held
            met["wrap"] += base + len(held) > depth
            met["rewind"] += read and offset < previous
            met["write and free"] += bool(write and ready and free)
            met["hold"] += not read
            if read:
                data, previous = held[offset], offset
            held = held[free:] + ([word] if write and ready else [])
            base = (base + free) % depth
        ctx.set(dut.free, 0)

    run(dut, testbench)
    assert all(met.values()), met


def test_step_wraps():
    dut = Ring(shape=WIDTH, depth=5)

    async def testbench(ctx):
        for address in range(5):
            ctx.set(dut.read_address, address)
            assert ctx.get(dut.step(dut.read_address)) == (address + 1) % 5

    run(dut, testbench)


def test_full_rate():
    """A word is read in the cycle after it was written, and freed, a word a cycle."""
    dut = Ring(shape=WIDTH, depth=3)
    outputs = []

    async def testbench(ctx):
        ctx.set(dut.read_enable, 1)
        ctx.set(dut.i.valid, 1)
        for cycle in range(50):
            ctx.set(dut.i.payload, cycle)
            available = ctx.get(dut.available)
            ctx.set(dut.read_address, ctx.get(dut.base))
            ctx.set(dut.free, available > 0)
            _, _, ready = await ctx.tick().sample(dut.i.ready)
            assert ready
            if available:
                outputs.append(ctx.get(dut.read_data))

    run(dut, testbench)
    assert outputs == list(range(49))


def test_clear():
    dut = Ring(shape=WIDTH, depth=4)

    async def testbench(ctx):
        ctx.set(dut.i.valid, 1)
        await ctx.tick().repeat(3)
        ctx.set(dut.free, 2)
        await ctx.tick()
        ctx.set(dut.free, 0)
        ctx.set(dut.clear, 1)
        await ctx.tick()
        assert (ctx.get(dut.base), ctx.get(dut.available)) == (0, 0)
        ctx.set(dut.clear, 0)
        ctx.set(dut.i.payload, 77)
        await ctx.tick()
        ctx.set(dut.read_enable, 1)
        await ctx.tick()
        assert ctx.get(dut.read_data) == 77

    run(dut, testbench)


def test_free_of_absent_words_stops():
    dut = Ring(shape=WIDTH, depth=4)

    async def testbench(ctx):
        ctx.set(dut.free, 1)
        await ctx.tick().repeat(2)

    with pytest.raises(AssertionError, match="Freed 1 words of 0"):
        run(dut, testbench)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"depth": "4"}, TypeError, "Depth must be an integer of at least 2, not '4'"),
        ({"depth": 1}, ValueError, "Depth must be an integer of at least 2, not 1"),
        (
            {"depth": 4, "free_limit": 5},
            ValueError,
            "Free limit must be an integer from 1 to 4, not 5",
        ),
    ],
)
def test_refuses(parameters, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        Ring(shape=WIDTH, **parameters)


@pytest.mark.parametrize("depth", [2, 5, 64])
def test_converts(depth):
    check_conversion(lambda: Ring(shape=WIDTH, depth=depth))
