"""Objectives and limits: names, directions, by how much a design misses."""

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.explore.objectives import FIGURES, Limit, choose_objectives, parse_limits


def test_options_say_their_direction():
    assert {figure.option for figure in FIGURES.values()} == {
        "--min-fps",
        "--max-latency",
        "--max-dsp",
        "--max-bram",
        "--max-luts",
        "--max-bandwidth",
        "--max-energy",
        "--min-accuracy",
        "--max-memory",
        "--max-share",
    }


@pytest.mark.parametrize(
    ("name", "bound", "value", "violation"),
    [
        ("fps", 100, 80, 0.2),
        ("fps", 100, 100, 0),
        ("fps", 100, 150, 0),
        ("dsp", 360, 400, 1 / 9),
        ("dsp", 360, 360, 0),
        ("latency", 0.01, 0.005, 0),
        ("latency", 0.01, 0.02, 1),
    ],
)
def test_violation_is_a_share_of_the_bound(name, bound, value, violation):
    assert Limit(name, bound).violation(value) == pytest.approx(violation)


def test_limits_are_read_with_their_units():
    limits = parse_limits({"fps": "100", "latency": None, "bandwidth": "2GB/s"})
    assert limits == (Limit("fps", 100), Limit("bandwidth", 2e9))
    assert [limit.words for limit in limits] == ["fps >= 100.0 /s", "bandwidth <= 2 GB/s"]
    with pytest.raises(UserError, match="--max-latency must be a figure in s"):
        parse_limits({"latency": "10"})


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("speed",), "An objective must be one of fps, latency"),
        (("fps", "fps"), "given twice"),
        (("fps", "latency"), "are one"),
    ],
)
def test_bad_objectives(names, words):
    with pytest.raises(UserError, match=words):
        choose_objectives(names)


def test_frames_abreast_make_latency_another_objective():
    names = [figure.name for figure in choose_objectives(("fps", "latency"), frames=(1, 2))]
    assert names == ["fps", "latency"]
    with pytest.raises(UserError, match="where all designs have as many frames abreast"):
        choose_objectives(("fps", "latency"), frames=(2,))
