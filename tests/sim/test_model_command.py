"""`mnv2 model` and `mnv2 validate`."""

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from golden.archive import model_to_arrays
from golden.network import build_network
from golden.synthetic import random_model
from hw.config import PRESETS
from sim import cli
from sim.model.comparison import compare, figures, render_comparison, write_comparison
from sim.model.predict import predict_network
from sim.models import save_arrays

NETWORK = build_network([(1, 8, 1, 1), (6, 16, 2, 2)], stem_channels=8, head_channels=32,
                        classes=10, input_size=33)


def invoke(*arguments):
    return CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "160"})


@pytest.mark.parametrize("command", ["model", "validate"])
def test_help_teaches(command):
    assert command in invoke("--help").stdout
    assert len(invoke(command, "--help").stdout.split()) > 80


def test_prediction_is_marked_in_every_place(tmp_path):
    result = invoke("model", "--width", "0.35", "--size", "96", "--output", str(tmp_path / "out"))
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
    cycles = [json_cycles("--width", "0.35", "--size", "96", *options) for options in
              ((), ("--latency", "400"), ("--bandwidth", "8"), ("--set", "pixels=4"))]
    assert len(set(cycles)) == 4


def json_cycles(*arguments):
    return invoke("model", *arguments).stdout.split(" cycles")[0]


@pytest.mark.parametrize(("arguments", "message"), [
    (("--size", "100"), "The size must be one of"),
    (("--config", "tiny"), "line_words is 1024: change it with --set"),
    (("--set", "pixels"), "A setting must be option=integer"),
])
def test_what_is_wrong_is_a_sentence(arguments, message):
    result = invoke("model", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def comparison(latency=100):
    """A prediction beside another, of a memory so far away."""
    rows = [predict_network(NETWORK, PRESETS["tiny"], latency=cycles) for cycles in (100, latency)]
    return compare(NETWORK, PRESETS["tiny"], *rows)


def test_equal_rows_have_no_differences():
    assert comparison().differences() == {}


def test_differences_name_row_and_figure(tmp_path):
    found = comparison(latency=150)
    unequal = found.differences()
    assert unequal["stem"]["cycles"] == (found.predicted[0].cycles, found.measured[0].cycles)
    write_comparison(found, tmp_path)
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["equal"] is False
    row = content["layers"][0]
    assert row["difference.cycles"] == row["predicted.cycles"] - row["measured.cycles"] != 0
    assert (tmp_path / "validate.png").stat().st_size > 10_000
    from rich.console import Console

    console = Console(width=160, record=True, file=(tmp_path / "text").open("w"))
    console.print(render_comparison(found, paused=True))
    text = console.export_text()
    assert "fixed latency" in text
    assert "are not equal" in text
    assert len(figures(found.measured[0])) == 18


def test_rows_of_another_network_are_refused():
    rows = predict_network(NETWORK, PRESETS["tiny"])
    with pytest.raises(ValueError, match="must be stem, block1"):
        compare(NETWORK, PRESETS["tiny"], rows, rows[:-1])


def test_validate_runs_the_machine(tmp_path):
    """From a file to the picture of what is equal, and 0 for it."""
    model, _ = random_model(np.random.default_rng(1), NETWORK)
    save_arrays(tmp_path / "small.npz", model_to_arrays(model))
    folder = tmp_path / "out"
    result = invoke("validate", "chelsea", "--model", str(tmp_path / "small.npz"), "--config",
                    "tiny", "--latency", "37", "--html", "--output", str(folder))
    assert result.exit_code == 0, result.output
    assert "figures are equal" in result.stdout
    content = json.loads((folder / "report.json").read_text())
    assert content["equal"] is True
    assert all(row["measured.cycles"] == row["predicted.cycles"] > 0 for row in content["layers"])
    assert {file.name for file in folder.iterdir()} == {"report.json", "report.csv",
                                                        "report.html", "validate.png"}
    assert "figures are equal" in (folder / "report.html").read_text()
