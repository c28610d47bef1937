"""A table on terminals of every width."""

import io

import pytest
from rich.console import Console

from mnv2.sim.report.run_tables import render_report
from mnv2.sim.report.wide_table import WideTable
from tests.sim.report.example import example_network_report


def lines_of(renderable, width):
    """Lines on a terminal of that width."""
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(renderable)
    return console.file.getvalue().splitlines()


def make_table():
    """Three rows of two figures, the last a total."""
    table = WideTable("A title that may be longer than a narrow table")
    table.add_column("layer")
    for heading in ("cycles", "bytes"):
        table.add_column(heading, justify="right")
    table.add_row("stem", "1,234,567", "7,654,321")
    table.add_row("head", "2,345,678", "6,543,210")
    table.add_section()
    table.add_row("total", "3,580,245", "14,197,531")
    table.caption = "what it means"
    return table


def test_rows_are_whole_where_the_table_fits():
    rows = [line.split() for line in lines_of(make_table(), 80)]
    assert ["stem", "1,234,567", "7,654,321"] in rows
    assert rows.count(["layer", "cycles", "bytes"]) == 1


def test_narrow_terminal_gets_a_table_below_with_the_first_column_again():
    rows = [line.split() for line in lines_of(make_table(), 20)]
    for row in (
        ["layer", "cycles"],
        ["stem", "1,234,567"],
        ["layer", "bytes"],
        ["stem", "7,654,321"],
        ["total", "14,197,531"],
    ):
        assert rows.count(row) == 1, row
    assert rows[-1] == ["what", "it", "means"]
    assert sum(row[:2] == ["A", "title"] for row in rows) == 1


def test_column_without_heading_stays_with_the_one_before():
    table = WideTable("")
    for heading in ("", "float", "", "RTL", ""):
        table.add_column(heading)
    table.add_row("1", "Egyptian cat", "71.7%", "Egyptian cat", "75.0%")
    rows = [line.split() for line in lines_of(table, 24)]
    assert ["1", "Egyptian", "cat", "71.7%"] in rows
    assert ["1", "Egyptian", "cat", "75.0%"] in rows


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_report_of_a_run_loses_nothing(width):
    lines = lines_of(render_report(example_network_report()), width)
    assert max(map(len, lines)) <= width
    assert not any(len(line.split()) > 1 and "…" in line.replace("for …", "") for line in lines)
    figures = {
        word
        for line in lines_of(render_report(example_network_report()), 300)
        if line.startswith(" stem")
        for word in line.split()
    }
    found = {word for line in lines if line.startswith(" stem") for word in line.split()}
    assert found == figures
