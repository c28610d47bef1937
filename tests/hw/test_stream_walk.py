"""Streams of constants segment by segment: which, from where, in which cycle; turn after turn."""

import random

import pytest
from amaranth.sim import Simulator

from mnv2.hw.config import SEGMENTS
from mnv2.hw.stream_walk import StreamWalk
from tests.hw.harness import check_conversion

BASE, OFFSET, DATA_BITS = 0x7_0000_0000, 0x3000, 128


def play(beats, turns, *, stall=0.0, seed=1, delay=30):
    """Commands of a walk: (cycle of the offer, cycle of the transfer, address, beats).

    ``turns`` are values of ``last``: the first is asked for ``delay`` cycles after the begin, each
    further one when all of the turn before has been asked for. Returns the cycles of these, too.
    """
    dut = StreamWalk(data_bits=DATA_BITS, address_bits=40, segments=len(beats))
    rng, commands, asked = random.Random(seed), [], []

    async def testbench(ctx):
        offered, cycle, quiet = None, 0, 0
        queue = list(turns)
        ctx.set(dut.base, BASE)
        ctx.set(dut.begin, 1)
        ctx.set(dut.offset, OFFSET)
        for number, count in enumerate(beats):
            ctx.set(dut.beats[number], count)
        asked.append(0)
        while quiet < 80 or queue:
            turn = bool(queue) and (cycle == delay if len(asked) == 1 else quiet > 2 * SEGMENTS)
            ctx.set(dut.turn, turn)
            ctx.set(dut.last, bool(queue) and queue[0])
            ctx.set(dut.o.ready, rng.random() >= stall)
            _, _, valid, ready, payload = await ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.o.payload
            )
            if turn:
                asked.append(cycle)
                queue.pop(0)
            ctx.set(dut.begin, 0)
            ctx.set(dut.offset, 0)  # they hold for a cycle
            ctx.set(dut.beats.as_value(), 0)
            quiet = 0 if valid or turn else quiet + 1
            if valid and offered is None:
                offered = cycle
            if valid and ready:
                commands.append((offered, cycle, payload.address, payload.beats))
                offered = None
            cycle += 1
            assert cycle < 5000

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.run()
    return commands, asked


def expected(beats, turns):
    """Address and beats of the segments of the first turn, and of those that follow."""
    found = []
    for blocks, parts in [(True, False), *((not last, True) for last in turns)]:
        place = BASE + OFFSET
        for number, count in enumerate(beats):
            if count and (parts if number % 2 else blocks):
                found.append((place, count))
            place += count * DATA_BITS // 8
    return found


BEATS = {
    "network": (5, 40, 17, 40, 1, 22, 300),
    "few": (5, 40, 17, 0, 0, 0, 0),
    "one": (9,),
    "none between": (1, 1, 0, 0, 0, 1, 1),
    "empty": (0, 0, 0, 0, 0, 0, 0),
}


@pytest.mark.parametrize("stall", [0, 0.7])
@pytest.mark.parametrize("turns", [(), (1,), (0, 0, 1)], ids=["one", "and the end", "three"])
@pytest.mark.parametrize("name", BEATS)
def test_segments_of_each_turn(name, turns, stall):
    commands, _ = play(BEATS[name], turns, stall=stall)
    assert [tuple(rest) for *_, rest in ((0, one[2:]) for one in commands)] == expected(
        BEATS[name], turns
    )


@pytest.mark.parametrize("delay", [1, 6, 7, 40])
@pytest.mark.parametrize("stall", [0, 0.6])
@pytest.mark.parametrize("name", ["network", "few", "none between"])
def test_timing(name, stall, delay):
    """Offers by the stated rule, from the transfers that were seen."""
    beats, turns = BEATS[name], (0, 1)
    commands, asked = play(beats, turns, stall=stall, delay=delay)
    commands.reverse()
    left = None  # cycle in which the last segment was taken or left out
    for turn, (blocks, parts) in enumerate([(1, 0), (1, 1), (0, 1)]):
        place = 1 if turn == 0 else max(left, asked[turn]) + 2
        for number, count in enumerate(beats):
            if count and (parts if number % 2 else blocks):
                offered, left, *_ = commands.pop()
                assert offered == place
            else:
                left = place
            place = left + 2
    assert not commands


def test_segments_are_those_of_a_program():
    assert SEGMENTS % 2 == 1


def test_refuses():
    with pytest.raises(ValueError, match="Segments must be"):
        StreamWalk(data_bits=128, address_bits=32, segments=0)


def test_conversion():
    check_conversion(lambda: StreamWalk(data_bits=128, address_bits=32, segments=SEGMENTS))
