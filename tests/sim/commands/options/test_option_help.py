"""Every option and preset is described, from where it is documented."""

import dataclasses

from typer.testing import CliRunner

from mnv2.hw.config import PRESETS, AcceleratorConfig
from mnv2.sim import cli
from mnv2.sim.commands.options.option_help import PRESET_USES, option_words, preset_words


def invoke(*arguments):
    return CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "160"})


def test_every_option_is_described():
    fields = {field.name: field.type.__name__ for field in dataclasses.fields(AcceleratorConfig)}
    found = option_words()
    assert {name: kind for name, (kind, _) in found.items()} == fields
    assert all(len(words.split()) > 3 and ":data:" not in words for _, words in found.values())
    assert "none, pixels, frames" in found["packing"][1]


def test_options_are_shown():
    result = invoke("predict", "--set", "help")
    assert result.exit_code == 0
    for field in dataclasses.fields(AcceleratorConfig):
        assert field.name in result.stdout


def test_presets_are_shown():
    assert set(PRESET_USES) == set(PRESETS) == set(preset_words())
    for command in ("predict", "run", "cost"):
        result = invoke(command, "--config", "help")
        assert result.exit_code == 0
        assert all(name in result.stdout for name in (*PRESETS, "kv260"))
    lanes = "16x4x7 lanes of outputs, inputs and pixels, 448 products a cycle"
    assert lanes in invoke("predict", "--config", "help").stdout


def test_help_of_config_states_the_lanes_of_the_presets():
    from mnv2.sim.commands.options.accelerator import CONFIG_HELP

    for name in ("tiny", "small", "base", "large"):
        config = PRESETS[name]
        assert f"{config.outputs}x{config.inputs}x{config.pixels}" in CONFIG_HELP
