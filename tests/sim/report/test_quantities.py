"""Figures with units: what is taken, what is refused, and how they are written."""

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.report.quantities import format_quantity, parse_quantity


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("100", "1/s", 100),
        ("100fps", "1/s", 100),
        ("29.97 /s", "1/s", 29.97),
        ("10ms", "s", 0.01),
        ("2.5 s", "s", 2.5),
        ("800us", "s", 8e-4),
        ("800µs", "s", 8e-4),
        ("2GB/s", "B/s", 2e9),
        ("1GiB/s", "B/s", 2**30),
        ("500 MB/s", "B/s", 5e8),
        ("12", "x", 12),
        ("3.5x", "x", 3.5),
        ("360", "", 360),
        ("1,000", "", 1000),
        ("70k", "", 70000),
        ("800kB", "B", 8e5),
        ("1e3 B", "B", 1000),
        ("90%", "%", 0.9),
        ("0.9", "%", 0.9),
    ],
)
def test_units_are_read(text, unit, value):
    assert parse_quantity(text, unit, "--x") == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "unit", "words"),
    [
        ("10", "s", "--max-x must be a figure in s above 0, such as 10ms, not '10'"),
        ("2GB", "B/s", "such as 2GB/s, not '2GB'"),
        ("fast", "1/s", "must be frames a second"),
        ("-5", "", "must be a number above 0"),
        ("0", "1/s", "above 0"),
        ("", "", "such as 360"),
        ("5mJ", "x", "must be a ratio above 0, such as 12, not '5mJ'"),
        ("1.5W", "x", "a ratio above 0"),
        ("nan", "", "above 0"),
        ("1e999", "", "above 0"),
        ("10 ms s", "s", "10ms"),
        ("..5", "", "above 0"),
    ],
)
def test_what_is_no_figure_is_a_sentence(text, unit, words):
    with pytest.raises(UserError, match="--max-x must be ") as caught:
        parse_quantity(text, unit, "--max-x")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.00385, "s", "3.85 ms"),
        (2e9, "B/s", "2 GB/s"),
        (5.85e8, "B/s", "585 MB/s"),
        (0.000999999, "s", "1,000 µs"),
        (6.2345, "x", "6.23"),
        (336, "", "336"),
        (123.33, "1/s", "123.3 /s"),
        (0.875, "%", "87.5%"),
        (1046784, "B", "1.05 MB"),
    ],
)
def test_figures_are_written_with_their_unit(value, unit, text):
    assert format_quantity(value, unit) == text


@pytest.mark.parametrize(
    ("unit", "value"),
    [("s", 0.0123), ("B/s", 1.23e9), ("x", 4.56), ("1/s", 99.9), ("", 512), ("B", 1.5e6)],
)
def test_what_is_written_is_read(unit, value):
    assert parse_quantity(format_quantity(value, unit), unit, "--x") == pytest.approx(value, 0.005)
