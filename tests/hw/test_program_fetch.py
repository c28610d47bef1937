"""Programs record by record: header to streams, descriptors as they come."""

import random

import pytest
from amaranth.sim import Simulator

from mnv2.hw.program import Descriptor, Header
from mnv2.hw.program_fetch import ProgramFetch
from tests.hw.harness import check_conversion

HEADER = {
    "weights_address": 0x1000,
    "weights_beats": 11,
    "taps_address": 0x2000,
    "taps_beats": 12,
    "parameters_address": 0x3000,
    "parameters_beats": 13,
}
STREAMS = {"weights": (0x1000, 11), "taps": (0x2000, 12), "parameters": (0x3000, 13)}


class Reader:
    """Surroundings that give records and take descriptors and reads; stalls are random.

    ``given``, ``taken`` and ``asked`` are cycles: of the records, of the descriptors, of reads by
    stream; ``offered`` those in which each read was first asked for.
    """

    def __init__(self, programs, *, data_bits=128, stall=0.0, seed=1):
        self.dut = ProgramFetch(data_bits=data_bits)
        self.programs, self.stall, self.random = programs, stall, random.Random(seed)
        self.given, self.taken, self.descriptors, self.last = [], [], [], []
        self.reads, self.offered = [], {}
        simulator = Simulator(self.dut)
        simulator.add_clock(1e-8)
        simulator.add_testbench(self.testbench)
        simulator.run()

    async def testbench(self, ctx):
        dut, self.cycle = self.dut, 0
        for number, blocks in enumerate(self.programs):
            records = [Header.const(HEADER).as_bits(), *blocks]
            ctx.set(dut.program_address, 0x8000 + number)
            ctx.set(dut.program_records, len(records))
            ctx.set(dut.start, 1)
            await self.step(ctx, [])
            ctx.set(dut.start, 0)
            while records:
                await self.step(ctx, records)
                assert self.cycle < 5000
            assert ctx.get(dut.last)
            for _ in range(20):
                await self.step(ctx, [])

    async def step(self, ctx, records):
        dut = self.dut
        ctx.set(dut.i.valid, bool(records) and self.random.random() >= self.stall)
        ctx.set(dut.i.payload, records[0] if records else 0)
        ctx.set(dut.o.ready, self.random.random() >= self.stall)
        ports = {"program": dut.o_program} | {name: getattr(dut, f"o_{name}") for name in STREAMS}
        for port in ports.values():
            ctx.set(port.ready, self.random.random() >= self.stall)
        _, _, given, ready, valid, taken, block, last, *rest = await ctx.tick().sample(
            dut.i.valid,
            dut.i.ready,
            dut.o.valid,
            dut.o.ready,
            dut.o.payload,
            dut.last,
            *(
                signal
                for port in ports.values()
                for signal in (port.valid, port.ready, port.payload)
            ),
        )
        for name, asked, read_ready, read in zip(
            ports, rest[::3], rest[1::3], rest[2::3], strict=True
        ):
            if asked:
                self.offered.setdefault(name, self.cycle)
            if asked and read_ready:
                self.reads.append((name, read.address, read.beats))
        if valid and taken:
            self.taken.append(self.cycle)
            self.descriptors.append(block.as_bits())
            self.last.append(bool(last))
        if given and ready:
            self.given.append(self.cycle)
            records.pop(0)
        self.cycle += 1


def blocks(count, seed):
    rng = random.Random(seed)
    return [Descriptor.const({"input_rows": rng.randrange(4096)}).as_bits() for _ in range(count)]


@pytest.mark.parametrize("stall", [0, 0.4, 0.8])
@pytest.mark.parametrize("programs", [(1,), (5,), (3, 1, 4)])
def test_descriptors_in_order_and_streams_once(stall, programs):
    given = [blocks(count, seed) for seed, count in enumerate(programs)]
    reader = Reader(given, stall=stall)
    assert reader.descriptors == [block for program in given for block in program]
    for number, count in enumerate(programs):
        reads = dict((name, rest) for name, *rest in reader.reads[4 * number : 4 * number + 4])
        assert reads == {
            "program": [0x8000 + number, (1 + count) * 8],
            **{name: list(read) for name, read in STREAMS.items()},
        }
    assert len(reader.reads) == 4 * len(programs)


def test_latency_and_rate():
    """A descriptor passes in the cycle of its record; streams are asked for in the next."""
    reader = Reader([blocks(6, 1)])
    header, *rest = reader.given
    assert rest == reader.taken == list(range(header + 1, header + 7))
    assert reader.offered == {"program": 1} | {name: header + 1 for name in STREAMS}


def test_last():
    """It is up once all descriptors have been passed on, not while the last one is."""
    reader = Reader([blocks(3, 1)], stall=0.5)
    assert reader.last == [False] * 3


@pytest.mark.parametrize(("data_bits", "beats"), [(64, 48), (128, 24), (256, 12), (512, 6)])
def test_beats_of_a_program(data_bits, beats):
    assert Reader([blocks(2, 1)], data_bits=data_bits).reads[0] == ("program", 0x8000, beats)


def test_conversion():
    check_conversion(lambda: ProgramFetch(data_bits=128))
