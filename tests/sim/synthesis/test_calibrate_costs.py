"""mnv2 lab calibrate-costs: what is mapped is not mapped again, what is kept is kept whole."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mnv2.sim.cli import app
from mnv2.sim.cost import resources, synthesised
from mnv2.sim.cost.synthesised import load_designs, load_results
from mnv2.sim.synthesis import calibrate_costs
from mnv2.sim.synthesis.yosys import SHOWN


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
    lines = done.stdout.splitlines()
    assert len(lines) == sum(map(len, load_results().values()))
    assert all("DSP and memories exact" in line for line in lines)
    assert sum("held out" in line for line in lines) >= 6


def test_nothing_is_mapped_twice(monkeypatch, kept):
    def synthesize(*arguments, **options):
        raise AssertionError("mapped once more")

    before = kept.read_bytes()
    monkeypatch.setattr(calibrate_costs, "synthesize", synthesize)
    run("--design", "tiny")
    assert kept.read_bytes() == before


def test_another_netlist_is_mapped(monkeypatch, kept):
    """As if hw had changed; the run itself, minutes, is taken from what is kept."""
    content = json.loads(kept.read_text())
    found = content["tiny"]["ecp5"]
    asked = []

    def synthesize(text, family, *, timeout):
        asked.append(family)
        units = {f"accelerator.{path}".rstrip("."): unit for path, unit in found["units"].items()}
        memories = {f"accelerator.{path}": kind for path, kind in found["memories"].items()}
        return {"total": found["total"], "units": units, "memories": memories, "seconds": 1}

    content["tiny"]["ecp5"] = {**found, "verilog_sha256": "0"}
    kept.write_text(json.dumps(content))
    monkeypatch.setattr(calibrate_costs, "synthesize", synthesize)
    run("--design", "tiny")
    assert asked == ["ecp5"]
    mapped = json.loads(kept.read_text())["tiny"]["ecp5"]
    assert mapped == {**found, "seconds": 1, "tool": mapped["tool"]}


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
