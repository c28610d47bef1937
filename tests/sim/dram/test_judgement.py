"""The verdict: cycles of a frame within a share, and equal bytes."""

import csv
import json
from dataclasses import replace

import pytest
from rich.console import Console

from mnv2.golden.network import build_network
from mnv2.hw.config import PRESETS
from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.dram.judgement import BOUND, Judgement, render_judgement, write_judgement

NETWORK = build_network(
    [(1, 8, 1, 1)], stem_channels=8, head_channels=32, classes=10, input_size=32
)


@pytest.fixture(scope="module")
def judgement():
    """Cycles that differ by half of what they may, to the nearest cycle."""
    rows = predict_network(NETWORK, PRESETS["tiny"], part="ddr3-800x16", part_clock_hz=100e6)
    cycles = sum(row.cycles for row in rows)
    return Judgement(
        part="ddr3-800x16",
        clock_hz=100e6,
        predicted=rows,
        predicted_cycles=round(cycles * (1 + BOUND / 2)),
        measured=rows,
        measured_cycles=cycles,
        seconds=0.5,
    )


def shown(judgement):
    console = Console(width=120, record=True)
    console.print(render_judgement(judgement))
    return console.export_text()


def test_within_the_bound(judgement):
    assert judgement.agrees
    assert judgement.difference == pytest.approx(BOUND / 2, abs=0.5 / judgement.measured_cycles)
    assert judgement.cycles_per_second == 2 * judgement.measured_cycles
    text = shown(judgement)
    assert "differ by +0.25%, within 0.5%; 0 mismatches, equal bytes" in text
    assert "LiteDRAM's clock is the accelerator's: 100 MHz" in text
    assert f"{judgement.predicted_cycles:,}" in text


@pytest.mark.parametrize("share", [2, -2])
def test_beyond_the_bound(judgement, share):
    cycles = round(judgement.measured_cycles * (1 + share * BOUND))
    far = replace(judgement, predicted_cycles=cycles)
    assert not far.agrees
    assert f"differ by {far.difference:+.2%}, more than 0.5%" in shown(far)


def test_other_bytes_are_no_agreement(judgement):
    first, *rest = judgement.measured
    other = replace(first, dram_write_bytes=first.dram_write_bytes + 16)
    wrong = replace(judgement, measured=(other, *rest))
    assert not wrong.agrees
    assert wrong.other_bytes == -16
    assert "not those predicted, by -16" in shown(wrong)
    # What one row reads ahead for the next is no other byte.
    second = replace(rest[0], dram_write_bytes=rest[0].dram_write_bytes - 16)
    assert replace(judgement, measured=(other, second, *rest[1:])).agrees


def test_files(judgement, tmp_path):
    write_judgement(judgement, tmp_path, model="a network")
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["judge"] == "litedram"
    assert content["agrees"] is True
    assert content["model"] == "a network"
    assert content["litedram_cycles"] == judgement.measured_cycles
    assert sum(row["litedram.cycles"] for row in content["layers"]) == judgement.measured_cycles
    with (tmp_path / "report.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows][-1] == "frame"
    assert int(rows[-1]["predicted.cycles"]) == judgement.predicted_cycles
