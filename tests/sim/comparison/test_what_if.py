"""Questions of what if: each case is the prediction that its options alone would give."""

import csv
import json
import re

import pytest
from typer.testing import CliRunner

from mnv2.sim import cli

SMALL = ("--width", "0.35", "--size", "32")


def invoke(*arguments):
    return CliRunner().invoke(cli.app, [*map(str, arguments)], env={"COLUMNS": "160"})


def predict(*options):
    result = invoke("predict", *SMALL, *options)
    assert result.exit_code == 0, result.output
    return result.stdout


def single(tmp_path, *options):
    """Cycles that a case has by itself."""
    predict(*options, "--output", tmp_path / "single")
    return json.loads((tmp_path / "single/report.json").read_text())["total"]["cycles"]


def test_every_combination(tmp_path):
    shown = predict("--latency", "50,400", "--bandwidth", "4,16", "--output", tmp_path / "grid")
    cases = json.loads((tmp_path / "grid/report.json").read_text())["cases"]
    assert [(case["latency"], case["bandwidth"]) for case in cases] == [
        (latency, bandwidth) for latency in (50, 400) for bandwidth in (4, 16)
    ]
    for case in cases:
        options = ("--latency", case["latency"], "--bandwidth", case["bandwidth"])
        assert case["cycles"] == single(tmp_path, *options)
        assert f"{case['cycles']:,}" in shown
    assert len({case["cycles"] for case in cases}) == 4
    fastest = max(cases, key=lambda case: case["frames_per_second"])
    last = shown.splitlines()[-1]
    assert f"{fastest['frames_per_second']:,.1f} frames/s (latency {fastest['latency']}, " in last
    with (tmp_path / "grid/report.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["cycles"]) for row in rows] == [case["cycles"] for case in cases]
    assert (tmp_path / "grid/what-if.png").stat().st_size > 10_000


def test_accelerators_are_compared_layer_by_layer(tmp_path):
    shown = predict("--config", "tiny", "--config", "base", "--output", tmp_path / "two")
    content = json.loads((tmp_path / "two/report.json").read_text())
    assert content["mode"] == "compare"
    totals = [row["cycles"] for row in content["rows"] if row["layer"] == "total"]
    assert totals == [single(tmp_path, "--config", name) for name in ("tiny", "base")]
    assert "base against tiny: " in shown.splitlines()[-1]
    assert (tmp_path / "two/compare.png").is_file()


def test_each_board_has_its_own_clock_and_memory(tmp_path):
    predict("--config", "kv260", "--config", "pynq-z2", "--output", tmp_path / "two")
    reports = json.loads((tmp_path / "two/report.json").read_text())["reports"]
    assert [one["clock_hz"] for one in reports] == [300e6, 100e6]
    assert len({one["memory"]["part"] for one in reports}) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--latency", "50,x"], "--latency must be an integer, or several such as 50,100,200"),
        (["--latency", "50,50"], "--latency names 50 twice"),
        (["--config", "base", "--config", "base"], "--config names base twice"),
        (["--latency", "50,1"], "The memory options are invalid"),
        (["--latency", "50,60", "--stalls", "5"], "predict one case"),
        (["--latency", "50,60", "--frames", "4"], "predict one case"),
        (["--latency", "50,60", "--memory", "ddr3-800x16"], "leave out --latency"),
        (["--latency", "50,60", "--html", "--output", "{out}"], "A page compares accelerators"),
    ],
)
def test_bad_input(options, words, tmp_path):
    out = tmp_path / "out"
    result = invoke("predict", *SMALL, *(one.format(out=out) for one in options))
    assert result.exit_code == 2
    assert re.search(words, " ".join(result.output.split())), result.output
    assert not out.exists()
