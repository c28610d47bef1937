"""The formula compared with SCALE-Sim: equal layers are counted, others are named."""

from dataclasses import replace
from pathlib import Path

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.peers.formula import formula_agreement, formula_row
from mnv2.sim.peers.result import Answer
from mnv2.sim.peers.scale_sim import read_layers

RECORDED = Path(__file__).parent / "recorded"
NETWORK, CONFIG = mobilenet_v2(), PRESETS["base"]


def test_row():
    row = formula_row(NETWORK, CONFIG)
    assert (row.cycles, row.depthwise_cycles, row.multipliers) == (2_231_386, 914_666, 448)
    assert row.dram_bytes is None


def test_recorded_layers_agree_and_others_are_named():
    layers = read_layers((RECORDED / "scale_sim_layers.csv").read_text())
    found = formula_agreement(NETWORK, CONFIG, Answer(layers))
    assert (found["equal"], found["of"]) == (6, 53)
    assert not {layer.name for layer in layers} & set(found["unequal"])
    one_off = replace(layers[0], cycles=layers[0].cycles + 1)
    found = formula_agreement(NETWORK, CONFIG, Answer((one_off, *layers[1:])))
    assert found["equal"] == 5
    assert found["unequal"][0] == layers[0].name


def test_no_answer_is_no_agreement():
    assert formula_agreement(NETWORK, CONFIG, None) is None
    assert formula_agreement(NETWORK, CONFIG, Answer(failure="not finished in 60 s")) is None
