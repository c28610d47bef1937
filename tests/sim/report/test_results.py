"""Figures that follow from what was measured."""

import pytest

from mnv2.sim.report.results import Measurement


def measure(**changes):
    """A measurement of round numbers."""
    values = {
        "name": "block1",
        "macs": 40_000,
        "multipliers": 100,
        "cycles": 1000,
        "ideal_cycles": 400,
        "pointwise_cycles": 500,
        "depthwise_cycles": 100,
        "stalls": {"weights": 300, "drain": 100},
        "dram_read_bytes_by_kind": {"weights": 5000, "activations": 2000},
        "dram_write_bytes": 1000,
        "mismatches": 0,
    }
    return Measurement(**{**values, **changes})


def test_figures_that_follow():
    result = measure()
    assert result.mac_utilization == pytest.approx(0.4)
    assert result.macs_per_cycle == pytest.approx(40)
    assert (result.dram_read_bytes, result.dram_bytes) == (7000, 8000)
    assert result.bytes_per_cycle == pytest.approx(8)
    assert result.gigabytes_per_second(200e6) == pytest.approx(1.6)
    assert result.microseconds(200e6) == pytest.approx(5)


def test_every_cycle_has_a_cause():
    with pytest.raises(ValueError, match="block1 must add up to its 1000 cycles, not 999"):
        measure(depthwise_cycles=99)


def test_bound_is_what_took_most_cycles():
    assert (measure().bound, measure().bound_share) == ("array", pytest.approx(0.6))
    starved = measure(pointwise_cycles=200, stalls={"weights": 600, "drain": 100})
    assert (starved.bound, starved.bound_share) == ("weights", pytest.approx(0.6))
    assert starved.largest_stall == ("weights", 600)
    assert measure(pointwise_cycles=900, stalls={"weights": 0}).largest_stall == ("", 0)
    assert measure().over_ideal == pytest.approx(2.5)
