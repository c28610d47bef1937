"""The picture of a confusion matrix: what pictures of each class were taken for."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from mnv2.sim.accuracy.figures import Confusion
from mnv2.sim.pictures.class_names import ClassNames
from mnv2.sim.report.colors import INK, STYLE

__all__ = ["draw_confusion", "shown_classes"]

#: Classes that are drawn at most: those that are mistaken most often.
CLASSES = 30
#: Classes up to which counts are written into the cells.
WRITTEN = 20


def shown_classes(matrices: Sequence[Confusion]) -> list[int]:
    """Classes that are drawn: all, or those with the most mistakes in all matrices together.

    Parameters
    ----------
    matrices : sequence of Confusion

    Returns
    -------
    list of int
        Sorted.
    """
    mistakes: dict[int, int] = {}
    for matrix in matrices:
        for row, label in enumerate(matrix.labels):
            for column, answer in enumerate(matrix.answers):
                count = int(matrix.counts[row, column]) if answer != label else 0
                for one in (label, answer):
                    mistakes[one] = mistakes.get(one, 0) + count
    return sorted(sorted(mistakes, key=lambda one: (-mistakes[one], one))[:CLASSES])


@matplotlib.rc_context(STYLE)
def draw_confusion(matrices: Sequence[Confusion], classes: ClassNames) -> Figure:
    """A panel for each form: rows are labels, columns answers, shares of a row as colours.

    Parameters
    ----------
    matrices : sequence of Confusion
    classes : mnv2.sim.pictures.class_names.ClassNames

    Returns
    -------
    matplotlib.figure.Figure
    """
    shown = shown_classes(matrices)
    names = [classes.name(one) for one in shown]
    side = 2.2 + 0.34 * len(shown)
    figure = Figure(figsize=(side * len(matrices) + 1, side + 0.8), layout="constrained")
    row = figure.subplots(1, len(matrices), squeeze=False)[0]
    for axes, matrix in zip(row, matrices, strict=True):
        counts = np.zeros((len(shown), len(shown)))
        totals = np.zeros(len(shown))
        for place, label in enumerate(shown):
            if label not in matrix.labels:
                continue
            own = matrix.counts[matrix.labels.index(label)]
            totals[place] = own.sum()
            for column, answer in enumerate(shown):
                if answer in matrix.answers:
                    counts[place, column] = own[matrix.answers.index(answer)]
        shares = counts / np.maximum(totals, 1)[:, None]
        image = axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
        if len(shown) <= WRITTEN:
            for (place, column), count in np.ndenumerate(counts):
                if count:
                    axes.text(
                        column,
                        place,
                        f"{count:.0f}",
                        ha="center",
                        va="center",
                        fontsize=8,
                        color="white" if shares[place, column] > 0.5 else INK,
                    )
        axes.set_xticks(range(len(shown)), names, rotation=90)
        axes.set_yticks(range(len(shown)), names)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_title(matrix.form)
        axes.set_xlabel("answer")
    row[0].set_ylabel("label")
    figure.colorbar(image, ax=list(row), label="share of the label's pictures", shrink=0.6)
    every = {one for matrix in matrices for one in (*matrix.labels, *matrix.answers)}
    if len(every) > len(shown):
        figure.suptitle(f"The {len(shown)} classes that are mistaken most, of {len(every):,}")
    return figure
