"""Files of an accuracy: report.json, a CSV row a picture, confusion matrices and their picture."""

import csv
import dataclasses
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mnv2.sim.accuracy.accuracy_plots import draw_confusion
from mnv2.sim.accuracy.figures import (
    Confusion,
    accuracy_figures,
    accuracy_warnings,
    changed,
    confusion,
    labelled_rows,
)
from mnv2.sim.accuracy.hardware import PictureRun
from mnv2.sim.accuracy.judge import AccuracyResults
from mnv2.sim.jobs.files import write_json
from mnv2.sim.pictures.class_names import ClassNames
from mnv2.sim.report.provenance import find_commit, package_versions

__all__ = ["accuracy_as_dict", "write_accuracy"]

PACKAGES = ("mnv2", "numpy", "pillow", "dask", "distributed")


def accuracy_as_dict(results: AccuracyResults, runs: Sequence[PictureRun] = ()) -> dict[str, Any]:
    """Everything of an accuracy but its rows, in values that JSON holds.

    Parameters
    ----------
    results : mnv2.sim.accuracy.judge.AccuracyResults
    runs : sequence of mnv2.sim.accuracy.hardware.PictureRun

    Returns
    -------
    dict
        ``figures``, shares from 0 to 1, each with its ``_standard_error``; ``lost`` and ``gained``,
        pictures that float alone, and that the integer form alone gets right; ``images``, with what
        was left out; ``preparation``, ``warnings``; ``hardware``.
    """
    prepared, request = results.prepared, results.prepared.request
    figures: dict[str, Any] = {}
    for name, figure in accuracy_figures(results).items():
        figures[name] = round(figure.value, 6)
        error = figure.error
        figures[f"{name}_standard_error"] = round(error, 6) if math.isfinite(error) else None
    if "difference" in figures:
        figures["lost"], figures["gained"] = changed(results)
    return {
        "mode": "accuracy",
        "model": prepared.name,
        "forms": list(prepared.judged.forms),
        "pictures": len(results.rows),
        "labelled": len(labelled_rows(results)),
        "figures": figures,
        "preparation": prepared.preparation,
        "warnings": accuracy_warnings(results),
        "images": {
            "source": request.images,
            "kind": prepared.image_set.kind,
            "labels": prepared.image_set.labels_from,
            "labelled": prepared.image_set.labelled,
            "folders": dict(prepared.image_set.folders),
            "skipped": [{"name": name, "reason": reason} for name, reason in results.skipped],
        },
        "classes": {"names": list(prepared.classes.names), "from": prepared.classes.origin},
        "configuration": prepared.configuration,
        "seed": request.seed,
        "versions": package_versions(PACKAGES),
        "commit": find_commit(),
        "hardware": [dataclasses.asdict(run) for run in runs],
    }


def write_accuracy(results: AccuracyResults, folder: Path, runs: Sequence[PictureRun] = ()) -> None:
    """Write every file.

    ``report.json``; ``pictures.csv``, a row a picture; where there are labels ``confusion.csv``, of
    the integer form, ``confusion-float.csv``, and ``confusion.png`` of both.

    Parameters
    ----------
    results : mnv2.sim.accuracy.judge.AccuracyResults
    folder : Path
    runs : sequence of mnv2.sim.accuracy.hardware.PictureRun
    """
    write_json(folder / "report.json", accuracy_as_dict(results, runs), allow_nan=False)
    _write_pictures(results, folder / "pictures.csv", runs)
    if not labelled_rows(results):
        return
    matrices = [confusion(results, form) for form in results.prepared.judged.forms]
    for matrix in matrices:
        name = "confusion.csv" if matrix.form == "integer" else f"confusion-{matrix.form}.csv"
        _write_confusion(matrix, results.prepared.classes, folder / name)
    draw_confusion(matrices, results.prepared.classes).savefig(folder / "confusion.png", dpi=120)


def _write(path: Path, rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _write_pictures(results: AccuracyResults, path: Path, runs: Sequence[PictureRun]) -> None:
    """A row for each picture, those that were left out last."""
    forms, name = results.prepared.judged.forms, results.prepared.classes.name
    in_rtl = {run.picture: "equal" if run.exact else "differs" for run in runs}
    columns = ["picture", "label", "label_name"]
    for form in forms:
        columns += [
            f"{form}_class",
            f"{form}_name",
            f"{form}_right",
            f"{form}_place",
            f"{form}_top5",
        ]
    columns += ["agree", "sqnr_db"] if len(forms) > 1 else []
    columns += ["rtl", "sha256", "left_out"]
    table = [columns]
    for row in results.rows:
        label = row["label"]
        cells = [row["picture"], *(["", ""] if label is None else [label, name(label)])]
        for form in forms:
            first, place = row[form][0], row.get(f"{form}_place")
            known = ["", ""] if place is None else [int(place == 0), place + 1]
            cells += [first, name(first), *known, " ".join(map(str, row[form]))]
        if len(forms) > 1:
            cells += [int(row["float"][0] == row["integer"][0]), row["sqnr_db"]]
        table.append([*cells, in_rtl.get(row["picture"], ""), row["sha256"], ""])
    for picture, reason in results.skipped:
        table.append([picture, *[""] * (len(columns) - 2), reason])
    _write(path, table)


def _write_confusion(matrix: Confusion, classes: ClassNames, path: Path) -> None:
    """A row for each label, a column for each answer."""
    heads = ["label", "label_name", *(f"{one} {classes.name(one)}" for one in matrix.answers)]
    rows = [
        [label, classes.name(label), *counts]
        for label, counts in zip(matrix.labels, matrix.counts.tolist(), strict=True)
    ]
    _write(path, [heads, *rows])
