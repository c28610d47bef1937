"""The kept coefficients are the fit of the kept results, without those that are held out."""

import copy

import pytest

from mnv2.sim.cost.calibration import fit_coefficients
from mnv2.sim.cost.resources import load_coefficients
from mnv2.sim.cost.synthesised import load_designs, load_results
from mnv2.sim.cost.unit_list import list_units


def test_kept_coefficients_are_the_fit():
    """Run scripts/calibrate-costs --fit-only where this fails."""
    fitted = fit_coefficients()
    assert fitted.keys() == load_coefficients().keys()
    for family, kinds in fitted.items():
        for kind, resources in kinds.items():
            for resource, values in resources.items():
                assert values == pytest.approx(
                    load_coefficients()[family][kind][resource], rel=1e-2, abs=1e-2
                ), (family, kind, resource)


def test_held_out_results_do_not_matter():
    results = copy.deepcopy(load_results())
    for name, design in load_designs().items():
        for found in results.get(name, {}).values() if design.held_out else ():
            found["total"]["luts"] *= 2
            for unit in found["units"].values():
                unit["luts"] = 3 * unit.get("luts", 0) + 1000
    assert fit_coefficients(results) == fit_coefficients()


def test_fitted_results_do():
    results = copy.deepcopy(load_results())
    results["tiny"]["xcup"]["units"]["core.array"]["luts"] += 1000
    assert fit_coefficients(results)["xcup"]["array"] != fit_coefficients()["xcup"]["array"]


def test_registers_are_flip_flops():
    """Registers that a unit declares are one flip-flop each, but for bits that nothing reads."""
    for family in ("xcup", "ecp5"):
        for kind, most_unread in (("array", 0.06), ("gearbox", 0.25)):
            _, register, *_ = load_coefficients()[family][kind]["flip_flops"]
            assert 1 - most_unread < register < 1.02, (family, kind)


def test_every_unit_has_as_many_coefficients_as_features():
    for family, kinds in load_coefficients().items():
        for unit in list_units(load_designs()["tiny"].config, family):
            assert len(kinds[unit.kind]["luts"]) == 1 + len(unit.luts)
            assert len(kinds[unit.kind]["flip_flops"]) == 1 + len(unit.flip_flops)
