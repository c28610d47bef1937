"""The documentation's table of formats: its rows, their differences, and the command."""

import numpy as np
import pytest
from typer.testing import CliRunner

from mnv2.sim.accuracy import format_table as table
from mnv2.sim.cli import app
from mnv2.sim.sweep.comparison import unpack_hits
from mnv2.sim.sweep.grid import Point, expand_grids
from mnv2.sim.sweep.request import SweepRequest
from mnv2.sim.sweep.sweep import prepare_sweep
from mnv2.sim.sweep.sweep_records import SweepResults
from tests.sim.sweep.small import made_results, small_model, write_sets


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    write_sets(folder, judged=6)
    request = SweepRequest(
        grids=table.grids(),
        images=str(folder / "images"),
        calibration=str(folder / "calibration"),
    )
    prepared = prepare_sweep(request, load_model=lambda request: small_model())
    return made_results(prepared)


def rows_of(text):
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|---"))
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines[start + 1 :]]


def test_grids_are_the_formats():
    points = expand_grids(table.grids())
    assert set(points) == set(table.FORMATS.values())
    assert len(points) == len(table.FORMATS)


def test_a_row_for_each_format(results):
    rows = rows_of(table.format_table(results))
    assert [row[0] for row in rows] == list(table.FORMATS)
    assert all(len(row) == 5 for row in rows)
    assert rows[0][2] == ""


def test_differences_are_paired(results):
    """The second row's, by the pictures on which the two are right."""
    first, second = list(table.FORMATS.values())[:2]
    hits = [
        unpack_hits(results.figures[point]["hits"]["agree_top1"], 30).astype(int)
        for point in (first, second)
    ]
    difference = hits[1] - hits[0]
    error = difference.std(ddof=1) / np.sqrt(30)
    cell = rows_of(table.format_table(results))[1][2]
    assert cell == f"{100 * difference.mean():+.1f} ± {100 * error:.1f}"


def test_failed_format_and_missing_labels(results):
    figures = {
        point: {name: value for name, value in one.items() if not name.startswith("label")}
        for point, one in results.figures.items()
    }
    figures[Point(4, 8)] = {"failure": "it cannot be made"}
    rows = rows_of(table.format_table(SweepResults(results.prepared, figures, {})))
    assert all(len(row) == 4 for row in rows)
    assert next(row for row in rows if row[0] == "W4A8")[1] == "failed: it cannot be made"


def test_command(tmp_path, monkeypatch):
    """Two formats on two pictures, resumed; the first call has done everything."""
    some = {words: table.FORMATS[words] for words in ("W8A8 per channel", "W4A8")}
    monkeypatch.setattr(table, "FORMATS", some)
    monkeypatch.chdir(tmp_path)
    options = ["--limit", "2", "--workers", "0", "--output", "table"]
    done = CliRunner().invoke(app, ["lab", "accuracy", *options])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "table" / "table.md").read_text(encoding="utf-8")
    assert text in done.stdout
    assert "2 formats on 2 pictures" in text
    assert [row[0] for row in rows_of(text)] == list(some)
    assert (tmp_path / "table" / "report.json").is_file()
    again = CliRunner().invoke(app, ["lab", "accuracy", "--resume", "table"])
    assert again.exit_code == 0, again.output
    assert text in again.stdout
