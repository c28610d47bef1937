"""Passes with a single word: nothing else is under way that would keep the core from being quiet.

A word counts from the cycle after the one in which it is issued, and is seen in the count another
cycle later. In between the pass may be over, so that a core that looked at the count alone would be
quiet, and the next pass would begin without the word.
"""

import numpy as np
import pytest

from mnv2.golden.network import build_block
from mnv2.golden.quantized_block import run_block
from mnv2.golden.synthetic import random_activation, random_block
from tests.hw.core_cases import ALL, CONFIGS, check_output, run_whole
from tests.hw.core_stages import Stages


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("expansion", [1, 2])
def test_block_of_one_word(expansion, residual):
    """One pixel, one word of hidden channels, one word of results."""
    config = CONFIGS["one frame"]
    rng = np.random.default_rng(7 + expansion)
    block = build_block(1, (1, 1, 1), expansion, 1 if residual else 2, 1)
    quantized, _ = random_block(rng, block, config.weight_bits, config.activation_bits)
    activation = random_activation(rng, block.input_shape, config.activation_bits)
    outputs = [run_block(quantized, activation, exact_loops=True)[block.output_name]]
    machine = Stages(config)

    async def testbench(ctx):
        ctx.set(machine.core.loaded, ALL)
        await machine.load_map(ctx, [activation], 0)
        await run_whole(ctx, machine, block, quantized)
        await check_output(ctx, machine, block, outputs)

    machine.run(testbench)
    # The window, and the last step: each has its result some cycles later, and is alone until then.
    quiet = [n for n, cycle in enumerate(machine.cycles) if cycle.quiet]
    for issued in (
        max(n for n, cycle in enumerate(machine.cycles) if cycle.depthwise),
        max(n for n, cycle in enumerate(machine.cycles) if cycle.pointwise),
    ):
        assert not set(range(issued, issued + 12)) & set(quiet)
