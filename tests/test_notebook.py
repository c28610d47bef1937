"""The notebook runs: its code cells, in order, as Jupyter runs them."""

import ast
import json
from pathlib import Path

import matplotlib
import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted(ROOT.glob("docs/notebooks/*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, tmp_path, monkeypatch, capsys):
    """Code cells share their names; a cell that raises fails. The last expression is evaluated."""
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    names: dict[str, object] = {"__name__": "__main__"}
    cells = json.loads(path.read_text())["cells"]
    codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert len(codes) >= 4
    for number, code in enumerate(codes):
        exec(compile(ast.parse(code), f"{path.name}, code cell {number}", "exec"), names)
    said = capsys.readouterr().out
    assert "17 bottlenecks" in said
    assert "block3: (24, 24, 8) elements equal" in said
    predictions, figure = names["predictions"], names["figure"]
    cycles = [prediction.total.cycles for prediction in predictions.values()]
    assert cycles == sorted(cycles, reverse=True)
    (line, _) = figure.axes[0].lines
    assert list(line.get_ydata()) == cycles


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_kept_without_outputs(path):
    content = json.loads(path.read_text())
    assert content["nbformat"] == 4
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


def test_there_is_one():
    assert NOTEBOOKS
