"""Figures that follow from what was measured."""

import pytest

from golden.network import mobilenet_v2
from sim.report.results import Measurement
from tests.sim.report.example import example_report, example_result


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
    assert result.macs_per_byte == pytest.approx(5)
    assert result.gigabytes_per_second(200e6) == pytest.approx(1.6)
    assert result.microseconds(200e6) == pytest.approx(5)


def test_every_cycle_has_a_cause():
    with pytest.raises(ValueError, match="block1 must add up to its 1000 cycles, not 999"):
        measure(depthwise_cycles=99)


def test_total_is_the_sum():
    report = example_report(slice(0, 3))
    total = report.total
    assert total.macs == 10_035_200 + 29_202_432 + 25_740_288
    assert total.cycles == sum(result.cycles for result in report.bottlenecks)
    assert total.stalls == {"activations": 2100, "weights": 900, "output_space": 0, "drain": 1500}
    assert total.dram_read_bytes_by_kind["activations"] == 6000
    assert total.dram_write_bytes == 15_000
    assert total.multipliers == 448


def test_causes_are_those_that_occur():
    assert example_report().stall_causes == ("activations", "weights", "drain")


def test_speed_of_simulation():
    report = example_report(slice(0, 1))
    assert report.simulated_cycles_per_second == pytest.approx((10_035_200 // 448 + 1700) / 8)


def test_limits_belong_to_the_bottlenecks():
    blocks = mobilenet_v2().blocks
    with pytest.raises(ValueError, match="Limits must be those of"):
        example_report(bottlenecks=(example_result(blocks[4]),))


def test_report_without_bottlenecks():
    with pytest.raises(ValueError, match="A report must have a bottleneck"):
        example_report(bottlenecks=(), limits=())
