"""The gearbox against one long integer cut into words."""

import random
from itertools import pairwise
from math import gcd, lcm

import pytest
from amaranth import Value
from amaranth.sim import Simulator

from mnv2.hw.gearbox import Gearbox
from tests.hw.harness import check_conversion, simulate
from tests.hw.testbench import run

#: Inputs that are placed as whole units of an output, given in parts, placed in a ring of whole
#: inputs and outputs, and shifted.
PLACED = [(8, 8), (32, 64), (16, 48), (128, 512), (1, 7), (8, 64), (4, 36)]
PARTED = [(64, 32), (48, 16), (512, 128), (7, 1), (512, 32)]
RINGS = [(128, 224), (128, 288), (224, 128), (64, 112), (48, 128), (126, 168), (24, 16), (12, 20)]
SHIFTED = [(64, 140), (140, 64), (20, 64), (24, 31)]
WIDTHS = [*PLACED, *PARTED, *RINGS, *SHIFTED]


def cut(packets, input_bits, output_bits, partial):
    """Payloads of the output port.

    Parameters
    ----------
    packets : list of list of int
        Input words of each packet.
    """
    outputs = []
    for words in packets:
        value = sum(word << index * input_bits for index, word in enumerate(words))
        total = len(words) * input_bits
        count = -(-total // output_bits) if partial == "emit" else total // output_bits
        for index in range(count):
            word = value >> index * output_bits & (1 << output_bits) - 1
            last = index == count - 1 and partial == "emit"
            outputs.append(word | last << output_bits)
    return outputs


def random_packets(rng, bits, lengths):
    return [[rng.getrandbits(bits) for _ in range(length)] for length in lengths]


def payloads(packets, bits):
    return [
        word | (index == len(words) - 1) << bits
        for words in packets
        for index, word in enumerate(words)
    ]


@pytest.mark.parametrize("partial", ["emit", "drop"])
@pytest.mark.parametrize("widths", WIDTHS)
def test_cuts_packets(widths, partial):
    input_bits, output_bits = widths
    rng = random.Random(f"{widths}")
    whole = lcm(input_bits, output_bits) // input_bits  # input words that leave no rest
    packets = random_packets(rng, input_bits, [1, 2, whole, 1, 7, whole + 1, 3, 5])
    expected = cut(packets, input_bits, output_bits, partial)
    # Both kinds of end are met, unless the widths always or never leave a rest.
    rests = {len(words) * input_bits % output_bits == 0 for words in packets}
    assert len(rests) == 2 or input_bits % output_bits == 0
    trace = simulate(
        Gearbox(input_bits=input_bits, output_bits=output_bits, partial=partial),
        {"i": payloads(packets, input_bits)},
        {"o": len(expected)},
        seed=1,
        stall=0.3,
    )
    assert trace.items["o"] == expected


@pytest.mark.parametrize("widths", WIDTHS)
def test_narrower_side_never_waits(widths):
    input_bits, output_bits = widths
    count = max(30, 4 * output_bits // input_bits)
    packets = random_packets(random.Random(2), input_bits, [count])
    expected = cut(packets, input_bits, output_bits, "emit")
    trace = simulate(
        Gearbox(input_bits=input_bits, output_bits=output_bits),
        {"i": payloads(packets, input_bits)},
        {"o": len(expected)},
        seed=1,
    )
    port = "i" if input_bits <= output_bits else "o"
    assert {after - before for before, after in pairwise(trace.cycles[port].tolist())} == {1}


@pytest.mark.parametrize("widths", WIDTHS)
def test_latency(widths):
    input_bits, output_bits = widths
    words = -(-output_bits // input_bits)
    packets = random_packets(random.Random(3), input_bits, [words])
    expected = cut(packets, input_bits, output_bits, "emit")
    trace = simulate(
        Gearbox(input_bits=input_bits, output_bits=output_bits),
        {"i": payloads(packets, input_bits)},
        {"o": len(expected)},
        seed=1,
    )
    assert trace.cycles["o"][0] - trace.cycles["i"][-1] == Gearbox.latency


class Model:
    """The gearbox cycle by cycle: the bits held as an integer, and how many there are."""

    def __init__(self, input_bits, output_bits, partial):
        self.input_bits, self.output_bits, self.emit = input_bits, output_bits, partial == "emit"
        unit = gcd(input_bits, output_bits)
        self.capacity = input_bits + output_bits + min(input_bits, output_bits) - unit
        self.clear()

    def clear(self):
        self.value = self.count = 0
        self.ending = False

    @property
    def ready(self):
        return self.count + self.input_bits <= self.capacity and not self.ending

    @property
    def valid(self):
        return self.count >= self.output_bits or (self.emit and self.ending)

    @property
    def payload(self):
        final = self.emit and self.ending and self.count <= self.output_bits
        return self.value & (1 << self.output_bits) - 1 | final << self.output_bits

    def step(self, taken, data, last, given, clear):
        """A cycle in which a word is taken or not, and one given or not."""
        ended = self.ending and self.count < self.output_bits
        if given:
            ended = self.emit and self.ending and self.count <= self.output_bits
            self.value >>= self.output_bits
            self.count -= self.output_bits
        elif self.emit:
            ended = False
        if taken:
            self.value |= data << self.count
            self.count += self.input_bits
            self.ending = last
        if ended or clear:
            self.clear()


@pytest.mark.parametrize("partial", ["emit", "drop"])
@pytest.mark.parametrize("widths", WIDTHS)
def test_equals_the_model_in_every_cycle(widths, partial):
    """With stalls on both sides, packets of all lengths, and a clear now and then."""
    input_bits, output_bits = widths
    dut = Gearbox(input_bits=input_bits, output_bits=output_bits, partial=partial)
    model = Model(input_bits, output_bits, partial)
    rng = random.Random(f"{widths} {partial}")
    seen = set()

    async def testbench(ctx):
        for cycle in range(800):
            # In turns: fast on both sides, slow at the input, slow at the output, slow on both.
            offers, takes = [(1, 1), (0.3, 1), (1, 0.3), (0.5, 0.5)][cycle // 50 % 4]
            valid, ready = rng.random() < offers, rng.random() < takes
            data, last = rng.getrandbits(input_bits), rng.random() < 0.1
            clear = rng.random() < 0.01
            ctx.set(dut.i.valid, valid)
            ctx.set(dut.i.payload, {"data": data, "last": last})
            ctx.set(dut.o.ready, ready)
            ctx.set(dut.clear, clear)
            _, _, i_ready, o_valid, payload = await ctx.tick().sample(
                dut.i.ready, dut.o.valid, Value.cast(dut.o.payload)
            )
            assert (i_ready, o_valid) == (model.ready, model.valid), cycle
            assert not o_valid or payload == model.payload, cycle
            taken, given = valid and i_ready, ready and o_valid
            seen.add((taken, given))
            model.step(taken, data, last, given, clear)

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.run()
    assert len(seen) == 4


def test_valid_does_not_wait_for_ready():
    packets = random_packets(random.Random(4), 64, [8, 5])
    expected = cut(packets, 64, 112, "emit")
    trace = simulate(
        Gearbox(input_bits=64, output_bits=112),
        {"i": payloads(packets, 64)},
        {"o": len(expected)},
        seed=1,
        stall=0.2,
        reluctant=True,
    )
    assert trace.items["o"] == expected


def test_clear():
    dut = Gearbox(input_bits=8, output_bits=32)

    async def testbench(ctx):
        async def put(value, last):
            ctx.set(dut.i.payload, {"data": value, "last": last})
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
            ctx.set(dut.i.valid, 0)

        await put(0xFF, 0)
        await put(0xFF, 1)
        assert ctx.get(dut.o.valid)
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)
        assert not ctx.get(dut.o.valid)
        await put(0x12, 1)
        assert ctx.get(dut.o.valid)
        assert ctx.get(dut.o.payload.data) == 0x12

    run(dut, testbench, cycles=100)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        (
            {"input_bits": "8", "output_bits": 8},
            TypeError,
            "Input bits must be a positive integer, not '8'",
        ),
        (
            {"input_bits": 8, "output_bits": 0},
            ValueError,
            "Output bits must be a positive integer, not 0",
        ),
        (
            {"input_bits": 8, "output_bits": 8, "partial": "keep"},
            ValueError,
            "Partial words must be 'emit' or 'drop', not 'keep'",
        ),
    ],
)
def test_refuses(parameters, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        Gearbox(**parameters)


@pytest.mark.parametrize("partial", ["emit", "drop"])
@pytest.mark.parametrize("widths", [(128, 224), (140, 20), (8, 8), (64, 256), (64, 140)])
def test_converts(widths, partial):
    check_conversion(lambda: Gearbox(input_bits=widths[0], output_bits=widths[1], partial=partial))
