"""Places of the cells of each unit on the device."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from mnv2.sim.place.flow import Flow
from mnv2.sim.synthesis.owners import WRAPPER, Owners

__all__ = ["find_tiles", "group_name"]

#: A place as nextpnr names it: nextpnr-ecp5 with a slash between column and row, others without.
_PLACE = re.compile(r"X(\d+)/?Y(\d+)/")

#: Place of a cell of 7 series: two functions in one LUT are at A5LUT and A6LUT, for each of A to D.
_LUT = re.compile(r"(.*\.[A-D])[56]LUT$")


def find_tiles(cells: Mapping[str, Any], owners: Owners, flow: Flow) -> dict[str, Any]:
    """Cells by unit, and the unit with most cells in each tile of the device.

    Parameters
    ----------
    cells : dict
        Of a routed design, as nextpnr writes them.
    owners : Owners
    flow : Flow
        Of the device's family.

    Returns
    -------
    dict
        ``units``: for each unit the cells of each kind of `Flow.units`; two functions that share a
        LUT of 7 series count once, for the unit of the first. ``tiles``: for each group, the
        ``[x, y]`` of the tiles that it has most cells of.
    """
    units: dict[str, Counter[str]] = {}
    tiles: dict[tuple[int, int], Counter[str]] = {}
    shared: set[str] = set()
    for name, cell in cells.items():
        kind = flow.units.get(cell["type"])
        if kind is None:
            continue
        unit = owners.unit_of(name)
        bel = cell["attributes"].get("NEXTPNR_BEL", "")
        lut = _LUT.match(bel)
        if lut is None or lut[1] not in shared:
            units.setdefault(unit, Counter())[kind] += 1
        if lut is not None:
            shared.add(lut[1])
        if found := _PLACE.match(bel):
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
