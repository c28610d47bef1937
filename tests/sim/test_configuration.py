"""A configuration is a preset or a file, then single changes."""

import dataclasses

import pytest

from mnv2.hw.config import PRESETS
from mnv2.hw.write_master import WriteMaster
from mnv2.sim.configuration import load_configuration, toml_value
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


def test_file_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xef\xbb\xbfmap_words = 5000\r\n")
    assert load_configuration(str(path)) == dataclasses.replace(PRESETS["base"], map_words=5000)


def test_settings_come_after_the_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("map_words = 5000\n")
    assert load_configuration(str(path), ["map_words=6000"]).map_words == 6000


def test_words_and_switches_are_settings():
    settings = ["packing=pixels", " requantize = single", "counters=false", "padded_words=True"]
    assert load_configuration("base", settings) == dataclasses.replace(
        PRESETS["base"], packing="pixels", requantize="single", counters=False, padded_words=True
    )


def test_words_and_switches_are_lines_of_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('packing = "frames"\nframes = 2\nmultipliers_in_luts = true\n')
    assert load_configuration(str(path)) == dataclasses.replace(
        PRESETS["base"], packing="frames", frames=2, multipliers_in_luts=True
    )


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_configuration_written_to_a_file_is_read_back(name, tmp_path):
    config = dataclasses.replace(PRESETS[name], packing="pixels", counters=False, frames=2)
    path = tmp_path / "mine.toml"
    values = dataclasses.asdict(config).items()
    path.write_text("".join(f"{name} = {toml_value(value)}\n" for name, value in values))
    assert load_configuration(str(path)) == config


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("pixels", "A setting must be option=value, such as pixels=4 or .*, not 'pixels'"),
        ("pixels=four", "pixels must be an integer, not 'four'"),
        ("pixels=", "pixels must be an integer, not ''"),
        ("pixels=true", "pixels must be an integer, not 'true'"),
        ("counters=1", "counters must be true or false, not '1'"),
        ("packing=true", "packing must be one of none, pixels, frames, not 'true'"),
        ("packing=frames", "packing can be frames only with frames=2, not 1"),
        ("requantize=once", "requantize must be one of double, single, not 'once'"),
        ("operand_bits=26", "operand_bits must be one of 18, 25, 27, not 26"),
        ("lanes=4", "There is no configuration option 'lanes'; the options are outputs, inputs"),
        ("burst_beats=5", "burst_beats must be a power of two, 2 or more, not 5"),
        ("burst_beats=1", "burst_beats must be a power of two, 2 or more, not 1"),
        ("weight_words=1", "weight_words must be at least 2, not 1"),
        ("tap_words=1", "tap_words must be at least 2, not 1"),
        ("parameter_words=1", "parameter_words must be at least 2, not 1"),
    ],
)
def test_a_wrong_setting_is_a_sentence(setting, words):
    with pytest.raises(UserError, match=words):
        load_configuration("tiny", [setting])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("counters = 1", "counters must be true or false, not 1"),
        ('counters = "false"', "counters must be true or false, not 'false'"),
        ("packing = 2", "packing must be one of none, pixels, frames, not 2"),
        ('frames = "2"', "frames must be a positive integer, not '2'"),
        ("pixels = 2.0", "pixels must be a positive integer, not 2.0"),
        ("pixels = true", "pixels must be a positive integer, not True"),
        ("lanes = 4", "no configuration option 'lanes'"),
    ],
)
def test_a_wrong_line_is_a_sentence(line, words, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(f"{line}\n")
    with pytest.raises(UserError, match=words):
        load_configuration(str(path))


def test_bursts_of_one_beat_have_a_reason():
    """Verilator refuses the counter without bits that the write master then has."""
    text = {
        beats: generate(WriteMaster, name="write_master", data_bits=64, burst_beats=beats)
        for beats in (1, 2)
    }
    assert "[-1:0]" in text[1]
    assert "[-1:0]" not in text[2]
