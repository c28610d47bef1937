"""When a waveform is written, as it is typed."""

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.sim.errors import UserError
from mnv2.sim.rtl.waveform.window import Window, parse_window, window_layers

LAYERS = window_layers(mobilenet_v2())


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("0-5000", Window(first_cycle=0, last_cycle=5000)),
        (" 7 - 7 ", Window(first_cycle=7, last_cycle=7)),
        ("block3", Window(first_descriptor=2, last_descriptor=2)),
        ("block3-block5", Window(first_descriptor=2, last_descriptor=4)),
        ("stem", Window(first_descriptor=0, last_descriptor=0)),
        ("block17-head", Window(first_descriptor=16, last_descriptor=17)),
        ("head-classifier", Window(first_descriptor=17, last_descriptor=2**31 - 1)),
    ],
)
def test_windows(text, window):
    assert parse_window(text, LAYERS) == window


@pytest.mark.parametrize("text", ["", "5", "9-3", "block5-block3", "block18", "1-2-3", "-3", "a-b"])
def test_what_is_no_window(text):
    with pytest.raises(
        UserError, match=r"FROM-TO in cycles, .* a layer \(stem to classifier\) .*, not"
    ):
        parse_window(text, LAYERS)


def test_a_block_alone_has_no_layers():
    with pytest.raises(UserError, match="must be FROM-TO in cycles, as in 0-5000, not 'block3'"):
        parse_window("block3", {})


def test_plusargs_name_what_limits():
    assert Window(first_cycle=0, last_cycle=9).plusargs() == ["+waves_from=0", "+waves_to=9"]
    assert parse_window("block2", LAYERS).plusargs() == ["+waves_first=1", "+waves_last=1"]


def test_a_window_after_the_end():
    window = Window(first_cycle=100, last_cycle=200)
    window.check_reached(101)
    with pytest.raises(
        UserError, match="is empty: its window begins at cycle 100, and the run has"
    ):
        window.check_reached(100)
