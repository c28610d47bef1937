"""`mnv2 predict` and `mnv2 validate`."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from mnv2.golden.archive import model_to_arrays
from mnv2.golden.network import build_network
from mnv2.golden.synthetic import random_model
from mnv2.sim import cli
from mnv2.sim.cycles import core_state
from mnv2.sim.cycles.timing import core_timing
from mnv2.sim.jobs.files import save_arrays

NETWORK = build_network(
    [(1, 8, 1, 1), (6, 16, 2, 2)], stem_channels=8, head_channels=32, classes=10, input_size=33
)


def invoke(*arguments):
    return CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "160"})


@pytest.mark.parametrize("command", ["predict", "validate"])
def test_help_teaches(command):
    assert command in invoke("--help").stdout
    assert len(invoke(command, "--help").stdout.split()) > 80


def test_prediction_is_marked_in_every_place(tmp_path):
    result = invoke("predict", "--width", "0.35", "--size", "96", "--output", str(tmp_path / "out"))
    assert result.exit_code == 0
    titles = [line for line in result.stdout.splitlines() if "predicted" in line]
    assert len(titles) >= 5
    assert "measured" not in result.stdout
    content = json.loads((tmp_path / "out/report.json").read_text())
    assert content["predicted"] is True
    assert all(row["predicted"] and "mismatches" not in row for row in content["layers"])
    assert content["total"]["cycles"] == sum(row["cycles"] for row in content["layers"])
    with (tmp_path / "out/report.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["predicted"] for row in rows] == ["True"] * 21
    assert int(rows[-1]["cycles"]) == content["total"]["cycles"]


def test_options_change_the_prediction():
    cycles = [
        json_cycles("--width", "0.35", "--size", "96", *options)
        for options in ((), ("--latency", "400"), ("--bandwidth", "8"), ("--set", "pixels=4"))
    ]
    assert len(set(cycles)) == 4


def json_cycles(*arguments):
    return json.loads(invoke("predict", *arguments, "--json").stdout)["total"]["cycles"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--size", "5000"), "The size must be 1 to 4,096 pixels"),
        (("--frames", "2"), "must be 1, or 3 or more, not 2"),
        (("--set", "frames=2", "--frames", "4"), "1, or 6 or more and a multiple of 2"),
        (("--draws", "0"), "--draws must be 1 or more"),
        (("--config", "tiny"), "line_words is 1024: change it with --set"),
        (("--set", "pixels"), "A setting must be option=value"),
    ],
)
def test_what_is_wrong_is_a_sentence(arguments, message):
    result = invoke("predict", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    """A small network in a file."""
    path = tmp_path_factory.mktemp("model") / "small.npz"
    model, _ = random_model(np.random.default_rng(1), NETWORK)
    save_arrays(path, model_to_arrays(model))
    return path


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--stalls", "20", "--seed", "4"),
        ("--stalls", "30", "--seeds", "2", "--draws", "12"),
        ("--frames", "3"),
    ],
)
def test_validate_runs_the_machine(model_file, tmp_path, options):
    """From a file to the picture of what is equal, and 0 for it."""
    folder = tmp_path / "out"
    result = invoke(
        "validate",
        "chelsea",
        "--model",
        str(model_file),
        "--config",
        "tiny",
        "--latency",
        "37",
        "--html",
        "--output",
        str(folder),
        *options,
    )
    assert result.exit_code == 0, result.output
    assert "figures are equal" in result.stdout
    assert "Timeloop, published" in result.stdout
    content = json.loads((folder / "report.json").read_text())
    assert content["equal"] is True
    tables = content.get("runs") or content.get("frames") or [content]
    assert all(
        row["measured.cycles"] == row["predicted.cycles"] > 0
        for table in tables
        for row in table["layers"]
    )
    assert len(tables) == {"--seeds": 2, "--frames": 3}.get(
        next((name for name in ("--seeds", "--frames") if name in options), ""), 1
    )
    assert {file.name for file in folder.iterdir()} == {
        "report.json",
        "report.csv",
        "report.html",
        "validate.png",
    }
    assert "figures are equal" in (folder / "report.html").read_text()


def test_a_wrong_prediction_ends_red(model_file, tmp_path, monkeypatch):
    """A model whose pipeline is a cycle too long."""

    def slower(config):
        right = core_timing(config)
        return replace(right, result=right.result + 1)

    monkeypatch.setattr(core_state, "core_timing", slower)
    for options in ((), ("--stalls", "30", "--seeds", "2", "--draws", "12"), ("--frames", "3")):
        result = invoke(
            "validate",
            "chelsea",
            "--model",
            str(model_file),
            "--config",
            "tiny",
            "--latency",
            "37",
            "--output",
            str(tmp_path / "out"),
            *options,
        )
        assert result.exit_code == 1
        assert "figures are not equal" in result.stdout
        assert "predicted, " in result.stdout
        assert json.loads((tmp_path / "out/report.json").read_text())["equal"] is False


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--seeds", "2"), "--seeds needs --stalls"),
        (("--seeds", "2", "--stalls", "5", "--frames", "3"), "not both"),
        (("--seeds", "2", "--stalls", "5", "--draws", "3"), "10 draws or more, not 3"),
        (("--frames", "0"), "must be 1 or more, not 0"),
        (("--set", "frames=2", "--frames", "3"), "or a multiple of the 2 that the accelerator"),
        (("chelsea", "coffee"), "2 pictures need an accelerator"),
        (("--seeds", "0"), "must be 1 or more, not 0"),
        (("--stalls", "100"), "stall_percent must be an integer from 0 to 99"),
    ],
)
def test_validate_refuses_what_does_not_go_together(arguments, message):
    result = invoke("validate", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_part_at_two_clocks(tmp_path):
    cycles = {}
    for clock in (100, 300):
        folder = tmp_path / str(clock)
        result = invoke(
            *("predict", "--width", "0.35", "--size", "96", "--memory", "ddr3-800x16"),
            *("--clock", str(clock), "--output", str(folder)),
        )
        assert result.exit_code == 0, result.output
        assert f"for ddr3-800x16 (DDR3-800E, 16 bits) at {clock} MHz" in result.stdout
        content = json.loads((folder / "report.json").read_text())
        assert content["memory"]["part"] == "ddr3-800x16"
        assert content["memory"]["part_clock_hz"] == clock * 1e6
        assert content["memory"]["latency"] == -(-190 * clock // 1000)  # ns: see parts.toml
        cycles[clock] = content["total"]["cycles"]
    # The same memory is slower in cycles of a faster accelerator.
    assert cycles[100] < cycles[300]


def test_pauses_have_a_mean_and_a_range(tmp_path):
    options = ("--width", "0.35", "--size", "96", "--stalls", "30", "--seed", "3")
    result = invoke("predict", *options, "--draws", "4", "--output", str(tmp_path / "out"))
    assert result.exit_code == 0
    assert "cycles over 4 seeds, 90 % of them" in result.stdout
    content = json.loads((tmp_path / "out/report.json").read_text())
    assert content["memory"]["stall_percent"] == 30
    spreads = {(row["name"], row["figure"]): row for row in content["spreads"]}
    total = spreads["total", "cycles"]
    assert total["predicted.low"] <= total["predicted.mean"] <= total["predicted.high"]
    assert total["predicted.count"] == 4
    # The rows are those of one seed.
    alone = invoke("predict", *options, "--draws", "1").stdout
    assert f"{content['total']['cycles']:,} cycles" in alone
    assert "over" not in alone.splitlines()[1]


def test_frames_have_an_interval(tmp_path):
    options = ("--width", "0.35", "--size", "96", "--frames", "3")
    result = invoke("predict", *options, "--output", str(tmp_path / "out"))
    assert result.exit_code == 0
    frames = json.loads((tmp_path / "out/report.json").read_text())["frames"]
    ends = frames["end_cycles"]
    assert frames["interval_cycles"] == ends[1] - ends[0]
    assert f"every {ends[1] - ends[0]:,} cycles" in result.stdout
    assert sum(row["cycles"] for rows in frames["layers"] for row in rows) == ends[-1]


def test_draws_behind_the_last_seed():
    result = invoke(
        "predict",
        "--width",
        "0.35",
        "--size",
        "96",
        "--stalls",
        "30",
        "--seed",
        str(2**32 - 1),
        "--draws",
        "2",
    )
    assert result.exit_code == 0, result.output
    assert "cycles over 2 seeds" in result.stdout


def test_model_is_the_former_name(tmp_path):
    """It is not listed, says what its name is now, and does the same with the same options."""
    commands = [line.split()[1] for line in invoke("--help").stdout.splitlines() if "│ " in line]
    assert "predict" in commands
    assert "model" not in commands
    options = ("--width", "0.35", "--size", "96", "--latency", "40")
    former, now = (
        invoke(name, *options, "--output", str(tmp_path / name)) for name in ("model", "predict")
    )
    assert former.exit_code == now.exit_code == 0
    assert former.stderr.splitlines()[0] == "mnv2 model is now mnv2 predict"
    assert len(former.stderr.splitlines()) == len(now.stderr.splitlines()) + 1
    assert "mnv2 model is now" not in now.stderr
    # All but the time that the prediction took.
    shown = [
        [line for line in done.stdout.splitlines() if not line.startswith("predicted in ")]
        for done in (former, now)
    ]
    assert shown[0] == shown[1]
    assert len(shown[0]) == len(now.stdout.splitlines()) - 1
    tables = [(tmp_path / name / "report.csv").read_text() for name in ("model", "predict")]
    assert tables[0] == tables[1]
    refused = invoke("model", "--frames", "2")
    assert refused.exit_code == invoke("predict", "--frames", "2").exit_code == 2
    assert "must be 1, or 3 or more, not 2" in refused.stderr
