"""Results on their way through the residual adder, against golden's addition and a memory."""

from collections import deque

import numpy as np
import pytest

from mnv2.golden.fixed_point import signed_range
from mnv2.golden.ops import add
from mnv2.hw.residual_path import ResidualPath
from tests.hw.harness import check_conversion, pack_items, unpack_items
from tests.hw.rescaling import draw_add
from tests.hw.testbench import bits, run

DEPTH = 64
#: Channels (of one frame, and of two), pixels, lanes, words in the queue, bits of an activation.
LANES = [(4, 2, 4, 8, 8), (8, 2, 2, 5, 8), (3, 1, 3, 2, 5), (2, 7, 7, 8, 8)]


def make(channels=4, pixels=2, lanes=4, queue_words=8, activation_bits=8):
    return ResidualPath(
        channels=channels,
        pixels=pixels,
        lanes=lanes,
        queue_words=queue_words,
        activation_bits=activation_bits,
    )


def draw_parameters(rng, activation_bits):
    """Parameters of an addition with a range of more than one value, item by item as a dict."""
    fields, _ = draw_add(rng, 60, channels=2, pixels=2, bits=activation_bits)
    parameters = fields["parameters"]
    wide = parameters["range"]["maximum"] - parameters["range"]["minimum"] > 8
    item = int(rng.choice(np.flatnonzero(wide)))
    chosen = {name: int(of[item]) for name, of in parameters.items() if name != "range"}
    return chosen | {"range": {name: int(of[item]) for name, of in parameters["range"].items()}}


def golden_sums(a, b, parameters):
    sides = [
        [parameters[f"{side}_{name}"] for name in ("zero_point", "multiplier", "shift")]
        for side in "ab"
    ]
    limits = (parameters["range"][name] for name in ("zero_point", "minimum", "maximum"))
    return add(a, b, *sides, parameters["multiplier"], parameters["shift"], *limits)


def check(
    dut,
    seed,
    *,
    channels,
    pixels,
    queue_words,
    activation_bits,
    count=60,
    come=1.0,
    granted=1.0,
    sets=2,
):
    """Send results in a few sets, each with parameters of its own; returns cycles of grants, sums.

    ``come`` and ``granted`` are the probabilities, in a cycle, of a result and of a grant.
    """
    rng = np.random.default_rng(seed)
    low, high = signed_range(activation_bits)
    shape = (pixels, channels)
    layout = dut.word.shape()
    grants, cycles = [], []

    async def one_set(ctx, cycle):
        parameters = draw_parameters(rng, activation_bits)
        ctx.set(dut.parameters, parameters)
        memory = rng.integers(low, high + 1, (DEPTH, *shape))
        words = rng.integers(low, high + 1, (count, *shape))
        addresses = rng.integers(0, 2**16, count)
        sources = rng.integers(0, DEPTH, count)
        memory_items, word_items = pack_items(layout, memory), pack_items(layout, words)
        queue, sent, fetched, sums, asked = deque(), 0, None, [], False
        while len(sums) < count:
            send = sent < count and len(queue) < queue_words and rng.random() < come
            ctx.set(dut.valid, send)
            ctx.set(bits(dut.word), word_items[sent if send else rng.integers(count)])
            ctx.set(dut.address, int(addresses[sent]) if send else int(rng.integers(2**16)))
            ctx.set(dut.residual_address, int(sources[sent] if send else rng.integers(2**16)))
            # Anything but the word that was asked for comes in other cycles.
            ctx.set(
                bits(dut.fetched), memory_items[rng.integers(DEPTH) if fetched is None else fetched]
            )
            fetch, address = ctx.get(dut.fetch), ctx.get(dut.fetch_address)
            assert not fetch or address == sources[queue[0]], "Not the oldest result's word"
            assert fetch or not asked, "A word that was asked for and not given is asked for again"
            grant = bool(fetch) and rng.random() < granted
            ctx.set(dut.grant, grant)
            *_, taken, valid, word, place = await ctx.tick().sample(
                dut.taken, dut.sum_valid, bits(dut.sum.word), dut.sum.address
            )
            assert taken == grant
            fetched, asked = (address if grant else None), fetch and not grant
            if grant:
                queue.popleft()
                grants.append(cycle)
            if send:
                queue.append(sent)
                sent += 1
            if valid:
                assert place == addresses[len(sums)]
                sums.append(word)
                cycles.append(cycle)
            cycle += 1
        expected = golden_sums(memory[sources], words, parameters)
        np.testing.assert_array_equal(unpack_items(layout, sums), expected)
        # What is under way when the queue is empty has left: the next set has other parameters.
        assert sent == count
        assert not queue
        return cycle

    async def testbench(ctx):
        cycle = 0
        for _ in range(sets):
            cycle = await one_set(ctx, cycle)
        ctx.set(dut.valid, 0)
        for _ in range(40):
            *_, fetch, valid = await ctx.tick().sample(dut.fetch, dut.sum_valid)
            assert not fetch
            assert not valid

    run(dut, testbench, cycles=100 + 20 * sets * count * (channels * pixels + 2))
    return np.array(grants), np.array(cycles)


@pytest.mark.parametrize(
    ("come", "granted"),
    [(1.0, 1.0), (0.1, 1.0), (1.0, 0.1), (0.4, 0.5)],
    ids=["free", "few", "memory busy", "both"],
)
@pytest.mark.parametrize(("channels", "pixels", "lanes", "queue_words", "bits_"), LANES)
def test_equal_to_golden(channels, pixels, lanes, queue_words, bits_, come, granted):
    dut = make(channels, pixels, lanes, queue_words, bits_)
    word = dict(channels=channels, pixels=pixels, activation_bits=bits_)
    grants, cycles = check(
        dut, 1, queue_words=queue_words, come=come, granted=granted, count=40, **word
    )
    # From the memory's grant to the sum, whatever came before.
    assert set(cycles - grants) == {dut.latency}


@pytest.mark.parametrize(("channels", "pixels", "lanes", "queue_words", "bits_"), LANES)
def test_latency_and_rate(channels, pixels, lanes, queue_words, bits_):
    dut = make(channels, pixels, lanes, queue_words, bits_)
    word = dict(channels=channels, pixels=pixels, activation_bits=bits_)
    grants, _ = check(dut, 2, queue_words=queue_words, sets=1, **word)
    added = channels * pixels // lanes
    assert dut.latency == 1 + 10 + added
    # The next word is fetched once the adder has its place free: a cycle more than it adds.
    assert dut.cycles_per_item == added + 1
    assert set(np.diff(grants)) == {added + 1}


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("queue_words", 0, ValueError, "Queue words must be a positive integer, not 0"),
        ("queue_words", "8", TypeError, "Queue words must be a positive integer, not '8'"),
        ("channels", 0, ValueError, "Channels must be a positive integer, not 0"),
        ("pixels", 1.0, TypeError, "Pixels must be a positive integer, not 1.0"),
        ("lanes", 3, ValueError, "Lanes must divide the 8 elements of a word, not 3"),
        ("activation_bits", 9, ValueError, "Activation bits must be an integer from 4 to 8, not 9"),
    ],
)
def test_bad_parameters(name, value, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        make(**{name: value})


def test_conversion():
    check_conversion(make)
