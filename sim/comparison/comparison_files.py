"""Files of a comparison: report.json, and report.csv with a row for each layer of each report."""

import csv
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mnv2.sim.comparison.comparison import ReportComparison, worst_wait_of
from mnv2.sim.comparison.subject import Subject
from mnv2.sim.jobs.files import write_json
from mnv2.sim.report.provenance import find_commit

__all__ = ["comparison_as_dict", "comparison_rows", "write_comparison"]


def comparison_as_dict(comparison: ReportComparison) -> dict[str, Any]:
    """Everything of a comparison in values that JSON holds.

    Parameters
    ----------
    comparison : mnv2.sim.comparison.comparison.ReportComparison

    Returns
    -------
    dict
        ``reports``, each with its settings, costs and total; ``settings`` that differ; ``rows``,
        those of the layers of each report, with their differences from the first.
    """
    return {
        "mode": "compare",
        "reference": comparison.reference.name,
        "family": comparison.family,
        "device": None if comparison.device is None else comparison.device.name,
        "commit": find_commit(),
        "settings": {name: list(texts) for name, texts in comparison.settings.items()},
        "reports": [
            {
                "name": subject.name,
                "source": subject.source,
                "clock_hz": subject.clock_hz,
                "frames_per_second": subject.frames_per_second,
                "configuration": dict(subject.content["configuration"]),
                "memory": dict(subject.content["memory"]),
                "estimated_resources": dataclasses.asdict(resources),
                "device_use": {use.resource: use.share for use in uses if use.available},
                "relative_energy_by_operation": dict(subject.energy) or None,
                "relative_energy": sum(subject.energy.values()) or None,
            }
            for subject, resources, uses in zip(
                comparison.subjects, comparison.resources, comparison.uses, strict=True
            )
        ],
        "rows": comparison_rows(comparison),
    }


def comparison_rows(comparison: ReportComparison) -> list[dict[str, Any]]:
    """A row for each layer of each report, and for its total.

    Differences are those from the same layer of the first report; None where it has none.
    """
    return [
        _row(comparison, subject, name)
        for name in (*comparison.rows, "total")
        for subject in comparison.subjects
        if name in subject.rows
    ]


def _row(comparison: ReportComparison, subject: Subject, name: str) -> dict[str, Any]:
    row = subject.rows[name]
    cause, share = worst_wait_of(row)
    reference = comparison.reference.rows.get(name)
    return {
        "layer": name,
        "report": subject.name,
        "source": subject.source,
        "cycles": row["cycles"],
        "difference_cycles": _less(row, reference, "cycles"),
        "microseconds": row["cycles"] / subject.clock_hz * 1e6,
        "mac_utilization": row["mac_utilization"],
        "busy_cycles": row["busy_cycles"],
        "stalls": dict(row["stalls"]),
        "worst_wait": cause,
        "worst_wait_share": share,
        "dram_bytes": row["dram_bytes"],
        "difference_dram_bytes": _less(row, reference, "dram_bytes"),
        "dram_read_bytes_by_kind": dict(row["dram_read_bytes_by_kind"]),
        "dram_write_bytes": row["dram_write_bytes"],
    }


def _less(row: Mapping[str, Any], reference: Mapping[str, Any] | None, key: str) -> int | None:
    """A figure less that of the reference."""
    return None if reference is None else row[key] - reference[key]


def write_comparison(comparison: ReportComparison, folder: Path) -> None:
    """Write ``report.json``, ``report.csv`` and ``compare.png`` into a folder."""
    from mnv2.sim.comparison.comparison_plots import draw_comparison

    content = comparison_as_dict(comparison)
    write_json(folder / "report.json", content)
    write_records(content["rows"], folder / "report.csv")
    draw_comparison(comparison).savefig(folder / "compare.png", dpi=120)


def write_records(rows: list[dict[str, Any]], path: Path) -> None:
    """Write rows as CSV; nested figures get columns of their own, ``stalls.weights``."""
    flat = [_flatten(row) for row in rows]
    columns = list(dict.fromkeys(column for row in flat for column in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(flat)


def _flatten(row: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            flat.update({f"{key}.{name}": item for name, item in value.items()})
        else:
            flat[key] = value
    return flat
