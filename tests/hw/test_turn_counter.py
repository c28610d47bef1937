"""Turns of a program and rings of slots, event by event, against counting by hand."""

import pytest
from amaranth.sim import Simulator

from mnv2.hw.slot_ring import SlotRing
from mnv2.hw.turn_counter import TurnCounter
from tests.hw.harness import check_conversion

PICTURE, LOGITS = 0x9_0000_0000, 0x1_0000_1000


def run(test, **settings):
    """Play a coroutine function of the simulator and the unit, after a program's begin."""
    dut, finished = TurnCounter(address_bits=40), []
    values = {
        "frames": 3,
        "picture": PICTURE,
        "picture_stride": 0x8000,
        "picture_count": 2,
        "logits": LOGITS,
        "logits_stride": 0x1000,
        "logits_count": 3,
        **settings,
    }

    async def testbench(ctx):
        for name, value in values.items():
            ctx.set(getattr(dut, name), value)
        await pulse(ctx, dut.begin)
        await test(ctx, dut)
        finished.append(True)

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.run()
    assert finished


async def pulse(ctx, *signals):
    for signal in signals:
        ctx.set(signal, 1)
    await ctx.tick()
    for signal in signals:
        ctx.set(signal, 0)
    await ctx.tick().repeat(2)


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_the_last_of_a_number_of_turns(frames):
    async def test(ctx, dut):
        for turn in range(frames):
            assert ctx.get(dut.ending) == (turn == frames - 1)
            await pulse(ctx, dut.turn)

    run(test, frames=frames)


@pytest.mark.parametrize("frames", [0, 9])
def test_stop(frames):
    """The next turn is the last; the next program knows nothing of it."""

    async def test(ctx, dut):
        for _ in range(3):
            await pulse(ctx, dut.turn)
            assert ctx.get(dut.ending) == 0
        await pulse(ctx, dut.stop)
        assert ctx.get(dut.ending) == 1
        await pulse(ctx, dut.begin)
        assert ctx.get(dut.ending) == 0

    run(test, frames=frames)


def test_frames_are_counted_where_a_descriptor_ends_a_turn():
    async def test(ctx, dut):
        for ends, done in ((0, 0), (1, 1), (0, 1), (1, 2)):
            ctx.set(dut.block.ends_turn, ends)
            ctx.set(dut.finish, 1)
            assert ctx.get(dut.frame_ended) == ends
            await pulse(ctx, dut.finish)
            assert ctx.get(dut.frame_ended) == 0
            assert ctx.get(dut.frames_done) == done
        await pulse(ctx, dut.begin)
        assert ctx.get(dut.frames_done) == 0

    run(test)


@pytest.mark.parametrize(("pictures", "logits"), [(2, 3), (1, 1), (0, 0), (4, 2)])
def test_rings_begin_again(pictures, logits):
    """Pictures move on after the stem, logits after what ends a turn; nothing else moves them."""

    async def test(ctx, dut):
        for turn in range(7):
            for stem, ends in ((1, 0), (0, 0), (0, 1)):
                picture = (turn + (not stem)) % max(pictures, 1)
                assert ctx.get(dut.picture_address) == PICTURE + 0x8000 * picture
                assert ctx.get(dut.logits_address) == LOGITS + 0x1000 * (turn % max(logits, 1))
                ctx.set(dut.block.stem, stem)
                ctx.set(dut.block.ends_turn, ends)
                await pulse(ctx, dut.finish)
        await pulse(ctx, dut.begin)
        assert ctx.get(dut.picture_address) == PICTURE
        assert ctx.get(dut.logits_address) == LOGITS

    run(test, picture_count=pictures, logits_count=logits)


@pytest.mark.parametrize("unit", [SlotRing, TurnCounter])
def test_refuses(unit):
    with pytest.raises(ValueError, match="Address bits must be"):
        unit(address_bits=8)


@pytest.mark.parametrize("unit", [SlotRing, TurnCounter])
def test_conversion(unit):
    check_conversion(lambda: unit(address_bits=40))
