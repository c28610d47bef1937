"""Programs record by record: header to streams, descriptors of each turn as they come."""

import random

import pytest
from amaranth.sim import Simulator

from mnv2.hw.config import SEGMENTS
from mnv2.hw.program import Descriptor, Header, Turns
from mnv2.hw.program_fetch import ProgramFetch
from tests.hw.harness import check_conversion

HASH, BASE = 0x12345678, 0x3_0000_5000
HEADER = {
    "configuration": HASH,
    "weights_offset": 0x1000,
    "weights_beats": [11, 1, 12, 2, 13, 3, 14],
    "taps_offset": 0x2000,
    "taps_beats": 15,
    "parameters_offset": 0x3000,
    "parameters_beats": [21, 0, 0, 0, 0, 0, 0],
}
#: Reads of the first turn.
STREAMS = {
    "weights": [(0x1000, 11), (0x10C0, 12), (0x11A0, 13), (0x12A0, 14)],
    "taps": [(0x2000, 15)],
    "parameters": [(0x3000, 21)],
}


class Reader:
    """Surroundings that give records and take descriptors and reads; stalls are random.

    ``given``, ``taken`` and ``asked`` are cycles: of the records, of the descriptors, of reads by
    stream; ``offered`` those in which each read was first asked for.

    Parameters
    ----------
    programs : sequence of sequence of int
        Descriptors of each program.
    turns : int
        Turns of each.
    """

    def __init__(self, programs, *, data_bits=128, stall=0.0, seed=1, turns=1, hash=HASH):
        self.dut = ProgramFetch(data_bits=data_bits, address_bits=40, configuration=HASH)
        self.programs, self.stall, self.random = programs, stall, random.Random(seed)
        self.turns, self.hash = turns, hash
        self.given, self.taken, self.descriptors, self.last = [], [], [], []
        self.reads, self.offered, self.begun, self.wrong = [], {}, [], 0
        simulator = Simulator(self.dut)
        simulator.add_clock(1e-8)
        simulator.add_testbench(self.testbench)
        simulator.run()

    async def testbench(self, ctx):
        dut, self.cycle = self.dut, 0
        for number, blocks in enumerate(self.programs):
            header = Header.const({**HEADER, "configuration": self.hash}).as_bits()
            records = [header, *(self.turns * blocks)]
            begun, paused = len(self.begun), 0
            self.allowed = 0
            ctx.set(dut.base, BASE + 0x10000 * number)
            ctx.set(dut.program_records, 1 + len(blocks))
            ctx.set(dut.start, 1)
            await self.step(ctx, [])
            ctx.set(dut.start, 0)
            for _ in range(2000):
                if not records:
                    break
                ctx.set(dut.ending, len(self.begun) - begun == self.turns - 1)
                left = self.turns - len(self.begun) + begun
                if self.begun[begun:] and len(records) == left * len(blocks) != paused:
                    # A turn has used up its streams before the next one begins.
                    paused = len(records)
                    for _ in range(120):
                        await self.step(ctx, [])
                await self.step(ctx, records)
            self.wrong = ctx.get(dut.wrong)
            assert bool(records) == bool(self.wrong)
            assert ctx.get(dut.last) == (not records)
            for _ in range(120):
                await self.step(ctx, [])

    async def step(self, ctx, records):
        dut = self.dut
        asked = bool(records) and self.allowed > 0
        ctx.set(dut.i.valid, asked and self.random.random() >= self.stall)
        ctx.set(dut.i.payload, records[0] if records else 0)
        ctx.set(dut.o.ready, self.random.random() >= self.stall)
        ports = {"program": dut.o_program} | {name: getattr(dut, f"o_{name}") for name in STREAMS}
        for port in ports.values():
            ctx.set(port.ready, self.random.random() >= self.stall)
        _, _, given, ready, valid, taken, block, last, turn, *rest = await ctx.tick().sample(
            dut.i.valid,
            dut.i.ready,
            dut.o.valid,
            dut.o.ready,
            dut.o.payload,
            dut.last,
            dut.turn,
            *(
                signal
                for port in ports.values()
                for signal in (port.valid, port.ready, port.payload)
            ),
        )
        for name, offered, read_ready, read in zip(
            ports, rest[::3], rest[1::3], rest[2::3], strict=True
        ):
            if offered:
                self.offered.setdefault(name, self.cycle)
            if offered and read_ready:
                self.reads.append((name, read.address, read.beats))
                if name == "program":
                    self.allowed += read.beats * dut.data_bits // 1024
        if valid and taken:
            self.taken.append(self.cycle)
            self.descriptors.append(block.as_bits())
            self.last.append(bool(last))
        if turn:
            assert valid
            assert taken
            self.begun.append(self.cycle)
        if given and ready:
            self.given.append(self.cycle)
            self.allowed -= 1
            records.pop(0)
        self.cycle += 1

    def reads_of(self, name):
        """(address, beats) of the reads of a stream."""
        return [tuple(rest) for stream, *rest in self.reads if stream == name]


def blocks(count, seed):
    rng = random.Random(seed)
    return [Descriptor.const({"input_rows": rng.randrange(4096)}).as_bits() for _ in range(count)]


@pytest.mark.parametrize("stall", [0, 0.4, 0.8])
@pytest.mark.parametrize("programs", [(1,), (5,), (3, 1, 4)])
def test_descriptors_in_order_and_streams_once(stall, programs):
    given = [blocks(count, seed) for seed, count in enumerate(programs)]
    reader = Reader(given, stall=stall)
    assert reader.descriptors == [block for program in given for block in program]
    bases = [BASE + 0x10000 * number for number in range(len(programs))]
    assert reader.reads_of("program") == [
        (base, (1 + count) * 8) for base, count in zip(bases, programs, strict=True)
    ]
    ends = {"weights": [(0x10B0, 1), (0x1180, 2), (0x1270, 3)], "taps": [], "parameters": []}
    for name, read in STREAMS.items():
        assert reader.reads_of(name) == [
            (base + offset, beats) for base in bases for offset, beats in [*read, *ends[name]]
        ]


def kinds(*turns):
    """Descriptors, told apart by their rows, that are executed in those turns."""
    return [
        Descriptor.const({"turns": kind, "input_rows": row}).as_bits()
        for row, kind in enumerate(turns)
    ]


A, L, Z = Turns.ALL, Turns.LATER, Turns.LAST


@pytest.mark.parametrize("stall", [0, 0.5])
@pytest.mark.parametrize(
    ("order", "turns", "executed"),
    [
        ((A, L, A, L, A, Z), 1, "0 2 4 5"),
        ((A, L, A, L, A, Z), 2, "0 2 4 0 1 2 3 4 5"),
        ((A, L, A, L, A, Z), 3, "0 2 4 0 1 2 3 4 0 1 2 3 4 5"),
        ((A,), 3, "0 0 0"),
        ((A, Z), 2, "0 0 1"),
        ((A, L, L, Z, Z), 2, "0 0 1 2 3 4"),
    ],
)
def test_turns_leave_descriptors_out(order, turns, executed, stall):
    program = kinds(*order)
    reader = Reader([program, program], turns=turns, stall=stall)
    assert reader.descriptors == 2 * [program[int(row)] for row in executed.split()]
    assert len(reader.begun) == 2 * turns
    # The header is read once; each further turn reads the descriptors again.
    beats = 8 * len(order)
    for number in range(2):
        base = BASE + 0x10000 * number
        assert reader.reads_of("program")[number * turns : (number + 1) * turns] == [
            (base, beats + 8),
            *((turns - 1) * [(base + 128, beats)]),
        ]
    taps = [(BASE + 0x10000 * number + 0x2000, 15) for number in range(2) for _ in range(turns)]
    assert reader.reads_of("taps") == taps


def test_what_is_left_out_waits_for_nobody():
    """Its record leaves in the cycle in which it comes, whether a descriptor is wanted or not."""
    reader = Reader([kinds(A, L, L, A)])
    assert reader.given == list(range(reader.given[0], reader.given[0] + 5))
    assert [cycle - reader.given[0] for cycle in reader.taken] == [1, 4]


def test_latency_and_rate():
    """A descriptor passes in the cycle of its record; streams are asked for in the next."""
    reader = Reader([blocks(6, 1)])
    header, *rest = reader.given
    assert rest == reader.taken == list(range(header + 1, header + 7))
    assert reader.offered == {"program": 1} | {name: header + 1 for name in STREAMS}


def test_last():
    """It is up once all descriptors have been passed on, not while the last one is."""
    reader = Reader([blocks(3, 1)], stall=0.5, turns=2)
    assert reader.last == [False] * 6


@pytest.mark.parametrize(("data_bits", "beats"), [(64, 48), (128, 24), (256, 12), (512, 6)])
def test_beats_of_a_program(data_bits, beats):
    assert Reader([blocks(2, 1)], data_bits=data_bits).reads[0] == ("program", BASE, beats)


@pytest.mark.parametrize("bit", [0, 13, 31])
def test_a_program_for_another_accelerator_is_not_touched(bit):
    reader = Reader([blocks(2, 1)], hash=HASH ^ 1 << bit)
    assert reader.wrong
    assert reader.descriptors == []
    assert [name for name, *_ in reader.reads] == ["program"]


def test_segments():
    assert len(HEADER["weights_beats"]) == SEGMENTS


def test_conversion():
    check_conversion(lambda: ProgramFetch(data_bits=128, address_bits=32, configuration=HASH))
