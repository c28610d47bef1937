"""Bars say what is elapsed and what is left; where there is no terminal, lines do."""

import time

import pytest
from rich.progress import MofNCompleteColumn

from mnv2.sim.commands.terminal import bars
from mnv2.sim.commands.terminal.bars import Lines, make_bar, show_count, times_words
from mnv2.sim.commands.terminal.console import MANNER


def test_times_are_named():
    bar = make_bar(4, MofNCompleteColumn())
    now = [100.0]
    bar.get_time = lambda: now[0]
    number = bar.add_task("Work", total=100)
    (task,) = bar.tasks
    task._get_time = bar.get_time
    now[0] = 230.0
    bar.update(number, completed=50)
    assert times_words(task).startswith("2:10 elapsed")
    now[0] = 231.0
    bar.update(number, completed=51)
    assert times_words(task).endswith(" left")
    bar.update(number, completed=100)
    assert "left" not in times_words(task)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0:00"), (61, "1:01"), (3600, "1:00:00"), (36_061, "10:01:01")]
)
def test_clock(seconds, words):
    assert bars._clock(seconds) == words


def test_a_line_at_regular_times_without_a_terminal(monkeypatch, capfd):
    monkeypatch.setattr(bars, "LINE_SECONDS", 0.05)
    with show_count("Counting [b]sheep") as count:
        count(3, 9)
        time.sleep(0.4)
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) >= 3
    assert all(line.startswith("Counting [b]sheep, 3 of 9, 0:0") for line in lines)
    assert all("elapsed" in line for line in lines)


def test_nothing_where_it_is_quick_or_quiet(monkeypatch, capfd):
    with show_count("Counting") as count:
        count(3, 9)
    monkeypatch.setattr(bars, "LINE_SECONDS", 0.05)
    monkeypatch.setattr(MANNER, "quiet", True)
    with show_count("Counting") as count:
        count(3, 9)
        time.sleep(0.2)
    assert capfd.readouterr().err == ""


def test_lines_are_of_what_is_under_way():
    bar = make_bar(4, MofNCompleteColumn())
    bar.add_task("not shown", visible=False)
    bar.update(bar.add_task("done", total=3), completed=3)
    bar.add_task("unknown", total=None)
    bar.update(bar.add_task("cycles", total=2_000_000), completed=500_000)
    lines = Lines(bar).lines()
    assert [line.split(",")[0] for line in lines] == ["unknown", "cycles"]
    assert lines[1].startswith("cycles, 25%, ")
