"""The report as files, JSON for programs and CSV for spreadsheets; a folder that appears whole."""

import contextlib
import csv
import json
import os
import shutil
import tempfile
from pathlib import Path

from sim.errors import UserError

__all__ = ["output_folder", "report_as_dict", "write_csv", "write_json"]

#: Files that say that a folder is an earlier report, which a new one may replace.
REPORT_FILE = "report.json"


@contextlib.contextmanager
def output_folder(path):
    """Make a folder that takes its name when all is in it, and vanishes if that fails.

    Enter it before the work: what would keep the result from being written is then found first.

    Parameters
    ----------
    path : Path
        Where the folder is wanted; it may exist if it is empty or holds an earlier report.

    Yields
    ------
    Path
        A temporary folder beside it, to write into.

    Raises
    ------
    UserError
        If the folder cannot be made there, or holds something else.
    """
    path = Path(path).expanduser().absolute()
    try:
        if path.exists() and not path.is_dir():
            raise UserError(f"The output {str(path)!r} is a file, not a folder.")
        if path.is_dir() and any(path.iterdir()) and not (path / REPORT_FILE).is_file():
            raise UserError(
                f"The output folder {str(path)!r} holds files that are no report: "
                "choose another, or empty it."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as error:
        raise UserError(
            f"The output folder {str(path)!r} cannot be written: {error.strerror}."
        ) from None
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        if path.is_dir():
            # A folder cannot be renamed over another that is not empty.
            earlier = temporary.with_name(f"{temporary.name}.earlier")
            os.replace(path, earlier)
            os.replace(temporary, path)
            shutil.rmtree(earlier)
        else:
            os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def report_as_dict(report):
    """Everything of a report in values that JSON holds.

    Parameters
    ----------
    report : RunReport

    Returns
    -------
    dict
        ``bottlenecks`` (a list), ``total``, and what the run was made with. Measured figures and
        computed ones (``computed_…``) have names of their own.
    """
    rows = []
    for result, limit in zip(report.bottlenecks, report.limits, strict=True):
        rows.append(
            {
                "name": result.name,
                "input_shape": list(result.input_shape),
                "output_shape": list(result.output_shape),
                "stride": result.stride,
                "residual": result.residual,
                **_measured(result, report.clock_hz),
                "computed_fused_dram_bytes": limit.fused_bytes,
                "computed_layer_by_layer_dram_bytes": limit.layer_by_layer_bytes,
            }
        )
    made_with = {
        "configuration": dict(report.configuration),
        "memory": dict(report.memory),
        "versions": dict(report.versions),
        "commit": report.commit,
    }
    return {
        "image": report.image,
        "clock_hz": report.clock_hz,
        "seed": report.seed,
        "wall_seconds": report.wall_seconds,
        "simulated_cycles_per_second": report.simulated_cycles_per_second,
        "bottlenecks": rows,
        "total": {"name": "total", **_measured(report.total, report.clock_hz), **made_with},
    }


def write_json(report, path):
    """Write the report as JSON, with a newline at the end."""
    path.write_text(json.dumps(report_as_dict(report), indent=2) + "\n", encoding="utf-8")


def write_csv(report, path):
    """Write one row a bottleneck, and their total; nested figures get columns of their own.

    Columns are named like the keys of the JSON, ``stalls.weights`` for a nested one; shapes are
    written as ``112x112x32``.
    """
    content = report_as_dict(report)
    total = {
        key: value for key, value in content["total"].items() if key in content["bottlenecks"][0]
    }
    rows = [_flatten(row) for row in (*content["bottlenecks"], total)]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def _measured(result, clock_hz):
    """Figures that a bottleneck and the total both have."""
    return {
        "macs": result.macs,
        "multipliers": result.multipliers,
        "cycles": result.cycles,
        "ideal_cycles": result.ideal_cycles,
        "busy_cycles": result.busy_cycles,
        "stalls": dict(result.stalls),
        "mac_utilization": result.mac_utilization,
        "dram_read_bytes": result.dram_read_bytes,
        "dram_read_bytes_by_kind": dict(result.dram_read_bytes_by_kind),
        "dram_write_bytes": result.dram_write_bytes,
        "bytes_per_cycle": result.bytes_per_cycle,
        "gigabytes_per_second": result.gigabytes_per_second(clock_hz),
        "microseconds": result.microseconds(clock_hz),
        "mismatches": result.mismatches,
    }


def _flatten(row):
    """A row of plain values: dictionaries by dotted names, shapes as text."""
    flat = {}
    for key, value in row.items():
        if isinstance(value, dict):
            flat.update({f"{key}.{name}": item for name, item in value.items()})
        elif isinstance(value, list):
            flat[key] = "x".join(map(str, value))
        else:
            flat[key] = value
    return flat


def _umask():
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
