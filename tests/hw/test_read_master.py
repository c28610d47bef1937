"""The read master against a slave with a latency, stalls and faults."""

import random

import pytest

from mnv2.hw.read_master import ReadMaster
from tests.hw.axi_slave import DECERR, EXOKAY, SLVERR
from tests.hw.harness import check_conversion
from tests.hw.read_bench import Bench, random_commands
from tests.hw.testbench import run


@pytest.mark.parametrize(
    ("data_bits", "channels", "burst_beats", "arbitration", "stall"),
    [
        (64, 1, 16, "round-robin", 0.0),
        (64, 3, 16, "round-robin", 0.3),
        (128, 5, 8, "priority", 0.3),
        (512, 2, 64, "round-robin", 0.2),
        (256, 3, 1, "priority", 0.2),
    ],
)
def test_reads_runs(data_bits, channels, burst_beats, arbitration, stall):
    dut = ReadMaster(
        data_bits=data_bits,
        channels=channels,
        burst_beats=burst_beats,
        fifo_beats=max(17, burst_beats + 3),
        outstanding=3,
        arbitration=arbitration,
    )
    commands = random_commands(random.Random(data_bits), channels, data_bits, burst_beats)
    bench = Bench(dut, commands, stalls=[stall] * channels, latency=7, stall=stall)
    bench.run_all()
    # Every kind of burst was met: whole, cut short by the end of a command, and up to a page's end.
    lengths = {length for _, length in bench.slave.read_bursts}
    assert max(lengths) == burst_beats
    assert len(lengths) > 2 or burst_beats == 1
    assert any(
        (address + length * data_bits // 8) % 4096 == 0
        for address, length in bench.slave.read_bursts
    )


def test_stops_at_page():
    """A run over a page's end is two bursts, the second whole."""
    dut = ReadMaster(data_bits=128, channels=1, burst_beats=16)
    bench = Bench(dut, [[(4096 - 3 * 16, 3 + 16 + 5)]])
    bench.run_all()
    assert bench.slave.read_bursts == [(4096 - 48, 3), (4096, 16), (4096 + 256, 5)]


def test_latency():
    dut = ReadMaster(data_bits=64, channels=2)
    bench = Bench(dut, [[(512, 4)], []], latency=10)
    bench.run_all()
    command, request = bench.command_cycles[0][0], bench.slave.request_cycles[0]
    beat, output = bench.slave.read_cycles[0], bench.cycles[0][0]
    assert (request - command, beat - request, output - beat) == (3, 10, 2)


@pytest.mark.parametrize(
    ("channels", "burst_beats", "outstanding", "fifo_beats"),
    [
        (1, 16, 8, 124),
        (4, 16, 8, 108 // 4 + 32),
        (2, 2, 64, 108 // 2 + 4),
    ],
)
def test_sustains_one_beat_per_cycle(channels, burst_beats, outstanding, fifo_beats):
    latency = 100
    assert outstanding * burst_beats >= latency + burst_beats + 8
    dut = ReadMaster(
        data_bits=64,
        channels=channels,
        burst_beats=burst_beats,
        outstanding=outstanding,
        fifo_beats=fifo_beats,
    )
    bench = Bench(
        dut, [[(4096 * channel, 512 // channels)] for channel in range(channels)], latency=latency
    )
    bench.run_all()
    cycles = bench.slave.read_cycles
    assert cycles[-1] - cycles[0] == len(cycles) - 1


@pytest.mark.parametrize("fifo_beats", [32, 47])  # all but one of a third burst have room
def test_stuck_channel_holds_nobody_up(fifo_beats):
    dut = ReadMaster(data_bits=64, channels=2, fifo_beats=fifo_beats)
    bench = Bench(dut, [[(0, 300)], [(8192, 300)]], stalls=[1.0, 0.0], latency=20)

    async def check(ctx):
        while len(bench.beats[1]) < 300:
            await ctx.tick()
        assert bench.beats[1] == bench.expected(1)
        assert bench.received[0] == 32
        assert ctx.get(dut.busy)
        bench.stalls[0] = 0.0
        while len(bench.beats[0]) < 300:
            await ctx.tick()
        assert bench.beats[0] == bench.expected(0)

    bench.run(check)


@pytest.mark.parametrize("arbitration", ["round-robin", "priority"])
def test_arbitration(arbitration):
    dut = ReadMaster(
        data_bits=64, channels=3, arbitration=arbitration, fifo_beats=512, outstanding=2
    )
    bench = Bench(dut, [[(8192 * channel, 256)] for channel in range(3)], size=1 << 15)
    bench.run_all()
    order = [address // 8192 for address, _ in bench.slave.read_bursts]
    if arbitration == "round-robin":
        assert order == [0, 1, 2] * 16
    else:
        # A channel that was just served sits out a cycle, which is not enough to lose its turn
        # while the memory is the bottleneck.
        assert order[2:] == sorted(order[2:])


@pytest.mark.parametrize(("response", "error"), [(EXOKAY, 0), (SLVERR, 1), (DECERR, 1)])
def test_error_response(response, error):
    dut = ReadMaster(data_bits=64, channels=2)
    commands = [[(0, 40), (1024, 4)], [(2048, 40)]]
    bench = Bench(dut, commands, error_address=100, error=response, stall=0.2)

    async def check(ctx):
        while len(bench.beats[0]) < 44 or len(bench.beats[1]) < 40:
            await ctx.tick()
        assert ctx.get(dut.error) == error
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)
        assert not ctx.get(dut.error)
        await ctx.tick().repeat(5)
        assert not ctx.get(dut.error)

    bench.run(check)


def test_dropped_beat_is_an_error():
    dut = ReadMaster(data_bits=64, channels=1)
    bench = Bench(dut, [[(0, 40)]], drop_beat=5)

    async def check(ctx):
        while not ctx.get(dut.error):
            await ctx.tick()

    bench.run(check)


@pytest.mark.parametrize("last", [0, 1])
def test_unasked_beat_is_an_error(last):
    dut = ReadMaster(data_bits=64, channels=1)

    async def testbench(ctx):
        await ctx.tick().repeat(2)
        assert not ctx.get(dut.error)
        ctx.set(dut.bus.rvalid, 1)
        ctx.set(dut.bus.rlast, last)
        await ctx.tick()
        assert ctx.get(dut.error)

    run(dut, testbench)


def test_clear():
    """An error of the same cycle stays; a beat of the same cycle does not count."""
    dut = ReadMaster(data_bits=64, channels=1)

    async def testbench(ctx):
        ctx.set(dut.bus.arready, 1)
        ctx.set(dut.i[0].payload, {"address": 0, "beats": 3})
        ctx.set(dut.i[0].valid, 1)
        await ctx.tick()
        ctx.set(dut.i[0].valid, 0)
        await ctx.tick().until(dut.bus.arvalid)
        ctx.set(dut.bus.rvalid, 1)
        # The second beat ends the burst, says the slave.
        for clear, last, received, error in ((0, 0, 1, 0), (1, 1, 0, 1), (0, 1, 1, 1)):
            ctx.set(dut.clear, clear)
            ctx.set(dut.bus.rlast, last)
            await ctx.tick()
            assert (ctx.get(dut.received), ctx.get(dut.error)) == (received, error)
        ctx.set(dut.bus.rvalid, 0)
        ctx.set(dut.clear, 1)
        await ctx.tick()
        assert (ctx.get(dut.received), ctx.get(dut.error)) == (0, 0)

    run(dut, testbench, cycles=100)


@pytest.mark.parametrize("outstanding", [1, 3])
def test_bursts_on_their_way(outstanding):
    """As many as are allowed, and no more."""
    dut = ReadMaster(data_bits=64, channels=2, fifo_beats=256, outstanding=outstanding)
    bench, most = Bench(dut, [[(0, 100)], [(4096, 100)]], latency=60), 0

    async def check(ctx):
        nonlocal most
        on_their_way = 0
        while [len(beats) for beats in bench.beats] != [100, 100]:
            *_, asked, ready, came, last = await ctx.tick().sample(
                dut.bus.arvalid, dut.bus.arready, dut.bus.rvalid, dut.bus.rlast
            )
            on_their_way += (asked and ready) - (came and last)
            most = max(most, on_their_way)

    bench.run(check)
    assert most == outstanding


def test_abort_asks_for_nothing_more():
    """One burst may have been granted in the cycle in which it comes."""
    for start in range(4, 16):
        dut = ReadMaster(data_bits=64, channels=2, burst_beats=4)
        bench = Bench(dut, [[(0, 200)], [(8192, 200)]], latency=9)

        async def check(ctx, dut=dut, bench=bench, start=start):
            await ctx.tick().repeat(start)
            ctx.set(dut.abort, 1)
            await ctx.tick().repeat(2)
            for _ in range(30):
                assert not ctx.get(dut.bus.arvalid)
                await ctx.tick()

        bench.run(check)


@pytest.mark.parametrize("start", range(3, 60, 4))
def test_abort(start):
    """Whenever it comes, the master goes to rest, and the next command is served whole."""
    dut = ReadMaster(data_bits=64, channels=2, fifo_beats=20)
    bench = Bench(
        dut, [[(0, 50), (512, 90)], [(8192, 100)]], stalls=[0.5, 0.9], stall=0.2, latency=9
    )

    async def check(ctx):
        await ctx.tick().repeat(start)
        ctx.set(dut.abort, 1)
        bench.commands[0][1:] = []  # not sent any more, unless it is on offer
        _, _, busy = await ctx.tick().sample(dut.busy)
        while busy:
            *_, busy = await ctx.tick().sample(dut.busy)
        requested = len(bench.slave.read_bursts)
        await ctx.tick().repeat(20)
        assert len(bench.slave.read_bursts) == requested
        assert ctx.get(dut.bus.arvalid) == 0
        for channel in bench.beats:
            channel.clear()
        ctx.set(dut.clear, 1)
        bench.stalls[:] = [0.0, 0.0]
        await ctx.tick()
        ctx.set(dut.abort, 0)
        ctx.set(dut.clear, 0)
        offered = ctx.get(dut.i[0].valid)
        ctx.set(dut.i[1].payload, {"address": 4096, "beats": 30})
        ctx.set(dut.i[1].valid, 1)
        await ctx.tick()
        ctx.set(dut.i[1].valid, 0)
        bench.commands[1] = [(4096, 30)]
        while len(bench.beats[1]) < 30 or len(bench.beats[0]) < 90 * offered:
            await ctx.tick()
        assert bench.beats[1] == bench.expected(1)
        assert not ctx.get(dut.error)

    bench.run(check)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"data_bits": 96}, ValueError, "Data width must be 64, 128, 256 or 512 bits, not 96"),
        ({"channels": 0}, ValueError, "Channels must be a positive integer, not 0"),
        ({"channels": "a"}, TypeError, "Channels must be a positive integer, not 'a'"),
        (
            {"burst_beats": 12},
            ValueError,
            "Burst beats must be a power of two, not 12",
        ),
        (
            {"data_bits": 512, "burst_beats": 128},
            ValueError,
            "Burst beats must be an integer from 1 to 64, not 128",
        ),
        ({"fifo_beats": 8}, ValueError, "FIFO beats must be an integer of at least 16, not 8"),
        ({"outstanding": 0}, ValueError, "Outstanding bursts must be a positive integer, not 0"),
        (
            {"arbitration": "fair"},
            ValueError,
            "Arbitration must be 'round-robin' or 'priority', not 'fair'",
        ),
    ],
)
def test_refuses(parameters, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        ReadMaster(**{"data_bits": 64, "channels": 2} | parameters)


@pytest.mark.parametrize(
    "parameters",
    [
        {"data_bits": 64, "channels": 1, "burst_beats": 1, "fifo_beats": 4, "outstanding": 1},
        {"data_bits": 128, "channels": 3, "arbitration": "priority"},
    ],
)
def test_converts(parameters):
    check_conversion(lambda: ReadMaster(**parameters))
