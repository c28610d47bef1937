"""Paths and names are printed as they are given: they are no markup."""

import pytest

from mnv2.sim.commands.terminal import console
from mnv2.sim.commands.terminal.bars import make_bar
from mnv2.sim.commands.terminal.step_progress import StepBar

#: A name that closes what was never opened, and one that would vanish.
NAME = "a[/b] o [bold]x [red]"


@pytest.mark.parametrize("make", [console.get_console, console.get_error_console])
def test_names_are_printed_as_they_are(make, capsys):
    from rich.table import Table

    table = Table(NAME, title=NAME, width=100)
    table.add_row(NAME)
    made = make()
    made.print(f"In {NAME}: all")
    made.print(table)
    captured = capsys.readouterr()
    text = captured.out + captured.err
    assert text.count(NAME) == 4
    assert f"In {NAME}: all\n" in text


def test_bars_show_names_as_they_are():
    from rich.progress import MofNCompleteColumn

    bar = make_bar(4, MofNCompleteColumn())
    task = bar.add_task(NAME)
    assert NAME in str(bar.columns[0].render(bar.tasks[task]))
    steps = StepBar()
    steps.show("route", 1, 2, NAME)
    assert NAME in str(steps._bar.columns[2].render(steps._bar.tasks[0]))
