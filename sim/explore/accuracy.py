"""Accuracy by the bits of a design, from a finished sweep."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnv2.golden.network import Network
from mnv2.sim.errors import UserError
from mnv2.sim.sweep.costs import format_cost
from mnv2.sim.sweep.evaluate import quantization_options
from mnv2.sim.sweep.grid import AXES, Point
from mnv2.sim.sweep.hardware_format import HARDWARE_BITS, hardware_lacks

__all__ = ["FormatAccuracy", "accuracy_axes", "read_accuracies"]


@dataclass(frozen=True)
class FormatAccuracy:
    """The best format of a sweep that an accelerator of some bits runs.

    Attributes
    ----------
    name : str
        Name of the format.
    share : float
        Share of the pictures whose first class is the float network's.
    pictures : int
        Number of pictures that it was evaluated on.
    """

    name: str
    share: float
    pictures: int


def read_accuracies(folder: str | Path, network: Network) -> dict[tuple[int, int], FormatAccuracy]:
    """The best accuracy of each pair of bits that accelerators have.

    Parameters
    ----------
    folder : str or Path
        Folder of `mnv2 sweep`, with its ``report.json``.
    network : mnv2.golden.network.Network
        The network of the designs.

    Returns
    -------
    dict of (int, int) to FormatAccuracy
        By bits of the lanes for weights and for activations, 4 to 8. Of formats of the same bits
        it is the one with the best top-1 agreement, then the best SQNR.

    Raises
    ------
    UserError
        If there is no finished sweep, it is of another network, or no accelerator runs any of its
        formats.
    """
    rows = _read_rows(folder)
    found: dict[tuple[int, int], tuple[tuple[float, float, int], FormatAccuracy]] = {}
    for row in rows:
        try:
            point = _point(row)
            if row["failure"] or not _runs(point):
                continue
            cost = format_cost(network, quantization_options(point))
            if cost.weight_bytes != row["weight_bytes"] or cost.dram_bytes != row["dram_bytes"]:
                raise UserError(
                    f"The sweep in {str(folder)!r} is of another network than the "
                    "search: its weights or maps take other bytes"
                )
            made = FormatAccuracy(row["name"], row["agree_top1"], row["pictures"])
            rank = made.share, row["sqnr_db"] or 0.0, -row["weight_bits"]
        except (KeyError, TypeError, ValueError):
            raise UserError(
                f"The sweep in {str(folder)!r} was written by another version of mnv2"
            ) from None
        bits = _lanes(point)
        if bits not in found or rank > found[bits][0]:
            found[bits] = rank, made
    if not found:
        raise UserError(f"No accelerator runs any format of the sweep in {str(folder)!r}")
    return {bits: made for bits, (_, made) in sorted(found.items())}


def accuracy_axes(folder: str | Path | None) -> dict[str, tuple[int, ...]]:
    """Bits that the formats of a sweep have on accelerators, as axes of a space.

    Parameters
    ----------
    folder : path or None
        None has no axes.

    Returns
    -------
    dict of str to tuple of int
        ``weight_bits`` and ``activation_bits``, sorted.
    """
    if folder is None:
        return {}
    try:
        points = [_point(row) for row in _read_rows(folder) if not row["failure"]]
    except (KeyError, TypeError, ValueError):
        points = []
    bits = [_lanes(point) for point in points if _runs(point)]
    if not bits:
        raise UserError(f"No accelerator runs any format of the sweep in {str(folder)!r}")
    weights, activations = (tuple(sorted(set(column))) for column in zip(*bits, strict=True))
    return {"weight_bits": weights, "activation_bits": activations}


def _read_rows(folder: str | Path) -> list[dict[str, Any]]:
    """Points of a sweep's report."""
    path = Path(folder).expanduser() / "report.json"
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        if report["mode"] == "sweep":
            return list(report["points"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise UserError(
        f"There is no finished sweep in {str(folder)!r}: --accuracy needs a folder "
        "with the report.json of mnv2 sweep"
    )


def _point(row: Mapping[str, Any]) -> Point:
    """The format of a row."""
    return Point(**{axis.field: row[axis.field] for axis in AXES})


def _runs(point: Point) -> bool:
    """Whether an accelerator of the point's bits runs it."""
    return hardware_lacks(point) is None and point.first_last == "same"


def _lanes(point: Point) -> tuple[int, int]:
    """Bits of weights and of activations in hardware."""
    least = HARDWARE_BITS[0]
    return max(least, point.weight_bits), max(least, point.activation_bits)
