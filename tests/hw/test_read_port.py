"""The read port against a memory in Python: words of every stream at once, dense and padded."""

import random
from itertools import pairwise

import pytest

from mnv2.hw.config import STREAMS
from mnv2.hw.read_port import ReadPort
from mnv2.hw.stream_layout import dense_layout, padded_layout
from tests.hw.axi_slave import AxiSlave
from tests.hw.harness import check_conversion
from tests.hw.testbench import run
from tests.hw.words import cut_words

DATA_BITS = 64
DENSE = {
    "program": dense_layout(128, DATA_BITS),
    "activations": dense_layout(56, DATA_BITS),
    "parameters": dense_layout(64, DATA_BITS),
    "taps": dense_layout(90, DATA_BITS),
    "weights": dense_layout(192, DATA_BITS),
    "image": dense_layout(21, DATA_BITS),
}
PADDED = {
    "program": padded_layout(128, DATA_BITS),
    "activations": padded_layout(100, DATA_BITS),  # in two beats
    "parameters": padded_layout(24, DATA_BITS),  # two in a beat
    "taps": padded_layout(130, DATA_BITS),  # in three beats, two bits over
    "weights": padded_layout(250, DATA_BITS),
    "image": padded_layout(72, DATA_BITS, 3),  # three in four beats
}
WORDS = (*STREAMS, "image")


def port(streams=PADDED, **options):
    parameters = {"address_bits": 32, "burst_beats": 4, "fifo_beats": 16, "outstanding": 4}
    return ReadPort(streams=streams, data_bits=DATA_BITS, **parameters | options)


class Bench:
    """A port, the memory that it reads, and the words that came, with the cycle of each.

    Parameters
    ----------
    stalls : float
        Probability, in a cycle, that a stream's words are not taken.
    """

    def __init__(self, streams=PADDED, *, stalls=0.0, seed=1, size=1 << 15, **slave):
        self.dut, self.streams, self.stalls = port(streams), streams, stalls
        self.rng = random.Random(seed)
        self.memory = bytearray(self.rng.randbytes(size))
        self.slave = AxiSlave(
            self.dut.bus, data_bits=DATA_BITS, memory=self.memory, rng=self.rng, **slave
        )
        self.words = {name: [] for name in WORDS}
        self.cycles = {name: [] for name in WORDS}
        self.received = [0 for _ in STREAMS]

    def expected(self, name, address, beats):
        """Words of a run of beats."""
        values = [
            int.from_bytes(self.memory[start : start + 8], "little")
            for start in range(address, address + 8 * beats, 8)
        ]
        return cut_words(values, self.streams[name])

    async def command(self, ctx, name, address, beats):
        """Have beats read."""
        commands = getattr(self.dut, f"i_{name}")
        ctx.set(commands.payload, {"address": address, "beats": beats})
        ctx.set(commands.valid, 1)
        await ctx.tick().until(commands.ready)
        ctx.set(commands.valid, 0)

    def _receive(self, name):
        async def receive(ctx):
            words, cycle, held = getattr(self.dut, f"o_{name}"), 0, None
            while True:
                ready = self.rng.random() >= self.stalls
                ctx.set(words.ready, ready)
                *_, valid, word, abort, restart = await ctx.tick().sample(
                    words.valid, words.payload, self.dut.abort, self.dut.restart
                )
                forgotten = abort or (restart and name in ("activations", "image"))
                assert held is None or (valid and word == held), f"{name} changed in a stall"
                held = word if valid and not ready and not forgotten else None
                if valid and ready:
                    self.words[name].append(word)
                    self.cycles[name].append(cycle)
                cycle += 1

        return receive

    async def _count(self, ctx):
        while True:
            *_, received = await ctx.tick().sample(self.dut.received)
            for index in range(len(STREAMS)):
                self.received[index] += received >> index & 1

    async def wait(self, ctx, name, count):
        """Wait until that many words of a stream have come, and see that no more do."""
        while len(self.words[name]) < count:
            await ctx.tick()
        await ctx.tick().repeat(30)
        assert len(self.words[name]) == count

    def run(self, check, deadline=10_000):
        others = [self.slave.read, self._count, *map(self._receive, WORDS)]
        run(self.dut, check, others=others, cycles=deadline)


@pytest.mark.parametrize("stall", [0.0, 0.4], ids=["free", "stalls"])
@pytest.mark.parametrize("streams", [DENSE, PADDED], ids=["dense", "padded"])
def test_all_streams(streams, stall):
    """A second command begins a fresh word; what did not fill one before it is dropped."""
    bench = Bench(streams, stalls=stall, stall=stall, latency=7)
    lengths = {"program": 6, "activations": 33, "parameters": 30, "taps": 25, "weights": 41}

    async def check(ctx):
        for index, (name, beats) in enumerate(lengths.items()):
            await bench.command(ctx, name, 4096 * index, beats)
        for index, (name, beats) in enumerate(lengths.items()):
            await bench.command(ctx, name, 4096 * index + 2048, beats + 1)
        for index, (name, beats) in enumerate(lengths.items()):
            first = bench.expected(name, 4096 * index, beats)
            second = bench.expected(name, 4096 * index + 2048, beats + 1)
            await bench.wait(ctx, name, len(first) + len(second))
            assert bench.words[name] == first + second
        assert not bench.words["image"]
        assert bench.received == [2 * beats + 1 for beats in lengths.values()]
        assert not ctx.get(bench.dut.error)
        assert not ctx.get(bench.dut.busy)

    bench.run(check)


@pytest.mark.parametrize("streams", [DENSE, PADDED], ids=["dense", "padded"])
def test_images_and_maps_in_turn(streams):
    """The rest of a map, which is not taken, does not get into the image, nor back."""
    bench = Bench(streams, latency=5)

    async def check(ctx):
        dut = bench.dut
        for turn, (name, image) in enumerate([("activations", 0), ("image", 1)] * 2):
            bench.stalls = 0.0
            for words in bench.words.values():
                words.clear()
            ctx.set(dut.restart, 1)
            ctx.set(dut.image, image)
            await ctx.tick()
            ctx.set(dut.restart, 0)
            await bench.command(ctx, "activations", 512 * turn, 10)
            words = bench.expected(name, 512 * turn, 10)
            while len(bench.words[name]) < len(words):
                # The last word is not taken; it stays in the gearbox.
                if len(bench.words[name]) == len(words) - 1:
                    bench.stalls = 1.0
                    break
                await ctx.tick()
            await ctx.tick().repeat(40)
            taken = bench.words[name]
            assert taken == words[: len(taken)]
            assert len(taken) >= len(words) - 2
            assert not any(bench.words[other] for other in set(WORDS) - {name})

    bench.run(check)


def test_latency():
    """A command is valid in cycle 0; its address is there in 3, and its only word 3 after it."""
    bench = Bench(latency=10)

    async def check(ctx):
        await bench.command(ctx, "parameters", 0, 1)
        await bench.wait(ctx, "parameters", 2)

    bench.run(check)
    assert bench.slave.request_cycles == [3]
    assert bench.slave.read_cycles == [13]
    # Two cycles to leave the master, one to leave the gearbox; the next word follows at once.
    assert bench.cycles["parameters"] == [16, 17]


def test_rate():
    """A beat a cycle, while four streams share the port."""
    bench = Bench(latency=4)

    async def check(ctx):
        for index, name in enumerate(("parameters", "taps", "weights")):
            await bench.command(ctx, name, 4096 * index, 200)
        for name in ("parameters", "taps", "weights"):
            await bench.wait(ctx, name, len(bench.expected(name, 0, 200)))

    bench.run(check)
    gaps = [after - before for before, after in pairwise(bench.slave.read_cycles)]
    assert gaps.count(1) > 0.98 * len(gaps)


@pytest.mark.parametrize("start", range(4, 40, 5))
def test_abort(start):
    """Whenever it comes, the port comes to rest, empty, and the next commands are served whole."""
    bench = Bench(stalls=0.5, stall=0.2, latency=9)

    async def check(ctx):
        dut = bench.dut
        await bench.command(ctx, "weights", 0, 31)
        await bench.command(ctx, "activations", 2048, 31)
        await ctx.tick().repeat(start)
        ctx.set(dut.abort, 1)
        await ctx.tick()
        busy = True
        while busy:
            *_, busy = await ctx.tick().sample(dut.busy)
        for words in bench.words.values():
            words.clear()
        ctx.set(dut.abort, 0)
        await ctx.tick().repeat(20)
        assert not any(bench.words.values())
        for name, address in (("weights", 4096), ("activations", 8192)):
            await bench.command(ctx, name, address, 30)
        for name, address in (("weights", 4096), ("activations", 8192)):
            words = bench.expected(name, address, 30)
            await bench.wait(ctx, name, len(words))
            assert bench.words[name] == words
        assert not ctx.get(dut.error)

    bench.run(check)


def test_error_response():
    bench = Bench(error_address=24)

    async def check(ctx):
        await bench.command(ctx, "taps", 0, 6)
        await bench.wait(ctx, "taps", 2)
        assert ctx.get(bench.dut.error)

    bench.run(check)


@pytest.mark.parametrize(
    ("streams", "error", "message"),
    [
        ([64], TypeError, r"Streams must be layouts by name, not \[64\]"),
        (
            {name: DENSE[name] for name in STREAMS},
            TypeError,
            "Layout of image must be a StreamLayout, not None",
        ),
        (DENSE | {"taps": 288}, TypeError, "Layout of taps must be a StreamLayout, not 288"),
        (
            DENSE | {"taps": dense_layout(288, 128)},
            ValueError,
            "Layout of taps must be of beats of 64 bits, not 128",
        ),
    ],
)
def test_refuses(streams, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        port(streams)


def test_converts():
    check_conversion(port)
