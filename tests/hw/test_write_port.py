"""The write port against a memory in Python: maps and logits in turn, dense and padded."""

import random
from itertools import pairwise

import pytest

from mnv2.hw.stream_layout import dense_layout, padded_layout
from mnv2.hw.write_port import WritePort
from tests.hw.axi_slave import AxiSlave
from tests.hw.harness import check_conversion
from tests.hw.testbench import run
from tests.hw.words import join_words

DATA_BITS = 64
LAYOUTS = {
    "dense": {
        "activations": dense_layout(56, DATA_BITS),
        "logits": dense_layout(120, DATA_BITS),
    },
    "padded": {
        "activations": padded_layout(100, DATA_BITS),  # in two beats
        "logits": padded_layout(150, DATA_BITS),  # in three
    },
    "narrow": {
        "activations": padded_layout(30, DATA_BITS),  # two in a beat
        "logits": padded_layout(40, DATA_BITS),  # a beat each
    },
    "equal": {
        "activations": padded_layout(32, DATA_BITS),  # two in a beat, without padding
        "logits": padded_layout(64, DATA_BITS),
    },
}


def port(streams, **options):
    return WritePort(
        streams=streams,
        data_bits=DATA_BITS,
        **{"address_bits": 32, "burst_beats": 4, "fifo_beats": 16} | options,
    )


class Bench:
    """A port, the memory that it writes to, and what it is given."""

    def __init__(self, streams, *, stall=0.0, seed=1, **slave):
        self.dut, self.streams, self.stall = port(streams), streams, stall
        self.rng = random.Random(seed)
        self.before = self.rng.randbytes(1 << 14)
        self.slave = AxiSlave(
            self.dut.bus,
            data_bits=DATA_BITS,
            memory=bytearray(self.before),
            rng=self.rng,
            stall=stall,
            **slave,
        )
        self.cycles = []

    async def send(self, ctx, name, words, cycle=0):
        """Offer words, the last of them as such."""
        stream = getattr(self.dut, f"i_{name}")
        for index, word in enumerate(words):
            while self.rng.random() < self.stall:
                await ctx.tick()
            ctx.set(stream.payload, {"data": word, "last": index == len(words) - 1})
            ctx.set(stream.valid, 1)
            ready = False
            while not ready:
                *_, ready = await ctx.tick().sample(stream.ready)
                cycle += 1
            self.cycles.append(cycle - 1)
            ctx.set(stream.valid, 0)

    async def write(self, ctx, name, address, words):
        """Write words and wait until they are in memory."""
        dut = self.dut
        ctx.set(dut.logits, name == "logits")
        size = self.streams[name].memory_bytes(len(words))
        ctx.set(dut.i_command.payload, {"address": address, "bytes": size})
        ctx.set(dut.i_command.valid, 1)
        await ctx.tick().until(dut.i_command.ready)
        ctx.set(dut.i_command.valid, 0)
        await self.send(ctx, name, words)
        *_, busy = await ctx.tick().sample(dut.busy)
        while busy:
            *_, busy = await ctx.tick().sample(dut.busy)

    def draw(self, name, count):
        return [self.rng.getrandbits(self.streams[name].word_bits) for _ in range(count)]

    def place(self, memory, name, address, words):
        """Write words to a copy of the memory."""
        size = self.streams[name].memory_bytes(len(words))
        beats = join_words(words, self.streams[name])
        data = b"".join(beat.to_bytes(8, "little") for beat in beats)
        memory[address : address + size] = data[:size]

    def run(self, check, deadline=10_000):
        run(self.dut, check, others=[self.slave.write], cycles=deadline)


@pytest.mark.parametrize("stall", [0.0, 0.4], ids=["free", "stalls"])
@pytest.mark.parametrize("name", list(LAYOUTS))
def test_maps_and_logits_in_turn(name, stall):
    bench = Bench(LAYOUTS[name], stall=stall, latency=6)
    runs = [
        (kind, 2048 * turn, bench.draw(kind, count))
        for turn, (kind, count) in enumerate(
            [("activations", 29), ("logits", 7), ("activations", 1), ("logits", 12), ("logits", 1)]
        )
    ]
    expected = bytearray(bench.before)
    for one in runs:
        bench.place(expected, *one)

    async def check(ctx):
        for one in runs:
            await bench.write(ctx, *one)
        assert not ctx.get(bench.dut.error)

    bench.run(check)
    assert bench.slave.memory == expected
    assert bench.slave.written_bytes == sum(
        bench.streams[kind].memory_bytes(len(words)) for kind, _, words in runs
    )


def test_latency():
    """A burst is announced four cycles after the word that fills it was taken."""
    bench = Bench(LAYOUTS["equal"])
    seen = {}

    async def check(ctx):
        dut = bench.dut
        ctx.set(dut.logits, 1)
        ctx.set(dut.i_command.payload, {"address": 0, "bytes": 8})
        ctx.set(dut.i_command.valid, 1)
        ctx.set(dut.i_logits.payload, {"data": 5, "last": 1})
        for cycle in range(20):
            # The command first, so that only the word is waited for.
            ctx.set(dut.i_logits.valid, cycle == 5)
            *_, taken, ready, announced = await ctx.tick().sample(
                dut.i_command.ready, dut.i_logits.ready, dut.bus.awvalid
            )
            if taken:
                ctx.set(dut.i_command.valid, 0)
            assert ready or cycle != 5
            if announced:
                seen.setdefault("announced", cycle)

    bench.run(check)
    # A cycle for the gearbox, one for the queue, one for the length, one for the address.
    assert seen["announced"] == 5 + 4


def test_rate():
    """A beat leaves in every cycle: words of two beats are taken every second one."""
    bench = Bench(LAYOUTS["padded"], latency=2)

    async def check(ctx):
        await bench.write(ctx, "activations", 0, bench.draw("activations", 100))

    bench.run(check)
    gaps = [after - before for before, after in pairwise(bench.cycles)]
    assert gaps[10:].count(2) > 0.9 * len(gaps[10:])
    assert bench.cycles[-1] < 2.2 * 100


@pytest.mark.parametrize("start", range(3, 40, 4))
def test_abort(start):
    """Whenever it comes, the port comes to rest, empty, and the next command is served whole."""
    bench = Bench(LAYOUTS["narrow"], latency=9)
    words = {name: bench.draw(name, 5) for name in ("activations", "logits")}

    async def check(ctx):
        dut = bench.dut
        ctx.set(dut.i_command.payload, {"address": 0, "bytes": 8 * 60})
        ctx.set(dut.i_command.valid, 1)
        ctx.set(dut.i_activations.valid, 1)
        for cycle in range(start):
            ctx.set(dut.i_activations.payload, {"data": cycle, "last": 0})
            *_, ready = await ctx.tick().sample(dut.i_command.ready)
            if ready:
                ctx.set(dut.i_command.valid, 0)
        ctx.set(dut.i_command.valid, 0)
        ctx.set(dut.i_activations.valid, 0)
        ctx.set(dut.abort, 1)
        await ctx.tick().repeat(60)
        assert not ctx.get(dut.busy)
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)
        ctx.set(dut.abort, 0)
        await bench.write(ctx, "activations", 2048, words["activations"])
        await bench.write(ctx, "logits", 4096, words["logits"])
        assert not ctx.get(dut.error)

    bench.run(check)
    expected = bytearray(bench.slave.memory)
    bench.place(expected, "activations", 2048, words["activations"])
    bench.place(expected, "logits", 4096, words["logits"])
    assert bench.slave.memory == expected


def test_error_response():
    bench = Bench(LAYOUTS["dense"], error_address=70)

    async def check(ctx):
        await bench.write(ctx, "activations", 0, bench.draw("activations", 20))
        assert ctx.get(bench.dut.error)

    bench.run(check)


def test_refuses():
    with pytest.raises(TypeError, match="^Layout of logits must be a StreamLayout, not None$"):
        port({"activations": dense_layout(56, 64)})
    with pytest.raises(ValueError, match="^Layout of logits must be of beats of 64 bits, not 128$"):
        port({"activations": dense_layout(56, 64), "logits": dense_layout(120, 128)})


@pytest.mark.parametrize("name", ["dense", "padded"])
def test_converts(name):
    check_conversion(lambda: port(LAYOUTS[name]))
