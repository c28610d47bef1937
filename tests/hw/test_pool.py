"""The pool's totals: sizes, tails, tiles, gaps, frames; and the mean that golden makes of them."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from mnv2.golden.fixed_point import signed_range
from mnv2.golden.ops import sum_pixels
from mnv2.hw.pool import Pool
from tests.hw.harness import check_conversion, pack_items, unpack_items


def items_of(layout, maps, lanes, pixels):
    """Items for maps in turn, int8 [H, W, C] of as many channels as a tile has or fewer.

    Lanes beyond the row carry other values than zero, as they do after the head.
    """
    fields = {name: [] for name in ("word", "tile_word", "valid", "first", "last")}
    for activation in maps:
        rows, width, channels = activation.shape
        groups, words = -(-width // pixels), channels // lanes
        padded = np.full((rows, groups * pixels, channels), -7, np.int8)
        padded[:, :width] = activation
        for row in range(rows):
            for group in range(groups):
                for word in range(words):
                    fields["word"].append(
                        padded[
                            row,
                            group * pixels : (group + 1) * pixels,
                            word * lanes : (word + 1) * lanes,
                        ]
                    )
                    fields["tile_word"].append(word)
                    fields["valid"].append(min(pixels, width - group * pixels))
                    fields["first"].append(row == 0 and group == 0)
                    fields["last"].append(row == rows - 1 and group == groups - 1)
    return pack_items(layout, {name: np.array(values) for name, values in fields.items()})


def run(unit, items, gaps=0.0, seed=0):
    """Totals of each word of a tile, read `Pool.latency` cycles after the last of its items.

    A list of (tile_word, totals) in the order of the last items.
    """
    layout = unit.i.payload.shape()
    given = unpack_items(layout, items)
    rng = np.random.default_rng(seed)
    found = []

    async def testbench(ctx):
        due = {}  # cycle: word of the tile
        cycle, waiting = 0, list(range(len(items)))
        while waiting or due:
            assert ctx.get(unit.i.ready)
            sends = waiting and rng.random() >= gaps
            ctx.set(unit.i.valid, bool(sends))
            # What the payload carries while valid is low must not matter.
            payload = items[waiting[0]] if sends else int(rng.integers(0, 2**30))
            ctx.set(unit.i.payload.as_value(), payload)
            if sends:
                number = waiting.pop(0)
                if given["last"][number]:
                    due[cycle + Pool.latency] = int(given["tile_word"][number])
            await ctx.tick()
            cycle += 1
            word = due.pop(cycle, None)
            ctx.set(unit.read_word, 0 if word is None else word)
            if word is not None:
                totals = ctx.get(unit.totals.as_value())
                (row,) = unpack_items(unit.totals.shape(), [totals])
                found.append((word, row.tolist()))

    simulator = Simulator(unit)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.run()
    return found


@pytest.mark.parametrize("gaps", [0, 0.4], ids=["free", "gaps"])
@pytest.mark.parametrize(
    ("lanes", "pixels", "tile_words", "bits", "size"),
    [
        (1, 1, 1, 8, (1, 1)),
        (1, 1, 1, 8, (5, 4)),
        (4, 2, 3, 8, (1, 1)),
        (4, 2, 3, 8, (3, 5)),
        (8, 2, 2, 8, (3, 5)),  # two frames
        (2, 7, 2, 8, (7, 7)),
        (3, 3, 2, 6, (3, 8)),
        (4, 2, 1, 4, (5, 1)),
    ],
)
def test_equal_to_golden(lanes, pixels, tile_words, bits, size, gaps):
    rng = np.random.default_rng([lanes, *size])
    low, high = signed_range(bits)
    maps = []
    for _ in range(4):
        words = int(rng.integers(1, tile_words + 1))
        maps.append(rng.integers(low, high + 1, (*size, words * lanes), dtype=np.int8))
    expected = [
        (word, sum_pixels(activation, 0).reshape(-1, lanes)[word].tolist())
        for activation in maps
        for word in range(activation.shape[2] // lanes)
    ]
    unit = Pool(channels=lanes, pixels=pixels, tile_words=tile_words, activation_bits=bits)
    items = items_of(unit.i.payload.shape(), maps, lanes, pixels)
    assert run(unit, items, gaps) == expected


def test_totals_of_all_words_stay():
    """Until the first words of the next map, each can be read at any time."""
    rng = np.random.default_rng(5)
    unit = Pool(channels=2, pixels=3, tile_words=4)
    activation = rng.integers(-128, 128, (2, 5, 8), dtype=np.int8)
    items = items_of(unit.i.payload.shape(), [activation], 2, 3)
    expected = sum_pixels(activation, 0).reshape(4, 2)

    async def testbench(ctx):
        for item in items:
            ctx.set(unit.i.valid, 1)
            ctx.set(unit.i.payload.as_value(), item)
            await ctx.tick()
        ctx.set(unit.i.valid, 0)
        await ctx.tick().repeat(20)
        for word in (2, 0, 3, 1, 2):
            ctx.set(unit.read_word, word)
            assert [ctx.get(unit.totals[k]) for k in range(2)] == expected[word].tolist()

    simulator = Simulator(unit)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize("value", [-128, 127])
def test_largest_sums(value):
    """A map of the largest size whose every element is extreme does not overflow the sum."""
    unit = Pool(channels=1, pixels=64, tile_words=1)
    items = items_of(unit.i.payload.shape(), [np.full((256, 256, 1), value, np.int8)], 1, 64)
    assert run(unit, items) == [(0, [value * 2**16])]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"channels": 0}, "Channels must be"),
        ({"pixels": 0}, "Pixels must be"),
        ({"tile_words": 0}, "Tile words must be"),
        ({"activation_bits": 9}, "Activation bits must be"),
    ],
)
def test_refuses(parameters, message):
    with pytest.raises(ValueError, match=message):
        Pool(**({"channels": 1, "pixels": 1, "tile_words": 1} | parameters))


@pytest.mark.parametrize("shape", [(1, 1, 1), (4, 7, 4)])
def test_conversion(shape):
    check_conversion(lambda: Pool(channels=shape[0], pixels=shape[1], tile_words=shape[2]))
