"""The report's files hold what was measured, and appear whole or not at all."""

import csv
import json

import pytest

from sim.errors import UserError
from sim.report.files import output_folder, report_as_dict, write_csv, write_json
from tests.sim.report.example import example_report

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
    write_json(report, tmp_path / "report.json")
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


def test_csv(tmp_path):
    write_csv(example_report(), tmp_path / "report.csv")
    with (tmp_path / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [*(f"block{n}" for n in range(1, 18)), "total"]
    assert rows[0]["input_shape"] == "112x112x32"
    assert rows[0]["stalls.weights"] == "300"
    assert rows[-1]["macs"] == "268585856"
    assert rows[-1]["input_shape"] == ""


def test_folder_appears_whole(tmp_path):
    wanted = tmp_path / "runs" / "one"
    with output_folder(wanted) as folder:
        (folder / "report.json").write_text("{}")
        assert not wanted.exists()
    assert [path.name for path in wanted.iterdir()] == ["report.json"]
    assert [path.name for path in wanted.parent.iterdir()] == ["one"]


def test_failure_leaves_nothing(tmp_path):
    def fail():
        with output_folder(tmp_path / "one") as folder:
            (folder / "report.json").write_text("{}")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_earlier_report_is_replaced(tmp_path):
    for text in ("first", "second"):
        with output_folder(tmp_path / "one") as folder:
            (folder / "report.json").write_text(text)
    assert (tmp_path / "one" / "report.json").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_failure_keeps_the_earlier_report(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "report.json").write_text("first")

    def fail():
        with output_folder(tmp_path / "one"):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (tmp_path / "one" / "report.json").read_text() == "first"


@pytest.mark.parametrize("make", ["file", "below a file", "full folder"])
def test_unusable_output(make, tmp_path):
    wanted = tmp_path / "one"
    if make == "full folder":
        wanted.mkdir()
        (wanted / "thesis.tex").write_text("precious")
    else:
        wanted.write_text("precious")
    if make == "below a file":
        wanted = wanted / "two"
    with pytest.raises(UserError, match=r"The output"), output_folder(wanted):
        pytest.fail("The folder was given")
    assert "precious" in [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
