"""Words of tiles, sums of windows and totals of the pool, against a tile in Python."""

import numpy as np
import pytest

from mnv2.hw.passes import Target
from mnv2.hw.tile_results import TileResults
from tests.hw.harness import check_conversion, pack_items, unpack_items
from tests.hw.testbench import bits, run

# inputs, frames, pixels, tile_words, accumulator_bits
LANES = [
    (4, 1, 2, 3, 32),
    (4, 2, 2, 4, 24),
    (3, 1, 1, 1, 28),
    (2, 2, 3, 5, 16),
]


def draw_slots(rng, count, tile_words):
    """Slots of tiles, windows, totals and gaps; ``load`` begins a tile, whose words follow."""
    names = ("load", "valid", "depthwise", "mean", "tile_word")
    slots = {name: np.zeros(count, int) for name in names}
    left, means = 0, 0
    for n in range(count):
        kind = rng.choice(["gap", "windows", "word"], p=[0.2, 0.3, 0.5])
        if kind == "windows":
            slots["valid"][n] = slots["depthwise"][n] = 1
        elif kind == "word" and means:
            slots["valid"][n] = slots["mean"][n] = 1
            slots["tile_word"][n] = tile_words - means
            means -= 1
        elif kind == "word":
            slots["valid"][n] = 1
            slots["load"][n] = left == 0
            left = left or tile_words
            slots["tile_word"][n] = tile_words - left
            left -= 1
            if left == 0 and rng.random() < 0.5:
                means = tile_words
    # What else a slot says: anything.
    for name, end in (("parameters", 2**12), ("range", 4), ("target", len(Target))):
        slots[name] = rng.integers(0, end, count)
    for name in ("address", "residual_address"):
        slots[name] = rng.integers(0, 2**16, count)
    for name in ("first_pixels", "last_pixels", "row_ends"):
        slots[name] = rng.integers(0, 2, count)
    return slots


@pytest.mark.parametrize(("inputs", "frames", "pixels", "tile_words", "accumulator_bits"), LANES)
def test_equal_to_a_tile_in_python(inputs, frames, pixels, tile_words, accumulator_bits):
    dut = TileResults(
        inputs=inputs,
        frames=frames,
        pixels=pixels,
        tile_words=tile_words,
        accumulator_bits=accumulator_bits,
    )
    count, rng = 600, np.random.default_rng(inputs)
    half = 1 << accumulator_bits - 1
    lanes = (count, pixels, frames * inputs)
    accumulators = rng.integers(-half, half, (count, tile_words, *lanes[1:]))
    sums = rng.integers(-half, half, lanes)
    totals = rng.integers(-(2**23), 2**23, (tile_words, frames * inputs))
    slots = draw_slots(rng, count, tile_words)
    # The array's results are valid where anything happens, and in some other cycles.
    valid = (slots["valid"] == 1) | (rng.random(count) < 0.5)
    packed = [
        (port, pack_items(port.shape(), items))
        for port, items in ((dut.accumulators, accumulators), (dut.sums, sums), (dut.slot, slots))
    ]
    given_totals = pack_items(dut.pool_totals.shape(), totals)

    expected, tile = [], None
    for n in range(count):
        if slots["load"][n]:
            tile = accumulators[n]
        if slots["depthwise"][n]:
            expected.append(sums[n])
        elif slots["mean"][n]:
            # Only the first pixel is the total; it wraps as an accumulator does.
            wrapped = (totals[slots["tile_word"][n]] + half) % (2 * half) - half
            expected.append(wrapped[None])
        elif slots["valid"][n]:
            expected.append(tile[slots["tile_word"][n]])

    words, found_slots, cycles = [], [], []

    async def testbench(ctx):
        for n in range(count + 1):
            for port, items in packed:
                ctx.set(bits(port), items[min(n, count - 1)])
            ctx.set(dut.valid, int(n < count and valid[n]))
            ctx.set(bits(dut.pool_totals), given_totals[ctx.get(dut.pool_word) % tile_words])
            if ctx.get(dut.o_valid):
                words.append(ctx.get(bits(dut.o_word)))
                found_slots.append(ctx.get(bits(dut.o_slot)))
                cycles.append(n)
            await ctx.tick()

    run(dut, testbench)
    given = np.flatnonzero(slots["valid"])
    assert TileResults.latency == 1
    assert cycles == (given + TileResults.latency).tolist()
    found = unpack_items(dut.o_word.shape(), words)
    for number, (word, wanted) in enumerate(zip(found, expected, strict=True)):
        np.testing.assert_array_equal(word[: len(wanted)], wanted, f"word {number}")
    assert found_slots == [packed[2][1][n] for n in given]
    for name in ("load", "depthwise", "mean"):
        assert slots[name].sum() > 10


def test_a_slot_of_a_cycle_without_results_is_none():
    dut = TileResults(inputs=3, pixels=1, tile_words=4)

    async def testbench(ctx):
        ctx.set(dut.slot.valid, 1)
        ctx.set(dut.slot.load, 1)
        ctx.set(dut.accumulators[2][0][1], 77)
        ctx.set(dut.valid, 1)
        await ctx.tick()
        ctx.set(dut.valid, 0)
        ctx.set(dut.accumulators[2][0][1], 78)
        await ctx.tick()
        assert not ctx.get(dut.o_valid)
        ctx.set(dut.slot.load, 0)
        ctx.set(dut.slot.tile_word, 2)
        ctx.set(dut.valid, 1)
        await ctx.tick()
        assert ctx.get(dut.o_word[0][1]) == 77

    run(dut, testbench)


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("inputs", 0, ValueError, "Inputs must be a positive integer, not 0"),
        ("frames", True, TypeError, "Frames must be a positive integer, not True"),
        ("pixels", 0, ValueError, "Pixels must be a positive integer, not 0"),
        ("tile_words", -2, ValueError, "Tile words must be a positive integer, not -2"),
        (
            "accumulator_bits",
            33,
            ValueError,
            "Accumulator bits must be an integer from 16 to 32, not 33",
        ),
    ],
)
def test_bad_parameters(name, value, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        TileResults(**{**dict(inputs=4, pixels=2, tile_words=3), name: value})


@pytest.mark.parametrize(("frames", "tile_words"), [(1, 4), (2, 3), (1, 1)])
def test_conversion(frames, tile_words):
    check_conversion(lambda: TileResults(inputs=4, frames=frames, pixels=2, tile_words=tile_words))
