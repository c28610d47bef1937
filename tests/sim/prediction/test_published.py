"""Published errors stand next to the one just measured, and neither passes for the other."""

from rich.console import Console

from mnv2.sim.prediction.published import (
    PUBLISHED,
    largest_error,
    published_records,
    published_table,
)


def text(pairs, tmp_path):
    console = Console(width=160, record=True, file=(tmp_path / "text").open("w"))
    console.print(published_table(pairs))
    return console.export_text()


def test_largest_error_has_its_sign():
    assert largest_error([(100, 100), (90, 100), (105, 100)]) == -0.1
    assert largest_error([(100, 100)]) == 0


def test_table_says_what_was_measured_and_what_is_published(tmp_path):
    shown = text([(100, 100), (101, 100)], tmp_path)
    assert "+1.00%" in shown
    for one in PUBLISHED:
        assert f"{one.model}, published" in shown
        assert one.error in shown
    assert "+" not in text([(100, 100)], tmp_path)


def test_every_figure_has_a_source():
    assert all(row["source"] and row["held_to"] for row in published_records())
