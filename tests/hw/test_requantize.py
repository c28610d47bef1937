"""Requantisation against the golden arithmetic."""

import numpy as np
import pytest
from amaranth.lib import data

from mnv2.hw.requantize import Requantize
from tests.hw.harness import (
    check_conversion,
    cycles_per_item,
    latencies,
    pack_items,
    simulate,
    unpack_items,
)
from tests.hw.rescaling import draw_requantize

LANES = [(1, 1), (4, 2), (4, 7)]


def run(fields, *, channels, pixels, bits=8, seed=0, **options):
    """Send items through a new unit: results by member, and the trace."""
    unit = Requantize(channels=channels, pixels=pixels, activation_bits=bits)
    items = pack_items(unit.i.payload.shape(), fields)
    trace = simulate(unit, {"i": items}, {"o": len(items)}, seed=seed, **options)
    return unpack_items(unit.o.payload.shape(), trace.items["o"]), trace


def check(seed, count, *, channels, pixels, bits=8, **options):
    """Compare a draw of items with golden; returns the trace."""
    lanes = dict(channels=channels, pixels=pixels, bits=bits)
    fields, expected = draw_requantize(np.random.default_rng(seed), count, **lanes)
    results, trace = run(fields, seed=seed, **lanes, **options)
    np.testing.assert_array_equal(results["word"], expected)
    np.testing.assert_array_equal(results["tag"], fields["tag"])
    return trace


@pytest.mark.parametrize("stall", [0.0, 0.4, {"i": 0.6}, {"o": 0.6}])
@pytest.mark.parametrize(("channels", "pixels"), LANES)
def test_equal_to_golden(channels, pixels, stall):
    check(1, max(100, 800 // (channels * pixels)), channels=channels, pixels=pixels, stall=stall)


@pytest.mark.parametrize("bits", [4, 5, 6, 7])
def test_activation_bits(bits):
    check(2, 150, channels=4, pixels=2, bits=bits, stall=0.2)


def test_valid_does_not_wait_for_ready():
    check(3, 100, channels=4, pixels=2, reluctant=True, stall={"o": 0.3})


@pytest.mark.parametrize(("channels", "pixels"), LANES)
def test_latency_and_rate(channels, pixels):
    trace = check(4, 100, channels=channels, pixels=pixels)
    assert Requantize.latency == 7
    assert Requantize.cycles_per_item == 1
    assert set(latencies(trace)) == {Requantize.latency}
    assert set(cycles_per_item(trace)) == {Requantize.cycles_per_item}


@pytest.mark.parametrize(
    ("accumulator", "bias", "multiplier", "shift", "expected"),
    [
        (3, 0, 2**30, 0, 2),  # SRDHM: 1.5 upwards
        (-3, 0, 2**30, 0, -1),  # SRDHM: -1.5 upwards
        (6, 0, 2**30, 1, 2),  # RDBPOT: 1.5 away from zero
        (-6, 0, 2**30, 1, -2),  # RDBPOT: -1.5 away from zero
        (5, 0, 2**30, 1, 2),  # 2.5 to 3, 1.5 to 2: rounded twice
        (-1, 0, 2**30, 1, 0),  # -0.5 upwards to 0
        (2**31 - 1, 0, 2**31 - 1, 31, 1),
        (-(2**31), 0, 2**31 - 1, 31, -1),
        (2**31 - 1, 1, 2**30, 26, -16),  # the bias wraps
        (-(2**31), -1, 2**30, 26, 16),
        (3, 0, 2**30, -3, 12),
        (0x30000001, 0, 2**30, -4, 8),  # the left shift wraps
        (0x08000000, 0, 2**30, -4, -128),  # into the sign
        (3, 0, 2**30, -30, -128),  # the farthest left shift
        (12345, -777, 0, 0, 0),
        (100, 28, 2**31 - 1, 0, 127),  # clamped
    ],
)
def test_single_values(accumulator, bias, multiplier, shift, expected):
    fields = {
        "accumulators": np.array([[[accumulator]]]),
        "tag": np.array([1]),
        "parameters": {
            "bias": np.array([[bias]]),
            "multiplier": np.array([[multiplier]]),
            "shift": np.array([[shift]]),
        },
        "range": {
            "zero_point": np.array([0]),
            "minimum": np.array([-128]),
            "maximum": np.array([127]),
        },
    }
    results, _ = run(fields, channels=1, pixels=1)
    assert results["word"].item() == expected


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("shift", 32, "Shift of 32 is outside -30 to 31"),
        ("shift", -31, "Shift of -31 is outside -30 to 31"),
        ("multiplier", -1, "Multiplier of -1 is negative"),
        ("minimum", -129, "Range of -17 to 15 does not fit the activations"),
        ("maximum", 16, "Range of -16 to 16 does not fit the activations"),
    ],
)
def test_unsupported_parameters_stop_the_simulation(field, value, message):
    parameters = {"bias": 0, "multiplier": 2**30, "shift": 0}
    limits = {"zero_point": 0, "minimum": -16, "maximum": 15}
    if field in parameters:
        parameters[field] = value
    else:
        limits[field] = max(value, -17)
    fields = {
        "accumulators": np.zeros((1, 1, 1), int),
        "tag": np.zeros(1, int),
        "parameters": {name: np.array([[value]]) for name, value in parameters.items()},
        "range": {name: np.array([value]) for name, value in limits.items()},
    }
    with pytest.raises(AssertionError, match=message):
        run(fields, channels=1, pixels=1, bits=5)


def test_tag_of_any_shape():
    shape = data.StructLayout({"address": 9, "last": 1})
    fields, expected = draw_requantize(np.random.default_rng(5), 100, channels=1, pixels=2)
    fields["tag"] = {"address": np.arange(100) * 5, "last": np.arange(100) % 2}
    unit = Requantize(channels=1, pixels=2, tag_shape=shape)
    items = pack_items(unit.i.payload.shape(), fields)
    trace = simulate(unit, {"i": items}, {"o": 100}, seed=5, stall=0.3)
    results = unpack_items(unit.o.payload.shape(), trace.items["o"])
    np.testing.assert_array_equal(results["word"], expected)
    for name, values in fields["tag"].items():
        np.testing.assert_array_equal(results["tag"][name], values)


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("channels", 0, ValueError, "Channels must be a positive integer, not 0"),
        ("pixels", "two", TypeError, "Pixels must be a positive integer, not 'two'"),
        ("activation_bits", 9, ValueError, "Activation bits must be an integer from 4 to 8, not 9"),
        ("activation_bits", 3, ValueError, "Activation bits must be an integer from 4 to 8, not 3"),
    ],
)
def test_bad_parameters(name, value, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        Requantize(**{**dict(channels=1, pixels=1), name: value})


def test_conversion():
    check_conversion(lambda: Requantize(channels=4, pixels=2, activation_bits=6))
