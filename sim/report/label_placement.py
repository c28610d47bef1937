"""Placement of labels next to points, so that none covers another."""

from dataclasses import dataclass, field
from math import hypot

import matplotlib.patheffects
import numpy as np

__all__ = ["label_points", "shared_labels"]

FONT_SIZE = 8
#: In points of the page: points nearer than this share a label; half of a marker; free room.
NEAR, MARKER, GAP = 13.0, 4.0, 3.0
#: A label without free room next to its points is moved away in these steps, with a line to them.
STEP, STEPS = 9.0, 7
#: Points between the boxes that stand for a line.
LINE_STEP = 4.0


_Point = tuple[float, float]
_Box = tuple[float, float, float, float]


@dataclass
class _Cluster:
    """Points so near that they share a label."""

    points: list[_Point] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def is_near(self, point: _Point) -> bool:
        return any(hypot(x - point[0], y - point[1]) < NEAR for x, y in self.points)


def label_points(axes, names, points, lines=(), *, last_marker=MARKER):
    """Write names next to points, so that no label covers another, a point or a line.

    Where there is no room next to a point, the label stands farther away, with a thin line to it.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        With its limits set.
    names : sequence of str
    points : sequence of tuple of float
        In the axes' data. Points after the last name get no label, but are kept free.
    lines : sequence of sequence of tuple of float
        Lines that are kept free, by their corners in the axes' data.
    last_marker : float
        Half of the last point's marker, in points of the page.
    """
    figure = axes.figure
    figure.draw_without_rendering()
    to_points = 72 / figure.dpi
    places = [tuple(place * to_points for place in axes.transData.transform(p)) for p in points]
    clusters = _clusters(names, places)
    halves = [*([MARKER] * (len(places) - 1)), last_marker]
    taken = [
        (x - half, y - half, x + half, y + half)
        for (x, y), half in zip(places, halves, strict=True)
    ]
    for line in lines:
        taken += _line_boxes([axes.transData.transform(corner) * to_points for corner in line])
    frame = [value * to_points for value in axes.get_window_extent().extents]
    legend = axes.get_legend()
    if legend is not None:
        taken.append(tuple(v * to_points for v in legend.get_window_extent().extents))
    for cluster in clusters:
        text = _cluster_text(names, cluster)
        box, far = _free_box(cluster, 0.62 * FONT_SIZE * len(text), 1.1 * FONT_SIZE, taken, frame)
        taken.append(box)
        x, y = places[names.index(cluster.names[0])]
        axes.annotate(
            text,
            points[names.index(cluster.names[0])],
            xytext=((box[0] + box[2]) / 2 - x, (box[1] + box[3]) / 2 - y),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=FONT_SIZE,
            arrowprops={"arrowstyle": "-", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 2}
            if far
            else None,
            # Points without a label may lie below: the text is read in front of them.
            path_effects=[matplotlib.patheffects.withStroke(linewidth=2, foreground="white")],
            zorder=5,
        )


def shared_labels(names, places):
    """Labels of points; points near each other share one.

    Parameters
    ----------
    names : sequence of str
    places : sequence of tuple of float
        In points of the page.

    Returns
    -------
    list of str
        One for each name; empty if the name stands in the label of another.
    """
    labels = [""] * len(names)
    for cluster in _clusters(names, places):
        labels[names.index(cluster.names[0])] = _cluster_text(names, cluster)
    return labels


def _clusters(names, places):
    """Group points that are near each other."""
    clusters: list[_Cluster] = []
    for name, place in zip(names, places, strict=False):
        near = [cluster for cluster in clusters if cluster.is_near(place)]
        joined = _Cluster()
        for cluster in near:
            clusters.remove(cluster)
            joined.points += cluster.points
            joined.names += cluster.names
        joined.points.append(place)
        joined.names.append(name)
        clusters.append(joined)
    return clusters


def _cluster_text(names, cluster):
    return ", ".join(_join_runs([name for name in names if name in cluster.names]))


def _line_boxes(corners):
    """Small boxes along a line."""
    boxes: list[_Box] = []
    for begin, end in zip(corners, corners[1:], strict=False):
        count = max(int(hypot(*(end - begin)) / LINE_STEP), 1)
        for place in np.linspace(begin, end, count + 1):
            x, y = place.tolist()
            boxes.append((x - 1, y - 1, x + 1, y + 1))
    return boxes


def _free_box(cluster, width, height, taken, frame):
    """Box of a label that covers nothing taken, as near to a cluster as can be; whether it is far.

    Where each place covers something, it is that which covers least.
    """
    best: tuple[float, _Box, bool] | None = None
    for step in range(STEPS):
        for box in _boxes(cluster, width, height, STEP * step):
            covered = sum(_overlap(box, other) for other in taken)
            # What is outside of the axes counts as covered.
            covered += width * height - _overlap(box, frame)
            if best is None or covered < best[0] - 1e-6:
                best = (covered, box, step > 0)
        if best is not None and best[0] < 1e-6:
            break
    assert best is not None
    return best[1:]


def _boxes(cluster, width, height, away):
    """Boxes of a label around a cluster, at a distance, in the order in which they are liked."""
    xs, ys = zip(*cluster.points, strict=True)
    room = MARKER + GAP + away
    left, right, low, high = min(xs) - room, max(xs) + room, min(ys) - room, max(ys) + room
    middle, centre = (left + right) / 2, (low + high) / 2
    corners = [
        (right, centre - height / 2),
        (middle - width / 2, low - height),
        (middle - width / 2, high),
        (left - width, centre - height / 2),
        (right, low - height),
        (right, high),
        (left - width, low - height),
        (left - width, high),
    ]
    return [(x, y, x + width, y + height) for x, y in corners]


def _overlap(one, other):
    """Area that two boxes share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0)


def _join_runs(names):
    """``B8-B10`` for three or more bottlenecks in a row."""
    runs: list[list[tuple[str, int]]] = []
    for name in names:
        number = int(name[1:]) if name[0] == "B" else None
        if runs and number is not None and runs[-1][-1][1] == number - 1:
            runs[-1].append((name, number))
        else:
            runs.append([(name, number if number is not None else -9)])
    joined: list[str] = []
    for run in runs:
        joined += [f"{run[0][0]}-{run[-1][0]}"] if len(run) > 2 else [name for name, _ in run]
    return joined
