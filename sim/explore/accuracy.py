"""What accuracy the bits of a design have, from a finished sweep."""

import json
from dataclasses import dataclass
from pathlib import Path

from sim.errors import UserError
from sim.sweep.costs import format_cost
from sim.sweep.evaluate import quantization_options
from sim.sweep.grid import AXES, Point
from sim.sweep.hardware import HARDWARE_BITS, hardware_lacks

__all__ = ["FormatAccuracy", "read_accuracies"]


@dataclass(frozen=True)
class FormatAccuracy:
    """The best format of a sweep that an accelerator of some bits runs.

    Attributes
    ----------
    name : str
        Of the format.
    share : float
        Share of the pictures whose first class is the float network's.
    pictures : int
        So many were judged by.
    """

    name: str
    share: float
    pictures: int


def read_accuracies(folder, network):
    """The best accuracy of each pair of bits that accelerators have.

    Parameters
    ----------
    folder : str or Path
        Of `mnv2 sweep`, with its ``report.json``.
    network : golden.network.Network
        Whose designs are judged.

    Returns
    -------
    dict of (int, int) to FormatAccuracy
        By bits of the lanes for weights and for activations, 4 to 8. Of formats of the same bits
        it is the one with the most first classes, then the best SQNR.

    Raises
    ------
    UserError
        If there is no finished sweep, it is of another network, or no accelerator runs any of its
        formats.
    """
    path = Path(folder).expanduser() / "report.json"
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        rows = report["points"] if report["mode"] == "sweep" else None
    except (OSError, ValueError, KeyError, TypeError):
        rows = None
    if not isinstance(rows, list):
        raise UserError(f"There is no finished sweep in {str(folder)!r}: --accuracy needs a folder "
                        "with the report.json of mnv2 sweep")
    found = {}
    for row in rows:
        try:
            point = Point(**{axis.field: row[axis.field] for axis in AXES})
            if row["failure"] or hardware_lacks(point) or point.first_last != "same":
                continue
            cost = format_cost(network, quantization_options(point))
            if cost.weight_bytes != row["weight_bytes"] or cost.dram_bytes != row["dram_bytes"]:
                raise UserError(f"The sweep in {str(folder)!r} is of another network than the "
                                "search: its weights or maps take other bytes")
            made = FormatAccuracy(row["name"], row["agree_top1"], row["pictures"])
            rank = made.share, row["sqnr_db"] or 0.0, -row["weight_bits"]
        except (KeyError, TypeError, ValueError):
            raise UserError(f"The sweep in {str(folder)!r} was written by another version of mnv2"
                            ) from None
        bits = tuple(max(HARDWARE_BITS[0], width)
                     for width in (point.weight_bits, point.activation_bits))
        if bits not in found or rank > found[bits][0]:
            found[bits] = rank, made
    if not found:
        raise UserError(f"No accelerator runs any format of the sweep in {str(folder)!r}")
    return {bits: made for bits, (_, made) in sorted(found.items())}
