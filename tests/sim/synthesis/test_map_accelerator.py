"""scripts/synthesize: results of a design are kept, others go where they are asked for."""

import json
import sys

import pytest

from mnv2.sim.cost import synthesised
from mnv2.sim.cost.synthesised import load_results
from mnv2.sim.synthesis import map_accelerator


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["synthesize", *arguments])
    map_accelerator.main()


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """A copy of the kept results; Yosys's runs, minutes, are taken from them."""
    found = load_results()["tiny"]["xcup"]

    def synthesize(text, family, *, timeout):
        return {
            "total": found["total"],
            "units": {
                f"accelerator.{path}".rstrip("."): one for path, one in found["units"].items()
            },
            "memories": {f"accelerator.{path}": kind for path, kind in found["memories"].items()},
            "cells": {"LUT6": 1},
            "seconds": found["seconds"],
        }

    path = tmp_path / "synthesis.json"
    path.write_bytes(synthesised.RESULTS.read_bytes())
    monkeypatch.setattr(map_accelerator, "RESULTS", path)
    monkeypatch.setattr(map_accelerator, "synthesize", synthesize)
    return path


def test_a_design_is_kept(monkeypatch, kept, capsys):
    content = json.loads(kept.read_text())
    (tool,) = {content["tiny"]["xcup"].pop("tool")}
    del content["tiny"]["xcup"]["units"]
    kept.write_text(json.dumps(content))
    run(monkeypatch, "--config", "tiny", "--family", "xcup")
    again = json.loads(kept.read_text())["tiny"]["xcup"]
    assert {**again, "tool": tool} == load_results()["tiny"]["xcup"]
    assert capsys.readouterr().out.startswith("tiny xcup: 176 dsp, ")


def test_another_configuration_is_not(monkeypatch, kept, tmp_path):
    before = kept.read_bytes()
    changes = ("--config", "tiny", "--set", "map_words=4000", "--family", "xcup")
    run(monkeypatch, *changes)
    run(monkeypatch, *changes, "--output", str(tmp_path / "mine.json"))
    assert kept.read_bytes() == before
    mine = json.loads((tmp_path / "mine.json").read_text())["tiny map_words=4000"]["xcup"]
    assert mine["cells"] == {"LUT6": 1}
    assert mine["commands"][0].startswith("synth_xilinx")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config", "none.toml"], "there is no file 'none.toml'"),
        (["--set", "pixels=0"], "pixels must be a positive integer"),
    ],
)
def test_bad_configuration(monkeypatch, arguments, message):
    with pytest.raises(SystemExit, match=message):
        run(monkeypatch, *arguments)
