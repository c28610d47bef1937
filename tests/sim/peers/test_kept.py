"""docs/peers.json is of the network, the accelerator and the questions as they are."""

import json
import re
from pathlib import Path

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.peers.questions import list_questions
from mnv2.sim.report.systolic_formula import scale_sim_cycles

ROOT = Path(__file__).parents[3]
KEPT = json.loads((ROOT / "docs" / "peers.json").read_text())
NETWORK, CONFIG = mobilenet_v2(), PRESETS["base"]


def test_measured_figures_are_the_accelerators():
    """Run scripts/peers --keep again where this fails."""
    rows = predict_network(NETWORK, CONFIG, latency=KEPT["measured"]["latency"])
    assert KEPT["configuration"] == "base"
    assert KEPT["multipliers"] == CONFIG.multipliers
    assert KEPT["measured"]["cycles"] == sum(row.cycles for row in rows)
    assert KEPT["measured"]["depthwise_cycles"] == sum(row.depthwise_cycles for row in rows)
    assert KEPT["measured"]["dram_bytes"] == sum(row.dram_bytes for row in rows)


def test_every_question_was_answered():
    questions = list_questions(NETWORK, CONFIG, b"", latency=KEPT["measured"]["latency"])
    answered = {row["name"]: row for row in KEPT["predicted"]}
    assert set(answered) == {"model", "scale-sim-formula", *(one.name for one in questions)}
    for question in questions:
        row = answered[question.name]
        assert row["predicted_cycles"] > 0
        assert (row["array"], row["memory"], row["mapping"], row["not_told"]) == (
            question.array,
            question.memory,
            question.mapping,
            question.untold,
        )


def test_formula_is_scale_sims_on_every_layer():
    cycles = sum(scale_sim_cycles(layer, 28, 16) for layer in NETWORK.layers)
    answered = {row["name"]: row["predicted_cycles"] for row in KEPT["predicted"]}
    assert answered["scale-sim"] == answered["scale-sim-formula"] == cycles
    assert KEPT["scale_sim_formula"] == {"equal": 53, "of": 53, "unequal": []}


def test_versions_are_those_that_are_installed():
    wanted = (ROOT / "sim" / "peers" / "requirements.txt").read_text()
    pinned = dict(re.findall(r"^([\w-]+)==(\S+)$", wanted, re.MULTILINE))
    assert KEPT["versions"].items() <= pinned.items()
    assert len(KEPT["versions"]) == 3
