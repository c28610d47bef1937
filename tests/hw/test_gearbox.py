"""The gearbox against one long integer cut into words."""

import random
from itertools import pairwise
from math import lcm

import pytest
from amaranth.sim import Simulator

from mnv2.hw.gearbox import Gearbox
from tests.hw.harness import check_conversion, simulate

WIDTHS = [
    (128, 224),
    (128, 512),
    (128, 288),
    (224, 128),
    (64, 112),
    (64, 140),
    (140, 64),
    (512, 32),
    (8, 8),
    (1, 7),
    (7, 1),
    (20, 64),
    (48, 128),
]


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

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.run_until(1e-6)


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
@pytest.mark.parametrize("widths", [(128, 224), (140, 20), (8, 8)])
def test_converts(widths, partial):
    check_conversion(lambda: Gearbox(input_bits=widths[0], output_bits=widths[1], partial=partial))
