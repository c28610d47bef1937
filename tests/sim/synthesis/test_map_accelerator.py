"""mnv2 lab synthesize: results of a design are kept, others go where they are asked for."""

import dataclasses
import json

import pytest

from mnv2.hw.config import PRESETS
from mnv2.sim.cost import synthesised
from mnv2.sim.cost.synthesised import load_results
from mnv2.sim.synthesis import map_accelerator


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


def test_a_design_is_kept(kept, capsys):
    content = json.loads(kept.read_text())
    (tool,) = {content["tiny"]["xcup"].pop("tool")}
    del content["tiny"]["xcup"]["units"]
    kept.write_text(json.dumps(content))
    map_accelerator.map_accelerator(PRESETS["tiny"], "tiny", ["xcup"])
    again = json.loads(kept.read_text())["tiny"]["xcup"]
    assert {**again, "tool": tool} == load_results()["tiny"]["xcup"]
    assert capsys.readouterr().out.startswith("tiny xcup: 76 dsp, ")


def test_another_configuration_is_not(kept, tmp_path):
    before = kept.read_bytes()
    config = dataclasses.replace(PRESETS["tiny"], map_words=4000)
    for output in (None, tmp_path / "mine.json"):
        map_accelerator.map_accelerator(config, "tiny map_words=4000", ["xcup"], output=output)
    assert kept.read_bytes() == before
    mine = json.loads((tmp_path / "mine.json").read_text())["tiny map_words=4000"]["xcup"]
    assert mine["cells"] == {"LUT6": 1}
    assert mine["commands"][0].startswith("synth_xilinx")
