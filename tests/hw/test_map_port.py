"""The map port with descriptors in turn: maps, images and logits, with stalls."""

import random

import pytest

from mnv2.hw.config import INDEX_BITS, STORE_QUEUE_WORDS
from mnv2.hw.map_port import MapPort
from mnv2.hw.program import Work
from tests.hw.harness import check_conversion
from tests.hw.testbench import run

WORD_BITS, LOGITS_BITS, ADDRESS_BITS = 16, 40, 40
#: What offsets are added to: of maps, of images, of logits.
BASE, PICTURE, LOGITS = 0x12_3456_7000, 0x34_0000_0000, 0x56_FFFF_F000


class Bench:
    """A port and the streams around it: words that come, and what was seen of each output."""

    def __init__(self, *, stall=0.0, seed=1):
        self.dut = MapPort(word_bits=WORD_BITS, logits_bits=LOGITS_BITS, address_bits=ADDRESS_BITS)
        self.rng, self.stall = random.Random(seed), stall
        self.blocked = set()  # outputs that are not taken
        self.maps, self.logits = [], []  # words still to come
        self.ring = {}  # the map memory
        self.seen = {name: [] for name in ("o_read", "o_write", "o_load", "o_words", "o_logits")}
        self.cycle = 0

    def _flows(self):
        return self.rng.random() >= self.stall

    async def step(self, ctx):
        """A cycle: words are offered, whatever leaves is taken, reads of the map memory granted."""
        dut = self.dut
        for port, words in ((dut.i_words, self.maps), (dut.i_logits, self.logits)):
            ctx.set(port.valid, bool(words) and (ctx.get(port.valid) or self._flows()))
            ctx.set(port.payload, words[0] if words else 0)
        for name in self.seen:
            ctx.set(getattr(dut, name).ready, name not in self.blocked and self._flows())
        granted = bool(ctx.get(dut.store_request)) and self._flows()
        address = ctx.get(dut.store_address)
        ctx.set(dut.store_grant, granted)
        outputs = [getattr(dut, name) for name in self.seen]
        sampled = [port.valid for port in outputs] + [port.payload for port in outputs]
        _, _, words_ready, logits_ready, *values = await ctx.tick().sample(
            dut.i_words.ready, dut.i_logits.ready, *sampled
        )
        for port, words, ready in (
            (dut.i_words, self.maps, words_ready),
            (dut.i_logits, self.logits, logits_ready),
        ):
            if ctx.get(port.valid) and ready:
                words.pop(0)
                ctx.set(port.valid, 0)
        count = len(outputs)
        for port, name, valid, payload in zip(
            outputs, self.seen, values[:count], values[count:], strict=True
        ):
            if valid and ctx.get(port.ready):
                self.seen[name].append((self.cycle, payload))
                if name == "o_load":
                    self.ring[payload.address] = payload.word
        ctx.set(dut.store_data, self.ring[address] if granted else self.rng.getrandbits(WORD_BITS))
        self.cycle += 1

    async def begin(self, ctx, **block):
        """Check a descriptor, while counts are of the one before, and begin it; its cycle."""
        for words in self.seen.values():
            words.clear()
        for name, value in (("base", BASE), ("picture", PICTURE), ("logits", LOGITS)):
            ctx.set(getattr(self.dut, name), value)
        for name, value in block.items():
            ctx.set(getattr(self.dut.block, name), value)
        ctx.set(self.dut.checking, 1)
        await self.step(ctx)
        ctx.set(self.dut.checking, 0)
        assert not any(self.seen.values())
        ctx.set(self.dut.freed, 0)
        ctx.set(self.dut.produced, 0)
        ctx.set(self.dut.begin, 1)
        cycle = self.cycle
        await self.step(ctx)
        ctx.set(self.dut.begin, 0)
        return cycle

    def payloads(self, name):
        return [payload for _, payload in self.seen[name]]

    def run(self, check, deadline=5000):
        run(self.dut, check, cycles=deadline)


def block(**changes):
    """Fields of a descriptor that the port reads; none of what it asks for."""
    return {
        "work": Work.BLOCK,
        "load": 0,
        "stem": 0,
        "store": 0,
        "load_words": 0,
        "store_words": 0,
    } | changes


@pytest.mark.parametrize("stall", [0.0, 0.5], ids=["free", "stalls"])
def test_map_in_and_out(stall):
    """A map goes through a ring that is smaller than it, and one command each asks for it."""
    bench = Bench(stall=stall)
    words = [bench.rng.getrandbits(WORD_BITS) for _ in range(21)]

    async def check(ctx):
        dut = bench.dut
        for _ in range(2):
            begin = await bench.begin(
                ctx,
                **block(
                    load=1,
                    load_offset=4096,
                    load_beats=7,
                    load_words=len(words),
                    input_base=8,
                    input_end=16,
                    store=1,
                    store_offset=8192,
                    store_bytes=99,
                    store_words=len(words),
                    output_base=8,
                    output_end=16,
                ),
            )
            bench.maps[:] = [*words, 1, 2]  # with the rest of the last beat
            start = bench.cycle
            while len(bench.seen["o_words"]) < len(words):
                # First the ring fills up, and so does the storer's queue.
                bench.blocked = {"o_words"} if bench.cycle < start + 100 else set()
                if bench.cycle == start + 100:
                    assert len(bench.seen["o_load"]) == 8 + STORE_QUEUE_WORDS
                # What has been loaded is stored, and then freed.
                assert ctx.get(dut.loaded) == len(bench.seen["o_load"])
                ctx.set(dut.produced, len(bench.seen["o_load"]))
                ctx.set(dut.freed, ctx.get(dut.stored))
                await bench.step(ctx)
            for _ in range(10):
                await bench.step(ctx)
            assert [one.word for one in bench.payloads("o_load")] == words
            assert [one.address for one in bench.payloads("o_load")] == [
                8 + k % 8 for k in range(len(words))
            ]
            assert [one.data for one in bench.payloads("o_words")] == words
            assert [one.last for one in bench.payloads("o_words")] == [0] * 20 + [1]
            ((read_cycle, read),) = bench.seen["o_read"]
            ((write_cycle, write),) = bench.seen["o_write"]
            assert (read.address, read.beats) == (BASE + 4096, 7)
            assert (write.address, write.bytes) == (BASE + 8192, 99)
            if not stall:
                assert read_cycle == write_cycle == begin + 1
            assert not bench.maps

    bench.run(check)


def test_nothing_to_move():
    """No command; the input counts as loaded, however much is needed of it."""
    bench = Bench()

    async def check(ctx):
        await bench.begin(ctx, **block())
        for _ in range(20):
            await bench.step(ctx)
            assert ctx.get(bench.dut.loaded) == 2**INDEX_BITS - 1
        assert not any(bench.seen.values())

    bench.run(check)


def test_image():
    """An image is asked for, but does not come this way."""
    bench = Bench()

    async def check(ctx):
        await bench.begin(ctx, **block(stem=1, load_offset=128, load_beats=3))
        for _ in range(20):
            await bench.step(ctx)
        ((_, read),) = bench.seen["o_read"]
        assert (read.address, read.beats) == (PICTURE + 128, 3)
        assert not bench.seen["o_write"]
        assert ctx.get(bench.dut.loaded) == 2**INDEX_BITS - 1

    bench.run(check)


@pytest.mark.parametrize("stall", [0.0, 0.5], ids=["free", "stalls"])
@pytest.mark.parametrize("count", [1, 9])
def test_logits(count, stall):
    """The last word is marked, and no map is read meanwhile."""
    bench = Bench(stall=stall)

    async def check(ctx):
        for _ in range(2):
            words = [bench.rng.getrandbits(LOGITS_BITS) for _ in range(count)]
            await bench.begin(
                ctx,
                **block(
                    work=Work.CLASSIFIER,
                    store=1,
                    store_offset=64,
                    store_bytes=5 * count,
                    store_words=count,
                    output_end=2**16 - 1,
                ),
            )
            bench.logits[:] = words
            ctx.set(bench.dut.produced, 5)
            while len(bench.seen["o_logits"]) < count:
                await bench.step(ctx)
            for _ in range(20):
                await bench.step(ctx)
            assert [one.data for one in bench.payloads("o_logits")] == words
            assert [one.last for one in bench.payloads("o_logits")] == [0] * (count - 1) + [1]
            ((_, write),) = bench.seen["o_write"]
            assert (write.address, write.bytes) == (LOGITS + 64, 5 * count)
            assert not bench.seen["o_words"]
            assert not bench.seen["o_read"]
            assert ctx.get(bench.dut.stored) == 0

    bench.run(check)


def test_a_word_that_comes_while_a_descriptor_is_checked_has_no_place():
    """It is of the map before, whose counts and ring are no longer those of the descriptor."""
    bench = Bench()

    async def check(ctx):
        dut = bench.dut
        await bench.begin(ctx, **block(load=1, load_words=2, input_end=64))
        bench.maps[:] = [1, 2]
        while len(bench.seen["o_load"]) < 2:
            await bench.step(ctx)
        for name, value in block(load=1, load_words=9, input_end=64).items():
            ctx.set(getattr(dut.block, name), value)
        ctx.set(dut.i_words.valid, 1)
        for checking in (1, 0):
            ctx.set(dut.checking, checking)
            ctx.set(dut.begin, not checking)
            assert not ctx.get(dut.o_load.valid)
            await ctx.tick()
        ctx.set(dut.begin, 0)
        assert ctx.get(dut.o_load.valid)

    bench.run(check)


def test_rate():
    """Words come in, go out and leave as logits one a cycle."""
    bench = Bench()

    async def check(ctx):
        await bench.begin(
            ctx,
            **block(load=1, load_words=40, input_end=64, store=1, store_words=40, output_end=64),
        )
        bench.maps[:] = range(40)
        bench.logits[:] = range(40)
        ctx.set(bench.dut.produced, 40)
        while len(bench.seen["o_load"]) < 40:
            await bench.step(ctx)
        for name in ("o_load", "o_logits"):
            cycles = [cycle for cycle, _ in bench.seen[name]]
            assert cycles[-1] - cycles[0] == 39

    bench.run(check)


def test_refuses():
    for parameters, message in (
        ({"word_bits": 0}, "Word bits must be a positive integer, not 0"),
        ({"logits_bits": -1}, "Logits bits must be a positive integer, not -1"),
    ):
        with pytest.raises(ValueError, match=f"^{message}$"):
            MapPort(**{"word_bits": 16, "logits_bits": 40, "address_bits": 32} | parameters)


def test_converts():
    check_conversion(
        lambda: MapPort(word_bits=WORD_BITS, logits_bits=LOGITS_BITS, address_bits=ADDRESS_BITS)
    )
