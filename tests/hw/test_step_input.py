"""Activations of a step, chosen by numpy too."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from mnv2.hw.config import IMAGE_CHANNELS, TAPS
from mnv2.hw.step_input import StepInput
from tests.hw.harness import check_conversion, pack_items, unpack_items
from tests.hw.testbench import bits

# inputs, frames, pixels, activation_bits; 27 values of a window are cut into 9, 7, 4, 2 and 1 steps
LANES = [(3, 1, 2, 8), (4, 1, 7, 8), (4, 2, 2, 8), (8, 2, 1, 6), (16, 1, 2, 8), (27, 1, 1, 4)]


@pytest.mark.parametrize(("inputs", "frames", "pixels", "activation_bits"), LANES)
def test_equal_to_numpy(inputs, frames, pixels, activation_bits):
    dut = StepInput(inputs=inputs, frames=frames, pixels=pixels, activation_bits=activation_bits)
    steps = -(-IMAGE_CHANNELS * TAPS // inputs)
    count, rng = 20 * steps, np.random.default_rng(inputs)
    low, high = -(1 << activation_bits - 1), (1 << activation_bits - 1) - 1

    def values(*shape):
        return rng.integers(low, high + 1, (count, pixels, frames, inputs, *shape))

    words = {"map": values(), "strip": values()}
    windows = values(TAPS)
    # Taps of a window, channel by channel within a tap, then zeros, cut into steps.
    taps = windows[..., :IMAGE_CHANNELS, :].swapaxes(-1, -2).reshape(count, pixels, frames, -1)
    padded = np.zeros((count, pixels, frames, steps * inputs), int)
    padded[..., : TAPS * IMAGE_CHANNELS] = taps
    stem = padded.reshape(count, pixels, frames, steps, inputs)

    packed = []
    for port, items in (
        (dut.map_word, words["map"]),
        (dut.strip_word, words["strip"]),
        (dut.windows, windows),
    ):
        joined = items.reshape(count, pixels, frames * inputs, *items.shape[4:])
        packed.append((port, pack_items(port.shape(), joined)))
    kinds = rng.integers(0, 3, count)
    found = []

    async def testbench(ctx):
        for item in range(count):
            for port, items in packed:
                ctx.set(bits(port), items[item])
            # The image's windows are taken even if the other choice says the strip memory.
            ctx.set(dut.from_strip, int(kinds[item] == 1 or kinds[item] == 2 and item % 2))
            ctx.set(dut.from_stem, int(kinds[item] == 2))
            ctx.set(dut.stem_step, item % steps)
            found.append(ctx.get(bits(dut.x)))

    # Gates alone: no clock.
    simulator = Simulator(dut)
    simulator.add_testbench(testbench)
    simulator.run()
    assert len(found) == count
    expected = [
        (words["map"][item], words["strip"][item], stem[item, :, :, item % steps])[kind]
        for item, kind in enumerate(kinds)
    ]
    results = unpack_items(dut.x.shape(), found).reshape(count, pixels, frames, inputs)
    np.testing.assert_array_equal(results, expected)


def test_steps():
    assert [StepInput(inputs=inputs, pixels=1).steps for inputs in (3, 4, 8, 16, 27, 32)] == [
        *(9, 7, 4, 2, 1, 1)
    ]


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("inputs", 2, ValueError, "Inputs must be an integer of at least 3, not 2"),
        ("frames", 0, ValueError, "Frames must be a positive integer, not 0"),
        ("pixels", None, TypeError, "Pixels must be a positive integer, not None"),
        ("activation_bits", 3, ValueError, "Activation bits must be an integer from 4 to 8, not 3"),
    ],
)
def test_bad_parameters(name, value, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        StepInput(**{**dict(inputs=4, pixels=2), name: value})


@pytest.mark.parametrize(("inputs", "frames"), [(4, 1), (4, 2), (32, 1)])
def test_conversion(inputs, frames):
    check_conversion(lambda: StepInput(inputs=inputs, frames=frames, pixels=2))
