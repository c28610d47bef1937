"""Commands of each pass of a strip, field by field."""

import pytest
from amaranth.sim import Simulator

from mnv2.hw.line_buffer import LineCommand
from mnv2.hw.passes import PassCommand, Range, Target
from mnv2.hw.program import Descriptor, Work
from mnv2.hw.strip_passes import StripPass, StripPasses
from mnv2.hw.strip_rows import Strip
from tests.hw.blocks import BLOCK, HEAD, STEM
from tests.hw.harness import check_conversion

STRIP = {
    "output_rows": 3,
    "input_rows": 4,
    "step_row": 5,
    "step_end": 10,
    "image_row": 11,
    "image_end": 20,
}
PLACE = {
    "fill_parameters": 31,
    "project_parameters": 32,
    "input_address": 101,
    "input_index": 102,
    "output_address": 103,
    "output_index": 104,
}
BLOCK = {**BLOCK, "output_groups": 1, "padding": -7}
STEM = {**STEM, "image_padding": 9, "image_tail": 2, "image_pad_left": 0}


def commands(block, current, *, last=0):
    """Pass and line of a strip, as dicts."""
    dut, found = StripPasses(), []

    async def testbench(ctx):
        ctx.set(dut.block, Descriptor.const(block))
        ctx.set(dut.strip, Strip.const({**STRIP, "last": last}))
        ctx.set(dut.current, current)
        for name, value in PLACE.items():
            ctx.set(getattr(dut, name), value)
        await ctx.delay(1e-9)
        for layout, port in ((PassCommand, dut.pass_command), (LineCommand, dut.line_command)):
            value = ctx.get(port)
            found.append({name: getattr(value, name) for name in layout.as_shape().members})

    simulator = Simulator(dut)
    simulator.add_testbench(testbench)
    simulator.run()
    return found


def check(command, wanted, unused=()):
    """Compare all fields but those that the pass does not use; flags that are not named are 0."""
    flags = {name: 0 for name in ("copy", "stem", "from_strip", "free_weights", "rewind")}
    wanted = flags | {"parameters": 0} | wanted
    assert wanted.keys() | set(unused) == set(PassCommand.as_shape().members)
    assert {name: command[name] for name in wanted} == wanted


INPUT_RING = {"input_base": 100, "input_end": 148}
OUTPUT_RING = {"output_base": 200, "output_end": 264}


def test_stem_makes_rows_of_input():
    command, line = commands(STEM, StripPass.STEM)
    check(
        command,
        {
            "stem": 1,
            "target": Target.MAP,
            "range": Range.STEM,
            "rewind": 1,
            "rows": 4,
            "groups": 2,
            "input_words": 7,
            "output_words": 3,
            "output": 101,
            "output_base": 100,
            "output_end": 148,
        },
        unused=["input", "index", *INPUT_RING],
    )
    assert line == {
        "first_row": 11,
        "end_row": 20,
        "rows": 16,
        "groups": 4,
        "steps": 4,
        "tail": 2,
        "words": 1,
        "line": 50,
        "stride_2": 1,
        "pad_top": 1,
        "pad_left": 0,
        "padding": 9,
    }


@pytest.mark.parametrize(
    "changes",
    [{}, {"copy": 1}, {"stride_2": 1, "pad_top": 0}, {"stride_2": 1, "pad_left": 0}, {"stem": 1}],
)
def test_fill_takes_rows_of_input_to_the_line_buffer(changes):
    command, line = commands({**BLOCK, **changes}, StripPass.FILL)
    check(
        command,
        {
            "copy": changes.get("copy", 0),
            "target": Target.QUEUE,
            "range": Range.EXPAND,
            # The stem's weights are the oldest.
            "rewind": int("stem" not in changes),
            "rows": 4,
            "groups": 2,
            "input_words": 3,
            "output_words": 7,
            "parameters": 31,
            "input": 101,
            "index": 102,
            **INPUT_RING,
        },
        unused=["output", *OUTPUT_RING],
    )
    assert line == {
        "first_row": 5,
        "end_row": 10,
        "rows": 8,
        "groups": 2,
        "steps": 3,
        "tail": 5,
        "words": 7,
        "line": 0,
        "stride_2": changes.get("stride_2", 0),
        "pad_top": changes.get("pad_top", 1),
        "pad_left": changes.get("pad_left", 1),
        "padding": -7,
    }


@pytest.mark.parametrize("residual", [0, 1])
def test_projection_reads_the_strip_memory(residual):
    command, _ = commands({**BLOCK, "residual": residual}, StripPass.PROJECT)
    check(
        command,
        {
            "from_strip": 1,
            "target": Target.RESIDUAL if residual else Target.MAP,
            "range": Range.PROJECT,
            "rows": 3,
            "groups": 1,
            "input_words": 7,
            "output_words": 4,
            "parameters": 32,
            "input": 0,
            "index": 104,
            "output": 103,
            # No ring: no address is one past its end.
            "input_end": 2**16 - 1,
            **OUTPUT_RING,
        },
        unused=["input_base"],
    )


@pytest.mark.parametrize(
    ("work", "target"), [(Work.HEAD, Target.POOL), (Work.CLASSIFIER, Target.LOGITS)]
)
def test_head_and_classifier_read_the_whole_map(work, target):
    command, _ = commands({**HEAD, "work": work}, StripPass.WHOLE)
    check(
        command,
        {
            "free_weights": 1,
            "target": target,
            "range": Range.PROJECT,
            "rewind": 1,
            "rows": 7,
            "groups": 1,
            "input_words": 40,
            "output_words": 160,
            "input": 101,
            "input_base": 10,
            "input_end": 290,
            "index": 102,
            "output": 103,
            "output_base": 300,
            "output_end": 460,
        },
    )


@pytest.mark.parametrize("current", [StripPass.STEM, StripPass.FILL, StripPass.PROJECT])
@pytest.mark.parametrize("last", [0, 1])
def test_last_strip_frees_the_weights(current, last):
    command, _ = commands(STEM, current, last=last)
    assert command["free_weights"] == last


def test_conversion():
    check_conversion(StripPasses)
