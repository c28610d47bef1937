"""The map memory against a Python list: who reads, who writes, and what is read."""

import itertools
import random

import pytest

from mnv2.hw.layouts import activation_word
from mnv2.hw.map_memory import MapMemory
from tests.hw.harness import check_conversion
from tests.hw.testbench import run

WIDTH = 24


def make(depth=64):
    return MapMemory(word=WIDTH, depth=depth)


@pytest.mark.parametrize("depth", [2, 5, 300])
def test_random_traffic(depth):
    dut, rng = make(depth), random.Random(depth)
    met = dict.fromkeys(("step", "summand", "store", "sum", "result", "load", "load waits"), 0)

    async def testbench(ctx):
        words = [0] * depth  # the simulator's memories begin with zeros
        load = None
        expected = None
        for _ in range(3000):
            # Who writes. A word to load stays until it is taken; sums and results never coincide.
            kind = rng.choice([None, None, "sum", "result"])
            if load is None and rng.random() < 0.6:
                load = (rng.randrange(depth), rng.getrandbits(WIDTH))
            ctx.set(dut.i_load.valid, load is not None)
            ctx.set(dut.i_load.payload.address, load[0] if load else rng.randrange(depth))
            ctx.set(dut.i_load.payload.word, load[1] if load else rng.getrandbits(WIDTH))
            written = load
            for name in ("sum", "result"):
                placed = (rng.randrange(depth), rng.getrandbits(WIDTH))
                ctx.set(getattr(dut, f"{name}_valid"), kind == name)
                ctx.set(getattr(dut, name).address, placed[0])
                ctx.set(getattr(dut, name).word, placed[1])
                written = placed if kind == name else written

            # Who reads, never what is being written.
            address_of, asks = {}, {}
            for name in ("step", "summand", "store"):
                free = [one for one in range(depth) if written is None or one != written[0]]
                address_of[name], asks[name] = rng.choice(free), rng.random() < 0.5
                ctx.set(getattr(dut, name), asks[name])
                ctx.set(getattr(dut, f"{name}_address"), address_of[name])
            reader = next((name for name, asked in asks.items() if asked), None)

            *_, summand_grant, store_grant, ready, word = await ctx.tick().sample(
                dut.summand_grant, dut.store_grant, dut.i_load.ready, dut.read_word
            )
            assert expected is None or word == expected
            assert (summand_grant, store_grant) == (reader == "summand", reader == "store")
            assert ready == (kind is None)
            expected = words[address_of[reader]] if reader else None
            if written is not None:
                words[written[0]] = written[1]
            if reader:
                met[reader] += 1
            met["load waits"] += load is not None and not ready
            if kind:
                met[kind] += 1
            elif load is not None:
                met["load"] += 1
                load = None

    run(dut, testbench)
    assert min(met.values()) > 100, met


def test_order_of_those_who_ask():
    """Every combination; the word comes in the cycle after, the grant at once."""
    dut = make()
    addresses = {"step": 1, "summand": 2, "store": 3}

    async def testbench(ctx):
        for name, address in addresses.items():
            ctx.set(dut.result_valid, 1)
            ctx.set(dut.result, {"address": address, "word": 100 + address})
            ctx.set(getattr(dut, f"{name}_address"), address)
            await ctx.tick()
        ctx.set(dut.result_valid, 0)
        for asks in itertools.product((0, 1), repeat=3):
            for name, asked in zip(addresses, asks, strict=True):
                ctx.set(getattr(dut, name), asked)
            step, summand, store = asks
            assert ctx.get(dut.summand_grant) == (summand and not step)
            assert ctx.get(dut.store_grant) == (store and not step and not summand)
            assert MapMemory.read_latency == 1
            await ctx.tick()
            if any(asks):
                assert ctx.get(dut.read_word) == 101 + asks.index(1)

    run(dut, testbench)


def test_one_word_is_read_and_one_is_loaded_in_each_cycle():
    dut, count = make(depth=50), 50
    taken, seen = [], []

    async def testbench(ctx):
        ctx.set(dut.i_load.valid, 1)
        ctx.set(dut.store, 1)
        for cycle in range(count + 1):
            ctx.set(dut.i_load.payload, {"address": min(cycle, 49), "word": 1000 + cycle})
            ctx.set(dut.store_address, max(cycle - 1, 0))
            *_, ready, granted = await ctx.tick().sample(dut.i_load.ready, dut.store_grant)
            taken.append(ready and granted)
            seen.append(ctx.get(dut.read_word))

    run(dut, testbench)
    assert all(taken)
    assert seen[1:] == [1000 + cycle for cycle in range(count)]


@pytest.mark.parametrize(
    ("depth", "error", "value"),
    [(0, ValueError, "0"), (2**16, ValueError, "65536"), ("8", TypeError, "'8'")],
)
def test_bad_parameters(depth, error, value):
    with pytest.raises(error, match=f"^Depth must be an integer from 1 to 65535, not {value}$"):
        make(depth)


@pytest.mark.parametrize("word", [activation_word(4, 7, 8), activation_word(6, 2, 5)])
def test_conversion(word):
    check_conversion(lambda: MapMemory(word=word, depth=32))
