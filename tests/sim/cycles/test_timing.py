"""Latencies and causes are those of the hardware."""

import pytest

from mnv2.hw.config import CAUSES
from mnv2.hw.mac_array import MacArray
from mnv2.hw.passes import Stall
from mnv2.hw.pool import Pool
from mnv2.hw.requantize import Requantize
from mnv2.hw.residual import ResidualAdd
from mnv2.sim.cycles import timing
from mnv2.sim.cycles.causes import DEPTHWISE, MEMORY_CAUSES, POINTWISE, Wait, empty_counts

#: A register before the array and one after it, as in `mnv2.hw.core.Core`.
REGISTERS = 2


def test_result_is_the_pipeline():
    assert timing.RESULT == REGISTERS + MacArray.latency + Requantize.latency


def test_pool_is_its_latency():
    assert timing.POOL == Pool.latency


@pytest.mark.parametrize("pixels", [1, 7])
def test_add_is_the_read_and_the_adder(pixels):
    adder = ResidualAdd(channels=4, pixels=pixels, lanes=4)
    assert timing.ADD + pixels == 1 + adder.latency


def test_waits_are_the_causes():
    places = {name: place for name, place in vars(Wait).items() if name.isupper()}
    assert [name.lower() for name in sorted(places, key=places.get)] == list(CAUSES)
    assert list(CAUSES) == [stall.name.lower() for stall in Stall if stall is not Stall.NONE]
    assert sorted((*places.values(), POINTWISE, DEPTHWISE)) == list(range(len(empty_counts())))
    assert CAUSES[:MEMORY_CAUSES] == ("activations", "weights", "parameters")
