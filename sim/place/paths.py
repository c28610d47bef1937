"""The worst paths of a routed design by unit, and how the delays of all its paths are spread."""

from collections import Counter
from typing import Any

from mnv2.sim.place.delays import Arrivals, Hop
from mnv2.sim.place.flow import ECP5, Flow
from mnv2.sim.synthesis.owners import Owners

__all__ = ["STEP_NANOSECONDS", "delay_counts", "worst_paths"]

#: Width of a class of delays.
STEP_NANOSECONDS = 0.25


def worst_paths(
    arrivals: Arrivals, owners: Owners, count: int = 10, *, flow: Flow = ECP5
) -> list[dict[str, Any]]:
    """Longest paths, one for each register and unit that it leads to.

    A decision that reaches all registers of a unit is one path, its longest, and so are the bits
    of the register that it begins at.

    Parameters
    ----------
    arrivals : Arrivals
    owners : Owners
    count : int
        Of paths at most.
    flow : Flow
        Of the device's family, which names the kinds of logic.

    Returns
    -------
    list of dict
        The longest first: ``nanoseconds`` with the setup, ``wires`` of them; ``from_unit``,
        ``from_register``, ``to_unit``, ``to_register`` and ``to_port``; ``logic``, cells by kind;
        ``through``, the units that it passes, in order.
    """
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for pin in sorted(arrivals.endpoints, key=lambda pin: (-arrivals.endpoints[pin], pin)):
        begin, hops = arrivals.path(pin)
        first, (last, _, port) = begin.rpartition("/")[0], pin.rpartition("/")
        from_unit, to_unit = owners.unit_of(first), owners.unit_of(last)
        from_register = owners.register(first)
        key = (from_unit, from_register, to_unit)
        if key in found:
            continue
        found[key] = {
            "nanoseconds": round(arrivals.endpoints[pin] / 1e3, 2),
            "wires": round(_count_wires(arrivals, pin, hops) / 1e3, 2),
            "from_unit": from_unit,
            "from_register": from_register,
            "to_unit": to_unit,
            "to_register": owners.register(last),
            "to_port": port,
            "logic": _count_logic(hops, flow),
            "through": _units_on_the_way(hops, owners),
        }
        if len(found) == count:
            break
    return list(found.values())


def _count_wires(arrivals: Arrivals, pin: str, hops: list[Hop]) -> int:
    """Picoseconds of a path over nets: all that is in no cell, without the setup."""
    return arrivals.at[pin] - sum(hop.picoseconds for hop in hops if not hop.wire)


def _count_logic(hops: list[Hop], flow: Flow) -> dict[str, int]:
    """Cells that a path leads through between its registers, by kind."""
    kinds = Counter(
        next(kind for pattern, kind in flow.logic if pattern.search(hop.pin))
        for hop in hops[1:]
        if not hop.wire
    )
    return dict(sorted(kinds.items()))


def _units_on_the_way(hops: list[Hop], owners: Owners) -> list[str]:
    """Units whose cells a path leads through, each once where several follow each other."""
    units: list[str] = []
    for hop in hops:
        unit = owners.unit_of(hop.pin.rpartition("/")[0])
        if not units or units[-1] != unit:
            units.append(unit)
    return units


def delay_counts(arrivals: Arrivals) -> dict[str, int]:
    """Endpoints by the delay of their longest path, in classes of `STEP_NANOSECONDS`.

    Returns
    -------
    dict of str to int
        By the lower end of the class in nanoseconds.
    """
    counts = Counter(int(delay / 1e3 / STEP_NANOSECONDS) for delay in arrivals.endpoints.values())
    return {f"{number * STEP_NANOSECONDS:g}": counts[number] for number in sorted(counts)}
