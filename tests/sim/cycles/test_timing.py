"""Latencies and causes are those of the hardware."""

from dataclasses import replace

import pytest

from mnv2.hw.config import CAUSES, PRESETS
from mnv2.hw.core import Core
from mnv2.hw.passes import Stall
from mnv2.hw.tile_results import TileResults
from mnv2.sim.cycles.causes import DEPTHWISE, MEMORY_CAUSES, POINTWISE, Wait, empty_counts
from mnv2.sim.cycles.timing import core_timing

CONFIGURATIONS = {
    "base": PRESETS["base"],
    "unpacked": replace(PRESETS["base"], packing="none"),
    "several sums": replace(PRESETS["large"], packing="pixels"),
    "sums of one": replace(PRESETS["base"], packing="pixels", operand_bits=25),
    "single": replace(PRESETS["base"], requantize="single", accumulator_bits=27),
    "one lane": replace(PRESETS["base"], residual_lanes=1),
    "frames": replace(PRESETS["base"], frames=2, packing="frames", residual_lanes=8),
    "long tiles": replace(PRESETS["base"], outputs=48),
}


@pytest.mark.parametrize("config", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_latencies_are_those_of_the_units(config):
    core, timing = Core(config), core_timing(config)
    units = {name: getattr(core, f"_{name}") for name in ("array", "requantize", "issue")}
    # Two registers before the array.
    before = 2
    assert timing.result == (
        before + units["array"].latency + TileResults.latency + units["requantize"].latency
    )
    assert timing.mean == units["issue"].mean_cycles
    assert timing.add == core._residual.latency
    assert timing.fetch == core._residual.cycles_per_item


def test_waits_are_the_causes():
    places = {name: place for name, place in vars(Wait).items() if name.isupper()}
    assert [name.lower() for name in sorted(places, key=places.get)] == list(CAUSES)
    assert list(CAUSES) == [stall.name.lower() for stall in Stall if stall is not Stall.NONE]
    assert sorted((*places.values(), POINTWISE, DEPTHWISE)) == list(range(len(empty_counts())))
    assert CAUSES[:MEMORY_CAUSES] == ("activations", "weights", "parameters")
