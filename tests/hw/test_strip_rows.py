"""Strips of a block: rows against the windows that need them."""

import itertools
import random

import pytest
from amaranth.sim import Simulator

from mnv2.hw.program import Descriptor
from mnv2.hw.strip_rows import Strip, StripRows
from tests.hw.blocks import VARIANTS, strips
from tests.hw.harness import check_conversion


def expected(block):
    """Fields of each strip of a block."""
    rows, found = block["input_rows"], []
    above = block.get("image_pad_top", 0)
    for first, end, top, bottom in strips(block):
        bottom_inside = min(bottom, rows)
        found.append(
            {
                "last": int(end == block["output_rows"]),
                "output_rows": end - first,
                "input_rows": bottom_inside - top,
                "step_row": top,
                "step_end": bottom,
                # One past the lowest row under the stem's windows; the next strip begins there.
                "image_row": 2 * top + 1 - above if top else 0,
                "image_end": 2 * bottom_inside + 1 - above,
            }
        )
    return found


def watch(blocks, *, seed):
    """Strips of blocks one after another, three or more cycles apart; each is looked at twice."""
    dut, rng, seen = StripRows(), random.Random(seed), []

    async def testbench(ctx):
        for block in blocks:
            ctx.set(dut.block, Descriptor.const(block))
            found = []
            ctx.set(dut.begin, 1)
            await ctx.tick()
            ctx.set(dut.begin, 0)
            for _ in strips(block):
                ctx.set(dut.advance, 1)
                await ctx.tick()
                ctx.set(dut.advance, 0)
                strip = ctx.get(dut.strip)
                found.append({name: getattr(strip, name) for name in Strip.as_shape().members})
                await ctx.tick().repeat(rng.choice([2, 2, 3, 5]))
                assert ctx.get(dut.strip).as_bits() == strip.as_bits(), "It holds"
            seen.append(found)

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.run()
    return seen


@pytest.mark.parametrize("seed", range(3))
def test_strips_of_blocks_one_after_another(seed):
    blocks = list(VARIANTS.values())
    random.Random(seed).shuffle(blocks)
    assert watch(blocks, seed=seed) == [expected(block) for block in blocks]


def test_every_small_block():
    """Both strides, both paddings, odd and even rows, strips of one row and of all."""
    blocks = [
        {
            "input_rows": rows,
            "output_rows": -(-rows // stride),
            "strip_rows": strip_rows,
            "stride_2": int(stride == 2),
            "pad_top": pad_top,
            # Columns have no say.
            "pad_left": left,
            "image_pad_top": image_pad_top,
            "image_pad_left": left,
        }
        for rows, strip_rows, stride in itertools.product(range(1, 10), range(1, 6), (1, 2))
        for pad_top in ((1,) if stride == 1 or rows % 2 else (0, 1))
        for image_pad_top, left in itertools.product((0, 1), repeat=2)
        # The last strip of stride 1 has more than one row, or is the only one.
        if stride == 2 or rows % strip_rows != 1 or rows == 1
        if not (stride == 1 and strip_rows == 1 and rows > 1)
    ]
    assert len(blocks) > 300
    assert watch(blocks, seed=1) == [expected(block) for block in blocks]


@pytest.mark.parametrize("strip_rows", [1, 2047, 4094, 4095])
def test_largest_maps(strip_rows):
    for block in (
        {"input_rows": 4094, "output_rows": 4094, "strip_rows": strip_rows, "pad_top": 1},
        {"input_rows": 4094, "output_rows": 2047, "strip_rows": strip_rows, "stride_2": 1},
    ):
        block |= {"image_pad_top": 0}
        (found,) = watch([block], seed=1)
        # No image is that large.
        image = ("image_row", "image_end")
        for one, wanted in zip(found, expected(block), strict=True):
            assert one == wanted | {name: wanted[name] % 4096 for name in image}


def test_conversion():
    check_conversion(StripRows)
