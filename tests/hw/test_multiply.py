"""Products cut for multipliers of every width, and made of LUTs: exact, in the terms expected."""

import numpy as np
import pytest
from amaranth import *
from amaranth.sim import Simulator

from mnv2.hw import multiply as multiply_module
from mnv2.hw.multiply import cut_product, multiply

# shapes of the operands, bits dropped, stages, options, positions of the terms
CASES = [
    (signed(27), unsigned(31), 30, 3, {"operand_bits": 27}, [0, 17]),
    (signed(27), unsigned(31), 30, 2, {"operand_bits": 27}, [0, 17]),
    (signed(28), unsigned(31), 30, 3, {"operand_bits": 27}, [0, 1, 18]),
    (signed(32), unsigned(31), 30, 2, {"operand_bits": 27}, [0, 5, 22]),
    (signed(16), unsigned(31), 30, 3, {"operand_bits": 27}, [0, 17]),
    (signed(27), unsigned(16), 15, 2, {"operand_bits": 27}, [0]),
    (signed(27), unsigned(31), 30, 3, {"operand_bits": 25}, [0, 2, 19]),
    (signed(27), unsigned(31), 30, 3, {"operand_bits": 18}, [0, 17, 17, 34]),
    (signed(24), unsigned(16), 15, 2, {"operand_bits": 18}, [0, 6]),
    (signed(18), unsigned(16), 15, 2, {"operand_bits": 18}, [0]),
    (unsigned(31), signed(9), 10, 2, {"operand_bits": 27}, [0, 5]),
    (unsigned(31), signed(9), 10, 2, {"operand_bits": 18}, [0, 17]),
    (unsigned(16), signed(9), 0, 2, {"operand_bits": 27}, [0]),
    (signed(30), unsigned(31), 30, 2, {"operand_bits": 27}, [0, 3, 20]),
    (signed(27), unsigned(31), 30, 3, {"in_luts": True}, [0, 6, 14, 22]),
    (signed(27), unsigned(16), 15, 2, {"in_luts": True}, [0, 6, 14]),
    (unsigned(31), signed(9), 10, 2, {"in_luts": True}, [0, 6, 14, 22]),
]


def draw(rng, shape, count):
    """Values of a shape, its ends among them: int64 [count]."""
    low = -(2 ** (shape.width - 1)) if shape.signed else 0
    high = low + 2**shape.width - 1
    values = rng.integers(low, high, count, endpoint=True)
    ends = rng.random(count) < 0.3
    values[ends] = rng.choice([low, low + 1, 0, 1, high - 1, high], ends.sum())
    return values.tolist()


@pytest.mark.parametrize(("wide", "narrow", "drop", "stages", "options", "positions"), CASES)
def test_exact(wide, narrow, drop, stages, options, positions):
    options = {"operand_bits": 27, "in_luts": False} | options
    m = Module()
    first, second, advance = Signal(wide), Signal(narrow), Signal()
    result = multiply(
        m, advance, first, second, drop, signed(64), stages=stages, name="product", **options
    )
    rng = np.random.default_rng(wide.width)
    pairs = list(zip(draw(rng, wide, 300), draw(rng, narrow, 300), strict=True))

    async def testbench(ctx):
        inside = []
        for a, b in pairs:
            ctx.set(first, a)
            ctx.set(second, b)
            ctx.set(advance, 0)
            if rng.random() < 0.5:
                await ctx.tick()  # nothing moves
            ctx.set(advance, 1)
            await ctx.tick()
            inside.append(a * b >> drop)
            if len(inside) == stages:
                assert ctx.get(result) == inside.pop(0)

    simulator = Simulator(m)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize(
    ("wide", "narrow", "drop", "stages", "options"),
    [
        (signed(8), unsigned(6), 5, 3, {"operand_bits": 5}),  # both operands are cut
        (signed(8), unsigned(6), 5, 2, {"in_luts": True}),
        (unsigned(7), signed(7), 4, 2, {"in_luts": True}),
        (signed(6), unsigned(8), 5, 3, {"operand_bits": 8}),
        (signed(9), unsigned(5), 4, 2, {"operand_bits": 8}),  # a multiplier, and a bit in LUTs
    ],
)
def test_all_operands(monkeypatch, wide, narrow, drop, stages, options):
    """Narrow operands, cut as wide ones are, for a multiplier that is narrower, too."""
    monkeypatch.setattr(multiply_module, "_NARROW_BITS", 5)
    monkeypatch.setattr(multiply_module, "_ROW_BITS", 2)
    options = {"operand_bits": 8, "in_luts": False} | options
    m = Module()
    both = Signal(wide.width + narrow.width)
    first, second = Signal(wide), Signal(narrow)
    m.d.comb += Cat(first, second).eq(both)
    m.d.sync += both.eq(both + 1)
    result = multiply(
        m, C(1, 1), first, second, drop, signed(32), stages=stages, name="product", **options
    )
    exact = first * second >> drop
    for _ in range(stages):
        late = Signal(signed(32))
        m.d.sync += late.eq(exact)
        exact = late
    wrong = Signal(range(2**14 + 1))
    m.d.sync += wrong.eq(wrong + (result != exact))
    pairs = 1 << len(both)

    async def testbench(ctx):
        await ctx.tick().repeat(pairs + stages + 1)
        assert ctx.get(wrong) == 0

    simulator = Simulator(m)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize(("wide", "narrow", "drop", "stages", "options", "positions"), CASES)
def test_terms(wide, narrow, drop, stages, options, positions):
    options = {"operand_bits": 27, "in_luts": False} | options
    terms = cut_product(Module(), Signal(wide), Signal(narrow), name="product", **options)
    assert [position for position, _ in terms] == positions
