"""Placement of labels next to points, so that none covers another."""

from dataclasses import dataclass, field
from math import hypot

__all__ = ["label_points", "shared_labels"]

FONT_SIZE = 8
#: In points of the page: points nearer than this share a label; half of a marker; free room.
NEAR, MARKER, GAP = 13.0, 4.0, 3.0


_Point = tuple[float, float]
_Box = tuple[float, float, float, float]


@dataclass
class _Cluster:
    """Points so near that they share a label."""

    points: list[_Point] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def is_near(self, point: _Point) -> bool:
        return any(hypot(x - point[0], y - point[1]) < NEAR for x, y in self.points)


def label_points(axes, names, points):
    """Write names next to points, so that no label covers another or a point.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        With its limits set.
    names : sequence of str
    points : sequence of tuple of float
        In the axes' data. Points after the last name get no label, but are kept free.
    """
    figure = axes.figure
    figure.draw_without_rendering()
    to_points = 72 / figure.dpi
    places = [tuple(place * to_points for place in axes.transData.transform(p)) for p in points]
    clusters = _clusters(names, places)
    taken = [(x - MARKER, y - MARKER, x + MARKER, y + MARKER) for x, y in places]
    legend = axes.get_legend()
    if legend is not None:
        taken.append(tuple(v * to_points for v in legend.get_window_extent().extents))
    for cluster in clusters:
        text = _cluster_text(names, cluster)
        box = _free_box(cluster, 0.62 * FONT_SIZE * len(text), 1.1 * FONT_SIZE, taken)
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


def _free_box(cluster, width, height, taken):
    """Box of a label next to a cluster that covers least of the boxes taken."""
    xs, ys = zip(*cluster.points, strict=True)
    left, right = min(xs) - MARKER - GAP, max(xs) + MARKER + GAP
    low, high = min(ys) - MARKER - GAP, max(ys) + MARKER + GAP
    middle, centre = (left + right) / 2, (low + high) / 2
    corners = [
        (right, centre - height / 2),
        (middle - width / 2, low - height),
        (middle - width / 2, high),
        (left - width, centre - height / 2),
        (right, low - height),
        (right, high),
        (left - width, low - height),
        (middle - width / 2, low - 2 * height - GAP),
    ]
    boxes: list[_Box] = [(x, y, x + width, y + height) for x, y in corners]
    return min(boxes, key=lambda box: sum(_overlap(box, other) for other in taken))


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
