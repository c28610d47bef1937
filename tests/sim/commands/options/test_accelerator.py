"""Help of the accelerator's options: what it names is there, by the names that lists show."""

import re

import pytest
from typer.testing import CliRunner

from mnv2.hw.config import PRESETS
from mnv2.sim.boards.board import board_files
from mnv2.sim.cli import app
from mnv2.sim.memory.parts import load_parts


def help_of(command):
    text = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "400"}).stdout
    return " ".join(text.replace("│", " ").split())


@pytest.mark.parametrize("command", ["run", "predict", "validate", "cost", "explore"])
def test_memories_of_the_help_are_in_the_list(command):
    """The list that an unknown name is answered with has no aliases."""
    text = help_of(command)
    named = re.search(r"Such as ([^;]*); any other name lists all", text)[1]
    names = re.split(r", | or ", named)
    assert len(names) > 3
    assert set(names) <= set(load_parts())


def test_configurations_of_the_help():
    text = help_of("predict")
    for name in (*PRESETS, *board_files()):
        assert re.search(rf"\b{name}\b", text), name
    width = PRESETS["pair"].data_bits
    assert f"pair (base with two frames abreast and a memory port of {width} bits)" in text
