"""Map loader and storer against rings in Python, with stalls and late permissions."""

import random

import pytest

from mnv2.hw.map_mover import MapLoader, MapStorer
from tests.hw.harness import check_conversion
from tests.hw.testbench import run

BITS = 16


@pytest.mark.parametrize("busy", [0.0, 0.5], ids=["free", "stalls"])
@pytest.mark.parametrize(("base", "size"), [(0, 1), (5, 3), (40, 64)])
def test_loader(base, size, busy):
    """Words go round the ring in order, never over one that is not freed; what follows the map is
    dropped; the next map begins at the base again."""
    dut, rng = MapLoader(word_bits=BITS), random.Random(size)

    async def testbench(ctx):
        ctx.set(dut.base, base)
        ctx.set(dut.end, base + size)
        for count, extra in ((2 * size + 3, 0), (1, 5), (size, 1)):
            words = [rng.getrandbits(BITS) for _ in range(count + extra)]
            ctx.set(dut.words, count)
            ctx.set(dut.freed, 0)
            ctx.set(dut.begin, 1)
            ctx.set(dut.i.valid, 0)
            await ctx.tick()
            ctx.set(dut.begin, 0)
            ring, freed, taken, placed, full, cycles = {}, 0, 0, 0, 0, 0
            while taken < len(words) or placed < count:
                assert ctx.get(dut.loaded) == placed
                ctx.set(dut.i.valid, taken < len(words) and rng.random() >= busy)
                ctx.set(dut.i.payload, words[taken] if taken < len(words) else 0)
                ctx.set(dut.o.ready, rng.random() >= busy)
                # Freed late, in runs: the ring is full first.
                if cycles > 8 * size and rng.random() < 0.2:
                    for index in range(freed, rng.randint(freed, placed)):
                        assert ring.pop(base + index % size) == words[index]
                        freed += 1
                ctx.set(dut.freed, freed)
                _, _, i_valid, i_ready, valid, ready, address, word = await ctx.tick().sample(
                    dut.i.valid,
                    dut.i.ready,
                    dut.o.valid,
                    dut.o.ready,
                    dut.o.payload.address,
                    dut.o.payload.word,
                )
                if valid and ready:
                    assert address not in ring, "Overwritten before it was freed"
                    assert address == base + placed % size
                    ring[address] = word
                    placed += 1
                taken += i_valid and i_ready
                full += placed - freed == size
                cycles += 1
            assert placed == count
            assert [ring[base + index % size] for index in range(freed, count)] == words[
                freed:count
            ]
            assert count <= size or full

    run(dut, testbench, cycles=8000)


def test_loader_without_a_map():
    """No words: nothing is placed, whatever arrives."""
    dut = MapLoader(word_bits=BITS)

    async def testbench(ctx):
        ctx.set(dut.end, 4)
        ctx.set(dut.begin, 1)
        await ctx.tick()
        ctx.set(dut.begin, 0)
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.o.ready, 1)
        for _ in range(5):
            _, _, valid = await ctx.tick().sample(dut.o.valid)
            assert not valid
        assert ctx.get(dut.loaded) == 0

    run(dut, testbench, cycles=100)


@pytest.mark.parametrize(("grant", "ready"), [(1.0, 1.0), (0.3, 1.0), (1.0, 0.3), (0.5, 0.5)])
@pytest.mark.parametrize(("base", "size"), [(0, 1), (7, 5), (40, 64)])
def test_storer(base, size, grant, ready):
    """Reads no word before it is complete, gives them in order, ``last`` with the map's last."""
    dut, rng = MapStorer(word_bits=BITS), random.Random(size)

    async def testbench(ctx):
        ctx.set(dut.base, base)
        ctx.set(dut.end, base + size)
        for count in (2 * size + 3, 1, size):
            words = [rng.getrandbits(BITS) for _ in range(count)]
            ctx.set(dut.words, count)
            ctx.set(dut.produced, 0)
            ctx.set(dut.grant, 0)
            ctx.set(dut.begin, 1)
            await ctx.tick()
            ctx.set(dut.begin, 0)
            ring, produced, stored, seen = {}, 0, 0, []
            while len(seen) < count:
                assert ctx.get(dut.stored) == stored
                while produced < min(count, stored + size) and rng.random() < 0.7:
                    ring[base + produced % size] = words[produced]
                    produced += 1
                ctx.set(dut.produced, produced)
                ctx.set(dut.o.ready, rng.random() < ready)
                granted = bool(ctx.get(dut.request)) and rng.random() < grant
                address = ctx.get(dut.address)
                ctx.set(dut.grant, granted)
                _, _, valid, taken, word, last = await ctx.tick().sample(
                    dut.o.valid, dut.o.ready, dut.o.payload.data, dut.o.payload.last
                )
                # The memory answers in the cycle after, and with anything else in others.
                ctx.set(dut.data, ring[address] if granted else rng.getrandbits(BITS))
                if granted:
                    assert stored < produced
                    assert address == base + stored % size
                    stored += 1
                if valid and taken:
                    seen.append(word)
                    assert last == (len(seen) == count)
            assert seen == words
            assert stored == count

    run(dut, testbench, cycles=8000)


def test_storer_full_rate():
    """A word a cycle, if the memory grants every read."""
    dut = MapStorer(word_bits=BITS)

    async def testbench(ctx):
        ctx.set(dut.end, 100)
        ctx.set(dut.words, 50)
        ctx.set(dut.produced, 50)
        ctx.set(dut.o.ready, 1)
        ctx.set(dut.begin, 1)
        await ctx.tick()
        ctx.set(dut.begin, 0)
        valids = []
        for _ in range(60):
            ctx.set(dut.grant, ctx.get(dut.request))
            _, _, valid = await ctx.tick().sample(dut.o.valid)
            valids.append(valid)
        first = valids.index(1)
        assert all(valids[first : first + 50])
        assert sum(valids) == 50

    run(dut, testbench, cycles=100)


@pytest.mark.parametrize("unit", [MapLoader, MapStorer])
def test_conversion(unit):
    check_conversion(lambda: unit(word_bits=BITS))
