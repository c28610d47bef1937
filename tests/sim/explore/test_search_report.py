"""`report.json`: what was asked, every design of the front with its layers, proofs apart."""

import json

import pytest

from mnv2.sim.explore.prove import Proof
from mnv2.sim.explore.search import run_search
from mnv2.sim.explore.search_report import write_report
from tests.sim.explore.small import prepare_small


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return run_search(
        prepare_small(device="ZU9EG", limits={"fps": 100.0}),
        tmp_path_factory.mktemp("found") / "search",
        workers=0,
    )


def test_everything_of_the_front_is_there(results, tmp_path):
    proof = Proof("design-001", "key", 100, 10, 101, 10, 50, {"frame": {"cycles": [100, 101]}})
    write_report(results, tmp_path / "report.json", [proof])
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["mode"] == "explore"
    assert [row["name"] for row in report["front"]] == [design.name for design in results.front]
    for row, design in zip(report["front"], results.front, strict=True):
        predicted = row["predicted"]
        assert predicted["cycles"] == sum(layer["cycles"] for layer in predicted["layers"])
        assert predicted["cycles"] == design.cycles
        assert predicted["relative_energy"] == pytest.approx(
            sum(predicted["relative_energy_by_operation"].values())
        )
        assert row["configuration"]["outputs"] == design.config.outputs
        assert row["command"] == design.command
        assert row["uses"][0]["share"] == max(use["share"] for use in row["uses"])
    assert report["balanced"] == results.balanced.name
    assert report["device"]["name"] == "ZU9EG"
    assert report["limits"][0]["words"] == "fps >= 100.0 /s"
    assert report["configuration"]["request"]["seed"] == report["seed"] == 1
    assert report["versions"]["optuna"]
    assert report["commit"]
    assert len(report["sensitivity"]["changes"]) == len(results.sensitivity.changes)
    # Measured figures stand apart from predicted ones, and say what they are.
    assert report["proofs"] == [
        {
            "name": "design-001",
            "key": "key",
            "predicted_cycles": 100,
            "predicted_dram_bytes": 10,
            "measured_cycles": 101,
            "measured_dram_bytes": 10,
            "figures": 50,
            "differences": {"frame": {"cycles": [100, 101]}},
            "reason": None,
        }
    ]
