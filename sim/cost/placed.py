"""Clocks of whole accelerators that were placed and routed, kept with the project."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mnv2.hw.config import AcceleratorConfig

__all__ = ["PLACED", "PlacedDesign", "find_placed", "load_placed"]

PLACED = Path(__file__).with_name("placed.json")


@dataclass(frozen=True)
class PlacedDesign:
    """An accelerator that was placed and routed.

    Attributes
    ----------
    name : str
        Of the result.
    config : mnv2.hw.config.AcceleratorConfig
    device : str
        Name of the device in sim/cost/devices.toml.
    routed_speed : int
        Speed grade that it was routed for.
    seed, seeds : int
        The fastest seed of the placer, and how many were tried.
    megahertz_by_speed : dict of int to float
        Clock of that routing by speed grade.
    resources : dict of str to int
        Used, by the names of reports: ``"LUTs"``, ``"flip-flops"``, ``"DSPs"``,
        ``"block RAM, 18 kbit"``.
    netlist_sha256 : str
        Of the accelerator between registers.
    tools : tuple of str
        Yosys and nextpnr with their versions.
    """

    name: str
    config: AcceleratorConfig
    device: str
    routed_speed: int
    seed: int
    seeds: int
    megahertz_by_speed: Mapping[int, float]
    resources: Mapping[str, int]
    netlist_sha256: str
    tools: tuple[str, ...]


@functools.cache
def load_placed(path: Path = PLACED) -> dict[str, PlacedDesign]:
    """Kept results by name; none where there is no file."""
    if not path.is_file():
        return {}
    return {
        name: PlacedDesign(
            name=name,
            config=AcceleratorConfig(**found["configuration"]),
            device=found["device"],
            routed_speed=found["speed"],
            seed=found["seed"],
            seeds=len(found["seeds"]),
            megahertz_by_speed={
                int(speed): clock for speed, clock in found["megahertz_by_speed"].items()
            },
            resources={resource: counts["used"] for resource, counts in found["resources"].items()},
            netlist_sha256=found["netlist_sha256"],
            tools=(found["versions"]["yosys"], found["versions"]["nextpnr"]),
        )
        for name, found in json.loads(path.read_text(encoding="utf-8")).items()
    }


def find_placed(
    config: AcceleratorConfig, device: str, speed: int, path: Path = PLACED
) -> PlacedDesign | None:
    """The fastest kept result of the very configuration at a speed grade of a device.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    device : str
        Name of the device.
    speed : int
        Speed grade; its clock is ``megahertz_by_speed[speed]``.
    path : Path
        The kept results.

    Returns
    -------
    PlacedDesign, or None
        None where this configuration was never placed on the device.
    """
    found = [
        design
        for design in load_placed(path).values()
        if design.config == config
        and design.device == device
        and speed in design.megahertz_by_speed
    ]
    return max(found, key=lambda design: design.megahertz_by_speed[speed], default=None)
