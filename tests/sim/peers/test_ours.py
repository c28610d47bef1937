"""The accelerator's own row: a run of this network on this accelerator, and the model's answer."""

import dataclasses
import json

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.errors import UserError
from mnv2.sim.peers.ours import our_row, read_run

NETWORK, CONFIG = mobilenet_v2(), PRESETS["base"]


@pytest.fixture
def report():
    """A report of `mnv2 run`, with the keys that are read."""
    return {
        "mode": "network",
        "wall_seconds": 9.5,
        "commit": "abc",
        "configuration": dataclasses.asdict(CONFIG),
        "memory": {"latency": 100, "bytes_per_cycle": 0, "stall_percent": 0, "seed": 1},
        "total": {
            "macs": NETWORK.macs,
            "cycles": 769_393,
            "depthwise_cycles": 82_208,
            "dram_bytes": 3_802_552,
        },
    }


def write(folder, report):
    (folder / "report.json").write_text(json.dumps(report))
    return folder


def test_a_run_is_read(report, tmp_path):
    found = read_run(write(tmp_path, report), NETWORK, CONFIG)
    assert (found.cycles, found.depthwise_cycles, found.dram_bytes) == (769_393, 82_208, 3_802_552)
    assert (found.seconds, found.latency, found.commit) == (9.5, 100, "abc")


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (("mode",), "blocks", "is not of the whole MobileNetV2"),
        (("total", "macs"), 300, "is not of the whole MobileNetV2"),
        (("configuration", "pixels"), 4, "on this accelerator"),
        (("memory", "stall_percent"), 20, "pauses or is narrower"),
        (("memory", "bytes_per_cycle"), 8, "pauses or is narrower"),
        (("total",), {}, "There is no report of a run"),
    ],
)
def test_other_runs_are_refused(where, value, message, report, tmp_path):
    place = report
    for key in where[:-1]:
        place = place[key]
    place[where[-1]] = value
    with pytest.raises(UserError, match=message):
        read_run(write(tmp_path, report), NETWORK, CONFIG)


def test_no_report(tmp_path):
    with pytest.raises(UserError, match="There is no report of a run in .*: make one with"):
        read_run(tmp_path, NETWORK, CONFIG)


def test_prediction_is_the_models():
    rows = predict_network(NETWORK, CONFIG, latency=40)
    row = our_row(NETWORK, CONFIG, 40)
    assert row.cycles == sum(one.cycles for one in rows)
    assert row.depthwise_cycles == sum(one.depthwise_cycles for one in rows)
    assert row.dram_bytes == sum(one.dram_bytes for one in rows)
    assert row.multipliers == CONFIG.multipliers
