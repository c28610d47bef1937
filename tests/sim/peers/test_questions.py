"""Each tool is asked about the same network and multipliers."""

import ast
import json
from pathlib import Path

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.peers.questions import list_questions
from mnv2.sim.peers.result import ToolFailed

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", ["small", "base", "large"])
def test_multipliers_are_the_accelerators(name):
    config = PRESETS[name]
    questions = list_questions(mobilenet_v2(), config, b"model", latency=100)
    assert len({question.name for question in questions}) == len(questions)
    for question in questions:
        if question.tool == "Vela":
            assert 0.5 < question.multipliers / config.multipliers < 2
            assert question.files["network.tflite"] == b"model"
        else:
            assert question.multipliers == config.multipliers
        assert question.array
        assert question.memory
        assert question.mapping
        assert question.untold


def test_quick_ones_are_velas():
    questions = list_questions(mobilenet_v2(), PRESETS["base"], b"", latency=100)
    assert {question.tool for question in questions if not question.slow} == {"Vela"}
    assert {question.tool for question in questions} == {"SCALE-Sim", "ZigZag", "Vela"}


def test_files_hold_what_the_commands_name():
    for question in list_questions(mobilenet_v2(), PRESETS["base"], b"", latency=100):
        named = [
            word.removeprefix("./")
            for word in question.command
            if word.endswith((".py", ".json", ".cfg", ".csv", ".tflite")) or word.startswith("./")
        ]
        assert named
        assert set(named) <= set(question.files)


def test_maps_stay_on_chip_where_the_array_is_ours():
    questions = {
        question.name: question
        for question in list_questions(mobilenet_v2(), PRESETS["base"], b"", latency=100)
    }
    tasks = {
        name: json.loads(question.files["task.json"])
        for name, question in questions.items()
        if "task.json" in question.files
    }
    assert {name: task["keep_maps"] for name, task in tasks.items()} == {
        "zigzag-own": True,
        "zigzag-free": False,
        "zigzag-stock": False,
    }
    assert tasks["zigzag-own"]["accelerator"]["operational_array"]["sizes"] == [16, 4, 7]
    assert tasks["zigzag-stock"]["sizes"] == [16, 28]


def test_answers_that_are_not_there_fail(tmp_path):
    for question in list_questions(mobilenet_v2(), PRESETS["base"], b"", latency=100):
        with pytest.raises(ToolFailed, match="it wrote no"):
            question.read(tmp_path)


def test_the_laboratory_alone_imports_the_peers():
    """A wheel does not have them; `mnv2 lab` refuses there before it imports them."""
    for path in [*(ROOT / "sim").rglob("*.py"), *(ROOT / "golden").rglob("*.py")]:
        if path.is_relative_to(ROOT / "sim" / "peers"):
            continue
        if path == ROOT / "sim" / "commands" / "lab.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(f"{node.module}.{a.name}" for a in node.names)]
            else:
                continue
            assert not any(name.startswith("mnv2.sim.peers") for name in names), path


def test_runners_need_nothing_of_the_project():
    for path in (ROOT / "sim" / "peers" / "runners").glob("*.py"):
        imported = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert not imported & {"sim", "golden", "hw", "mnv2"}, path
