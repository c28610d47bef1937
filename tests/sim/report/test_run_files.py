"""The report's files hold what was measured."""

import csv
import json

import pytest

from mnv2.sim.report.run_files import report_as_dict, write_csv, write_report
from mnv2.sim.report.run_report import FrameSequence
from mnv2.sim.report.systolic_formula import ScaleSimEstimate
from tests.sim.report.example import (
    example_network_report,
    example_pair_report,
    example_report,
)

ASKED = {
    "name",
    "cycles",
    "macs",
    "mac_utilization",
    "dram_read_bytes",
    "dram_write_bytes",
    "mismatches",
}


def test_json(tmp_path):
    report = example_report()
    write_report(report, tmp_path / "report.json")
    content = json.loads((tmp_path / "report.json").read_text())
    assert len(content["bottlenecks"]) == 17
    assert all(row.keys() >= ASKED for row in content["bottlenecks"])
    assert content["total"].keys() >= ASKED | {"configuration", "versions", "commit"}
    first = content["bottlenecks"][0]
    assert first["input_shape"] == [112, 112, 32]
    assert first["cycles"] == 24_100
    assert first["dram_read_bytes"] == 2440
    assert first["mac_utilization"] == pytest.approx(10_035_200 / (24_100 * 448))
    assert first["microseconds"] == pytest.approx(120.5)
    assert content["total"]["macs"] == 268_585_856
    assert content["total"]["configuration"] == {"outputs": 16, "inputs": 4, "pixels": 7}


def test_measured_and_computed_have_names_of_their_own():
    row = report_as_dict(example_report())["bottlenecks"][1]
    assert row["computed_fused_dram_bytes"] == 280_672
    assert row["computed_layer_by_layer_dram_bytes"] == 3_291_232


def test_network(tmp_path):
    report = example_network_report()
    write_report(report, tmp_path / "report.json")
    content = json.loads((tmp_path / "report.json").read_text())
    assert content == report_as_dict(report)
    assert content["mode"] == "network"
    assert [row["name"] for row in content["layers"]][::19] == ["stem", "classifier"]
    assert content["layers"][1:18] == content["bottlenecks"]
    assert all(row.keys() >= ASKED for row in content["layers"])
    assert content["layers"][-1]["bound"] == "weights"
    assert content["total"]["cycles"] == sum(row["cycles"] for row in content["layers"])
    assert content["multipliers"] == 448
    assert content["on_chip_bytes"] == 811_008
    assert content["on_chip_bytes_by_buffer"] == {"map": 286_720, "weights": 524_288}
    assert content["dram_floor_bytes"] == 3_765_736
    assert content["dram_bytes_over_floor"] == content["dram_bytes"] / 3_765_736
    assert content["simulated_cycles_per_second"] == content["total"]["cycles"] / 8
    assert content["frames_per_second"] == pytest.approx(200e6 / 749_398)
    for key in ("top5", "top5_golden", "top5_float"):
        assert [row["class"] for row in content[key]] == [281, 285, 282, 287, 728]
        assert content[key][0]["name"] == "tabby"
    assert content["timeline"]["steps"][0] == [600, 200, 512, 0]
    assert content["configuration"] == content["total"]["configuration"]


def test_scale_sims_cycles_are_named_computed(tmp_path):
    names = [layer.name for layer in example_network_report().layers]
    estimate = ScaleSimEstimate((28, 16), {name: 10 + n for n, name in enumerate(names)})
    report = example_network_report(scale_sim=estimate)
    content = report_as_dict(report)
    assert content["computed_scale_sim_array"] == [28, 16]
    assert [row["computed_scale_sim_cycles"] for row in content["layers"]] == [*range(10, 30)]
    assert content["total"]["computed_scale_sim_cycles"] == sum(range(10, 30))
    write_csv(report, tmp_path / "report.csv")
    with (tmp_path / "report.csv").open(newline="") as file:
        assert [row["computed_scale_sim_cycles"] for row in csv.DictReader(file)] == [
            *map(str, range(10, 30)),
            str(sum(range(10, 30))),
        ]


def test_blocks_have_no_class():
    content = report_as_dict(example_report())
    assert content["mode"] == "blocks"
    assert content["layers"] == content["bottlenecks"]
    assert content["top5"] == []
    assert content["timeline"] is None
    assert content["frames_per_second"] is None
    json.dumps(content, allow_nan=False)


def test_csv_of_a_network(tmp_path):
    write_csv(example_network_report(), tmp_path / "report.csv")
    with (tmp_path / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 21
    assert rows[-2]["stalls.weights"] == "30000"
    assert rows[-1]["macs"] == "300774272"


def test_csv(tmp_path):
    write_csv(example_report(), tmp_path / "report.csv")
    with (tmp_path / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [*(f"block{n}" for n in range(1, 18)), "total"]
    assert rows[0]["input_shape"] == "112x112x32"
    assert rows[0]["stalls.weights"] == "300"
    assert rows[-1]["macs"] == "268585856"
    assert rows[-1]["input_shape"] == ""


def test_single_frames_have_no_second_picture():
    content = report_as_dict(example_network_report())
    assert content["frames_abreast"] == 1
    assert content["second_picture"] is None
    assert content["products_per_cycle"] == content["multipliers"] == 448
    assert content["macs_per_cycle"] == pytest.approx(300_774_272 / 749_398)
    assert content["dram_bytes_per_frame"] == content["dram_bytes"]


def test_two_frames_abreast(tmp_path):
    """Figures of layers are those of both, frames a second and bytes a frame those of one."""
    report = example_pair_report()
    write_report(report, tmp_path / "report.json")
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["frames_abreast"] == 2
    assert content["frames_per_second"] == pytest.approx(2 * 200e6 / 749_398)
    assert content["products_per_cycle"] == 896
    assert content["total"]["macs"] == 2 * 300_774_272
    assert content["dram_bytes_per_frame"] == content["dram_bytes"] / 2
    assert content["dram_floor_bytes"] == 3_765_736 + 151_528
    second = content["second_picture"]
    assert second["image"] == "cup.jpg"
    assert [row["class"] for row in content["top5"]] == [281, 285, 282, 287, 728]
    assert [row["class"] for row in second["top5"]] == [967, 504, 968, 550, 969]
    assert second["top5"] == second["top5_golden"]
    assert second["top5_float"] == []


def test_back_to_back_frames_abreast():
    frames = FrameSequence(
        ends=(1000, 1800, 2600, 3900), macs=80_000, multipliers=200, dram_bytes=16, abreast=2
    )
    assert report_as_dict(example_pair_report(frames=frames))["frames"] == {
        "count": 8,
        "abreast": 2,
        "end_cycles": [1000, 1800, 2600, 3900],
        "interval_cycles": 800,
        "frames_per_second": 2 * 200e6 / 800,
        "mac_utilization": 0.5,
        "dram_bytes_per_frame": 2,
    }
