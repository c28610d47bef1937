"""The multiplier array against sums of products in numpy."""

import numpy as np
import pytest

from mnv2.hw.mac_array import MacArray
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
POINTWISE, DEPTHWISE, NEITHER = range(3)


def draw(rng, count, outputs, inputs, pixels, weight_bits, activation_bits, kinds):
    """Random items by member of ``i``, and the members of ``o`` that they are to give."""

    def values(bits, *shape):
        drawn = rng.integers(-(1 << bits - 1), 1 << bits - 1, (count, *shape))
        # The product of two minima is the one that needs every bit.
        return np.where(rng.random((count,) + (1,) * len(shape)) < 0.1, -(1 << bits - 1), drawn)

    kind = rng.choice(kinds, count)
    items = {
        "x": values(activation_bits, pixels, inputs),
        "weights": values(weight_bits, outputs, inputs),
        "windows": values(activation_bits, pixels, inputs, 9),
        "taps": values(weight_bits, inputs, 9),
        "first": rng.integers(0, 4, count) == 0,
        "pointwise": kind == POINTWISE,
        "depthwise": kind == DEPTHWISE,
        "tag": rng.integers(0, 32, count),
    }
    items["first"][np.flatnonzero(items["pointwise"])[:1]] = True
    products = np.einsum("npi,noi->npo", items["x"], items["weights"])
    accumulator, accumulators = np.zeros((pixels, outputs), np.int64), []
    for n in range(count):
        if items["pointwise"][n]:
            accumulator = products[n] + (0 if items["first"][n] else accumulator)
        accumulators.append(accumulator)
    # [N][pixel][output] to [N][output // inputs][pixel][output % inputs]
    by_word = np.array(accumulators).reshape(count, pixels, outputs // inputs, inputs)
    return items, {
        "accumulators": by_word.transpose(0, 2, 1, 3),
        "sums": np.einsum("npit,nit->npi", items["windows"], items["taps"]),
        "pointwise": items["pointwise"],
        "depthwise": items["depthwise"],
        "tag": items["tag"],
    }


def check(
    seed,
    count,
    outputs,
    inputs,
    pixels,
    *,
    weight_bits=8,
    activation_bits=8,
    stall=0.0,
    kinds=(POINTWISE, DEPTHWISE, NEITHER),
    reluctant=False,
    **parameters,
):
    """Compare random items with numpy; returns the trace."""
    unit = MacArray(
        outputs=outputs,
        inputs=inputs,
        pixels=pixels,
        weight_bits=weight_bits,
        activation_bits=activation_bits,
        tag_shape=5,
        **parameters,
    )
    items, expected = draw(
        np.random.default_rng(seed),
        count,
        outputs,
        inputs,
        pixels,
        weight_bits,
        activation_bits,
        kinds,
    )
    layout = unit.i.payload.shape()
    packed = pack_items(layout, {name: items[name] for name in layout.members})
    trace = simulate(
        unit,
        {"i": packed},
        {"o": count},
        seed=seed,
        stall=stall,
        reluctant=reluctant,
        deadline=100 + 10 * count,
    )
    results = unpack_items(unit.o.payload.shape(), trace.items["o"])
    for name, values in results.items():
        # Sums belong to the item; accumulators stay over the items that are not steps.
        selected = expected["depthwise"] if name == "sums" else slice(None)
        if name == "accumulators":
            selected = np.arange(count) >= np.flatnonzero(expected["pointwise"])[0]
        np.testing.assert_array_equal(values[selected], expected[name][selected], name)
    return trace


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
    trace = check(4, 60, *lanes, kinds=(POINTWISE, NEITHER), depthwise=False, stall=0.2)
    assert len(trace.items["o"]) == 60


@pytest.mark.parametrize(("outputs", "inputs", "pixels"), [(9, 1, 1), (12, 4, 2), (11, 11, 1)])
def test_depthwise_alone(outputs, inputs, pixels):
    check(5, 60, outputs, inputs, pixels, kinds=(DEPTHWISE, NEITHER), pointwise=False, stall=0.2)


def test_long_sum():
    # The most steps of this network, 1280 channels at one lane, of the largest product.
    unit = MacArray(outputs=1, inputs=1, pixels=1, depthwise=False)
    steps = 1280
    items = {
        "x": np.full((steps, 1, 1), -128),
        "weights": np.full((steps, 1, 1), -128),
        "first": np.arange(steps) == 0,
        "pointwise": np.ones(steps, int),
        "depthwise": np.zeros(steps, int),
        "tag": np.zeros(steps, int),
    }
    trace = simulate(
        unit, {"i": pack_items(unit.i.payload.shape(), items)}, {"o": steps}, seed=6, deadline=2000
    )
    results = unpack_items(unit.o.payload.shape(), trace.items["o"])
    np.testing.assert_array_equal(results["accumulators"].ravel(), 2**14 * np.arange(1, steps + 1))


def test_valid_does_not_wait_for_ready():
    check(7, 50, 9, 1, 1, reluctant=True, stall={"o": 0.3})


@pytest.mark.parametrize("lanes", [(9, 1, 1), (16, 4, 2)])
def test_latency_and_rate(lanes):
    trace = check(8, 50, *lanes)
    assert MacArray.latency == 4
    assert set(latencies(trace)) == {4}
    assert set(cycles_per_item(trace)) == {1}


def test_conversion():
    check_conversion(lambda: MacArray(outputs=9, inputs=1, pixels=1))


@pytest.mark.parametrize(
    ("kinds", "count"), [(dict(), 20), (dict(depthwise=False), 20), (dict(pointwise=False), 18)]
)
def test_multipliers(kinds, count):
    # As many as the lanes say, no more for two kinds of work than for one; for windows nine a lane.
    assert convert(MacArray(outputs=10, inputs=2, pixels=1, **kinds)).count(" * ") == count


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
    ],
)
def test_bad_parameters(parameters, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        MacArray(**{**dict(outputs=16, inputs=4, pixels=2), **parameters})
