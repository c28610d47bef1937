"""Settings of a block are those of its descriptor; positions of parameters follow the layers."""

import random

import pytest
from amaranth.sim import Simulator

from mnv2.hw.block_settings import BlockSettings
from mnv2.hw.program import Descriptor
from tests.hw.blocks import BLOCK, HEAD, VARIANTS
from tests.hw.harness import check_conversion

#: Fields of the settings, by those of the descriptor.
SAME = {
    "stem_range": "stem",
    "expand": "expand",
    "depthwise": "depthwise",
    "project": "project",
    "pool_parameters": "pool_parameters",
    "pool": "pool",
    "input_tail": "tail",
    "add": "add",
    "input_base": "residual_base",
    "input_end": "residual_end",
}


def watch(descriptors):
    """Outputs in each cycle, for a record of descriptors, one in each cycle."""
    dut, seen = BlockSettings(), []

    async def testbench(ctx):
        for record in descriptors:
            ctx.set(dut.block.as_value(), record)
            _, _, *values = await ctx.tick().sample(
                dut.settings, dut.fill_parameters, dut.project_parameters
            )
            seen.append(values)

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.run()
    return seen


def bits(value):
    """A field's value as an integer."""
    return value.as_bits() if hasattr(value, "as_bits") else value


def test_settings_are_the_descriptor_s():
    rng = random.Random(1)
    # The lowest two bits are the work.
    records = [rng.getrandbits(Descriptor.as_shape().size) & ~3 for _ in range(20)]
    for record, (settings, _, _) in zip(records, watch(records), strict=True):
        block = Descriptor.from_bits(record)
        for field, setting in SAME.items():
            assert bits(getattr(settings, setting)) == bits(getattr(block, field)), field


@pytest.mark.parametrize("name", VARIANTS)
def test_positions_of_parameters_and_their_latency(name):
    """Stem, expansion, depthwise layer, projection: one after another."""
    block, other = VARIANTS[name], {**BLOCK, "hidden_words": 9}
    stem = block["input_words"] if block.get("stem") else 0
    expansion = 0 if block.get("copy") else block["hidden_words"]
    depthwise = stem + expansion
    project = depthwise + block["hidden_words"]
    records = [
        Descriptor.const(one).as_bits() for one in [*3 * [other], *4 * [block], *3 * [other]]
    ]
    seen = watch(records)
    assert [fill for _, fill, _ in seen] == 3 * [0] + 4 * [stem] + 3 * [0]
    positions = [settings.depthwise_parameters for settings, _, _ in seen]
    assert positions[1:] == 3 * [9] + 4 * [depthwise] + 2 * [9]
    ends = [value for _, _, value in seen]
    assert ends[2:4] == 2 * [18]
    assert ends[5:8] == 3 * [project]
    assert ends[9] == 18


def test_a_head_has_one_layer():
    record = Descriptor.const(HEAD).as_bits()
    _, fill, _ = watch([record])[0]
    assert fill == 0


def test_conversion():
    check_conversion(BlockSettings)
