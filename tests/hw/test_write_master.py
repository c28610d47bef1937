"""The write master against a slave with a latency, stalls and faults."""

import random

import pytest

from mnv2.hw.write_master import WriteMaster
from tests.hw.axi_slave import DECERR, EXOKAY, SLVERR, AxiSlave
from tests.hw.harness import check_conversion
from tests.hw.testbench import run

SIZE = 1 << 16


class Bench:
    """A write master, its slave, and runs of bytes to write.

    Parameters
    ----------
    runs : list of (int, bytes)
        Address and contents of each command.
    wrong_last : int or None
        Number of a beat whose ``last`` is inverted.
    """

    def __init__(self, dut, runs, *, seed=1, stall=0.0, wrong_last=None, **slave):
        self.dut, self.runs, self.stall, self.wrong_last = dut, runs, stall, wrong_last
        self.rng = random.Random(seed)
        self.before = self.rng.randbytes(SIZE)
        self.slave = AxiSlave(
            dut.bus,
            data_bits=dut.data_bits,
            memory=bytearray(self.before),
            rng=self.rng,
            stall=stall,
            **slave,
        )
        self.taken = []

    def expected(self):
        memory = bytearray(self.before)
        for address, contents in self.runs:
            memory[address : address + len(contents)] = contents
        return memory

    async def _send(self, ctx, port, payload):
        while self.rng.random() < self.stall:
            await ctx.tick()
        ctx.set(port.payload, payload)
        ctx.set(port.valid, 1)
        await ctx.tick().until(port.ready)
        ctx.set(port.valid, 0)

    async def _send_commands(self, ctx):
        for address, contents in self.runs:
            await self._send(ctx, self.dut.i_command, {"address": address, "bytes": len(contents)})

    async def _send_beats(self, ctx):
        size, number = self.dut.data_bits // 8, 0
        for _, contents in self.runs:
            for start in range(0, len(contents), size):
                beat = contents[start : start + size]
                # Above the tail there is anything.
                beat += self.rng.randbytes(size - len(beat))
                last = start + size >= len(contents)
                await self._send(
                    ctx,
                    self.dut.i,
                    {
                        "data": int.from_bytes(beat, "little"),
                        "last": last ^ (number == self.wrong_last),
                    },
                )
                number += 1

    def run(self, check, deadline=10_000):
        others = [self.slave.write, self._send_commands, self._send_beats]
        run(self.dut, check, others=others, cycles=deadline)

    def run_all(self):
        """Run until all is written; check memory and counters."""
        dut, size = self.dut, self.dut.data_bits // 8
        total_bytes = sum(len(contents) for _, contents in self.runs)
        total_beats = sum(-(-len(contents) // size) for _, contents in self.runs)

        async def check(ctx):
            answers = 0
            while self.slave.written_beats < total_beats or ctx.get(dut.busy):
                *_, valid, busy = await ctx.tick().sample(dut.bus.bvalid, dut.busy)
                answers += valid
                assert busy or not valid, "busy fell before the last answer"
            assert answers == len(self.slave.write_bursts)
            assert not ctx.get(dut.error)
            await ctx.tick().repeat(30)
            assert not ctx.get(dut.busy)

        self.run(check)
        assert self.slave.memory == self.expected()
        assert (self.slave.written_bytes, self.slave.written_beats) == (total_bytes, total_beats)


def random_runs(rng, data_bits, burst_beats, count=6):
    """Runs that do not overlap: over the end of a page, empty, with every kind of tail."""
    size = data_bits // 8
    lengths = [(burst_beats + 5) * size, 0, 1, 3 * size - 1, size + 1] + [
        rng.randrange(1, 40 * size) for _ in range(count)
    ]
    address, runs = 4096 - 3 * size, []
    for length in lengths:
        runs.append((address, rng.randbytes(length)))
        address += -(-length // size) * size + size * rng.randrange(3)
    assert address < SIZE
    return runs


@pytest.mark.parametrize(
    ("data_bits", "burst_beats", "outstanding", "stall"),
    [
        (64, 16, 4, 0.0),
        (64, 16, 1, 0.3),
        (128, 8, 2, 0.3),
        (512, 64, 4, 0.2),
        (256, 1, 3, 0.2),
    ],
)
def test_writes_runs(data_bits, burst_beats, outstanding, stall):
    dut = WriteMaster(
        data_bits=data_bits,
        burst_beats=burst_beats,
        outstanding=outstanding,
        fifo_beats=max(18, burst_beats),
    )
    bench = Bench(
        dut, random_runs(random.Random(data_bits), data_bits, burst_beats), stall=stall, latency=6
    )
    bench.run_all()
    lengths = {length for _, length in bench.slave.write_bursts}
    assert max(lengths) == burst_beats
    assert bench.slave.write_bursts[0] == (4096 - 3 * data_bits // 8, min(3, burst_beats))


def test_sustains_one_beat_per_cycle():
    dut = WriteMaster(data_bits=64, burst_beats=16, fifo_beats=32, outstanding=4)
    bench = Bench(dut, [(0, bytes(8 * 320))], latency=20)
    cycles = []

    async def check(ctx):
        cycle = 0
        while len(cycles) < 320:
            *_, valid, ready = await ctx.tick().sample(dut.bus.wvalid, dut.bus.wready)
            if valid and ready:
                cycles.append(cycle)
            cycle += 1

    bench.run(check)
    # The beats of a burst wait for its last, once; then they flow.
    assert cycles[-1] - cycles[0] == 319
    assert cycles[0] <= 16 + 6


def test_burst_is_whole_before_it_is_announced():
    dut = WriteMaster(data_bits=64, burst_beats=8, fifo_beats=16)
    bench = Bench(dut, [(0, bytes(8 * 60))], stall=0.6)

    async def check(ctx):
        taken = announced = 0
        while announced < 60:
            *_, valid, i_ready, aw_valid, aw_ready, length = await ctx.tick().sample(
                dut.i.valid, dut.i.ready, dut.bus.awvalid, dut.bus.awready, dut.bus.awlen
            )
            if aw_valid and aw_ready:
                announced += length + 1
                assert announced <= taken
            taken += valid and i_ready

    bench.run(check)


@pytest.mark.parametrize(("response", "error"), [(EXOKAY, 0), (SLVERR, 1), (DECERR, 1)])
def test_error_response(response, error):
    dut = WriteMaster(data_bits=64)
    runs = [(0, bytes(8 * 40)), (1024, bytes(5))]
    bench = Bench(dut, runs, error_address=100, error=response)

    async def check(ctx):
        while bench.slave.written_beats < 41 or ctx.get(dut.busy):
            await ctx.tick()
        assert ctx.get(dut.error) == error
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)
        assert not ctx.get(dut.error)

    bench.run(check)


@pytest.mark.parametrize("clear", [0, 1])
def test_unasked_answer_is_an_error(clear):
    """In the cycle in which ``error`` is cleared, too."""
    dut = WriteMaster(data_bits=64)

    async def testbench(ctx):
        await ctx.tick().repeat(2)
        assert not ctx.get(dut.error)
        ctx.set(dut.bus.bvalid, 1)
        ctx.set(dut.clear, clear)
        await ctx.tick()
        assert ctx.get(dut.error)
        assert not ctx.get(dut.busy)

    run(dut, testbench, cycles=100)


@pytest.mark.parametrize("beat", [3, 39])
def test_last_out_of_place_is_an_error(beat):
    dut = WriteMaster(data_bits=64)
    bench = Bench(dut, [(0, bytes(8 * 40))], wrong_last=beat)

    async def check(ctx):
        while bench.slave.written_beats < 40:
            await ctx.tick()
        assert ctx.get(dut.error)

    bench.run(check)


@pytest.mark.parametrize("start", range(3, 80, 6))
def test_abort(start):
    """Whenever it comes, the master goes to rest, and the next command is served whole."""
    dut = WriteMaster(data_bits=64, burst_beats=8, fifo_beats=16)
    bench = Bench(dut, [(0, bytes(8 * 60))], stall=0.3, latency=9)

    async def check(ctx):
        await ctx.tick().repeat(start)
        ctx.set(dut.abort, 1)
        bench.runs.clear()
        # The rest of the stream still comes, and is discarded.
        await ctx.tick().repeat(200)
        assert not ctx.get(dut.busy)
        requested = len(bench.slave.write_bursts)
        ctx.set(dut.clear, 1)
        await ctx.tick().repeat(20)
        assert len(bench.slave.write_bursts) == requested
        ctx.set(dut.clear, 0)
        ctx.set(dut.abort, 0)
        await bench._send(ctx, dut.i_command, {"address": 8192, "bytes": 13})
        for last in (0, 1):
            await bench._send(ctx, dut.i, {"data": 0x0123456789ABCDEF, "last": last})
        while ctx.get(dut.busy):
            await ctx.tick()
        word = (0x0123456789ABCDEF).to_bytes(8, "little")
        assert bench.slave.memory[8192:8208] == word + word[:5] + bench.before[8205:8208]
        assert not ctx.get(dut.error)

    bench.run(check)


@pytest.mark.parametrize("cycles", range(8))
def test_abort_when_a_burst_is_announced(cycles):
    """Cycles after its last beat: it is not announced any more, or has all its beats."""
    dut = WriteMaster(data_bits=64, burst_beats=4, fifo_beats=8)
    bench = Bench(dut, [], latency=3)

    async def check(ctx):
        await bench._send(ctx, dut.i_command, {"address": 0, "bytes": 8 * 40})
        for _ in range(4):
            await bench._send(ctx, dut.i, {"data": 5, "last": 0})
        for _ in range(cycles):
            await ctx.tick()
        ctx.set(dut.abort, 1)
        # No more beats come.
        await ctx.tick().repeat(40)
        assert not ctx.get(dut.busy)
        assert bench.slave.written_beats in (0, 4)

    bench.run(check)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"data_bits": 1024}, "Data width must be 64, 128, 256 or 512 bits, not 1024"),
        ({"burst_beats": 512}, "Burst beats must be an integer from 1 to 256, not 512"),
        ({"fifo_beats": 8}, "FIFO beats must be an integer of at least 16, not 8"),
        ({"outstanding": 0}, "Outstanding bursts must be a positive integer, not 0"),
        ({"address_bits": 8}, "Address bits must be an integer from 12 to 64, not 8"),
        ({"id_bits": 40}, "Identifier bits must be an integer from 0 to 32, not 40"),
    ],
)
def test_refuses(parameters, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        WriteMaster(**{"data_bits": 64} | parameters)


@pytest.mark.parametrize(
    "parameters",
    [
        {"data_bits": 64, "burst_beats": 1, "fifo_beats": 4, "outstanding": 1, "id_bits": 0},
        {"data_bits": 256},
    ],
)
def test_converts(parameters):
    check_conversion(lambda: WriteMaster(**parameters))
