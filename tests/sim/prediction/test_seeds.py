"""Several seeds and a distribution: green where the model is right, red where it is not."""

import csv
import json
from dataclasses import asdict, replace

import pytest
from rich.console import Console

from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.prediction.distribution import draw
from mnv2.sim.prediction.layers import compare_layers
from mnv2.sim.prediction.seeds import SeedComparison, outside, render_seeds, write_seeds
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.run_network import run_network
from tests.sim.rtl.machines import MACHINES, model_and_tensors, network_of

NETWORK = network_of([(1, 8, 1, 1), (6, 16, 2, 2)], 17, classes=60)
CONFIG = MACHINES["tiny"]
MEMORY = MemoryModel(latency=40, stall_percent=30)
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def measured():
    """Rows in RTL, seed by seed."""
    model, tensors = model_and_tensors(CONFIG, NETWORK, 5)
    return [
        run_network(
            model, tensors, config=CONFIG, memory=replace(MEMORY, seed=seed), asserts=True
        ).layers
        for seed in SEEDS
    ]


def comparison(measured, stall_percent=MEMORY.stall_percent):
    """Comparison with a model that takes the memory to pause so often."""
    memory = {**asdict(MEMORY), "stall_percent": stall_percent}
    rows = [predict_network(NETWORK, CONFIG, **{**memory, "seed": seed}) for seed in SEEDS]
    del memory["seed"]
    return SeedComparison(
        SEEDS,
        tuple(compare_layers(NETWORK, CONFIG, *pair) for pair in zip(rows, measured, strict=True)),
        tuple(draw(NETWORK, CONFIG, **memory, seeds=range(10, 34))),
        predict_network(NETWORK, CONFIG, latency=MEMORY.latency),
    )


def shown(found, tmp_path):
    console = Console(width=160, record=True, file=(tmp_path / "text").open("w"))
    console.print(render_seeds(found))
    return console.export_text()


def test_the_model_is_right(measured, tmp_path):
    found = comparison(measured)
    assert found.equal
    assert len({sum(row.cycles for row in rows) for rows in measured}) > 1
    assert not outside(found.predicted, found.measured)
    text = shown(found, tmp_path)
    assert "figures are equal" in text
    assert "Every mean measured lies" in text
    assert text.count("3 of 3") == len(measured[0]) + 1


def test_another_share_of_pauses_is_seen(measured, tmp_path):
    found = comparison(measured, 20)
    assert not found.equal
    assert "total" in outside(found.predicted, found.measured)
    text = shown(found, tmp_path)
    assert "Outside the predicted interval of the mean: " in text
    assert "figures are not equal" in text
    assert "seed 2, stem: cycles" in text


def test_files_say_what_was_found(measured, tmp_path):
    write_seeds(comparison(measured, 20), tmp_path, first_draw=10)
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["equal"] is False
    assert content["covered"] is False
    assert [run["seed"] for run in content["runs"]] == list(SEEDS)
    assert content["published"]
    with (tmp_path / "report.csv").open() as file:
        rows = {(row["name"], row["figure"]): row for row in csv.DictReader(file)}
    total = rows["total", "cycles"]
    mean = sum(row.cycles for run in measured for row in run) / len(SEEDS)
    assert float(total["measured.mean"]) == pytest.approx(mean)
    assert float(total["difference.mean"]) < 0
    assert total["covered"] == "False"
    assert (tmp_path / "validate.png").stat().st_size > 10_000
