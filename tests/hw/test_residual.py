"""Residual addition against the golden arithmetic."""

import numpy as np
import pytest
from amaranth.lib import data

from mnv2.golden.ops import add
from mnv2.hw.residual import ResidualAdd
from tests.hw.harness import (
    check_conversion,
    cycles_per_item,
    latencies,
    pack_items,
    simulate,
    unpack_items,
)
from tests.hw.rescaling import draw_add

# channels, pixels, lanes
LANES = [(1, 1, 1), (4, 2, 1), (4, 2, 2), (4, 2, 8), (4, 7, 7), (4, 7, 28)]

#: Every way of multiplying and rounding, by what distinguishes it.
VARIANTS = {
    "double": {},
    "7_series": {"operand_bits": 25},
    "ecp5": {"operand_bits": 18},
    "luts": {"multipliers_in_luts": True},
    "single": {"rounding": "single"},
    "single_ecp5": {"rounding": "single", "operand_bits": 18},
    "single_luts": {"rounding": "single", "multipliers_in_luts": True},
}


def run(
    fields,
    *,
    channels,
    pixels,
    lanes,
    bits=8,
    rounding="double",
    operand_bits=27,
    multipliers_in_luts=False,
    seed=0,
    **options,
):
    """Send items through a new unit: results by member, and the trace."""
    unit = ResidualAdd(
        channels=channels,
        pixels=pixels,
        lanes=lanes,
        rounding=rounding,
        operand_bits=operand_bits,
        multipliers_in_luts=multipliers_in_luts,
        activation_bits=bits,
    )
    items = pack_items(unit.i.payload.shape(), fields)
    trace = simulate(unit, {"i": items}, {"o": len(items)}, seed=seed, **options)
    return unpack_items(unit.o.payload.shape(), trace.items["o"]), trace


def check(seed, count, *, channels, pixels, lanes, bits=8, rounding="double", **options):
    """Compare a draw of items with golden; returns the trace."""
    word = dict(channels=channels, pixels=pixels, bits=bits, rounding=rounding)
    fields, expected = draw_add(np.random.default_rng(seed), count, **word)
    results, trace = run(fields, seed=seed, lanes=lanes, **word, **options)
    np.testing.assert_array_equal(results["word"], expected)
    np.testing.assert_array_equal(results["tag"], fields["tag"])
    return trace


@pytest.mark.parametrize("stall", [0.0, 0.4, {"i": 0.6}, {"o": 0.6}])
@pytest.mark.parametrize(("channels", "pixels", "lanes"), LANES)
def test_equal_to_golden(channels, pixels, lanes, stall):
    check(
        1,
        max(60, 600 // (channels * pixels)),
        channels=channels,
        pixels=pixels,
        lanes=lanes,
        stall=stall,
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant(variant):
    check(7, 200, channels=4, pixels=2, lanes=4, stall=0.3, **VARIANTS[variant])


@pytest.mark.parametrize("bits", [4, 5, 6, 7])
def test_activation_bits(bits):
    check(2, 150, channels=4, pixels=2, lanes=4, bits=bits, stall=0.2)


def test_valid_does_not_wait_for_ready():
    check(3, 100, channels=4, pixels=2, lanes=4, reluctant=True, stall={"o": 0.3})


@pytest.mark.parametrize(("channels", "pixels", "lanes"), LANES)
def test_latency_and_rate(channels, pixels, lanes):
    trace = check(4, 80, channels=channels, pixels=pixels, lanes=lanes)
    unit = ResidualAdd(channels=channels, pixels=pixels, lanes=lanes)
    assert unit.cycles_per_item == channels * pixels // lanes
    assert unit.latency == 10 + unit.cycles_per_item
    assert set(latencies(trace)) == {unit.latency}
    assert set(cycles_per_item(trace)) == {unit.cycles_per_item}


def test_latency_with_gaps():
    # A word's latency does not depend on the words before it.
    trace = check(5, 80, channels=4, pixels=2, lanes=4, stall={"i": 0.7})
    assert set(latencies(trace)) == {ResidualAdd(channels=4, pixels=2, lanes=4).latency}


def single_item(a, b, parameters, limits):
    """One element of each input, with its parameters."""
    return {
        "a": np.full((1, 1, 1), a),
        "b": np.full((1, 1, 1), b),
        "tag": np.zeros(1, int),
        "parameters": {name: np.array([value]) for name, value in parameters.items()}
        | {"range": {name: np.array([value]) for name, value in limits.items()}},
    }


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("plain", ["a", "b"])
@pytest.mark.parametrize(("q", "zero_point", "expected"), [(127, -128, 48), (-128, 127, -48)])
def test_largest_sum(q, zero_point, expected, plain, variant):
    # Both differences are +-255, one is halved, the other one not scaled down: 382.5 * 2**20, which
    # needs 30 bits. It is then divided by 2**23: 47.8.
    other = {"a": "b", "b": "a"}[plain]
    largest = 2**31 - 2**15
    parameters = dict.fromkeys(("a_zero_point", "b_zero_point"), zero_point)
    parameters |= {f"{plain}_multiplier": 2**30, f"{other}_multiplier": largest}
    parameters |= dict(a_shift=0, b_shift=0, multiplier=2**30, shift=22)
    limits = {"zero_point": 0, "minimum": -128, "maximum": 127}
    sides = [(zero_point, parameters[f"{name}_multiplier"], 0) for name in "ab"]
    word = np.full((1, 1, 1), q)
    rounding = VARIANTS[variant].get("rounding", "double")
    assert add(word, word, *sides, 2**30, 22, 0, -128, 127, rounding).item() == expected
    fields = single_item(q, q, parameters, limits)
    results, _ = run(fields, channels=1, pixels=1, lanes=1, **VARIANTS[variant])
    assert results["word"].item() == expected


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("a_shift", 32, "Shift of 32 is outside 0 to 31"),
        ("b_shift", -1, "Shift of -1 is outside 0 to 31"),
        ("shift", -1, "Shift of -1 is outside 0 to 31"),
        ("a_multiplier", -1, "Multiplier of -1 is negative"),
        ("b_multiplier", -5, "Multiplier of -5 is negative"),
        ("multiplier", -1, "Multiplier of -1 is negative"),
        ("a_multiplier", 2**30 + 1, "Neither input has the factor 1/2"),
        ("a_shift", 1, "Neither input has the factor 1/2"),
        ("minimum", -17, "Range of -17 to 15 does not fit the activations"),
        ("maximum", 16, "Range of -16 to 16 does not fit the activations"),
    ],
)
def test_unsupported_parameters_stop_the_simulation(field, value, message):
    parameters = dict.fromkeys(("a_zero_point", "a_shift", "b_zero_point", "shift"), 0)
    parameters |= dict.fromkeys(("a_multiplier", "multiplier"), 2**30)
    parameters |= dict(b_multiplier=2**30 + 2**20, b_shift=1)
    limits = {"zero_point": 0, "minimum": -16, "maximum": 15}
    (parameters if field in parameters else limits)[field] = value
    fields = single_item(0, 0, parameters, limits)
    with pytest.raises(AssertionError, match=message):
        run(fields, channels=1, pixels=1, lanes=1, bits=5)


def test_tag_of_any_shape():
    shape = data.StructLayout({"address": 9, "last": 1})
    fields, expected = draw_add(np.random.default_rng(6), 60, channels=2, pixels=2)
    fields["tag"] = {"address": np.arange(60) * 5, "last": np.arange(60) % 2}
    unit = ResidualAdd(channels=2, pixels=2, lanes=2, tag_shape=shape)
    items = pack_items(unit.i.payload.shape(), fields)
    trace = simulate(unit, {"i": items}, {"o": 60}, seed=6, stall=0.3)
    results = unpack_items(unit.o.payload.shape(), trace.items["o"])
    np.testing.assert_array_equal(results["word"], expected)
    for name, values in fields["tag"].items():
        np.testing.assert_array_equal(results["tag"][name], values)


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("channels", 0, ValueError, "Channels must be a positive integer, not 0"),
        ("pixels", -1, ValueError, "Pixels must be a positive integer, not -1"),
        ("lanes", 2.0, TypeError, "Lanes must be a positive integer, not 2.0"),
        ("lanes", 3, ValueError, "Lanes must divide the 8 elements of a word, not 3"),
        ("rounding", "half", ValueError, "Rounding must be double or single, not 'half'"),
        ("operand_bits", 19, ValueError, "Operand bits must be 18, 25 or 27, not 19"),
        ("activation_bits", 3, ValueError, "Activation bits must be an integer from 4 to 8, not 3"),
    ],
)
def test_bad_parameters(name, value, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        ResidualAdd(**{**dict(channels=4, pixels=2, lanes=4), name: value})


@pytest.mark.parametrize("variant", VARIANTS)
def test_conversion(variant):
    check_conversion(
        lambda: ResidualAdd(channels=4, pixels=2, lanes=4, activation_bits=6, **VARIANTS[variant])
    )
