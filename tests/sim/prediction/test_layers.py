"""Rows predicted and measured: each difference is reported with its row and figure."""

import json

import pytest

from mnv2.golden.network import build_network
from mnv2.hw.config import PRESETS
from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.prediction.figures import figures
from mnv2.sim.prediction.layers import compare_layers, render_layers, write_layers

NETWORK = build_network(
    [(1, 8, 1, 1), (6, 16, 2, 2)], stem_channels=8, head_channels=32, classes=10, input_size=33
)


def comparison(latency=100):
    """Compare a prediction with another, of a memory of another latency."""
    rows = [predict_network(NETWORK, PRESETS["tiny"], latency=cycles) for cycles in (100, latency)]
    return compare_layers(NETWORK, PRESETS["tiny"], *rows)


def test_equal_rows_have_no_differences():
    assert comparison().differences() == {}


def test_differences_name_row_and_figure(tmp_path):
    found = comparison(latency=150)
    unequal = found.differences()
    assert unequal["stem"]["cycles"] == (found.predicted[0].cycles, found.measured[0].cycles)
    write_layers(found, tmp_path)
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["equal"] is False
    row = content["layers"][0]
    assert row["difference.cycles"] == row["predicted.cycles"] - row["measured.cycles"] != 0
    assert (tmp_path / "validate.png").stat().st_size > 10_000
    from rich.console import Console

    console = Console(width=160, record=True, file=(tmp_path / "text").open("w"))
    console.print(render_layers(found))
    text = console.export_text()
    assert "are not equal" in text
    assert len(figures(found.measured[0])) == 18


def test_rows_of_another_network_are_refused():
    rows = predict_network(NETWORK, PRESETS["tiny"])
    with pytest.raises(ValueError, match="must be stem, block1"):
        compare_layers(NETWORK, PRESETS["tiny"], rows, rows[:-1])
