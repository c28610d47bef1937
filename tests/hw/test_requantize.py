"""Requantisation against the golden arithmetic."""

import numpy as np
import pytest
from amaranth.lib import data

from mnv2.golden.fixed_point import signed_range
from mnv2.golden.ops import requantize
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

#: Every way of multiplying and rounding, by what distinguishes it.
VARIANTS = {
    "wide": {},
    "wide_ecp5": {"operand_bits": 18},
    "wide_luts": {"multipliers_in_luts": True},
    "wide_single": {"rounding": "single"},
    "narrow": {"accumulator_bits": 27},
    "narrow_7_series": {"accumulator_bits": 27, "operand_bits": 25},
    "narrow_ecp5": {"accumulator_bits": 27, "operand_bits": 18},
    "narrow_luts": {"accumulator_bits": 27, "multipliers_in_luts": True},
    "single": {"accumulator_bits": 27, "rounding": "single"},
    "single_ecp5": {"accumulator_bits": 24, "rounding": "single", "operand_bits": 18},
    "single_luts": {"accumulator_bits": 27, "rounding": "single", "multipliers_in_luts": True},
    "widest": {"accumulator_bits": 28},
    "narrowest": {"accumulator_bits": 16},
    "frames": {"accumulator_bits": 27, "frames": 2},
}


def run(fields, *, bits=8, seed=0, **options):
    """Send items through a new unit: results by member, and the trace."""
    given = {name: options.pop(name) for name in [*options] if name in NAMES}
    unit = Requantize(activation_bits=bits, **given)
    items = pack_items(unit.i.payload.shape(), fields)
    trace = simulate(unit, {"i": items}, {"o": len(items)}, seed=seed, **options)
    return unpack_items(unit.o.payload.shape(), trace.items["o"]), trace


#: Parameters of the unit; `run` hands the other options to the simulator.
NAMES = (
    "channels",
    "pixels",
    "frames",
    "accumulator_bits",
    "rounding",
    "operand_bits",
    "multipliers_in_luts",
)


def check(seed, count, *, bits=8, **options):
    """Compare a draw of items with golden; returns the trace."""
    drawn = ("channels", "pixels", "frames", "accumulator_bits", "rounding")
    given = {name: options[name] for name in options if name in drawn}
    fields, expected = draw_requantize(np.random.default_rng(seed), count, bits=bits, **given)
    results, trace = run(fields, seed=seed, bits=bits, **options)
    np.testing.assert_array_equal(results["word"], expected)
    np.testing.assert_array_equal(results["tag"], fields["tag"])
    return trace


@pytest.mark.parametrize("stall", [0.0, 0.4, {"i": 0.6}, {"o": 0.6}])
@pytest.mark.parametrize(("channels", "pixels"), LANES)
def test_equal_to_golden(channels, pixels, stall):
    check(1, max(100, 800 // (channels * pixels)), channels=channels, pixels=pixels, stall=stall)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant(variant):
    check(7, 400, channels=2, pixels=2, stall=0.3, **VARIANTS[variant])


@pytest.mark.parametrize("variant", ["wide", "narrow", "narrow_luts", "single"])
def test_around_every_half(variant):
    """Values at each half and next to it, for every shift, with small and large multipliers."""
    parameters = VARIANTS[variant]
    bits, rounding = parameters.get("accumulator_bits", 32), parameters.get("rounding", "double")
    low, high = signed_range(bits)
    cases = []
    for shift in range(min(32, bits - 1)):
        for multiplier in (2**30, 2**30 + 2**15, 0x5A820000, 2**31 - 2**15, 2**31 - 1):
            if rounding == "single":
                multiplier &= -(2**15)
            for half in (-7, -5, -3, -2, -1, 1, 2, 3, 5, 7):
                # The accumulator that is scaled to `half` halves.
                middle = half * 2 ** (30 + shift) // multiplier
                cases += [
                    (value, multiplier, shift)
                    for value in range(middle - 1, middle + 2)
                    if low <= value <= high
                ]
    accumulator, multiplier, shift = np.array(cases).T
    expected = requantize(accumulator, multiplier, shift, 0, -128, 127, rounding)
    count = len(cases)
    fields = {
        "accumulators": accumulator[:, None, None],
        "tag": np.zeros(count, int),
        "parameters": {
            "bias": np.zeros((count, 1), int),
            "multiplier": multiplier[:, None],
            "shift": shift[:, None],
        },
        "range": {
            "zero_point": np.zeros(count, int),
            "minimum": np.full(count, -128),
            "maximum": np.full(count, 127),
        },
    }
    results, _ = run(fields, channels=1, pixels=1, **parameters)
    np.testing.assert_array_equal(results["word"].reshape(-1), expected)


@pytest.mark.parametrize("bits", [4, 5, 6, 7])
def test_activation_bits(bits):
    check(2, 150, channels=4, pixels=2, bits=bits, stall=0.2)


def test_valid_does_not_wait_for_ready():
    check(3, 100, channels=4, pixels=2, reluctant=True, stall={"o": 0.3})


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("channels", "pixels"), LANES[:2])
def test_latency_and_rate(channels, pixels, variant):
    lanes = dict(channels=channels, pixels=pixels, **VARIANTS[variant])
    trace = check(4, 200, **lanes)
    unit = Requantize(**lanes)
    assert unit.latency == (6 if "single" in variant else 7)
    assert unit.cycles_per_item == 1
    assert set(latencies(trace)) == {unit.latency}
    assert set(cycles_per_item(trace)) == {unit.cycles_per_item}


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
    ("variant", "field", "value", "message"),
    [
        ("wide", "shift", 32, "Shift of 32 is outside -30 to 31"),
        ("wide", "shift", -31, "Shift of -31 is outside -30 to 31"),
        ("wide_single", "shift", -1, "Shift of -1 is outside 0 to 31"),
        ("wide", "multiplier", -1, "Multiplier of -1 is negative"),
        ("single", "multiplier", 2**30 + 1, "Multiplier of 1073741825 has more than 16 bits"),
        ("narrowest", "bias", 2**15, "Bias of 32768 does not fit 16 bits"),
        ("narrowest", "bias", -(2**15) - 1, "Bias of -32769 does not fit 16 bits"),
        ("wide", "minimum", -129, "Range of -17 to 15 does not fit the activations"),
        ("narrow", "maximum", 16, "Range of -16 to 16 does not fit the activations"),
    ],
)
def test_unsupported_parameters_stop_the_simulation(variant, field, value, message):
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
        run(fields, channels=1, pixels=1, bits=5, **VARIANTS[variant])


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
        ("frames", 0, ValueError, "Frames must be a positive integer, not 0"),
        ("accumulator_bits", 15, ValueError, "Accumulator bits must be an integer from 16 to 32.*"),
        ("accumulator_bits", 30, ValueError, "Accumulator bits must be 16, .*, 28 or 32, not 30"),
        ("rounding", "none", ValueError, "Rounding must be double or single, not 'none'"),
        ("operand_bits", 24, ValueError, "Operand bits must be 18, 25 or 27, not 24"),
        ("activation_bits", 9, ValueError, "Activation bits must be an integer from 4 to 8, not 9"),
        ("activation_bits", 3, ValueError, "Activation bits must be an integer from 4 to 8, not 3"),
    ],
)
def test_bad_parameters(name, value, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        Requantize(**{**dict(channels=1, pixels=1), name: value})


@pytest.mark.parametrize("variant", VARIANTS)
def test_conversion(variant):
    check_conversion(
        lambda: Requantize(channels=4, pixels=2, activation_bits=6, **VARIANTS[variant])
    )
