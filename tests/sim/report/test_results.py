"""Figures that follow from what was measured."""

import pytest

from golden.network import mobilenet_v2
from sim.report.results import ClassRankings, Measurement
from tests.sim.report.example import (
    CATS,
    example_network_report,
    example_report,
    example_result,
    example_top,
)


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
    assert total.cycles == sum(result.cycles for result in report.layers)
    assert total.stalls == {"activations": 2100, "weights": 900, "output": 0, "drain": 1500}
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
        example_report(layers=(example_result(blocks[4]),))


def test_report_without_layers():
    with pytest.raises(ValueError, match="A report must have a layer"):
        example_report(layers=(), block_limits=())


def test_unknown_mode():
    with pytest.raises(ValueError, match="mode must be one of network, blocks, not 'frames'"):
        example_report(mode="frames")


def test_bound_is_what_took_most_cycles():
    assert (measure().bound, measure().bound_share) == ("array", pytest.approx(0.6))
    starved = measure(pointwise_cycles=200, stalls={"weights": 600, "drain": 100})
    assert (starved.bound, starved.bound_share) == ("weights", pytest.approx(0.6))
    assert starved.largest_stall == ("weights", 600)
    assert measure(pointwise_cycles=900, stalls={"weights": 0}).largest_stall == ("", 0)
    assert measure().over_ideal == pytest.approx(2.5)


def test_network_has_every_layer():
    report = example_network_report()
    names = [result.name for result in report.layers]
    assert names == ["stem", *(f"block{n}" for n in range(1, 18)), "head", "classifier"]
    assert [result.name for result in report.bottlenecks] == names[1:-2]
    assert report.total.macs == 300_774_272
    # 599,522 of the blocks' work, 17 x 1,700 beside it, and the three others.
    assert report.total.cycles == 628_422 + 25_988 + 44_828 + 50_160
    assert report.limits.floor_bytes == 3_765_736
    assert report.over_floor == pytest.approx(report.total.dram_bytes / 3_765_736)
    assert report.on_chip_bytes == 811_008


def test_port_limits_the_bandwidth():
    assert example_report().memory_bytes_per_cycle == 16
    assert example_report(shared_bytes_per_cycle=6).memory_bytes_per_cycle == 6
    assert example_report(shared_bytes_per_cycle=64).memory_bytes_per_cycle == 16


def test_classes_agree_only_if_all_three_do():
    cats, dogs = example_top(*CATS), example_top((207, "golden retriever"), *CATS[1:])
    assert ClassRankings(cats, cats, cats).agree
    assert not ClassRankings(dogs, cats, cats).agree
    assert not ClassRankings(cats, cats, dogs).agree
