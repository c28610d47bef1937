"""`--html`: a page along with the other files, and the command line that made it."""

import sys

import pytest
from typer.testing import CliRunner

from mnv2.sim import cli


def invoke(*arguments):
    return CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "160"})


def test_a_prediction_gets_its_page(tmp_path):
    folder = tmp_path / "it's here"
    arguments = (
        "predict",
        "--width",
        "0.35",
        "--size",
        "96",
        "--set",
        "pixels=4",
        "--clock",
        "150",
        "--html",
        "--output",
        str(folder),
    )
    for _ in range(2):
        # A folder that holds a page is an earlier report, which is replaced.
        result = invoke(*arguments)
        assert result.exit_code == 0, result.output
    assert {file.name for file in folder.iterdir()} == {"report.csv", "report.html", "report.json"}
    assert "report.html" in result.stderr
    text = (folder / "report.html").read_text(encoding="utf-8")
    written = text.split('id="command"><code>')[1].split("</code>")[0]
    for part in (
        "mnv2 predict ",
        "--set pixels=4",
        "--width 0.35",
        "--size 96",
        "--clock 150",
        "--html",
        "it&#x27;&quot;&#x27;&quot;&#x27;s here",
    ):
        assert part in written
    assert "--latency" not in written


def test_a_search_gets_its_page(tmp_path):
    folder = tmp_path / "found"
    result = invoke(
        "explore",
        "--vary",
        "outputs=16",
        "--vary",
        "inputs=4",
        "--vary",
        "pixels=7",
        "--vary",
        "data_bits=128",
        "--width",
        "0.35",
        "--size",
        "96",
        "--workers",
        "0",
        "--html",
        "--output",
        str(folder),
    )
    assert result.exit_code == 0, result.output
    assert "report.html" in result.stderr
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert f"{folder}/design-001.toml" in text
    assert "mnv2 explore --vary outputs=16 --vary inputs=4" in text


def test_without_the_option_there_is_none(tmp_path):
    assert (
        invoke(
            "predict", "--width", "0.35", "--size", "96", "--output", str(tmp_path / "out")
        ).exit_code
        == 0
    )
    assert not (tmp_path / "out/report.html").exists()


def test_a_page_needs_a_folder():
    result = invoke("predict", "--html")
    assert result.exit_code == 2
    assert "add --output DIR" in result.stderr


@pytest.mark.parametrize("command", ["run", "predict", "validate", "sweep", "explore"])
def test_a_missing_library_is_found_first(command, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    result = invoke(command, "--html", "--output", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert result.stderr.strip().splitlines()[-1] == (
        "mnv2: A page needs plotly: pip install 'mnv2[page]'."
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["run", "predict", "validate", "sweep", "explore"])
def test_help_tells_of_it(command):
    text = invoke(command, "--help").stdout
    assert "--html" in text
    assert "report.html" in text
