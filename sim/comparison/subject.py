"""A report that is compared with others: its report.json, read as untrusted input."""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mnv2.golden.summary import short_repr
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.errors import UserError

__all__ = ["REPORT_FILE", "Subject", "name_subjects", "read_subject"]

#: Name of the report in the output folder of a run or a prediction.
REPORT_FILE = "report.json"

#: Bytes of a report, at most: a timeline of a long frame takes some megabytes.
MAXIMUM_BYTES = 256 << 20

#: Figures that every row of a comparable report has.
_ROW_KEYS = ("name", "cycles", "stalls", "dram_bytes", "dram_read_bytes_by_kind", "mac_utilization")
_COUNTS = ("cycles", "dram_bytes", "dram_write_bytes", "busy_cycles")


@dataclass(frozen=True)
class Subject:
    """One of the reports that are compared.

    Attributes
    ----------
    name : str
        What it is called next to the others.
    content : dict
        As `mnv2.sim.report.run_files.report_as_dict` makes it, or
        `mnv2.sim.prediction.prediction_report.prediction_as_dict`.
    """

    __repr__ = short_repr

    name: str
    content: Mapping[str, Any] = field(hash=False)

    @property
    def source(self) -> str:
        """``"predicted"`` or ``"measured"``."""
        return "predicted" if self.content.get("predicted") else "measured"

    @property
    def layers(self) -> list[Mapping[str, Any]]:
        """The rows of its layers, in the order of the network."""
        return self.content["layers"]

    @property
    def total(self) -> Mapping[str, Any]:
        """The row of all layers together."""
        return self.content["total"]

    @cached_property
    def rows(self) -> dict[str, Mapping[str, Any]]:
        """Rows by name, ``"total"`` last."""
        return {**{row["name"]: row for row in self.layers}, "total": self.total}

    @property
    def clock_hz(self) -> float:
        """Clock that its times are stated at."""
        return self.content["clock_hz"]

    @property
    def seconds(self) -> float:
        """From start to end, at its clock."""
        return self.total["cycles"] / self.clock_hz

    @property
    def frames_per_second(self) -> float | None:
        """Frames of the whole network in a second; None where bottlenecks ran alone."""
        return self.content.get("frames_per_second")

    @property
    def energy(self) -> Mapping[str, float]:
        """Relative energy of a frame by operation; empty where the report has none."""
        return self.content.get("relative_energy_by_operation") or {}

    @cached_property
    def config(self) -> AcceleratorConfig:
        """The accelerator.

        Raises
        ------
        UserError
            If this version has no such configuration.
        """
        values = self.content["configuration"]
        names = {one.name for one in dataclasses.fields(AcceleratorConfig)}
        unknown = [name for name in values if name not in names]
        try:
            if unknown:
                raise ValueError(f"it has {unknown[0]!r}")
            return AcceleratorConfig(**values)
        except (TypeError, ValueError) as error:
            raise UserError(
                f"The configuration of {self.name} is not one of this version of mnv2: {error}"
            ) from None


def read_subject(path: str | Path) -> Subject:
    """Read a report.

    Parameters
    ----------
    path : path
        Output folder of `mnv2 run` or `mnv2 predict`, or the report.json in it.

    Returns
    -------
    Subject
        Called by its path.

    Raises
    ------
    UserError
        If it cannot be read, or is no report of layers.
    """
    given, path = str(path), Path(path).expanduser()
    if path.is_dir():
        path /= REPORT_FILE
    try:
        if path.stat().st_size > MAXIMUM_BYTES:
            raise UserError(f"The report {path} has more than {MAXIMUM_BYTES:,} bytes")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"The report {path} cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"The report {path} must be JSON: {detail}") from None
    problem = _problem(content)
    if problem:
        raise UserError(
            f"{path} must be a report of layers, as mnv2 run and mnv2 predict write it; {problem}"
        )
    return Subject(given, content)


def _problem(content: Any) -> str:
    """The part of a report of layers that this has not; empty if it is one."""
    if not isinstance(content, dict):
        return "it is no object"
    mode = content.get("mode")
    if mode not in ("network", "blocks"):
        return f"it is one of mode {mode!r}" if isinstance(mode, str) else "it has no mode"
    for key in ("configuration", "memory", "total"):
        if not isinstance(content.get(key), dict):
            return f"it has no {key}"
    if not _is_positive(content.get("clock_hz")):
        return "it has no clock_hz"
    layers = content.get("layers")
    if not isinstance(layers, list) or not layers:
        return "it has no layers"
    for row in (*layers, content["total"]):
        problem = _row_problem(row)
        if problem:
            return problem
    return ""


def _row_problem(row: Any) -> str:
    """The fault of a row; empty if there is none."""
    if not isinstance(row, dict):
        return "a layer is no object"
    missing = [key for key in (*_ROW_KEYS, *_COUNTS) if key not in row]
    if missing:
        return f"a layer has no {missing[0]}"
    counts = [row[key] for key in _COUNTS]
    for key in ("stalls", "dram_read_bytes_by_kind"):
        if not isinstance(row[key], dict):
            return f"{key} of a layer is no object"
        counts += row[key].values()
    if not all(isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in counts):
        return f"a count of {row['name']!r} is no integer"
    if not isinstance(row["mac_utilization"], (int, float)):
        return f"mac_utilization of {row['name']!r} is no number"
    return ""


def _is_positive(value: Any) -> bool:
    """Whether a value of JSON is a number above 0."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e15


def name_subjects(subjects: Sequence[Subject]) -> tuple[Subject, ...]:
    """The same reports under names that differ, as short as can be.

    Parts that all paths share at their beginning are left out; one that occurs twice is numbered.
    """
    names = _without_common([Path(one.name).parts for one in subjects])
    counted: dict[str, int] = {}
    named = []
    for subject, name in zip(subjects, names, strict=True):
        counted[name] = counted.get(name, 0) + 1
        unique = name if counted[name] == 1 else f"{name} ({counted[name]})"
        named.append(dataclasses.replace(subject, name=unique))
    return tuple(named)


def _without_common(paths: Iterable[tuple[str, ...]]) -> list[str]:
    """Paths without the parts that all have at the beginning and at the end."""
    left = [
        list(parts[:-1] if len(parts) > 1 and parts[-1] == REPORT_FILE else parts)
        for parts in paths
    ]
    while all(len(parts) > 1 for parts in left) and len({parts[0] for parts in left}) == 1:
        left = [parts[1:] for parts in left]
    return ["/".join(parts) for parts in left]
