"""A configuration is a preset or a file, then single changes."""

import dataclasses

import pytest

from hw.config import PRESETS
from sim.configuration import load_configuration


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
