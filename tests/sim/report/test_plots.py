"""The pictures show the report's numbers."""

import pytest
from PIL import Image

from sim.report import plots
from tests.sim.report.example import example_report


@pytest.fixture(scope="module")
def report():
    return example_report()


def legend(axes):
    """Texts of a legend."""
    return {text.get_text() for text in axes.get_legend().get_texts()}


def heights(axes, label):
    """Heights of the bars of one colour."""
    (bars,) = [bars for bars in axes.containers if bars.get_label() == label]
    return [bar.get_height() for bar in bars]


def test_cycles_are_split_by_cause(report):
    axes = plots.draw_cycles(report).axes[0]
    assert heights(axes, "busy") == [result.busy_cycles for result in report.bottlenecks]
    assert heights(axes, "waits: weights") == [300] * 17
    assert "waits: output space" not in legend(axes)
    (ideal,) = axes.lines
    assert list(ideal.get_ydata()) == [result.ideal_cycles for result in report.bottlenecks]
    assert "628,422" in axes.get_title(loc="left")


def test_bytes_are_split_by_kind(report):
    upper, lower = plots.draw_bytes(report).axes
    assert heights(upper, "read: weights")[:2] == [800, 4704]
    assert heights(upper, "written: activations") == [5000] * 17
    by_layer, measured, fused = lower.lines
    assert by_layer.get_ydata()[0] == 1_405_728
    assert measured.get_ydata()[0] == 7440
    assert fused.get_ydata()[0] == 602_912


def test_roofline_has_a_point_for_each(report):
    axes = plots.draw_roofline(report).axes[0]
    points = [
        point for line in axes.lines if line.get_marker() in "os" for point in line.get_xydata()
    ]
    assert len(points) == 17
    assert all(y <= 448 and y <= x * 16 for x, y in points)


def test_one_bottleneck_is_enough(tmp_path):
    plots.write_plots(example_report(slice(4, 5)), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"cycles.png", "bytes.png", "roofline.png"}


def test_pictures_are_readable(report, tmp_path):
    plots.write_plots(report, tmp_path)
    for path in tmp_path.iterdir():
        with Image.open(path) as image:
            assert min(image.size) >= 600
