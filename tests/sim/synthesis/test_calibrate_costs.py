"""mnv2 lab calibrate-costs: what is mapped is not mapped again, what is kept is kept whole."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mnv2.sim.cli import app
from mnv2.sim.cost import resources, synthesised
from mnv2.sim.cost.calibration import compare_fit
from mnv2.sim.cost.fit_words import error_words
from mnv2.sim.cost.synthesised import load_designs, load_results
from mnv2.sim.synthesis import calibrate_costs
from mnv2.sim.synthesis.tools import find_yosys
from mnv2.sim.synthesis.yosys import SHOWN
from tests.sim.place.small import add_program


def run(*arguments):
    return CliRunner().invoke(app, ["lab", "calibrate-costs", *arguments], catch_exceptions=False)


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """A copy of the results to write to, and a place for coefficients."""
    path = tmp_path / "synthesis.json"
    path.write_bytes(synthesised.RESULTS.read_bytes())
    monkeypatch.setattr(calibrate_costs, "RESULTS", path)
    monkeypatch.setattr(resources, "COEFFICIENTS", tmp_path / "coefficients.json")
    yield path
    resources.load_coefficients.cache_clear()


def test_fit_says_how_good_it_is(kept):
    original = json.loads(Path(resources.__file__).with_name("coefficients.json").read_text())
    done = run("--fit-only")
    assert json.loads(resources.COEFFICIENTS.read_text()) == original
    *lines, last = done.stdout.splitlines()
    assert last == f"Designs that were not fitted: {error_words(compare_fit())}"
    assert len(lines) == sum(map(len, load_results().values()))
    assert all("DSP and block RAM exact" in line for line in lines)
    assert sum("held out" in line for line in lines) >= 6


def test_nothing_is_mapped_twice(monkeypatch, kept):
    def map_netlist(*arguments, **options):
        raise AssertionError("mapped once more")

    before = kept.read_bytes()
    monkeypatch.setattr(calibrate_costs, "map_netlist", map_netlist)
    run("--design", "tiny", "--jobs", "1")
    assert kept.read_bytes() == before


def test_another_netlist_is_mapped(monkeypatch, kept):
    """As if hw had changed; the run itself, minutes, is taken from what is kept."""
    content = json.loads(kept.read_text())
    found = content["tiny"]["ecp5"]
    asked = []

    def map_netlist(text, folder, yosys, *, family, timeout):
        asked.append((family, yosys.version, folder.name.split("-")[1]))

    content["tiny"]["ecp5"] = {**found, "netlist_sha256": "0"}
    kept.write_text(json.dumps(content))
    monkeypatch.setattr(calibrate_costs, "map_netlist", map_netlist)
    monkeypatch.setattr(calibrate_costs, "summarize_netlist", lambda *_: found)
    run("--design", "tiny", "--jobs", "1")
    assert asked == [("ecp5", find_yosys().version, "ecp5")]
    assert json.loads(kept.read_text()) == load_results()


def test_designs_are_mapped_side_by_side(kept):
    """Two known designs, each in a process of its own: nothing is left to map."""
    before = kept.read_bytes()
    done = run("--design", "tiny", "--design", "9x3x4", "--jobs", "2")
    assert done.exit_code == 0
    assert kept.read_bytes() == before


def test_what_is_no_design_is_dropped(monkeypatch, kept):
    content = json.loads(kept.read_text())
    content["an old one"] = content["tiny"]
    content["base"]["xc7"] = content["base"]["xcup"]
    content["tiny"]["ecp5"]["netlist_sha256"] = "0"
    kept.write_text(json.dumps(content))
    monkeypatch.setattr(calibrate_costs, "map_netlist", lambda *_, **__: None)
    monkeypatch.setattr(
        calibrate_costs, "summarize_netlist", lambda *_: load_results()["tiny"]["ecp5"]
    )
    run("--design", "tiny", "--jobs", "1")
    assert json.loads(kept.read_text()) == load_results()


def test_another_yosys_is_taken(kept, tmp_path):
    missing = run("--yosys", str(tmp_path / "yosys"))
    assert missing.exit_code == 2
    assert "is not there, or is no program" in missing.stderr
    other = add_program(tmp_path / "yosys", "print('something else 1.0')")
    wrong = run("--yosys", str(other))
    assert wrong.exit_code == 2
    assert "does not say that it is a version of Yosys" in wrong.stderr


def test_shapes_of_fitted_designs_come_first():
    shapes = calibrate_costs.usual_shapes()
    assert shapes[0] == (1, 16, "drop")  # tiny: records of 1,024 bits from beats of 64
    assert len(shapes) == len(set(shapes))
    # 64 x 63 is the image of a design that is held out: 7 bits, 3 pixels, 3 channels.
    assert any(
        design.held_out and design.config.activation_bits == 7 for design in load_designs().values()
    )
    assert (64, 63, "drop") not in shapes


def test_unknown_design():
    done = run("--design", "huge")
    assert done.exit_code == 2
    assert done.stderr.startswith("mnv2: The design must be one of tiny, ")
    assert done.stderr.endswith(", not 'huge'.\n")
    assert "ecp5" in SHOWN
