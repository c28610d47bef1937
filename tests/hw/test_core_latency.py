"""Latencies of the core, from what it says in each cycle of a few passes."""

from dataclasses import dataclass

import numpy as np
import pytest

from mnv2.golden.synthetic import random_activation
from tests.hw.core_cases import ALL, CONFIGS, NETWORK, UPPER, block_of, check_output, model_of
from tests.hw.core_stages import Stages
from tests.hw.core_words import groups

#: Cycles from a step that ends a tile to its first word at the requantiser's output, and from a
#: word there to the pool's total at the same place.
LATENCIES = {
    "one frame": (14, 9),
    "pairs of frames, one rounding": (13, 8),
    "several packed sums": (15, 9),
}


@dataclass(frozen=True)
class Passes:
    """Outputs of a core in each cycle of some passes.

    Attributes
    ----------
    result, mean : int
        See `LATENCIES`.
    cycles : dict of str to list of Cycle
        From the one in which a pass is asked for to the first in which nothing is under way.
    """

    config: object
    result: int
    mean: int
    cycles: dict

    def tile(self, words):
        """Words of the last tile of a pass."""
        return words - (groups(words, self.config.tile_words) - 1) * self.config.tile_words


@pytest.fixture(scope="module", params=LATENCIES)
def passes(request):
    """Expansion and projection of a block with an addition and one without, head, classifier."""
    config = CONFIGS[request.param]
    model, _ = model_of(config)
    machine, cycles, rng = Stages(config), {}, np.random.default_rng(5)

    async def record(ctx, name, start):
        begin = len(machine.cycles)
        await start
        await machine.until_quiet(ctx)
        cycles[name] = machine.cycles[begin:]

    async def testbench(ctx):
        ctx.set(machine.core.loaded, ALL)
        for index in (1, 2):
            block, quantized, inputs, outputs = block_of(config, index)
            await machine.load_map(ctx, inputs, 0)
            start = machine.start_fill(ctx, quantized, block.input_shape, 0)
            await record(ctx, f"fill {index}", start)
            start = machine.start_project(ctx, quantized, block.output_shape, UPPER)
            await record(ctx, f"project {index}", start)
            # Every word is there in the first quiet cycle.
            await check_output(ctx, machine, block, outputs)
            await machine.until_done(ctx)
        for layer, pool, of in (
            (model.head, model.pool, NETWORK.head),
            (model.classifier, None, NETWORK.classifier),
        ):
            maps = [random_activation(rng, of.input_shape) for _ in range(config.frames)]
            await machine.load_map(ctx, maps, 0)
            start = machine.start_alone(ctx, layer, of.input_shape, 0, pool=pool, output=UPPER)
            await record(ctx, of.name, start)
            await machine.until_done(ctx)

    machine.run(testbench)
    return Passes(config, *LATENCIES[request.param], cycles)


def first(cycles, condition, start=0):
    """Number of the first cycle, from a start on, of which a condition holds."""
    return next(n for n in range(start, len(cycles)) if condition(cycles[n]))


def last(cycles, condition):
    """Number of the last cycle of which a condition holds."""
    return max(n for n, cycle in enumerate(cycles) if condition(cycle))


def test_pass_begins(passes):
    """Three cycles after the command was taken; a step a cycle in the first tile."""
    for name, cycles in passes.cycles.items():
        assert first(cycles, lambda cycle: cycle.pointwise) == 3, name


def test_expansion_to_line_buffer(passes):
    """From the step that ends the first tile, by way of the queue."""
    for index in (1, 2):
        cycles = passes.cycles[f"fill {index}"]
        steps = groups(NETWORK.blocks[index].input_shape[2], passes.config.inputs)
        ends = first(cycles, lambda cycle: cycle.pointwise) + steps - 1
        assert all(cycle.pointwise for cycle in cycles[ends - steps + 1 : ends + 1])
        assert first(cycles, lambda cycle: cycle.moving) == ends + passes.result + 1


def test_quiet_after_windows(passes):
    """The last window's result is written; the count of words follows a cycle later."""
    for index in (1, 2):
        cycles = passes.cycles[f"fill {index}"]
        windows = last(cycles, lambda cycle: cycle.depthwise)
        assert len(cycles) - 1 == windows + passes.result + 1


def test_quiet_after_projection(passes):
    cycles = passes.cycles["project 2"]
    steps = last(cycles, lambda cycle: cycle.pointwise)
    words = groups(NETWORK.blocks[2].output_shape[2], passes.config.inputs)
    assert len(cycles) - 1 == steps + passes.tile(words) - 1 + passes.result + 1


def test_quiet_after_addition(passes):
    """Words are fetched one after another as they leave the requantiser; the last sum is last."""
    cycles, adding = passes.cycles["project 1"], passes.config.residual_cycles
    block = NETWORK.blocks[1]
    steps = groups(block.hidden_channels, passes.config.inputs)
    words = groups(block.output_shape[2], passes.config.inputs)
    assert words <= passes.config.tile_words
    fetched = 0
    for ends in [n for n, cycle in enumerate(cycles) if cycle.pointwise][steps - 1 :: steps]:
        for word in range(words):
            # From the queue in the cycle after, and once the adder takes another word.
            fetched = max(ends + word + passes.result + 1, fetched + adding + 1)
    assert len(cycles) - 1 == fetched + 11 + adding + 1


def test_issued_after_the_last_step(passes):
    for name, cycles in passes.cycles.items():
        steps = last(cycles, lambda cycle: cycle.pointwise)
        assert [cycle.issued for cycle in cycles[1 : steps + 1]] == [0] * steps, name
        assert all(cycle.issued for cycle in cycles[steps + 1 :]), name


def test_quiet_after_means(passes):
    """The last mean follows its word by the latencies of requantiser and pool."""
    cycles = passes.cycles["head"]
    steps = last(cycles, lambda cycle: cycle.pointwise)
    words = groups(NETWORK.head.output_channels, passes.config.inputs)
    ends = steps + passes.tile(words) - 1 + passes.mean + passes.result
    assert len(cycles) - 1 == ends + 1


def test_logits(passes):
    """From the step that ends the first tile, by way of the queue."""
    cycles = passes.cycles["classifier"]
    steps = groups(NETWORK.classifier.input_channels, passes.config.inputs)
    ends = first(cycles, lambda cycle: cycle.pointwise) + steps - 1
    assert first(cycles, lambda cycle: cycle.logits is not None) == ends + passes.result + 1
