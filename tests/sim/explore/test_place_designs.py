"""Designs of the front placed and routed next to their estimates; a unit stands in for them."""

import dataclasses

import pytest
from rich.console import Console

from mnv2.sim.cost.devices import find_device
from mnv2.sim.explore.place_designs import place_designs
from mnv2.sim.explore.proof_tables import render_placings
from mnv2.sim.explore.search import run_search
from mnv2.sim.explore.search_report import search_as_dict
from mnv2.sim.place import placement
from mnv2.sim.place.target import find_target
from tests.sim.explore.small import prepare_small
from tests.sim.place.small import failing_nextpnr, small_netlist

TARGET = find_target(find_device("ECP5-85"))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A search for an ECP5, and a cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNV2_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(placement, "convert_accelerator", lambda config: small_netlist())
        prepared = prepare_small("pixels=1", "outputs=12", device="ECP5-85", clock_mhz=50)
        yield run_search(prepared, tmp_path_factory.mktemp("found") / "search", workers=0)


def shown(placings):
    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(render_placings(placings))
    return console.export_text()


def test_routed_stands_next_to_estimated(found):
    steps = []
    placings = place_designs(
        found, 1, TARGET, lambda *step: steps.append(step[0]), speed=6, seeds=2
    )
    (placing,) = placings
    design = next(one for one in found.front if one.name == placing.name)
    assert (placing.estimated_megahertz, placing.clock_from) == (50, "given")
    assert (placing.device, placing.speed, placing.seeds) == ("ECP5-85", 6, 2)
    assert 50 < placing.megahertz < 400
    assert placing.frames_per_second == pytest.approx(
        design.frames_per_second * placing.megahertz / 50
    )
    assert placing.seed in (1, 2)
    assert 300 < placing.luts < 600
    assert placing.reason is None
    assert all(step.startswith(f"{design.name}: ") for step in steps)
    text = shown(placings)
    assert f"{placing.megahertz:.1f}" in text
    assert "ECP5-85, speed 6" in text
    assert "Estimated clock: given." in text
    assert search_as_dict(found, (), placings)["placed"] == [dataclasses.asdict(placing)]


def test_a_design_that_does_not_fit_has_a_reason(found):
    small = dataclasses.replace(TARGET, device=dataclasses.replace(TARGET.device, luts=100))
    (placing,) = place_designs(found, 1, small, lambda *step: None, speed=6, seeds=1)
    assert placing.megahertz is None
    assert "it takes 396 LUTs of 100, 296 too many" in placing.reason
    assert "failed" in shown([placing])
    assert placing.reason.split(",")[0] in shown([placing])


def test_a_design_that_cannot_be_routed_has_a_reason(found, tmp_path, monkeypatch):
    failing_nextpnr(tmp_path / "nextpnr-ecp5", [1])
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (placing,) = place_designs(found, 1, TARGET, lambda *step: None, speed=7, seeds=1)
    assert placing.megahertz is None
    assert "nextpnr could not route the design with any of 1 seeds" in placing.reason
