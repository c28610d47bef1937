"""The model of clocks is fitted to placed ones, and its error is of those that it has not seen."""

import dataclasses

import pytest

from mnv2.hw.config import PRESETS
from mnv2.sim.cost.clock_model import fit_clock
from mnv2.sim.cost.placed import load_placed
from tests.sim.cost.placed_results import write_placed

CONFIGS = [dataclasses.replace(PRESETS["tiny"], map_words=words) for words in range(100, 110)]


def designs(path, *points):
    """Placed designs of (LUTs, MHz at speed 8)."""
    rows = [
        (config, luts, {8: clock}) for config, (luts, clock) in zip(CONFIGS, points, strict=False)
    ]
    write_placed(path, *rows)
    return list(load_placed(path).values())


def period(luts):
    """Nanoseconds of designs that are exactly as the model has it."""
    return 8 + 0.03 * luts**0.5


def test_designs_that_follow_it_have_no_error(tmp_path):
    sizes = (9_000, 16_000, 30_000, 50_000)
    model = fit_clock(designs(tmp_path / "p.json", *((s, 1e3 / period(s)) for s in sizes)), 8)
    assert model.constant == pytest.approx(8, rel=1e-6)
    assert model.by_root == pytest.approx(0.03, rel=1e-6)
    assert model.error < 0.002  # clocks are rounded to 0.1 MHz
    assert model.clock_hz(24_000) == pytest.approx(1e9 / period(24_000), abs=0.05e6)


def test_the_error_is_of_a_design_that_was_left_out(tmp_path):
    """Three alike and one that is a quarter slower: the model of the three is off by a third."""
    same = [(s, 1e3 / period(s)) for s in (9_000, 16_000, 30_000)]
    odd = (20_000, 0.75e3 / period(20_000))
    model = fit_clock(designs(tmp_path / "p.json", *same, odd), 8)
    assert model.error == pytest.approx(1 / 0.75 - 1, abs=0.01)
    assert model.designs == 4
    assert "of each by those of the others of 33." in model.words


def test_two_designs_give_a_clock_between_them(tmp_path):
    model = fit_clock(designs(tmp_path / "p.json", (10_000, 80.0), (40_000, 60.0)), 8)
    assert model.by_root == 0
    assert 60e6 < model.clock_hz(10_000) == model.clock_hz(90_000) < 80e6
    assert model.error == pytest.approx(max(abs(model.clock_hz(1) / c - 1) for c in (80e6, 60e6)))


def test_a_larger_design_is_never_faster(tmp_path):
    points = ((10_000, 60.0), (20_000, 70.0), (40_000, 80.0))
    model = fit_clock(designs(tmp_path / "p.json", *points), 8)
    assert model.by_root == 0


def test_too_few(tmp_path):
    assert fit_clock([], 8) is None
    one = designs(tmp_path / "one.json", (10_000, 80.0))
    assert fit_clock(one, 8) is None
    two = designs(tmp_path / "two.json", (10_000, 80.0), (20_000, 70.0))
    assert fit_clock(two, 8) is not None
    assert fit_clock(two, 6) is None


def test_of_one_design_the_fastest_counts(tmp_path):
    first, second = designs(tmp_path / "p.json", (10_000, 80.0), (20_000, 70.0))
    slower = dataclasses.replace(first, megahertz_by_speed={8: 40.0})
    assert fit_clock([slower, first, second], 8) == fit_clock([first, second], 8)
    assert fit_clock([first, slower], 8) is None
