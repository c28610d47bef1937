"""Requantisation and residual addition in Verilator, against golden."""

import numpy as np
import pytest

from mnv2.hw.requantize import Requantize
from mnv2.hw.residual import ResidualAdd
from mnv2.sim.errors import SimulationError
from tests.hw.harness import cycles_per_item, latencies, pack_items, unpack_items
from tests.hw.rescaling import draw_add, draw_requantize
from tests.hw.verilator.harness import compare, simulate

# class, channels, pixels, activation bits, further parameters
UNITS = [
    pytest.param(Requantize, 1, 1, 8, {}, id="requantize-1x1"),
    pytest.param(Requantize, 4, 2, 5, {}, id="requantize-4x2-5bit"),
    pytest.param(Requantize, 4, 7, 8, {"accumulator_bits": 27}, id="requantize-4x7"),
    pytest.param(
        Requantize,
        2,
        2,
        8,
        {"accumulator_bits": 24, "rounding": "single", "frames": 2, "operand_bits": 18},
        id="requantize-2x2x2-single",
    ),
    pytest.param(
        Requantize,
        2,
        1,
        8,
        {"accumulator_bits": 25, "multipliers_in_luts": True},
        id="requantize-2x1-luts",
    ),
    pytest.param(ResidualAdd, 1, 1, 8, {"lanes": 1}, id="residual-1x1"),
    pytest.param(ResidualAdd, 4, 2, 5, {"lanes": 2}, id="residual-4x2-5bit"),
    pytest.param(ResidualAdd, 4, 7, 8, {"lanes": 7}, id="residual-4x7"),
    pytest.param(
        ResidualAdd, 4, 2, 8, {"lanes": 4, "rounding": "single"}, id="residual-4x2-single"
    ),
    pytest.param(
        ResidualAdd, 4, 2, 8, {"lanes": 1, "multipliers_in_luts": True}, id="residual-4x2-luts"
    ),
]

#: Parameters that the draws depend on too.
DRAWN = ("accumulator_bits", "frames", "rounding")


def draw(kind, rng, count, parameters, **lanes):
    """Items of a unit and the words that they give."""
    drawn = {name: parameters[name] for name in DRAWN if name in parameters}
    return (draw_requantize if kind is Requantize else draw_add)(rng, count, **lanes, **drawn)


@pytest.mark.parametrize(("kind", "channels", "pixels", "bits", "parameters"), UNITS)
def test_equal_to_golden(kind, channels, pixels, bits, parameters, tmp_path):
    def make():
        return kind(channels=channels, pixels=pixels, activation_bits=bits, **parameters)

    layout, results = make().i.payload.shape(), make().o.payload.shape()
    runs = {
        "free": {},
        "stalls": {"stall": 0.4},
        "slow_input": {"stall": {"i": 0.7}},
        "reluctant": {"stall": {"o": 0.5}, "reluctant": True},
    }
    for seed, (name, options) in enumerate(runs.items()):
        fields, expected = draw(
            kind,
            np.random.default_rng(seed),
            400,
            parameters,
            channels=channels,
            pixels=pixels,
            bits=bits,
        )
        items = pack_items(layout, fields)
        trace = simulate(
            make(), {"i": items}, {"o": len(items)}, seed=seed, directory=tmp_path / name, **options
        )
        np.testing.assert_array_equal(unpack_items(results, trace.items["o"])["word"], expected)
        if name == "free":
            assert set(latencies(trace)) == {make().latency}
            assert set(cycles_per_item(trace)) == {make().cycles_per_item}


def test_simulators_agree_cycle_by_cycle(tmp_path):
    fields, _ = draw_add(np.random.default_rng(9), 80, channels=4, pixels=2, bits=5)

    def make():
        return ResidualAdd(channels=4, pixels=2, lanes=2, activation_bits=5)

    items = pack_items(make().i.payload.shape(), fields)
    trace = compare(make, {"i": items}, {"o": len(items)}, seed=9, directory=tmp_path, stall=0.4)
    assert trace.items["i"] == items


def test_missing_items_are_an_error(tmp_path):
    unit = Requantize(channels=1, pixels=1)
    with pytest.raises(SimulationError, match="Transfers within 200 cycles: o 0 of 1"):
        simulate(unit, {"i": []}, {"o": 1}, seed=0, directory=tmp_path, deadline=200)
