"""Places of the cells of each unit on the device."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from mnv2.sim.synthesis.owners import WRAPPER, Owners

__all__ = ["find_tiles", "group_name"]

_PLACE = re.compile(r"X(\d+)/Y(\d+)/")

#: What cells count as, by nextpnr's kind of cell.
_KINDS = {
    "TRELLIS_COMB": "luts",
    "TRELLIS_FF": "flip_flops",
    "MULT18X18D": "dsp",
    "DP16KD": "block_ram_18k",
}


def find_tiles(cells: Mapping[str, Any], owners: Owners) -> dict[str, Any]:
    """Cells by unit, and the unit with most cells in each tile of the device.

    Parameters
    ----------
    cells : dict
        Of a routed design, as nextpnr writes them.
    owners : Owners

    Returns
    -------
    dict
        ``units``: for each unit the cells of each kind, with half a slice as a LUT, as nextpnr
        counts. ``tiles``: for each group, the ``[x, y]`` of the tiles that it has most cells of.
    """
    units: dict[str, Counter[str]] = {}
    tiles: dict[tuple[int, int], Counter[str]] = {}
    for name, cell in cells.items():
        kind = _KINDS.get(cell["type"])
        if kind is None:
            continue
        unit = owners.unit_of(name)
        units.setdefault(unit, Counter())[kind] += 1
        if found := _PLACE.match(cell["attributes"].get("NEXTPNR_BEL", "")):
            place = int(found[1]), int(found[2])
            tiles.setdefault(place, Counter())[group_name(unit)] += 1
    grouped: dict[str, list[list[int]]] = {}
    for place, counts in sorted(tiles.items()):
        most = min(counts, key=lambda name: (-counts[name], name))
        grouped.setdefault(most, []).append(list(place))
    return {
        "units": {unit: dict(units[unit]) for unit in sorted(units)},
        "tiles": {name: grouped[name] for name in sorted(grouped)},
    }


def group_name(unit: str) -> str:
    """Unit that a unit is shown with: units of the core each, others with all below them."""
    parts = unit.split(".")
    if unit == "":
        return "top"
    if unit == WRAPPER:
        return WRAPPER
    return ".".join(parts[:2]) if parts[0] == "core" else parts[0]
