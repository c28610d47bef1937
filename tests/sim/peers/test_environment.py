"""Tools run in their own environment, once for each question, in their time; failures are said."""

import dataclasses
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.peers.environment import Environment
from mnv2.sim.peers.question import Question
from mnv2.sim.peers.result import LayerSaid, ToolFailed

#: A tool that counts how often it was called, and answers.
COUNTING = """
from pathlib import Path
calls = Path("calls")
calls.write_text(str(int(calls.read_text()) + 1 if calls.exists() else 1))
Path("answer").write_text(Path("asked").read_text())
"""


@pytest.fixture
def environment(tmp_path):
    """An environment whose Python is the one that runs the tests."""
    programs = tmp_path / "environment" / "bin"
    programs.mkdir(parents=True)
    python = programs / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return Environment(tmp_path / "environment", tmp_path / "answers")


def read(folder):
    return (LayerSaid("stem", int((folder / "answer").read_text()), 7),)


def ask_for(program, asked="25"):
    return Question(
        name="counting",
        tool="Counting",
        label="",
        package="counting",
        array="",
        memory="",
        mapping="",
        untold="",
        multipliers=1,
        files={"asked": asked.encode()},
        command=("python", "-c", program),
        read=read,
    )


def test_an_answer_is_kept(environment):
    question = ask_for(COUNTING)
    assert environment.known(question, "1.0") is None
    answer = environment.ask(question, "1.0", 60)
    assert answer.layers == (LayerSaid("stem", 25, 7),)
    assert (answer.cycles, answer.dram_bytes, answer.failure) == (25, 7, "")
    assert 0 < answer.seconds < 60
    assert environment.known(question, "1.0") == answer
    assert (environment.folder(question, "1.0") / "calls").read_text() == "1"


def test_who_waited_finds_the_answer(environment):
    question = ask_for(COUNTING.replace("calls =", "import time; time.sleep(0.5); calls ="))
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: environment.ask(question, "1.0", 60), range(2))
    assert first == second
    assert (environment.folder(question, "1.0") / "calls").read_text() == "1"


def test_another_question_or_version_is_not_that_answer(environment):
    question = ask_for(COUNTING)
    environment.ask(question, "1.0", 60)
    assert environment.known(question, "1.1") is None
    assert environment.known(ask_for(COUNTING, asked="26"), "1.0") is None
    assert environment.known(ask_for(COUNTING + "\n"), "1.0") is None
    # What is said of it changes nothing.
    assert environment.known(dataclasses.replace(question, untold="much"), "1.0") is not None


def test_a_damaged_answer_is_none(environment):
    question = ask_for(COUNTING)
    environment.ask(question, "1.0", 60)
    file = environment.folder(question, "1.0") / "answer.json"
    for text in ("", "[]", json.dumps({"layers": [[1]], "seconds": 1})):
        file.write_text(text)
        assert environment.known(question, "1.0") is None


def test_failure_is_the_last_line(environment):
    question = ask_for("print('first'); raise SystemExit('no such layer')")
    answer = environment.ask(question, "1.0", 60)
    assert answer.failure == "ended with status 1: no such layer"
    assert answer.layers == ()
    assert environment.known(question, "1.0") is None


def test_an_unreadable_answer_is_a_failure(environment):
    def refuse(folder):
        raise ToolFailed("it wrote nothing")

    question = dataclasses.replace(ask_for(COUNTING), read=refuse)
    assert environment.ask(question, "1.0", 60).failure == "it wrote nothing"
    assert environment.known(question, "1.0") is None


def test_what_takes_too_long_is_ended_with_all_it_started(environment):
    program = (
        "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', "
        "'import pathlib, time; time.sleep(2); pathlib.Path(\"late\").touch()']); "
        "time.sleep(60)"
    )
    question = ask_for(program)
    start = time.monotonic()
    answer = environment.ask(question, "1.0", 0.5)
    assert time.monotonic() - start < 30
    assert answer.failure == "not finished in 0 s"
    time.sleep(2.5)
    assert not (environment.folder(question, "1.0") / "late").exists()


def test_time_of_interrupted_calls_counts(environment):
    program = (
        "import pathlib, time; first = pathlib.Path('first')\n"
        "if not first.exists(): first.touch(); time.sleep(60)\n"
        "pathlib.Path('answer').write_text('9')"
    )
    question = ask_for(program)
    assert environment.ask(question, "1.0", 1).failure
    assert environment.ask(question, "1.0", 60).seconds > 1


def test_versions(environment):
    assert environment.versions(["rich", "nonsense"]) == {"rich": version("rich")}


def test_an_environment_that_does_not_work(tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").write_text("#!/bin/sh\necho broken >&2; exit 1\n")
    (programs / "python").chmod(0o755)
    with pytest.raises(UserError, match=r"does not work \(broken\): remove it"):
        Environment(tmp_path, tmp_path).versions(["rich"])


def test_no_environment(tmp_path):
    with pytest.raises(UserError, match="scripts/peers makes one"):
        Environment(tmp_path / "nothing", tmp_path)
