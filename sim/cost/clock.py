"""The clock of a design: given, bounded by the slowest unit placed and routed, or a setting."""

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["UNMEASURED_HZ", "Clock", "estimate_clock", "load_unit_clocks"]

MEASURED = Path(__file__).with_name("fmax.json")

#: Measurements of units by name, as of `mnv2.sim.synthesis.fmax.measure`.
UnitClocks = Mapping[str, Mapping[str, Any]]

#: Clocks taken where nothing can be placed and routed here: settings, not promises.
UNMEASURED_HZ = {"xcup": 200e6, "xc7": 100e6, "ice40": 24e6}


@dataclass(frozen=True)
class Clock:
    """A clock, and where it is from.

    Attributes
    ----------
    hz : float
    limited_by : str
        The slowest unit, empty where none was measured.
    source : str
        ``"given"``, or the origin of the figure, in words, such as a board's ``clock_source``.
    """

    hz: float
    limited_by: str
    source: str


def estimate_clock(
    family: str,
    clock_hz: float | None = None,
    *,
    source: str = "given",
    unit_clocks: UnitClocks | None = None,
) -> Clock:
    """Clock that a design is assumed to run at.

    Parameters
    ----------
    family : str
        A key of `mnv2.sim.cost.resources.FAMILIES`.
    clock_hz : float, optional
        A given clock, which is taken unchanged.
    source : str
        Where a given clock comes from.
    unit_clocks : dict, optional
        Highest clocks of units of the very configuration, as `mnv2.sim.synthesis.fmax` measures
        them; default the bundled ones of `base`.

    Returns
    -------
    Clock
        For ECP5 the slowest unit's, each placed and routed alone in an empty LFE5U-85F of speed
        grade 8: an upper bound of the whole. For other families a setting: no open tool places and
        routes them here, so that there is no measured figure.

    Raises
    ------
    ValueError
        If the family is unknown, or the clock is not positive.
    """
    if clock_hz is not None:
        if not (math.isfinite(clock_hz) and clock_hz > 0):
            raise ValueError(f"The clock must be positive and finite, not {clock_hz!r}")
        return Clock(float(clock_hz), "", source)
    if family == "ecp5":
        clocks = load_unit_clocks() if unit_clocks is None else unit_clocks
        slowest = min(clocks, key=lambda name: clocks[name]["megahertz"])
        of = "of base" if unit_clocks is None else "of this configuration"
        return Clock(
            clocks[slowest]["megahertz"] * 1e6,
            slowest,
            f"slowest unit {of}, each alone, by nextpnr for an "
            f"{clocks[slowest]['device']}: an upper bound",
        )
    if family not in UNMEASURED_HZ:
        raise ValueError(f"Family must be ecp5, {', '.join(UNMEASURED_HZ)}, not {family!r}")
    return Clock(
        UNMEASURED_HZ[family], "", "a setting: nothing was placed and routed for this family"
    )


@functools.cache
def load_unit_clocks() -> UnitClocks:
    """Highest clocks of the units of `base`, as measured by `mnv2.sim.synthesis.fmax` and kept."""
    return json.loads(MEASURED.read_text(encoding="utf-8"))
