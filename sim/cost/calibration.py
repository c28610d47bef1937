"""The coefficients of `sim.cost.resources`, fitted to what Yosys made of whole accelerators.

For each kind of unit, resource and family, non-negative least squares over all its instances in the
designs that are calibrated on, with errors as shares of a design's total. Designs that are held out
say how far the estimate is off where it was not fitted.
"""

import itertools
import json
from pathlib import Path

import numpy as np

from hw.config import AcceleratorConfig
from sim.cost.memory_mapping import memory_columns, reads_while_written
from sim.cost.resources import FAMILIES, array_dsps, estimate_resources
from sim.cost.units import list_units

__all__ = ["FITTED", "compare", "fit_coefficients", "fit_non_negative", "load_results"]

#: What is fitted; DSPs and memories are counted.
FITTED = ("flip_flops", "luts")

RESULTS = Path(__file__).with_name("synthesis.json")


def load_results(path=RESULTS):
    """What Yosys made of accelerators.

    Returns
    -------
    dict
        By design: ``config``, its options; ``held_out``, whether it is kept from the fit;
        ``families``, by family ``verilog_sha256``, ``tool``, ``seconds``, ``total`` and ``units``,
        each the resources by name.
    """
    return json.loads(path.read_text(encoding="utf-8"))


def configuration(design):
    """The configuration of a design of `load_results`."""
    return AcceleratorConfig(**design["config"])


def fit_coefficients(results):
    """Coefficients of each family that has results.

    Parameters
    ----------
    results : dict
        As of `load_results`.

    Returns
    -------
    dict
        By family, kind of unit and resource: the constant and a coefficient for each feature.
    """
    fitted = {}
    for family in dict.fromkeys(name for _, name in FAMILIES.values()):
        rows = {}
        for design in results.values():
            if design["held_out"] or family not in design["families"]:
                continue
            config, found = configuration(design), design["families"][family]
            for unit in list_units(config, lambda memory: memory_columns(memory, family),
                                   lambda memory: reads_while_written(memory, family),
                                   soft_products=array_dsps(config, family) == 0):
                counted = found["units"].get(unit.path, {})
                for resource in FITTED:
                    rows.setdefault((unit.kind, resource), []).append((
                        (1, *getattr(unit, resource)), counted.get(resource, 0),
                        1 / found["total"][resource]))
        for (kind, resource), data in rows.items():
            features, counts, weights = map(np.array, zip(*data, strict=True))
            solution = fit_non_negative(features * weights[:, None], counts * weights)
            fitted.setdefault(family, {}).setdefault(kind, {})[resource] = [
                float(f"{value:.5g}") for value in solution]
    return fitted


def fit_non_negative(matrix, target):
    """Non-negative least squares, exact for a few columns: the best of all subsets of them.

    Parameters
    ----------
    matrix : float64 [rows, columns]
    target : float64 [rows]

    Returns
    -------
    float64 [columns]
        0 or more each. Of equally good ones, that with fewest columns.

    Ref: the solution is an unconstrained one of its positive columns (Lawson and Hanson, Solving
         Least Squares Problems, 1974, chapter 23).
    """
    columns = matrix.shape[1]
    best, least = np.zeros(columns), float(target @ target)
    for size in range(1, columns + 1):
        for chosen in itertools.combinations(range(columns), size):
            solution, *_ = np.linalg.lstsq(matrix[:, chosen], target, rcond=None)
            if (solution < 0).any():
                continue
            error = float(((matrix[:, chosen] @ solution - target) ** 2).sum())
            if error < least * (1 - 1e-9):
                best, least = np.zeros(columns), error
                best[list(chosen)] = solution
    return best


def compare(results):
    """Estimates beside what Yosys counted.

    Returns
    -------
    list of (str, str, bool, dict)
        Design, family, whether it is held out, and by resource the estimate and Yosys' count.
    """
    rows = []
    for name, design in results.items():
        for family, found in design["families"].items():
            estimate = estimate_resources(configuration(design), family)
            rows.append((name, family, design["held_out"], {
                resource: (count, found["total"].get(resource, 0))
                for resource, count in vars(estimate).items()}))
    return rows
