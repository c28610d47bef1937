"""The pictures show the report's numbers."""

from itertools import combinations

import pytest
from PIL import Image

from mnv2.sim.report import run_plots
from mnv2.sim.report.frame import draw_frame
from tests.sim.report.example import (
    example_network_report,
    example_pair_report,
    example_report,
)

PICTURES = ("cycles.png", "bytes.png", "roofline.png")


@pytest.fixture(scope="module")
def report():
    return example_report()


@pytest.fixture(scope="module")
def network_report():
    return example_network_report()


def legend(axes):
    """Texts of a legend."""
    return {text.get_text() for text in axes.get_legend().get_texts()}


def heights(axes, label):
    """Heights of the bars of one colour."""
    (bars,) = [bars for bars in axes.containers if bars.get_label() == label]
    return [bar.get_height() for bar in bars]


def test_cycles_are_split_by_cause(report):
    axes = run_plots.draw_cycles(report).axes[0]
    assert heights(axes, "works: pointwise") == [r.pointwise_cycles for r in report.layers]
    assert heights(axes, "works: depthwise") == [150] * 17
    assert heights(axes, "waits: weights") == [300] * 17
    assert "waits: output" not in legend(axes)
    (ideal,) = axes.lines
    assert list(ideal.get_ydata()) == [result.ideal_cycles for result in report.bottlenecks]
    assert "628,422" in axes.get_title(loc="left")


def test_bytes_are_split_by_kind(report):
    upper, lower = run_plots.draw_bytes(report).axes
    assert heights(upper, "read: weights")[:2] == [800, 4704]
    assert heights(upper, "written") == [5000] * 17
    by_layer, measured, fused = lower.lines
    assert by_layer.get_ydata()[0] == 1_405_728
    assert measured.get_ydata()[0] == 7440
    assert fused.get_ydata()[0] == 602_912


def test_roofline_has_a_point_for_each(report):
    axes = run_plots.draw_roofline(report).axes[0]
    points = [
        point for line in axes.lines if line.get_marker() in "os" for point in line.get_xydata()
    ]
    assert len(points) == 17
    assert [line.get_label() for line in axes.lines if line.get_marker() == "*"] == ["all together"]
    assert all(y <= 448 and y <= x * 16 for x, y in points)


def test_one_bottleneck_is_enough(tmp_path):
    run_plots.write_plots(example_report(slice(4, 5)), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(PICTURES)


def test_bytes_of_a_network_are_held_to_the_floor(network_report):
    upper, lower = run_plots.draw_bytes(network_report).axes
    assert heights(upper, "read: weights")[-1] == 1_280_000
    widths = [bar.get_width() for bar in lower.patches]
    assert widths == [3_765_736, network_report.total.dram_bytes, 5_568_744, 17_196_456]


def test_frame_shows_the_timeline(network_report):
    array, waits, bus, *_ = draw_frame(network_report).axes
    both, pointwise = [patch.get_data() for patch in array.patches]
    assert set(pointwise.values[:-1]) == {600 / 1024}
    assert set(both.values[:-1]) == {800 / 1024}
    assert pointwise.edges[-1] == 749_398
    (read,) = [patch.get_data() for patch in bus.patches]
    assert set(read.values[:-1]) == {0.5}
    assert bus.get_xlim() == (0, 749_398)
    assert array.get_title(loc="left").startswith("One frame: 749,398 cycles, 3.75 ms at 200 MHz")


def test_frame_marks_each_layer(network_report):
    array, waits, *_ = draw_frame(network_report).axes
    labels = [text.get_text().split("\n")[0] for text in array.texts]
    # The stem works in turn with the first block.
    assert labels[:4] == ["stem, B1", "B2", "B3", "B4"]
    assert labels[16:19] == ["B17", "head", "class."]
    (weights,) = [bars for bars in waits.containers if bars.get_label() == "weights"]
    assert weights[-1].get_height() == pytest.approx(30_000 / 50_160)
    assert weights[-1].get_width() == 50_160


def overlaps(figure, texts):
    """Pairs of texts that lie on each other."""
    figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts if text.get_text()]
    return [(a, b) for (a, one), (b, other) in combinations(boxes, 2) if one.overlaps(other)]


def test_no_labels_overlap(network_report):
    for draw in (draw_frame, run_plots.draw_cycles, run_plots.draw_bytes, run_plots.draw_roofline):
        figure = draw(network_report)
        for axes in figure.axes:
            assert overlaps(figure, axes.texts) == []
            assert overlaps(figure, axes.get_xticklabels()) == []


def test_pictures_are_readable(network_report, tmp_path):
    run_plots.write_plots(network_report, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*PICTURES, "frame.png"}
    for path in tmp_path.iterdir():
        with Image.open(path) as image:
            assert min(image.size) >= 600


def test_numbers_of_a_logarithmic_axis_are_written_out():
    axes = run_plots.draw_roofline(example_report(slice(7, 8))).axes[0]
    ticks = (*axes.get_xticklabels(), *axes.get_xticklabels(minor=True))
    texts = {tick.get_text() for tick in ticks}
    assert texts >= {"20", "50", "100", "200"}
    assert not any("times" in text for text in texts)


def test_two_frames_abreast_are_named():
    """And the roof is as high as the products of both."""
    report = example_pair_report()
    title = draw_frame(report).axes[0].get_title(loc="left")
    assert title.startswith("Two frames abreast: 749,398 cycles, 3.75 ms at 200 MHz, 89.6% of 896")
    cycles = run_plots.draw_cycles(report).axes[0].get_title(loc="left")
    assert cycles.startswith("Cycles by layer, two frames abreast: 749,398 together")
    upper, lower = run_plots.draw_bytes(report).axes
    assert "two frames abreast" in upper.get_title(loc="left")
    assert lower.get_xlabel() == "million bytes of two frames abreast"
    axes = run_plots.draw_roofline(report).axes[0]
    assert "896 products a cycle" in [text.get_text() for text in axes.texts]
    (roof,) = [line for line in axes.lines if line.get_linewidth() == 2]
    assert max(roof.get_ydata()) == 896


def test_roof_is_straight_on_both_sides_of_the_ridge(report):
    """On logarithmic axes the slope is 1 left of the ridge, and 0 right of it."""
    axes = run_plots.draw_roofline(report).axes[0]
    assert axes.get_xscale() == axes.get_yscale() == "log"
    (roof,) = [line for line in axes.lines if line.get_linewidth() == 2]
    (left, low), (ridge, peak), (_, end) = roof.get_xydata()
    assert peak == end == 448
    assert peak / low == pytest.approx(ridge / left)
