"""mnv2 lab synthesize: results of a design are kept, others go where they are asked for."""

import dataclasses
import json

import pytest

from mnv2.hw.config import PRESETS
from mnv2.sim.cost import synthesised
from mnv2.sim.cost.synthesised import load_results
from mnv2.sim.synthesis import map_accelerator
from mnv2.sim.synthesis.process import Effort
from mnv2.sim.synthesis.whole_netlist import Netlist


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """A copy of the kept results; Yosys's runs, minutes, are taken from them."""
    found = load_results()["tiny"]["xcup"]

    def map_netlist(text, folder, yosys, *, family, timeout):
        return Netlist(tmp_path / "none", {"LUT6": 1}, Effort(1.0, 1.0, 1))

    path = tmp_path / "synthesis.json"
    path.write_bytes(synthesised.RESULTS.read_bytes())
    monkeypatch.setattr(map_accelerator, "RESULTS", path)
    monkeypatch.setattr(map_accelerator, "map_netlist", map_netlist)
    monkeypatch.setattr(map_accelerator, "convert_accelerator", lambda config: "module top")
    monkeypatch.setattr(map_accelerator, "summarize_netlist", lambda *_: found)
    return path


def test_a_design_is_kept(kept, capsys):
    content = json.loads(kept.read_text())
    del content["tiny"]["xcup"]
    kept.write_text(json.dumps(content))
    map_accelerator.map_accelerator(PRESETS["tiny"], "tiny", ["xcup"])
    assert json.loads(kept.read_text()) == load_results()
    assert capsys.readouterr().out.startswith("tiny xcup: 76 dsp, ")


def test_another_configuration_is_not(kept, tmp_path):
    before = kept.read_bytes()
    config = dataclasses.replace(PRESETS["tiny"], map_words=4000)
    for output in (None, tmp_path / "mine.json"):
        map_accelerator.map_accelerator(config, "tiny map_words=4000", ["xcup"], output=output)
    assert kept.read_bytes() == before
    mine = json.loads((tmp_path / "mine.json").read_text())["tiny map_words=4000"]["xcup"]
    assert mine["cells"] == {"LUT6": 1}
    assert any(command.startswith("synth_xilinx -family xcup") for command in mine["commands"])
