"""The command line teaches, is quick, and ends with the right status."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from sim import cli
from sim.commands.run import parse_blocks
from sim.errors import SimulationError, UserError


def invoke(*arguments, **options):
    """Result of a command, run in this process."""
    return CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "120"}, **options)


@pytest.mark.parametrize("command", ["summary", "classify", "run", "doctor"])
def test_help_of_each_command_teaches(command):
    assert command in invoke("--help").stdout
    text = invoke(command, "--help").stdout
    assert len(text.split()) > 50


def test_help_loads_nothing_slow():
    program = (
        "import sys\n"
        "from sim import cli\n"
        "try:\n    cli.app(['--help'])\n"
        "except SystemExit:\n    pass\n"
        "slow = {'numpy', 'matplotlib', 'amaranth', 'cocotb', 'PIL'} & set(sys.modules)\n"
        "assert not slow, slow\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


def test_summary_totals():
    text = invoke("summary").stdout
    assert "3,504,872" in text
    assert "3,538,984" in text
    assert "300,774,272" in text
    rows = [line for line in text.splitlines() if line.startswith(" block17.project")]
    assert rows[0].split() == [
        "block17.project",
        "1x1",
        "1",
        "7x7x320",
        "307,840",
        "15,052,800",
        "307,200",
        "15,680",
    ]


def test_summary_of_another_network():
    text = invoke(
        "summary", "--width", "0.35", "--size", "96", "--classes", "10", "--padding", "tensorflow"
    ).stdout
    assert "MobileNetV2 0.35, 96x96, 10 classes, tensorflow padding" in text
    assert "1x1x10 " in text


def test_doctor_finds_what_the_tests_need():
    result = invoke("doctor")
    assert result.exit_code == 0, result.stdout
    for word in ("Verilator", "C++ compiler", "make", "perl", "weights", "photographs", "cocotb"):
        assert word in result.stdout


def test_doctor_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    result = invoke("doctor")
    assert result.exit_code == 1
    assert "apt-get install g++" in result.stdout
    assert "Missing: C++ compiler, make, perl" in result.stdout


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (UserError("The image is empty"), 2, "mnv2: The image is empty.\n"),
        (UserError("It is empty."), 2, "mnv2: It is empty.\n"),
        (SimulationError("counts failed"), 1, "mnv2: counts failed\n"),
        (KeyboardInterrupt(), 130, "mnv2: interrupted; nothing was left half-written.\n"),
    ],
)
def test_errors_end_with_a_sentence(error, status, message, capsys):
    def fail():
        raise error

    with pytest.raises(cli.typer.Exit) as caught:
        cli.guard(fail)()
    assert caught.value.exit_code == status
    assert capsys.readouterr().err == message


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        (None, [1, 2, 3, 4, 5]),
        ("3", [3]),
        ("2-4", [2, 3, 4]),
        (" 5-5 ", [5]),
    ],
)
def test_blocks(text, blocks):
    assert parse_blocks(text, 5) == blocks


@pytest.mark.parametrize("text", ["", "0", "6", "4-2", "1-6", "a", "1,2", "-3"])
def test_wrong_blocks(text):
    with pytest.raises(UserError, match="Blocks must be a number or a range within 1-5"):
        parse_blocks(text, 5)


def test_run_writes_its_report(tmp_path):
    """One small bottleneck through everything: picture, RTL, comparison and report."""
    result = invoke(
        "run", "chelsea", "--config", "tiny", "--blocks", "7", "--output", str(tmp_path / "report")
    )
    assert result.exit_code == 0, result.output
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        "report.json",
        "report.csv",
        "cycles.png",
        "bytes.png",
        "roofline.png",
    }
    content = json.loads((tmp_path / "report" / "report.json").read_text())
    (row,) = content["bottlenecks"]
    assert row["name"] == "block7"
    assert row["macs"] == content["total"]["macs"] == 7_564_032
    assert row["mismatches"] == 0
    assert row["ideal_cycles"] <= row["cycles"] <= 2 * row["ideal_cycles"]
    assert content["total"]["configuration"]["pixels"] == 2
    assert "block7" in result.stdout
