"""Accuracy by the arithmetic of a design, its bits and its rounding, from a finished sweep."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from mnv2.golden.network import Network
from mnv2.hw.config import REQUANTIZERS, AcceleratorConfig
from mnv2.sim.errors import UserError
from mnv2.sim.sweep.costs import format_cost
from mnv2.sim.sweep.format_options import quantization_options
from mnv2.sim.sweep.grid import AXES, Point
from mnv2.sim.sweep.hardware_format import HARDWARE_BITS, hardware_lacks

__all__ = ["Arithmetic", "FormatAccuracy", "accuracy_axes", "arithmetic_of", "read_accuracies"]

#: What a design's accuracy follows from: bits of a weight, bits of an activation, rounding.
Arithmetic: TypeAlias = tuple[int, int, str]

#: Bits of the multipliers of requantisation that round once, sign included.
_SINGLE_MULTIPLIER_BITS = 17


@dataclass(frozen=True)
class FormatAccuracy:
    """The best format of a sweep that accelerators of one arithmetic run.

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


def arithmetic_of(config: AcceleratorConfig) -> Arithmetic:
    """The arithmetic of an accelerator; narrow accumulators are exact, or refuse a network."""
    return config.weight_bits, config.activation_bits, config.requantize


def read_accuracies(folder: str | Path, network: Network) -> dict[Arithmetic, FormatAccuracy]:
    """The best accuracy of each arithmetic that accelerators have.

    Parameters
    ----------
    folder : str or Path
        Folder of `mnv2 sweep`, with its ``report.json``.
    network : mnv2.golden.network.Network
        The network of the designs.

    Returns
    -------
    dict of (int, int, str) to FormatAccuracy
        By bits of the lanes for weights and for activations, 4 to 8, and rounding. Of formats of
        the same arithmetic it is the one with the best top-1 agreement, then the best SQNR.

    Raises
    ------
    UserError
        If there is no finished sweep, it is of another network, or no accelerator runs any of its
        formats.
    """
    rows = _read_rows(folder)
    found: dict[Arithmetic, tuple[tuple[float, float, int], FormatAccuracy]] = {}
    for row in rows:
        try:
            point = _point(row)
            if row["failure"] or not _runs(point):
                continue
            cost = format_cost(network, quantization_options(point, network))
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
        arithmetic = _arithmetic(point)
        if arithmetic not in found or rank > found[arithmetic][0]:
            found[arithmetic] = rank, made
    if not found:
        raise UserError(f"No accelerator runs any format of the sweep in {str(folder)!r}")
    return {arithmetic: made for arithmetic, (_, made) in sorted(found.items())}


def accuracy_axes(folder: str | Path | None) -> dict[str, tuple[Any, ...]]:
    """Bits and roundings that the formats of a sweep have on accelerators, as axes of a space.

    Parameters
    ----------
    folder : path or None
        None has no axes.

    Returns
    -------
    dict of str to tuple
        ``weight_bits``, ``activation_bits`` and ``requantize``, sorted.
    """
    if folder is None:
        return {}
    try:
        points = [_point(row) for row in _read_rows(folder) if not row["failure"]]
    except (KeyError, TypeError, ValueError):
        points = []
    found = [_arithmetic(point) for point in points if _runs(point)]
    if not found:
        raise UserError(f"No accelerator runs any format of the sweep in {str(folder)!r}")
    names = ("weight_bits", "activation_bits", "requantize")
    return {
        name: tuple(sorted(set(column)))
        for name, column in zip(names, zip(*found, strict=True), strict=True)
    }


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
    """Whether an accelerator of the point's arithmetic runs it."""
    if point.rounding == "single" and point.multiplier_bits > _SINGLE_MULTIPLIER_BITS:
        return False
    if point.rounding in REQUANTIZERS:
        # The choice of the accelerator; what else it lacks is to be asked.
        point = dataclasses.replace(point, rounding="double")
    return hardware_lacks(point) is None and all(
        getattr(point, field) == "same"
        for field in ("first_last", "expanded_bits", "layer_weights")
    )


def _arithmetic(point: Point) -> Arithmetic:
    """Bits of weights and of activations in hardware, and rounding."""
    least = HARDWARE_BITS[0]
    return max(least, point.weight_bits), max(least, point.activation_bits), point.rounding
