"""The multiplier array against sums of products in numpy."""

import itertools
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from mnv2.hw.config import OPERAND_BITS, packed_products
from mnv2.hw.mac_array import MacArray
from mnv2.sim.rtl.multipliers import find_multipliers
from mnv2.sim.rtl.verilog import convert
from tests.hw.harness import (
    check_conversion,
    cycles_per_item,
    latencies,
    pack_items,
    simulate,
    unpack_items,
)

# outputs, inputs, pixels
LANES = [(9, 1, 1), (9, 3, 2), (12, 4, 2), (16, 2, 1), (16, 4, 2)]
#: Every way in which products share multipliers, and every width of a multiplier that has one.
PACKED = {
    "pixels": dict(packing="pixels"),
    "frames": dict(packing="frames", frames=2),
    "frames apart": dict(frames=2),
    "pixels of two frames": dict(packing="pixels", frames=2),
    "DSP48E1": dict(packing="pixels", operand_bits=25),
    "ECP5": dict(packing="pixels", operand_bits=18, activation_bits=4),
    "ECP5, frames": dict(packing="frames", frames=2, operand_bits=18, activation_bits=4),
    "4 bits": dict(packing="pixels", operand_bits=18, weight_bits=4, activation_bits=4),
    "6 bits": dict(packing="pixels", operand_bits=25, weight_bits=6, activation_bits=6),
}
POINTWISE, DEPTHWISE, NEITHER = range(3)


def draw(unit, rng, count, kinds):
    """Random items by member of ``i``."""
    word = (unit.pixels, unit.frames * unit.inputs)

    def values(bits, *shape):
        low, high = -(1 << bits - 1), (1 << bits - 1) - 1
        drawn = rng.integers(low, high + 1, (count, *shape))
        drawn = np.where(rng.random(drawn.shape) < 0.1, rng.choice([low, high], drawn.shape), drawn)
        # Sums of the largest products are those that need every bit.
        extreme = rng.choice([low, high], (count,) + (1,) * len(shape))
        return np.where(rng.random(extreme.shape) < 0.2, extreme, drawn)

    kind = rng.choice(kinds, count)
    items = {
        "x": values(unit.activation_bits, *word),
        "weights": values(unit.weight_bits, unit.outputs, unit.inputs),
        "windows": values(unit.activation_bits, *word, 9),
        "taps": values(unit.weight_bits, unit.inputs, 9),
        "first": rng.integers(0, 4, count) == 0,
        "pointwise": kind == POINTWISE,
        "depthwise": kind == DEPTHWISE,
        "tag": rng.integers(0, 32, count),
    }
    items["first"][np.flatnonzero(items["pointwise"])[:1]] = True
    return items


def expect(unit, items):
    """Members of ``o`` that items are to give."""
    count = len(items["tag"])
    lanes = (count, unit.pixels, unit.frames, unit.inputs)
    half = 1 << unit.accumulator_bits - 1

    def offset(values):
        return values + (1 << unit.activation_bits - 1)

    def wrap(values):
        return (values + half) % (2 * half) - half

    products = np.einsum("npfi,noi->npfo", offset(items["x"]).reshape(lanes), items["weights"])
    accumulator, accumulators = np.zeros(products.shape[1:], np.int64), []
    for n in range(count):
        if items["pointwise"][n]:
            accumulator = products[n] + (0 if items["first"][n] else accumulator)
        accumulators.append(accumulator)
    # [N][pixel][frame][output] to [N][output // inputs][pixel][frame * inputs + output % inputs]
    words = unit.outputs // unit.inputs
    by_word = np.array(accumulators).reshape(*lanes[:3], words, unit.inputs)
    by_word = by_word.transpose(0, 3, 1, 2, 4).reshape(count, words, unit.pixels, -1)
    windows = offset(items["windows"]).reshape(*lanes, 9)
    sums = np.einsum("npfit,nit->npfi", windows, items["taps"])
    return {
        "accumulators": wrap(by_word),
        "sums": wrap(sums).reshape(count, unit.pixels, -1),
        "pointwise": items["pointwise"],
        "depthwise": items["depthwise"],
        "tag": items["tag"],
    }


def compare(unit, items, *, seed, **options):
    """Run items and compare with numpy; returns the trace."""
    count, expected, layout = len(items["tag"]), expect(unit, items), unit.i.payload.shape()
    trace = simulate(
        unit,
        {"i": pack_items(layout, {name: items[name] for name in layout.members})},
        {"o": count},
        seed=seed,
        deadline=100 + 10 * count,
        **options,
    )
    results = unpack_items(unit.o.payload.shape(), trace.items["o"])
    for name, values in results.items():
        # Sums belong to the item; accumulators stay over the items that are not steps.
        selected = expected["depthwise"] if name == "sums" else slice(None)
        if name == "accumulators":
            selected = np.arange(count) >= np.flatnonzero(expected["pointwise"])[0]
        np.testing.assert_array_equal(values[selected], expected[name][selected], name)
    return trace


def check(
    seed,
    count,
    outputs,
    inputs,
    pixels,
    *,
    stall=0.0,
    kinds=(POINTWISE, DEPTHWISE, NEITHER),
    reluctant=False,
    **parameters,
):
    """Compare random items with numpy; returns unit and trace."""
    unit = MacArray(outputs=outputs, inputs=inputs, pixels=pixels, tag_shape=5, **parameters)
    items = draw(unit, np.random.default_rng(seed), count, kinds)
    return unit, compare(unit, items, seed=seed, stall=stall, reluctant=reluctant)


@pytest.mark.parametrize("stall", [0.0, 0.4])
@pytest.mark.parametrize("lanes", LANES)
def test_steps_and_windows_interleaved(lanes, stall):
    check(1, 80, *lanes, stall=stall)


def test_base_lanes():
    check(2, 24, 16, 4, 7, stall=0.2)


@pytest.mark.parametrize(
    ("weight_bits", "activation_bits"), [(4, 4), (4, 8), (8, 4), (5, 6), (7, 7)]
)
def test_bits(weight_bits, activation_bits):
    check(3, 60, 12, 2, 1, weight_bits=weight_bits, activation_bits=activation_bits, stall=0.2)


@pytest.mark.parametrize("lanes", [(1, 1, 1), (4, 2, 2), (3, 3, 1)])
def test_pointwise_alone(lanes):
    _, trace = check(4, 60, *lanes, kinds=(POINTWISE, NEITHER), depthwise=False, stall=0.2)
    assert len(trace.items["o"]) == 60


@pytest.mark.parametrize(("outputs", "inputs", "pixels"), [(9, 1, 1), (12, 4, 2), (11, 11, 1)])
def test_depthwise_alone(outputs, inputs, pixels):
    check(5, 60, outputs, inputs, pixels, kinds=(DEPTHWISE, NEITHER), pointwise=False, stall=0.2)


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("lanes", [(12, 4, 2), (9, 3, 3)])
def test_products_that_share_a_multiplier(name, lanes):
    check(9, 50, *lanes, stall=0.2, **PACKED[name])


@pytest.mark.parametrize(
    ("lut_outputs", "options"),
    [
        (1, {}),
        (12, {}),
        (5, {"packing": "pixels"}),
        (12, {"packing": "frames", "frames": 2, "operand_bits": 25}),
        (7, {"weight_bits": 4, "activation_bits": 4}),
        (3, {"weight_bits": 5, "activation_bits": 7, "accumulator_bits": 18}),
    ],
)
@pytest.mark.parametrize("lanes", [(12, 4, 3), (12, 3, 2)])
def test_products_in_luts(lanes, lut_outputs, options):
    check(10, 60, *lanes, stall=0.2, lut_outputs=lut_outputs, **options)


# Sums of four packed products, added in a stage of their own: those in LUTs come as late.
@pytest.mark.parametrize("lanes", [(9, 1, 2), (10, 5, 3), (16, 16, 2)])
def test_products_in_luts_with_several_packed_sums(lanes):
    check(11, 40, *lanes, packing="pixels", lut_outputs=lanes[0] // 2, stall=0.2)


def test_products_in_luts_of_one_kind():
    check(12, 60, 4, 2, 2, kinds=(POINTWISE, NEITHER), depthwise=False, lut_outputs=3)
    check(13, 60, 12, 4, 2, kinds=(DEPTHWISE, NEITHER), pointwise=False, lut_outputs=6)


@pytest.mark.parametrize(("lut_outputs", "left"), [(0, 16), (1, 15), (6, 10), (16, 0)])
def test_outputs_in_luts_take_no_multipliers(lut_outputs, left):
    array = MacArray(outputs=16, inputs=4, pixels=3, packing="pixels", lut_outputs=lut_outputs)
    assert sum(find_multipliers(convert(array)).values()) == left * 4 * 2


# One product, five and sixteen of a lane: the sums of four are added after they are split.
@pytest.mark.parametrize("lanes", [(9, 1, 2), (10, 5, 3), (16, 16, 2)])
def test_lanes_of_several_packed_sums(lanes):
    check(9, 40, *lanes, packing="pixels", stall=0.2)


@pytest.mark.parametrize("name", ["pixels", "frames", "DSP48E1"])
@pytest.mark.parametrize("lanes", [(10, 5, 2), (9, 1, 2)])
def test_pairs_of_one_kind_of_work(name, lanes):
    check(10, 40, *lanes, kinds=(POINTWISE, NEITHER), depthwise=False, **PACKED[name])
    check(11, 40, *lanes, kinds=(DEPTHWISE, NEITHER), pointwise=False, **PACKED[name])


def test_base_lanes_in_pairs():
    check(12, 24, 16, 4, 7, packing="pixels", stall=0.2)


def test_every_pair_of_4_bits():
    """All weights at once, against all pairs of activations."""
    unit = MacArray(
        outputs=16,
        inputs=1,
        pixels=2,
        packing="pixels",
        operand_bits=18,
        weight_bits=4,
        activation_bits=4,
        depthwise=False,
    )
    pairs = np.array(list(itertools.product(range(-8, 8), repeat=2)))
    compare(unit, steps(unit, pairs[:, :, None], np.arange(-8, 8)[:, None]), seed=13)


@pytest.mark.parametrize(
    "parameters",
    [
        dict(operand_bits=27, inputs=4),
        dict(operand_bits=27, inputs=4, weight_bits=6),
        dict(operand_bits=27, inputs=9),
        dict(operand_bits=25, inputs=4),
        dict(operand_bits=25, inputs=4, weight_bits=6),
        dict(operand_bits=18, inputs=4, activation_bits=4),
        dict(operand_bits=18, inputs=8, activation_bits=4, weight_bits=6),
    ],
)
def test_sums_at_the_edge_of_the_field(parameters):
    """Products that are all the largest or the smallest, in either pixel."""
    unit = MacArray(
        outputs=parameters["inputs"], pixels=2, packing="pixels", depthwise=False, **parameters
    )

    def corners(bits):
        low = -(1 << bits - 1)
        return np.array([low, low + 1, -1, 0, 1, -low - 1])

    pairs = np.array(list(itertools.product(corners(unit.activation_bits), repeat=2)))
    x = np.repeat(pairs[:, :, None], unit.inputs, 2)
    for weight in corners(unit.weight_bits):
        compare(unit, steps(unit, x, np.full((unit.outputs, unit.inputs), weight)), seed=14)


def steps(unit, x, weights):
    """Items of 1x1 steps, each a sum of its own, of words ``x`` with the same weights."""
    ones = np.ones(len(x), int)
    return {
        "x": x,
        "weights": np.repeat(weights[None], len(x), 0),
        "windows": np.zeros((len(x), unit.pixels, unit.frames * unit.inputs, 9), int),
        "taps": np.zeros((len(x), unit.inputs, 9), int),
        "first": ones,
        "pointwise": ones,
        "depthwise": 0 * ones,
        "tag": 0 * ones,
    }


@pytest.mark.parametrize("bits", [16, 20, 27])
@pytest.mark.parametrize("packing", ["none", "pixels"])
def test_narrow_accumulators_wrap(bits, packing):
    check(15, 80, 12, 4, 2, accumulator_bits=bits, packing=packing, kinds=(POINTWISE, DEPTHWISE))


def test_long_sum():
    # The most steps of this network, 1280 channels at one lane, of the smallest product.
    unit = MacArray(outputs=1, inputs=1, pixels=1, depthwise=False)
    items = steps(unit, np.full((1280, 1, 1), 127), np.full((1, 1), -128))
    items["first"] = np.arange(1280) == 0
    compare(unit, items, seed=6)


def test_valid_does_not_wait_for_ready():
    check(7, 50, 9, 1, 1, reluctant=True, stall={"o": 0.3})


@pytest.mark.parametrize(
    ("lanes", "parameters", "latency"),
    [
        ((9, 1, 1), dict(), 4),
        ((16, 4, 2), dict(), 4),
        ((16, 16, 1), dict(), 4),
        ((12, 4, 2), dict(packing="pixels"), 4),
        ((12, 4, 1), dict(packing="frames", frames=2), 4),
        # Sums of four products and one; of one product each; of two and one.
        ((10, 5, 2), dict(packing="pixels"), 5),
        ((12, 4, 2), dict(packing="pixels", operand_bits=25), 4),
        ((9, 3, 2), dict(packing="pixels", operand_bits=18, activation_bits=4), 5),
    ],
)
def test_latency_and_rate(lanes, parameters, latency):
    unit, trace = check(8, 50, *lanes, **parameters)
    assert unit.latency == latency
    assert set(latencies(trace)) == {latency}
    assert set(cycles_per_item(trace)) == {1}


@pytest.mark.parametrize("packing", ["none", "pixels"])
def test_conversion(packing):
    check_conversion(lambda: MacArray(outputs=9, inputs=1, pixels=2, packing=packing))


@pytest.mark.parametrize(
    ("kinds", "count"), [(dict(), 20), (dict(depthwise=False), 20), (dict(pointwise=False), 18)]
)
def test_multipliers(kinds, count):
    # As many as the lanes say, no more for two kinds of work than for one; for windows nine a lane.
    assert convert(MacArray(outputs=10, inputs=2, pixels=1, **kinds)).count(" * ") == count


@pytest.mark.parametrize(
    ("parameters", "products"),
    [
        (dict(), {1: 48}),
        # Three pixels are a pair and one that is alone.
        (dict(packing="pixels"), {2: 16, 1: 16}),
        (dict(frames=2, packing="frames"), {2: 48}),
        (dict(frames=2, packing="pixels"), {2: 32, 1: 32}),
        (dict(frames=2), {1: 96}),
        (dict(packing="pixels", operand_bits=25), {2: 16, 1: 16}),
        (dict(packing="pixels", operand_bits=18, activation_bits=4, pixels=4), {2: 32}),
    ],
)
def test_multipliers_by_their_products(parameters, products):
    array = MacArray(**dict(outputs=8, inputs=2, pixels=3, depthwise=False) | parameters)
    found = Counter()
    for (_, wide, narrow, count), multipliers in find_multipliers(convert(array)).items():
        assert (wide, narrow) == tuple(sorted((array.activation_bits, 8), reverse=True))
        found[count] += multipliers
    assert found == products


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        (dict(outputs=0), ValueError, "Outputs must be a positive integer, not 0"),
        (dict(inputs=1.5), TypeError, "Inputs must be a positive integer, not 1.5"),
        (dict(pixels=None), TypeError, "Pixels must be a positive integer, not None"),
        (dict(outputs=15), ValueError, r"Outputs must be a multiple of inputs \(4\), not 15"),
        (
            dict(outputs=8),
            ValueError,
            "Outputs must be at least 9, the taps of a 3x3 kernel, not 8",
        ),
        (dict(weight_bits=3), ValueError, "Weight bits must be an integer from 4 to 8, not 3"),
        (
            dict(activation_bits=9),
            ValueError,
            "Activation bits must be an integer from 4 to 8, not 9",
        ),
        (
            dict(pointwise=False, depthwise=False),
            ValueError,
            "An array must be for pointwise work, for depthwise work, or for both",
        ),
        (dict(frames=3), ValueError, "Frames must be an integer from 1 to 2, not 3"),
        (
            dict(accumulator_bits=15),
            ValueError,
            "Accumulator bits must be an integer from 16 to 32, not 15",
        ),
        (dict(lut_outputs=17), ValueError, "LUT outputs must be an integer from 0 to 16, not 17"),
        (dict(operand_bits=26), ValueError, "Operand bits must be 18, 25 or 27, not 26"),
        (dict(operand_bits="27"), TypeError, "Operand bits must be 18, 25 or 27, not '27'"),
        (
            dict(packing="outputs"),
            ValueError,
            "Packing must be one of none, pixels, frames, not 'outputs'",
        ),
        (dict(packing="frames"), ValueError, "Packing can be frames only with 2 frames, not 1"),
        (
            dict(packing="pixels", operand_bits=18, activation_bits=5),
            ValueError,
            (
                "Packing must be none: a multiplier of 18 x 18 bits holds no two products of "
                "5-bit activations with a 8-bit weight"
            ),
        ),
    ],
)
def test_bad_parameters(parameters, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        MacArray(**{**dict(outputs=16, inputs=4, pixels=2), **parameters})


def test_readme_says_how_many_products_may_be_added():
    readme = (Path(__file__).parents[2] / "hw" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d\d) \| .*? \| (.*) \|$", readme, re.M)
    assert {int(bits): cells.split(" | ") for bits, cells in rows} == {
        bits: [str(packed_products(bits, width, 8) or "none") for width in range(4, 9)]
        for bits in OPERAND_BITS
    }
