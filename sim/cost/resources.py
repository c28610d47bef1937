"""The resources that an accelerator takes, from its configuration alone.

DSPs and memories are counted exactly: products as the units make them, cut as Yosys cuts them
(`mnv2.sim.cost.multiplier`), memories as it maps them (`mnv2.sim.cost.memory_mapping`). LUTs and
flip-flops are features of each unit (`mnv2.sim.cost.units`) times coefficients that were fitted to
Yosys's results for whole accelerators (`mnv2.sim.cost.calibration`). Nothing is built or run.
"""

import functools
import json
from pathlib import Path

from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cost.families import FAMILIES
from mnv2.sim.cost.memory_mapping import map_memory
from mnv2.sim.cost.record import Resources
from mnv2.sim.cost.unit_list import list_memories, list_products, list_units

__all__ = ["FAMILIES", "Resources", "estimate_resources", "estimate_units", "load_coefficients"]

COEFFICIENTS = Path(__file__).with_name("coefficients.json")


def estimate_resources(config: AcceleratorConfig, family: str = "xcup") -> Resources:
    """Resources of a device that an accelerator takes.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    family : str
        A key of `FAMILIES`. The LUTs and flip-flops of ``"xc7"`` are those of ``"xcup"``, and those
        of ``"ice40"`` those of ``"ecp5"``: both have LUTs of as many inputs. A memory in UltraRAM
        counts as block RAM in a family that has none.

    Returns
    -------
    Resources

    Raises
    ------
    ValueError
        If there is no such family.
    """
    units = estimate_units(config, family)
    return sum(units.values(), Resources())


def estimate_units(config: AcceleratorConfig, family: str = "xcup") -> dict[str, Resources]:
    """Resources of each unit of an accelerator; parameters as for `estimate_resources`.

    Returns
    -------
    dict of str to Resources
        By the unit's path in the netlist, without the top's name, which is ``""``.
    """
    if family not in FAMILIES:
        raise ValueError(f"Family must be one of {', '.join(FAMILIES)}, not {family!r}")
    coefficients = load_coefficients()[FAMILIES[family].calibrated_as]
    found = {}
    for unit in list_units(config, family):
        of_kind = coefficients[unit.kind]
        found[unit.path] = Resources(
            luts=_weigh(of_kind["luts"], unit.luts),
            flip_flops=_weigh(of_kind["flip_flops"], unit.flip_flops),
        )
    for memory in list_memories(config):
        found[memory.unit] = found.get(memory.unit, Resources()) + map_memory(memory, family)
    for path, products in list_products(config).items():
        found[path] += Resources(dsp=sum(product.dsps(family) for product in products))
    return found


@functools.cache
def load_coefficients():
    """Fitted coefficients: family, kind of unit, ``flip_flops`` and ``luts``; constants first."""
    return json.loads(COEFFICIENTS.read_text(encoding="utf-8"))


def _weigh(coefficients, features):
    constant, *others = coefficients
    return round(constant + sum(map(float.__mul__, others, map(float, features))))
