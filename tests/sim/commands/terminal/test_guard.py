"""Common to all commands: options once, --quiet, --json, -h, --version, completion."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mnv2.sim import cli
from mnv2.sim.commands.terminal.console import MANNER, get_error_console, show_report
from mnv2.sim.commands.terminal.guard import guard

SMALL = ("--width", "0.35", "--size", "32")


def invoke(*arguments):
    return CliRunner().invoke(cli.app, [*map(str, arguments)], env={"COLUMNS": "120"})


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("cost", "--config", "small", "--config", "large"), "--config"),
        (("predict", "--clock", "100", "--clock=200"), "--clock"),
        (("summary", "--width", "1.0", "--width", "1.0"), "--width"),
        (("lab", "synthesize", "--config", "tiny", "--config", "base"), "--config"),
    ],
)
def test_no_option_is_taken_twice(arguments, name):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert f"Option '{name}' is given 2 times, and takes one value." in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("predict", "--set", "pixels=1", "--set", "pixels=2"), "pixels is set twice, to 1 and"),
        (("explore", "--vary", "pixels=1", "--vary", "pixels=2"), "--vary names pixels twice"),
        (("explore", "--objective", "fps", "--objective", "fps"), "--objective names fps twice"),
    ],
)
def test_what_may_be_repeated_says_nothing_twice(arguments, words, tmp_path):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())


def test_what_may_be_repeated_is():
    result = invoke("predict", *SMALL, "--set", "pixels=2", "--set", "map_words=20000", "--json")
    assert result.exit_code == 0
    configuration = json.loads(result.stdout)["configuration"]
    assert (configuration["pixels"], configuration["map_words"]) == (2, 20000)


@pytest.mark.parametrize(
    ("command", "key"),
    [
        (("summary", *SMALL), "layers"),
        (("predict", *SMALL), "layers"),
        (("predict", *SMALL, "--latency", "50,60"), "cases"),
        (("cost", *SMALL, "--config", "tiny", "--device", "ZU9EG"), "devices"),
        (("devices",), "boards"),
    ],
)
def test_json_alone_on_standard_output(command, key):
    result = invoke(*command, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)[key]


def test_json_is_the_report(tmp_path):
    result = invoke("predict", *SMALL, "--json", "--output", tmp_path / "out")
    written = json.loads((tmp_path / "out/report.json").read_text())
    shown = json.loads(result.stdout)
    assert shown == written
    assert "In " in result.stderr


def test_quiet_leaves_out_notes(tmp_path):
    loud = invoke("predict", *SMALL, "--output", tmp_path / "out")
    assert "report.json" in loud.stderr
    quiet = invoke("predict", *SMALL, "--quiet", "--output", tmp_path / "out")
    assert quiet.exit_code == 0
    assert quiet.stderr == ""
    assert quiet.stdout.splitlines()[-1] == loud.stdout.splitlines()[-1]
    # Errors are said; and the next command is not quiet.
    assert "mnv2: " in invoke("predict", "-q", "--config", "nothing").stderr
    assert "report.json" in invoke("predict", *SMALL, "--output", tmp_path / "out").stderr


def test_provenance_has_no_manners(tmp_path):
    from mnv2.sim.commands.terminal.command_line import MANNERS

    parameters = {"quiet", "as_json"}
    assert parameters == set(MANNERS)


def test_a_report_file_is_printed_as_it_is(tmp_path, capsys):
    path = tmp_path / "report.json"
    path.write_text('{"a": 1.50}\n')
    MANNER.as_json = True
    try:
        show_report("tables", report=path)
    finally:
        MANNER.as_json = False
    assert capsys.readouterr().out == '{"a": 1.50}\n'


def test_short_help_and_version():
    assert invoke("-h").stdout == invoke("--help").stdout
    assert "--config" in invoke("predict", "-h").stdout
    assert invoke("--version").stdout.startswith("mnv2 ")
    assert invoke("--version").exit_code == 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("mnv2 pred", {"predict"}),
        ("mnv2 predict --config ba", {"base"}),
        ("mnv2 cost --device ZU", {"ZU3EG", "ZU7EV", "ZU9EG"}),
        ("mnv2 predict --set weight_b", {"weight_bits="}),
        ("mnv2 run --memory ddr3-800", {"ddr3-800x16"}),
    ],
)
def test_completion(words, expected):
    environment = {
        **os.environ,
        "_MNV2_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    done = subprocess.run(
        [Path(sys.executable).with_name("mnv2")],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert expected <= set(done.stdout.split()), done.stderr


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (("predcit",), "predict"),
        (("predict", "--config", "bsae"), "base"),
        (("predict", "--set", "pixel=3"), "pixels"),
        (("cost", "--device", "ZU3G"), "ZU3EG"),
        (("run", "chelsa"), "chelsea"),
        (("classify", "cofee"), "coffee"),
        (("predict", "--memory", "ddr3-80x16"), "ddr3-800x16"),
    ],
)
def test_did_you_mean(arguments, near):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert "id you mean" in result.stderr
    assert near in result.stderr.split("id you mean")[1]


def test_interrupted_elaboration_says_nothing_of_parts(capsys):
    """Amaranth warns of each part that was made and is not used when it is thrown away."""
    from amaranth.hdl import Elaboratable, UnusedElaboratable

    class Part(Elaboratable):
        """A part of hardware."""

        def elaborate(self, platform):
            raise NotImplementedError

    def build():
        part = Part()
        raise KeyboardInterrupt(part)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(cli.typer.Exit) as ended:
            guard(build)()
        assert ended.value.exit_code == 130
        import gc

        gc.collect()
    assert [one for one in caught if issubclass(one.category, UnusedElaboratable)] == []
    assert "interrupted" in capsys.readouterr().err


def test_quiet_console_prints_nothing(capsys):
    MANNER.quiet = True
    try:
        get_error_console().print("a note")
    finally:
        MANNER.quiet = False
    assert capsys.readouterr().err == ""
