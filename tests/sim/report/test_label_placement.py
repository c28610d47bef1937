"""Labels of points cover neither each other nor points nor lines."""

import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from mnv2.sim.report.label_placement import label_points


def drawn(points, names, lines=()):
    """Axes with labelled points, and the boxes of the labels in pixels."""
    figure = Figure(figsize=(5, 4))
    axes = figure.add_subplot()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.plot(*zip(*points, strict=True), "o")
    label_points(axes, names, points, lines)
    figure.draw_without_rendering()
    # Of the text alone, without the line to its point.
    return axes, [Text.get_window_extent(text) for text in axes.texts]


@pytest.mark.parametrize("seed", range(5))
def test_labels_cover_nothing(seed):
    rng = np.random.default_rng(seed)
    # Columns of equal figures, as designs with as many DSPs have.
    points = [(x, y) for x in (0.2, 0.25, 0.6) for y in rng.uniform(0.05, 0.95, 6)]
    names = [str(number) for number in range(8)]
    axes, boxes = drawn(points, names)
    assert ", ".join(text.get_text() for text in axes.texts).count(",") == len(names) - 1
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    frame = axes.get_window_extent()
    for box in boxes:
        assert not any(box.contains(*axes.transData.transform(point)) for point in points)
        assert frame.x0 <= box.x0
        assert box.x1 <= frame.x1


def test_labels_keep_clear_of_a_line():
    roof = [(0.0, 0.51), (1.0, 0.51)]
    points = [(x, 0.5) for x in (0.2, 0.5, 0.8)]
    axes, free = drawn(points, ["B1", "B4", "B7"], [roof])
    line = axes.transData.transform((0.5, 0.51))[1]
    assert all(box.y1 < line or box.y0 > line for box in free)
    _, covered = drawn(points, ["B1", "B4", "B7"])
    assert any(box.y0 <= line <= box.y1 for box in covered)


def test_a_label_that_is_far_has_a_line_to_its_point():
    """Eight points around one leave no room next to it."""
    around = [(0.5 + 0.05 * dx, 0.5 + 0.05 * dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    points = [(0.5, 0.5), *(point for point in around if point != (0.5, 0.5))]
    axes, (box,) = drawn(points, ["middle"])
    assert axes.texts[0].arrow_patch is not None
    assert not any(box.contains(*axes.transData.transform(point)) for point in points)
