"""A whole run is the sum of its layers, and is compared with computed figures."""

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.sim.errors import UserError
from mnv2.sim.report.run_report import ClassRankings, FrameSequence, check_frames
from mnv2.sim.report.systolic_formula import ScaleSimEstimate
from tests.sim.report.example import (
    CATS,
    example_network_report,
    example_pair_report,
    example_report,
    example_result,
    example_top,
)


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


def test_bound_is_the_array_or_the_bytes():
    report = example_network_report()
    stem, *_, classifier = report.layers
    assert report.bound_cycles(stem) == stem.ideal_cycles == 25_088
    assert report.over_bound(stem) == pytest.approx(25_988 / 25_088)
    # 1,280,080 bytes were read in 16 bytes a cycle; writes have a channel of their own.
    assert report.bound_cycles(classifier) == 1_280_080 / 16
    assert report.over_bound(report.total) == pytest.approx(
        report.total.cycles / sum(map(report.bound_cycles, report.layers))
    )


def test_shared_bandwidth_binds_reads_and_writes_together():
    report = example_network_report(shared_bytes_per_cycle=4)
    assert report.bound_cycles(report.layers[-1]) == (1_280_080 + 5000) / 4


def test_speed_of_simulation():
    report = example_report(slice(0, 1))
    assert report.simulated_cycles_per_second == pytest.approx((10_035_200 // 448 + 1700) / 8)


def test_limits_belong_to_the_bottlenecks():
    blocks = mobilenet_v2().blocks
    with pytest.raises(ValueError, match="Limits must be those of"):
        example_report(layers=(example_result(blocks[4]),))


def test_scale_sims_cycles_are_those_of_the_layers():
    with pytest.raises(ValueError, match="SCALE-Sim's cycles must be those of"):
        example_report(scale_sim=ScaleSimEstimate((28, 16), {"block1": 1}))


def test_report_without_layers():
    with pytest.raises(ValueError, match="A report must have a layer"):
        example_report(layers=(), block_limits=())


def test_unknown_mode():
    with pytest.raises(ValueError, match="mode must be one of network, blocks, not 'frames'"):
        example_report(mode="frames")


def test_network_has_every_layer():
    report = example_network_report()
    names = [result.name for result in report.layers]
    assert names == ["stem", *(f"block{n}" for n in range(1, 18)), "head", "classifier"]
    assert [result.name for result in report.bottlenecks] == names[1:-2]
    assert report.total.macs == 300_774_272
    # 599,522 of the blocks' work, 17 x 1,700 of its waits, and the three others.
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


def test_interval_leaves_the_last_frame_out():
    frames = FrameSequence(
        ends=(1000, 1800, 2600, 3900), macs=40_000, multipliers=100, dram_bytes=8
    )
    assert frames.interval_cycles == 800
    assert frames.mac_utilization == pytest.approx(0.5)


def test_two_frames_have_no_interval():
    with pytest.raises(ValueError, match="must have 3 frames or more, not 2"):
        FrameSequence(ends=(1000, 1800), macs=1, multipliers=1, dram_bytes=1)


def test_a_second_of_frames_abreast_has_twice_as_many():
    one, two = example_network_report(), example_pair_report()
    assert (one.abreast, two.abreast) == (1, 2)
    assert one.frames_per_second == pytest.approx(200e6 / 749_398)
    assert two.frames_per_second == 2 * one.frames_per_second
    # As many MACs a cycle more as products.
    assert two.total.mac_utilization == one.total.mac_utilization
    assert two.total.macs_per_cycle == 2 * one.total.macs_per_cycle
    assert two.dram_bytes_per_frame == two.total.dram_bytes / 2


def test_interval_of_frames_abreast_is_that_of_the_pair():
    frames = FrameSequence(
        ends=(1000, 1800, 2600, 3900), macs=80_000, multipliers=200, dram_bytes=16, abreast=2
    )
    assert frames.count == 8
    assert frames.interval_cycles == 800
    assert frames.frames_per_second(8e6) == 20_000
    assert frames.mac_utilization == pytest.approx(0.5)
    assert frames.dram_bytes_per_frame == 2


@pytest.mark.parametrize(
    ("frames", "abreast"),
    [(1, 1), (3, 1), (4, 1), (65_535, 1), (1, 2), (6, 2), (8, 2), (131_070, 2)],
)
def test_frames_with_an_interval(frames, abreast):
    check_frames(frames, abreast)


@pytest.mark.parametrize(
    ("frames", "abreast", "least"),
    [
        (2, 1, "3 or more"),
        (0, 1, "3 or more"),
        (2, 2, "6 or more and a multiple of 2, since as many end together"),
        (4, 2, "6 or more and a multiple of 2, since as many end together"),
        (7, 2, "6 or more and a multiple of 2, since as many end together"),
    ],
)
def test_frames_without_one(frames, abreast, least):
    message = f"^The number of frames must be 1, or {least}, not {frames}$"
    with pytest.raises(UserError, match=message):
        check_frames(frames, abreast)


@pytest.mark.parametrize(("frames", "abreast"), [(65_536, 1), (131_072, 2)])
def test_more_frames_than_slots_for_logits(frames, abreast):
    message = f"^The number of frames must be at most {65_535 * abreast}, since each has a slot"
    with pytest.raises(UserError, match=message):
        check_frames(frames, abreast)


def test_rounding_is_that_of_the_configuration():
    assert not example_network_report().rounds_once
    assert not example_network_report(configuration={"requantize": "double"}).rounds_once
    assert example_network_report(configuration={"requantize": "single"}).rounds_once
