"""A testbench that waits for ever ends, and says where it waits."""

import re

import pytest

from mnv2.hw.core import Core
from mnv2.hw.map_mover import MapStorer
from tests.hw.core_cases import ALL, CONFIGS, block_of
from tests.hw.core_machine import PATIENCE
from tests.hw.core_stages import Stages
from tests.hw.testbench import run


def test_deadline_names_the_lines_that_wait():
    dut = MapStorer(word_bits=8)

    async def until_a_word(ctx):
        await ctx.tick().until(dut.o.valid)

    async def testbench(ctx):
        await ctx.tick()
        await until_a_word(ctx)

    place = r"\(test_testbench.py:\d+\)"
    message = f"Not done within 30 cycles; waits in until_a_word {place}, called by testbench"
    with pytest.raises(AssertionError, match=f"^{message} {place}$"):
        run(dut, testbench, cycles=30)


def test_a_testbench_that_returns_is_not_late():
    async def testbench(ctx):
        await ctx.tick().repeat(20)

    run(MapStorer(word_bits=8), testbench, cycles=21)


def test_a_core_in_which_nothing_moves_says_what_it_waits_for():
    """Long before the deadline."""
    config = CONFIGS["one frame"]
    block, quantized, inputs, _ = block_of(config, 1)
    machine = Stages(config)
    assert isinstance(machine.core, Core)
    machine.held.add("i_weights")

    async def testbench(ctx):
        ctx.set(machine.core.loaded, ALL)
        await machine.load_map(ctx, inputs, 0)
        await machine.start_fill(ctx, quantized, block.input_shape, 0)
        await machine.until_quiet(ctx)

    with pytest.raises(AssertionError) as error:
        machine.run(testbench)
    found = re.fullmatch(
        r"Nothing has moved since cycle (\d+): stall WEIGHTS, issuing 1, issued 0, quiet 0, words "
        r"not taken: (\d+) of i_weights; waits in until \(core_machine.py:\d+\), called by "
        r"until_quiet \(core_machine.py:\d+\), called by testbench \(test_testbench.py:\d+\)",
        str(error.value),
    )
    assert found, str(error.value)
    assert len(machine.cycles) == int(found[1]) + PATIENCE
    assert int(found[2]) == len(machine.queues["i_weights"])
