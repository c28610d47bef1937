"""`report.json` of a sweep: its request, its versions, and every figure."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mnv2.sim.jobs.files import write_json
from mnv2.sim.report.provenance import find_commit, package_versions
from mnv2.sim.sweep.comparison import smallest_of_the_best
from mnv2.sim.sweep.grid import AXES, position, varied_axes
from mnv2.sim.sweep.hardware import HardwareRun
from mnv2.sim.sweep.sweep_records import SweepResults
from mnv2.sim.sweep.sweep_tables import point_frame

__all__ = ["sweep_as_dict", "write_report"]

PACKAGES = ("mnv2", "numpy", "pillow", "dask", "distributed", "pandas", "pyarrow")


def sweep_as_dict(results: SweepResults, runs: Sequence[HardwareRun] = ()) -> dict[str, Any]:
    """Everything of a sweep in values that JSON holds.

    Parameters
    ----------
    results : mnv2.sim.sweep.sweep_records.SweepResults
    runs : sequence of mnv2.sim.sweep.hardware.HardwareRun

    Returns
    -------
    dict
        ``configuration``; ``images``, with what was left out; ``float``, the float network's own
        accuracy; ``points``, as the rows of sweep.csv, each with its ``layers``; ``best``, the
        measure that formats are compared by and those within one error of the best, the smallest
        first; ``hardware``.
    """
    prepared, request = results.prepared, results.prepared.request
    pictures = prepared.pictures
    frame = point_frame(results).astype(object)
    rows = frame.where(frame.notna(), None).to_dict("records")
    for row, point in zip(rows, sorted(results.figures, key=position), strict=True):
        row["layers"] = results.figures[point].get("layers", {})
    return {
        "mode": "sweep",
        "configuration": {
            **prepared.configuration,
            "varied": [axis.field for axis in varied_axes(prepared.points)],
            "axes": [axis.field for axis in AXES],
        },
        "images": {
            "source": request.images,
            "kind": prepared.image_set.kind,
            "labels": prepared.image_set.labels_from,
            "folders": dict(prepared.image_set.folders),
            "preparation": prepared.preparation,
            "warnings": results.warnings,
            "labelled": pictures.labels is not None,
            "pictures": len(pictures),
            "sha256": pictures.content_hash,
            "names": [file.name for file in pictures.files],
            "skipped": [{"name": name, "reason": reason} for name, reason in pictures.skipped],
            "layers_compared_on": len(pictures.chunks()[0][0]),
        },
        "calibration": prepared.calibration_words,
        "seed": request.seed,
        "versions": package_versions(PACKAGES),
        "commit": find_commit(),
        "float": dict(results.reference),
        "points": rows,
        "best": _best(results),
        "hardware": [dataclasses.asdict(run) for run in runs],
    }


def _best(results: SweepResults) -> dict[str, Any] | None:
    found = smallest_of_the_best(results.figures, results.prepared.workload.model.network)
    if found is None:
        return None
    measure, smallest, equal = found
    names = [smallest.name, *(point.name for point in equal if point != smallest)]
    return {"measure": measure, "within_one_error": names}


def write_report(results: SweepResults, path: Path, runs: Sequence[HardwareRun] = ()) -> None:
    """Write the report as JSON, with a newline at the end."""
    write_json(path, sweep_as_dict(results, runs), allow_nan=False)
