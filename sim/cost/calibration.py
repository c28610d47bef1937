"""The coefficients of `mnv2.sim.cost.resources`, fitted to Yosys's results for whole accelerators.

For each kind of unit, resource and family, non-negative least squares over all its instances in the
designs that are calibrated on, with errors as shares of a design's total. Designs that are held out
say how far the estimate is off where it was not fitted.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mnv2.sim.cost.families import FAMILIES
from mnv2.sim.cost.least_squares import fit_non_negative
from mnv2.sim.cost.resources import estimate_resources
from mnv2.sim.cost.synthesised import load_designs, load_results
from mnv2.sim.cost.unit_list import list_units

__all__ = ["FITTED", "FitError", "compare_fit", "fit_coefficients"]

#: Resources that are fitted; DSPs and memories are counted.
FITTED = ("flip_flops", "luts")


@dataclass(frozen=True)
class FitError:
    """An estimate compared with the counts of Yosys.

    Attributes
    ----------
    design, family : str
    held_out : bool
        Whether the estimate was not fitted to it, or fitted for another family.
    estimated, counted : dict of str to int
        Resources by name.
    """

    design: str
    family: str
    held_out: bool
    estimated: Mapping[str, int]
    counted: Mapping[str, int]

    def error(self, resource: str) -> float:
        """Estimate over count, less one; 0 where neither has any."""
        estimated, counted = self.estimated[resource], self.counted.get(resource, 0)
        if not counted:
            return float("inf") if estimated else 0.0
        return estimated / counted - 1


def fit_coefficients(results=None):
    """Coefficients of each family that has results.

    Parameters
    ----------
    results : dict, optional
        As of `mnv2.sim.cost.synthesised.load_results`, which is the default.

    Returns
    -------
    dict
        By family, kind of unit and resource: the constant and a coefficient for each feature.
    """
    results = load_results() if results is None else results
    fitted: dict[str, dict[str, dict[str, list[float]]]] = {}
    for family in dict.fromkeys(known.calibrated_as for known in FAMILIES.values()):
        rows: dict[tuple[str, str], list[tuple[tuple[float, ...], int, float]]] = {}
        for name, design in load_designs().items():
            found = results.get(name, {}).get(family)
            if design.held_out or found is None:
                continue
            for unit in list_units(design.config, family):
                counted = found["units"].get(unit.path, {})
                for resource in FITTED:
                    rows.setdefault((unit.kind, resource), []).append(
                        (
                            (1, *getattr(unit, resource)),
                            counted.get(resource, 0),
                            1 / found["total"][resource],
                        )
                    )
        for (kind, resource), data in rows.items():
            features, counts, weights = map(np.array, zip(*data, strict=True))
            solution = fit_non_negative(features * weights[:, None], counts * weights)
            fitted.setdefault(family, {}).setdefault(kind, {})[resource] = [
                float(f"{value:.4g}") for value in solution
            ]
    return fitted


def compare_fit(results: dict | None = None) -> list[FitError]:
    """Estimates compared with the counts of Yosys, for each design and family that it mapped.

    Returns
    -------
    list of FitError
    """
    results = load_results() if results is None else results
    return [
        FitError(
            name,
            family,
            design.held_out or FAMILIES[family].calibrated_as != family,
            vars(estimate_resources(design.config, family)),
            found["total"],
        )
        for name, design in load_designs().items()
        for family, found in results.get(name, {}).items()
    ]
