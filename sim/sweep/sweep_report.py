"""`report.json` of a sweep: what it was made with and from, and every figure."""

import dataclasses
import importlib.metadata
import json
import platform

from mnv2.sim.report.provenance import find_commit
from mnv2.sim.sweep.grid import AXES, position, varied_axes
from mnv2.sim.sweep.sweep_tables import point_frame

__all__ = ["sweep_as_dict", "write_report"]

PACKAGES = ("mnv2", "numpy", "pillow", "dask", "distributed", "pandas", "pyarrow")


def sweep_as_dict(results, runs=()):
    """Everything of a sweep in values that JSON holds.

    Parameters
    ----------
    results : mnv2.sim.sweep.sweep.SweepResults
    runs : sequence of mnv2.sim.sweep.hardware.HardwareRun

    Returns
    -------
    dict
        ``configuration``; ``images``, with what was left out; ``float``, the float network's own
        accuracy; ``points``, as the rows of sweep.csv, each with its ``layers``; ``hardware``.
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
            "labelled": pictures.labels is not None,
            "pictures": len(pictures),
            "sha256": pictures.content_hash,
            "names": [file.name for file in pictures.files],
            "skipped": [{"name": name, "reason": reason} for name, reason in pictures.skipped],
            "layers_compared_on": len(pictures.chunks()[0][0]),
        },
        "calibration": prepared.calibration_words,
        "seed": request.seed,
        "versions": {
            **{name: _version(name) for name in PACKAGES},
            "python": platform.python_version(),
        },
        "commit": find_commit(),
        "float": dict(results.reference),
        "points": rows,
        "hardware": [dataclasses.asdict(run) for run in runs],
    }


def write_report(results, path, runs=()):
    """Write the report as JSON, with a newline at the end."""
    text = json.dumps(sweep_as_dict(results, runs), indent=2, default=_plain, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _plain(value):
    """numpy's scalars as Python's."""
    return value.item()


def _version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
