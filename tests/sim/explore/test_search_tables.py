"""The designs as rows: what is in them, and that nothing is cut on the terminal."""

from dataclasses import fields, replace

import numpy as np
import pandas
import pytest
from rich.console import Console

from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.configuration import load_configuration
from mnv2.sim.explore.design_files import write_design_files
from mnv2.sim.explore.search import run_search
from mnv2.sim.explore.search_plots import write_plots
from mnv2.sim.explore.search_results import SearchResults
from mnv2.sim.explore.search_tables import (
    design_frame,
    differing_options,
    headline,
    render_front,
    write_tables,
)
from tests.sim.explore.small import prepare_small


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return run_search(
        prepare_small(device="ZU9EG", limits={"fps": 50000.0, "bandwidth": 9e9}),
        tmp_path_factory.mktemp("found") / "search",
        workers=0,
    )


def text_of(results, width=200, **options):
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(render_front(results, **options))
    return console.export_text()


def test_rows_are_the_designs(results):
    frame = design_frame(results)
    assert len(frame) == len(results.designs)
    assert list(frame["name"][: len(results.front)]) == [design.name for design in results.front]
    assert frame["on_front"].sum() == len(results.front)
    assert set(frame["state"]) == {"predicted", "ruled out"}
    for row, design in zip(frame.to_dict("records"), results.front, strict=False):
        assert (
            AcceleratorConfig(
                **{field.name: row[field.name] for field in fields(AcceleratorConfig)}
            )
            == design.config
        )
        assert row["predicted_cycles"] == design.cycles
        assert row["predicted_frames_per_second"] == design.frames_per_second
        assert row["dsp"] == design.resources.dsp
        assert row["predicted_relative_energy"] == design.energy.total
        assert row["binding_share"] == max(use.share for use in design.uses)
    out = frame[frame["state"] == "ruled out"]
    assert out["predicted_cycles"].isna().all()
    assert (out["misses"] != "").all()


def test_files_hold_the_same(results, tmp_path):
    write_tables(results, tmp_path)
    csv = pandas.read_csv(tmp_path / "designs.csv", keep_default_na=False)
    parquet = pandas.read_parquet(tmp_path / "designs.parquet")
    assert list(csv) == list(parquet)
    assert len(csv) == len(parquet) == len(results.designs)
    assert [str(value) for value in csv["predicted_cycles"][:3]] == [
        str(value) for value in parquet["predicted_cycles"][:3]
    ]
    # Measured figures have no column here, and predicted ones say so.
    assert not [name for name in csv if "measured" in name]


def test_terminal_has_the_front_and_what_it_means(results):
    text = text_of(results)
    assert text.strip().startswith("The Pareto front, predicted")
    assert headline(results).startswith(f"{len(results.front)} Pareto-optimal designs for most fps")
    for design in results.front:
        assert f" {design.number:03} " in text
        assert f"{design.frames_per_second:,.1f}" in text
        assert f"{design.latency_seconds * 1e3:,.3f}" in text
    assert f"Bold: {results.balanced.name}" in text
    assert "Clock: 200 MHz" in text
    assert "Limit: fps >= 50,000 /s, closest " in text
    assert "maps badly: " in text


@pytest.mark.parametrize("width", [60, 100])
def test_narrow_terminals_lose_no_digit(results, width):
    text = text_of(results, width)
    for design in results.front:
        assert f"{design.frames_per_second:,.1f}" in text
        assert f"{design.energy.total:.2f}" in text


def test_words_and_frames_are_in_every_table(tmp_path):
    variations = ("frames=1,2", "packing=none,pixels", "pixels=2", "requantize=double,single")
    found = run_search(prepare_small(*variations), tmp_path / "found", workers=0)
    # Some of each kind, whether another dominates it or not.
    front = [replace(one, number=place) for place, one in enumerate(found.predicted[::5], 1)]
    mixed = SearchResults(**{**vars(found), "front": front})
    frame = design_frame(mixed)
    assert set(frame["packing"]) == {"none", "pixels"}
    assert set(frame["frames"]) == {1, 2}
    rows = frame[frame["on_front"]]
    assert np.allclose(
        rows["predicted_frames_per_second"],
        rows["frames"] * rows["clock_hz"] / rows["predicted_cycles"],
    )
    assert differing_options(mixed.front) == {"packing": "pairs of", "requantize": "rounding"}
    text = text_of(mixed, limit=1000)
    for design in mixed.front:
        (line,) = (line for line in text.splitlines() if f" {design.number:03} " in line)
        assert design.lanes in line.split()
        assert design.config.packing in line.split()
        assert design.config.requantize in line.split()
    write_tables(mixed, tmp_path)
    write_plots(mixed, tmp_path)
    write_design_files(mixed, tmp_path)
    csv = pandas.read_csv(tmp_path / "designs.csv", keep_default_na=False)
    assert set(csv["packing"]) == {"none", "pixels"}
    for design in mixed.front:
        assert load_configuration(str(tmp_path / f"{design.name}.toml")) == design.config


def test_long_fronts_are_spread(results):
    text = text_of(results, limit=2)
    assert "2 shown, all in designs.csv" in text
    shown = [design for design in results.front if f" {design.number:03} " in text]
    assert len(shown) == 2
    assert results.balanced.number in {design.number for design in shown}
