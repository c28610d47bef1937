"""Figures of a network on a set of pictures: shares with their errors, differences, confusion."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnv2.golden.summary import short_repr
from mnv2.sim.accuracy.judge import AccuracyResults
from mnv2.sim.accuracy.judged import FORMS, TOP
from mnv2.sim.pictures.set_words import chance_of, label_warnings
from mnv2.sim.sweep.uncertainty import mean_and_error, proportion_error

__all__ = [
    "Confusion",
    "Figure",
    "accuracy_figures",
    "accuracy_warnings",
    "changed",
    "confusion",
    "labelled_rows",
]

#: Standard errors by which another order of classes must be better to be worth a sentence: of many
#: orders the best is taken, so that noise alone reaches three.
ERRORS = 4


@dataclass(frozen=True)
class Figure:
    """A mean over pictures.

    Attributes
    ----------
    name : str
        Such as ``integer_top1``.
    value, error : float
        And one standard error; NaN for a mean of one picture.
    """

    name: str
    value: float
    error: float


def _share(name: str, hits: Sequence[bool]) -> Figure:
    count = int(np.count_nonzero(hits))
    return Figure(name, count / len(hits), proportion_error(count, len(hits)))


def accuracy_figures(results: AccuracyResults) -> dict[str, Figure]:
    """Figures by name.

    Parameters
    ----------
    results : mnv2.sim.accuracy.judge.AccuracyResults

    Returns
    -------
    dict of str to Figure
        ``float_top1``, ``integer_top1``: shares whose label is found first, binomial errors, and
        ``_top5`` among the first five, of six classes or more. Where both forms are, also
        ``agree_top1``; ``difference``, integer minus float, and its error, paired by picture; and
        ``sqnr_db`` of the logits. What was not measured is absent.
    """
    rows, classes = results.rows, len(results.prepared.classes.names)
    found = {}
    for form in FORMS:
        places = [row[f"{form}_place"] for row in rows if f"{form}_place" in row]
        if not places:
            continue
        found[f"{form}_top1"] = _share(f"{form}_top1", [place == 0 for place in places])
        if classes > TOP:
            found[f"{form}_top5"] = _share(f"{form}_top5", [place < TOP for place in places])
    if results.prepared.judged.forms != FORMS:
        return found
    agree = [row["float"][0] == row["integer"][0] for row in rows]
    found["agree_top1"] = _share("agree_top1", agree)
    if "float_top1" in found:
        found["difference"] = Figure("difference", *mean_and_error(_differences(results)))
    found["sqnr_db"] = Figure("sqnr_db", *mean_and_error([row["sqnr_db"] for row in rows]))
    return found


def _differences(results: AccuracyResults) -> list[int]:
    """By picture: 1 where the integer form alone is right, -1 where float alone is."""
    rows = labelled_rows(results)
    return [(row["integer_place"] == 0) - (row["float_place"] == 0) for row in rows]


def labelled_rows(results: AccuracyResults) -> list[dict[str, Any]]:
    """Rows of the pictures that have a label."""
    return [row for row in results.rows if row["label"] is not None]


def changed(results: AccuracyResults) -> tuple[int, int]:
    """Pictures that float alone gets right, and those that the integer form alone does."""
    counts = Counter(_differences(results))
    return counts[-1], counts[1]


@dataclass(frozen=True, eq=False)
class Confusion:
    """How often pictures of each label were taken for each class.

    Attributes
    ----------
    form : str
        One of `mnv2.sim.accuracy.judged.FORMS`.
    labels, answers : tuple of int
        Classes of the rows and of the columns, sorted: those that occur.
    counts : int64 [labels, answers]
    """

    __repr__ = short_repr

    form: str
    labels: tuple[int, ...]
    answers: tuple[int, ...]
    counts: np.ndarray


def confusion(results: AccuracyResults, form: str) -> Confusion:
    """The confusion matrix of a form, of pictures with labels.

    Parameters
    ----------
    results : mnv2.sim.accuracy.judge.AccuracyResults
    form : str

    Returns
    -------
    Confusion
        Columns are the labels, and all else that was answered.
    """
    pairs = Counter((row["label"], row[form][0]) for row in labelled_rows(results))
    labels = sorted({label for label, _ in pairs})
    answers = sorted({*labels, *(answer for _, answer in pairs)})
    counts = np.zeros((len(labels), len(answers)), np.int64)
    for (label, answer), count in pairs.items():
        counts[labels.index(label), answers.index(answer)] = count
    return Confusion(form, tuple(labels), tuple(answers), counts)


def accuracy_warnings(results: AccuracyResults) -> list[str]:
    """Sentences that say why accuracy by labels may mean nothing.

    Parameters
    ----------
    results : mnv2.sim.accuracy.judge.AccuracyResults

    Returns
    -------
    list of str
    """
    prepared, rows = results.prepared, labelled_rows(results)
    if not rows:
        return []
    form = prepared.judged.forms[0]
    labels = [row["label"] for row in rows]
    right = sum(row[f"{form}_place"] == 0 for row in rows) / len(rows)
    return [*label_warnings(labels, prepared.classes, right), *_other_order(results, form, right)]


def _other_order(results: AccuracyResults, form: str, right: float) -> list[str]:
    """A sentence if each label's pictures are mostly taken for another class, all different."""
    matrix = confusion(results, form)
    best = matrix.counts.argmax(axis=1)
    if len(matrix.labels) < 2 or len(set(best.tolist())) < len(best):
        return []
    if tuple(matrix.answers[one] for one in best) == matrix.labels:
        return []
    rows = labelled_rows(results)
    count = len(rows)
    other = int(matrix.counts.max(axis=1).sum()) / count
    chance = chance_of([row["label"] for row in rows], len(results.prepared.classes.names))
    error = max(proportion_error(round(other * count), count), 1 / count)
    if other <= max(right, chance) + ERRORS * error:
        return []
    name = results.prepared.classes.name
    pairs = ", ".join(
        f"{name(label)} as {name(matrix.answers[one])}"
        for label, one in zip(matrix.labels, best, strict=True)
        if label != matrix.answers[one]
    )
    return [f"With the classes in another order {other:.1%} would be right: {pairs[:300]}"]
