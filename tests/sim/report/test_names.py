"""Names of layers, causes and frames."""

import pytest

from mnv2.sim.report.names import if_several, name_frames, turn_name


@pytest.mark.parametrize(
    ("abreast", "name", "several"),
    [(1, "one frame", ""), (2, "two frames abreast", "two frames abreast, ")],
)
def test_frames_abreast(abreast, name, several):
    assert name_frames(abreast) == name
    assert if_several(abreast, "{}, ") == several


def test_frames_under_another_name():
    assert name_frames(1, "the frame") == "the frame"
    assert name_frames(2, "the frame", "big frames") == "two big frames abreast"


def test_frames_of_a_turn():
    assert [turn_name(number, 1) for number in (1, 2)] == ["frame 1", "frame 2"]
    assert [turn_name(number, 2) for number in (1, 3)] == ["frames 1 and 2", "frames 5 and 6"]
