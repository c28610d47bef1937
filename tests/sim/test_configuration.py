"""A configuration is a preset or a file, then single changes."""

import dataclasses

import pytest

from mnv2.hw.accelerator import Accelerator
from mnv2.hw.config import PRESETS
from mnv2.hw.write_master import WriteMaster
from mnv2.sim.configuration import load_configuration
from mnv2.sim.errors import UserError
from mnv2.sim.rtl.verilog import generate


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_preset(name):
    assert load_configuration(name) == PRESETS[name]


def test_settings_change_a_preset():
    found = load_configuration("base", ["map_words=0x4000", "data_bits = 256"])
    assert found == dataclasses.replace(PRESETS["base"], map_words=16384, data_bits=256)


def test_file_starts_from_its_preset(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('preset = "tiny"\nmap_words = 5000\n')
    assert load_configuration(str(path)) == dataclasses.replace(PRESETS["tiny"], map_words=5000)


def test_settings_come_after_the_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("map_words = 5000\n")
    assert load_configuration(str(path), ["map_words=6000"]).map_words == 6000


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("burst_beats=5", "burst_beats must be a power of two, 2 or more, not 5"),
        ("weight_words=1", "weight_words must be at least 2, not 1"),
        ("tap_words=1", "tap_words must be at least 2, not 1"),
        ("parameter_words=1", "parameter_words must be at least 2, not 1"),
    ],
)
@pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
def test_what_the_hardware_refuses_is_refused_before(setting, words):
    """No prediction or cost of what cannot be built."""
    with pytest.raises(UserError, match=words):
        load_configuration("tiny", [setting])
    name, value = setting.split("=")
    with pytest.raises(ValueError, match="must be"):
        generate(
            Accelerator,
            name="accelerator",
            config=dataclasses.replace(PRESETS["tiny"], **{name: int(value)}),
        )


def test_bursts_of_one_beat_are_refused():
    """Verilator refuses the counter without bits that the write master then has."""
    with pytest.raises(UserError, match="burst_beats must be a power of two, 2 or more, not 1"):
        load_configuration("tiny", ["burst_beats=1"])
    text = {
        beats: generate(WriteMaster, name="write_master", data_bits=64, burst_beats=beats)
        for beats in (1, 2)
    }
    assert "[-1:0]" in text[1]
    assert "[-1:0]" not in text[2]
