"""Accumulators and requantised values on their way out, against numpy."""

from collections import deque

import numpy as np
import pytest
from amaranth.lib import data

from mnv2.hw.logits_path import LogitsPath
from tests.hw.harness import check_conversion, pack_items, unpack_items
from tests.hw.testbench import bits, run


def draw(rng, count, inputs, frames, accumulator_bits, activation_bits):
    """Random accumulators, biases and values, and the words of logits: arrays [N, ...]."""

    def values(width, *shape):
        low, high = -(1 << width - 1), (1 << width - 1) - 1
        drawn = rng.integers(low, high + 1, (count, *shape))
        return np.where(rng.random(drawn.shape) < 0.1, rng.choice([low, high], drawn.shape), drawn)

    accumulators = values(accumulator_bits, frames * inputs)
    biases = values(accumulator_bits, inputs)
    results = values(activation_bits, frames * inputs)
    # The bias of a channel is that of all frames; the sum wraps as the accumulator does.
    half = 1 << accumulator_bits - 1
    totals = (accumulators + np.tile(biases, frames) + half) % (2 * half) - half
    assert (totals != accumulators + np.tile(biases, frames)).any()
    return accumulators, biases, results, {"accumulators": totals, "logits": results}


@pytest.mark.parametrize("pace", [0.2, 1.0], ids=["stalls", "free"])
@pytest.mark.parametrize(
    ("inputs", "frames", "accumulator_bits", "activation_bits", "queue_words", "delay"),
    [
        (4, 1, 32, 8, 8, 7),
        (4, 2, 32, 8, 8, 6),
        (3, 2, 24, 5, 10, 7),
        (16, 1, 28, 8, 4, 2),
        (1, 1, 16, 4, 2, 1),
    ],
)
def test_equal_to_numpy(
    inputs, frames, accumulator_bits, activation_bits, queue_words, delay, pace
):
    """Values come ``delay`` cycles after their accumulators; never more words than may wait."""
    count, rng = 300, np.random.default_rng(inputs)
    widths = dict(accumulator_bits=accumulator_bits, activation_bits=activation_bits)
    dut = LogitsPath(inputs=inputs, frames=frames, queue_words=queue_words, **widths)
    *given, expected = draw(rng, count, inputs, frames, *widths.values())
    ports = (dut.accumulators, dut.biases, dut.results)
    packed = [pack_items(port.shape(), values) for port, values in zip(ports, given, strict=True)]
    words, waits = [], 0

    async def testbench(ctx):
        nonlocal waits
        under_way, due, sent = deque(), deque(), 0
        for cycle in range(100 + 20 * count):
            send = sent < count and len(under_way) < queue_words and rng.random() < 0.8
            comes = bool(due) and due[0][0] == cycle
            number = due.popleft()[1] if comes else rng.integers(count)
            ctx.set(dut.valid, send)
            ctx.set(bits(dut.accumulators), packed[0][sent if send else rng.integers(count)])
            ctx.set(bits(dut.biases), packed[1][sent if send else rng.integers(count)])
            ctx.set(dut.result_valid, comes)
            ctx.set(bits(dut.results), packed[2][number])
            ready = rng.random() < pace
            ctx.set(dut.o.ready, ready)
            *_, valid, taken, payload = await ctx.tick().sample(
                dut.o.valid, dut.taken, bits(dut.o.payload)
            )
            # A word is there a cycle after its values, two after its accumulators.
            assert valid == bool(under_way and under_way[0] + max(delay + 1, 2) <= cycle)
            assert taken == (valid and ready)
            waits += len(under_way) == queue_words
            if taken:
                words.append(payload)
                under_way.popleft()
            if send:
                under_way.append(cycle)
                due.append((cycle + delay, sent))
                sent += 1
            if len(words) == count:
                return
        raise AssertionError(f"{count - len(words)} words did not come")

    run(dut, testbench)
    found = unpack_items(dut.o.payload.shape(), words)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, name)
    assert waits > 20 or pace == 1


def test_a_word_a_cycle():
    dut, delay = LogitsPath(inputs=2, queue_words=8), 6
    seen = []

    async def testbench(ctx):
        ctx.set(dut.valid, 1)
        ctx.set(dut.o.ready, 1)
        for cycle in range(40):
            ctx.set(dut.accumulators[0], cycle)
            ctx.set(dut.result_valid, cycle >= delay)
            ctx.set(dut.results[1], cycle - delay)
            *_, valid, word = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            seen.append((word.accumulators[0], word.logits[1]) if valid else None)

    run(dut, testbench)
    assert seen == [None] * (delay + 1) + [(word, word) for word in range(39 - delay)]


def test_widths_that_the_host_reads():
    """Whatever an accumulator has, the host reads 32 bits of it and 8 of its value."""
    for accumulator_bits, activation_bits in ((16, 4), (32, 8)):
        dut = LogitsPath(
            inputs=4,
            frames=2,
            queue_words=8,
            accumulator_bits=accumulator_bits,
            activation_bits=activation_bits,
        )
        assert data.Layout.cast(dut.o.payload.shape()).size == 8 * (32 + 8)


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("inputs", 0, ValueError, "Inputs must be a positive integer, not 0"),
        ("frames", "2", TypeError, "Frames must be a positive integer, not '2'"),
        (
            "accumulator_bits",
            15,
            ValueError,
            "Accumulator bits must be an integer from 16 to 32, not 15",
        ),
        ("activation_bits", 9, ValueError, "Activation bits must be an integer from 4 to 8, not 9"),
        ("queue_words", 0, ValueError, "Queue words must be a positive integer, not 0"),
    ],
)
def test_bad_parameters(name, value, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        LogitsPath(**{**dict(inputs=4, queue_words=8), name: value})


@pytest.mark.parametrize("frames", [1, 2])
def test_conversion(frames):
    check_conversion(
        lambda: LogitsPath(inputs=4, frames=frames, queue_words=8, accumulator_bits=24)
    )
