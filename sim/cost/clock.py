"""The clock of a design: given, placed, modelled from placed ones, a bound, or a setting."""

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cost.clock_model import ClockModel, fit_clock
from mnv2.sim.cost.placed import PLACED, find_placed, load_placed

__all__ = ["SPEED", "UNMEASURED_HZ", "Clock", "estimate_clock", "load_unit_clocks", "model_clock"]

MEASURED = Path(__file__).with_name("fmax.json")

#: Measurements of units by name, as of `mnv2.sim.synthesis.fmax.measure`.
UnitClocks = Mapping[str, Mapping[str, Any]]

#: Clocks taken where nothing can be placed and routed here: settings, not promises.
UNMEASURED_HZ = {"xcup": 200e6, "xc7": 100e6, "ice40": 24e6}

#: Speed grade of ECP5 that clocks are stated for: the fastest.
SPEED = 8

#: Family of all devices that accelerators are placed on.
_PLACED_FAMILY = "ecp5"


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
    kind : str
        ``"given"``, ``"placed"``, ``"model"``, ``"bound"`` or ``"setting"``.
    error : float or None
        Of a model: its largest error, as a share of placed clocks.
    """

    hz: float
    limited_by: str
    source: str
    kind: str
    error: float | None = None


def estimate_clock(
    family: str,
    clock_hz: float | None = None,
    *,
    source: str = "given",
    config: AcceleratorConfig | None = None,
    device: str = "",
    luts: int | None = None,
    unit_clocks: UnitClocks | None = None,
    placed: Path = PLACED,
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
    config : mnv2.hw.config.AcceleratorConfig, optional
        The design, to find it among those that were placed.
    device : str
        Name of the device.
    luts : int, optional
        Look-up tables that it takes, memories in them included, for the model.
    unit_clocks : dict, optional
        Highest clocks of units of the very configuration, as `mnv2.sim.synthesis.fmax` measures
        them: they are taken in place of the model.
    placed : Path
        Kept results of place and route.

    Returns
    -------
    Clock
        The first of these that there is: a given one; that of the very configuration, placed and
        routed for the device; that of the slowest of the given units; that of a model of two or
        more accelerators that were placed; for ECP5 that of the slowest unit of `base`, each placed
        and routed alone in an empty LFE5U-85F of speed grade 8, an upper bound of the whole; a
        setting for other families, which no open tool places and routes here.

    Raises
    ------
    ValueError
        If the family is unknown, or the clock is not positive.
    """
    if clock_hz is not None:
        if not (math.isfinite(clock_hz) and clock_hz > 0):
            raise ValueError(f"The clock must be positive and finite, not {clock_hz!r}")
        return Clock(float(clock_hz), "", source, "given")
    if family != _PLACED_FAMILY:
        if family not in UNMEASURED_HZ:
            raise ValueError(f"Family must be ecp5, {', '.join(UNMEASURED_HZ)}, not {family!r}")
        words = "a setting: nothing was placed and routed for this family"
        return Clock(UNMEASURED_HZ[family], "", words, "setting")
    found = None if config is None else find_placed(config, device, SPEED, placed)
    if found is not None:
        return Clock(
            found.megahertz_by_speed[SPEED] * 1e6,
            "",
            f"placed and routed: {device} speed {SPEED}, seed {found.seed}, the fastest of "
            f"{found.seeds}, by {found.tools[1]}",
            "placed",
        )
    model = model_clock(placed)
    if unit_clocks is None and luts is not None and model is not None:
        return Clock(model.clock_hz(luts), "", model.words, "model", model.error)
    clocks = load_unit_clocks() if unit_clocks is None else unit_clocks
    slowest = min(clocks, key=lambda name: clocks[name]["megahertz"])
    of = "of base" if unit_clocks is None else "of this configuration"
    return Clock(
        clocks[slowest]["megahertz"] * 1e6,
        slowest,
        f"slowest unit {of}, each alone, by nextpnr for an "
        f"{clocks[slowest]['device']}: an upper bound",
        "bound",
    )


@functools.cache
def model_clock(placed: Path = PLACED) -> ClockModel | None:
    """The model of the accelerators that were placed and kept; None where they are too few."""
    return fit_clock(list(load_placed(placed).values()), SPEED)


@functools.cache
def load_unit_clocks() -> UnitClocks:
    """Highest clocks of the units of `base`, as measured by `mnv2.sim.synthesis.fmax` and kept."""
    return json.loads(MEASURED.read_text(encoding="utf-8"))
