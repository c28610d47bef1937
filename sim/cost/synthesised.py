"""Kept results of Yosys for whole accelerators, and the designs that they are of."""

import dataclasses
import functools
import json
from pathlib import Path
from typing import Any

from mnv2.hw.config import PRESETS, AcceleratorConfig
from mnv2.sim.cost.families import FAMILIES
from mnv2.sim.jobs.files import read_toml

__all__ = ["DESIGNS", "RESULTS", "MappedDesign", "find_synthesised", "load_designs", "load_results"]

DESIGNS = Path(__file__).with_name("designs.toml")
RESULTS = Path(__file__).with_name("synthesis.json")


@dataclasses.dataclass(frozen=True)
class MappedDesign:
    """An accelerator that was mapped.

    Attributes
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    held_out : bool
        Whether nothing is fitted to it.
    families : tuple of str
        Families that it is mapped for.
    """

    config: AcceleratorConfig
    held_out: bool
    families: tuple[str, ...]


@functools.cache
def load_designs(path: Path = DESIGNS) -> dict[str, MappedDesign]:
    """Designs by name, in the order of the file.

    Each entry has options of the configuration, and may have ``preset``, ``held_out`` and
    ``families``; by default it is mapped for all that are calibrated.
    """
    calibrated = tuple(dict.fromkeys(family.calibrated_as for family in FAMILIES.values()))
    designs = {}
    for name, options in read_toml(path, "table of designs").items():
        held_out = options.pop("held_out", False)
        preset = PRESETS[options.pop("preset", "base")]
        families = tuple(options.pop("families", calibrated))
        designs[name] = MappedDesign(dataclasses.replace(preset, **options), held_out, families)
    return designs


@functools.cache
def load_results(path: Path = RESULTS) -> dict[str, dict[str, dict[str, Any]]]:
    """Results of Yosys for the designs.

    Returns
    -------
    dict
        By design and family, as of `mnv2.sim.synthesis.whole_result.summarize_netlist`: of whole
        designs, flattened.
    """
    return json.loads(path.read_text(encoding="utf-8"))


def find_synthesised(config: AcceleratorConfig, family: str) -> dict[str, int] | None:
    """Totals of the very configuration on a family, or None where it was never mapped.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    family : str

    Returns
    -------
    dict of str to int, or None
        Resources by name; only what is not 0.
    """
    for name, design in load_designs().items():
        if design.config == config:
            return load_results().get(name, {}).get(family, {}).get("total")
    return None
