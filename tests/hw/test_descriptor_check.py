"""Descriptors that cannot be executed are told from those that can."""

import pytest
from amaranth.sim import Simulator

from mnv2.hw.descriptor_check import DescriptorCheck
from mnv2.hw.program import Descriptor, Work
from tests.hw.blocks import BLOCK, HEAD, STEM, VARIANTS
from tests.hw.harness import check_conversion

MAP_WORDS, TAP_WORDS, PARAMETER_WORDS = 4000, 64, 256
CLASSIFIER = {**HEAD, "work": Work.CLASSIFIER, "store": 1}


def make():
    return DescriptorCheck(
        map_words=MAP_WORDS, tap_words=TAP_WORDS, parameter_words=PARAMETER_WORDS
    )


def is_bad(block, *, bits=0):
    """Verdict on a descriptor, given as fields; ``bits`` are set in its record."""
    dut, found = make(), []

    async def testbench(ctx):
        ctx.set(dut.block.as_value(), Descriptor.const(block).as_bits() | bits)
        await ctx.delay(1e-9)
        found.append(ctx.get(dut.bad))

    simulator = Simulator(dut)
    simulator.add_testbench(testbench)
    simulator.run()
    return bool(found[0])


@pytest.mark.parametrize("block", [*VARIANTS.values(), HEAD, CLASSIFIER])
def test_what_can_be_executed(block):
    assert not is_bad(block)


WRONG = {
    "no rows": {"input_rows": 0},
    "no groups": {"input_groups": 0},
    "no input words": {"input_words": 0},
    "no output words": {"output_words": 0},
    "input ring": {"input_base": BLOCK["input_end"]},
    "input ring, turned round": {"input_base": BLOCK["input_end"] + 1},
    "output ring": {"output_base": BLOCK["output_end"]},
    "output ring, turned round": {"output_base": BLOCK["output_end"] + 1},
    "input beyond the memory": {"input_end": MAP_WORDS + 1},
    "output beyond the memory": {"output_end": MAP_WORDS + 1},
    "kernels": {"hidden_words": TAP_WORDS + 1},
    "parameters": {"parameter_words": PARAMETER_WORDS + 1},
}
#: Sizes that a head or a classifier does not have.
STRIPS = ["hidden_words", "output_rows", "output_groups", "strip_rows", "steps"]
#: Sizes that only a stem has.
IMAGE = ["image_rows", "image_groups", "image_steps", "stem_steps"]


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot(name):
    assert is_bad({**BLOCK, **WRONG[name]})


@pytest.mark.parametrize("field", STRIPS)
def test_only_blocks_have_strips(field):
    assert is_bad({**BLOCK, field: 0})
    assert not is_bad({**HEAD, field: 0})
    assert not is_bad({**CLASSIFIER, field: 0})


@pytest.mark.parametrize("field", IMAGE)
def test_only_a_stem_has_an_image(field):
    assert is_bad({**STEM, field: 0})
    assert not is_bad({**STEM, field: 0, "stem": 0})


def test_unknown_work():
    assert is_bad(BLOCK, bits=3)  # the lowest two bits
    assert not is_bad(BLOCK)


def test_largest_descriptor():
    largest = {
        **BLOCK,
        "input_end": MAP_WORDS,
        "output_end": MAP_WORDS,
        "hidden_words": TAP_WORDS,
        "parameter_words": PARAMETER_WORDS,
    }
    assert not is_bad(largest)


def test_logits_may_lie_beyond_the_map_memory():
    assert not is_bad({**CLASSIFIER, "output_end": MAP_WORDS + 1})
    assert is_bad({**HEAD, "output_end": MAP_WORDS + 1})


def test_conversion():
    check_conversion(make)
