"""Counters against sums in Python: rows, columns, the stem apart, one cause for each cycle."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator

from mnv2.hw.config import COUNTER_COLUMNS, COUNTERS, STREAMS
from mnv2.hw.counters import Counters
from mnv2.hw.passes import Stall
from tests.hw.harness import check_conversion

CAUSES = [cause for cause in Stall if cause != Stall.NONE]


def run(rows, cycles):
    """Drive cycles, each a dict of ports; then the counters, int [rows][columns]."""
    dut = Counters(rows=rows)
    ports = {
        name: getattr(dut, name)
        for name in (
            "clear",
            "running",
            "stem",
            "pointwise",
            "depthwise",
            "stall",
            "read_beat",
            "write_beat",
            "finish",
        )
    }
    values = np.zeros((rows, COUNTER_COLUMNS), np.int64)

    async def testbench(ctx):
        for cycle in cycles:
            for name, port in ports.items():
                ctx.set(port, cycle.get(name, Stall.NONE if name == "stall" else 0))
            await ctx.tick()
        for port in ports.values():
            ctx.set(port, Stall.NONE if port is dut.stall else 0)
        for row in range(rows):
            for half in (0, COUNTER_COLUMNS // 2):
                for column in range(len(COUNTERS)):
                    ctx.set(dut.row, row)
                    ctx.set(dut.column, half + column)
                    ctx.set(dut.read, 1)
                    (value,) = await ctx.tick().sample(dut.value).until(dut.ready)
                    values[row, half + column] = value
                    ctx.set(dut.read, 0)
                    await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.run()
    return values


def draw(rng, stem=False):
    """The array's work in a cycle: one step of one kind, or one cause of none."""
    kind = rng.choice(["pointwise", "depthwise", "stall", "stall"])
    cycle = {
        "running": 1,
        "stem": stem,
        "read_beat": rng.getrandbits(len(STREAMS)),
        "write_beat": rng.random() < 0.3,
    }
    cycle |= {"stall": rng.choice(CAUSES)} if kind == "stall" else {kind: 1}
    return cycle


def count(cycles):
    """Counters of some cycles, by position."""

    def total(condition):
        return sum(bool(condition(cycle)) for cycle in cycles)

    return [
        total(lambda cycle: True),
        total(lambda cycle: cycle.get("pointwise")),
        total(lambda cycle: cycle.get("depthwise")),
        *(total(lambda cycle, cause=cause: cycle.get("stall") == cause) for cause in CAUSES),
        *(total(lambda cycle, k=k: cycle["read_beat"] >> k & 1) for k in range(len(STREAMS))),
        total(lambda cycle: cycle["write_beat"]),
    ]


@pytest.mark.parametrize(("rows", "descriptors"), [(4, 4), (8, 3), (4, 7)])
def test_rows(rows, descriptors):
    """A row each, from row 0 after ``clear``; rows begin again at 0 when there are no more."""
    rng = random.Random(rows)
    cycles, expected = [], {}
    # Left over from a program that was aborted in its second descriptor.
    cycles += [draw(rng) | {"finish": number == 5} for number in range(20)] + [{"clear": 1}]
    shortest = Counters.hand_over
    for number in range(descriptors):
        stem = [draw(rng, stem=True) for _ in range(rng.randrange(30))]
        block = [draw(rng) for _ in range(shortest + rng.choice((0, 1, rng.randrange(90))))]
        block[-1] |= {"finish": 1}
        # What goes on while nothing runs does not count.
        idle = [draw(rng) | {"running": 0} for _ in range(9)]
        cycles += stem + idle + block
        expected[number % rows] = count(block), count(stem)
    values = run(rows, cycles)
    for row, (block, stem) in expected.items():
        assert values[row, : len(COUNTERS)].tolist() == block
        half = COUNTER_COLUMNS // 2
        assert values[row, half : half + len(COUNTERS)].tolist() == stem


def test_counts_of_a_long_descriptor():
    """Longer than what is counted before it is added; what does not run in between adds nothing."""
    rng = random.Random(3)
    cycles = [draw(rng, stem=rng.random() < 0.3) for _ in range(3000)]
    cycles = [cycle | {"running": rng.random() < 0.9} for cycle in cycles]
    cycles[-1] |= {"running": 1, "finish": 1}
    values = run(2, [{"clear": 1}, *cycles])[0]
    for stem, first in ((False, 0), (True, COUNTER_COLUMNS // 2)):
        counted = [cycle for cycle in cycles if cycle["running"] and cycle["stem"] == stem]
        assert values[first : first + len(COUNTERS)].tolist() == count(counted)


def test_every_cycle_has_one_cause():
    """``stall`` counts only in a cycle without work, so the parts add up to the cycles."""
    rng = random.Random(2)
    cycles = [
        {"running": 1, "pointwise": kind == 0, "depthwise": kind == 1, "stall": rng.choice(CAUSES)}
        for kind in (rng.randrange(3) for _ in range(300))
    ]
    cycles[-1] |= {"finish": 1}
    row = dict(zip(COUNTERS, run(2, cycles)[0].tolist(), strict=False))
    parts = sum(
        value
        for name, value in row.items()
        if name in ("pointwise", "depthwise") or name.startswith("stall_")
    )
    assert parts == row["cycles"] == 300
    assert all(row[name] for name in ("pointwise", "depthwise", "stall_drain"))


def test_names():
    assert len(set(COUNTERS)) == len(COUNTERS) <= COUNTER_COLUMNS // 2
    assert len([name for name in COUNTERS if name.startswith("stall_")]) == len(Stall) - 1


def test_conversion():
    check_conversion(lambda: Counters(rows=8))
