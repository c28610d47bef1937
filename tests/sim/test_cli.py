"""The command line teaches, is quick, and ends with the right status."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mnv2.sim import cli
from mnv2.sim.errors import SimulationError, UserError


def invoke(*arguments, **options):
    """Result of a command, run in this process."""
    return CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "120"}, **options)


@pytest.mark.parametrize("command", ["summary", "classify", "run", "export", "compare", "doctor"])
def test_help_of_each_command_teaches(command):
    assert command in invoke("--help").stdout
    text = invoke(command, "--help").stdout
    assert len(text.split()) > 50


def test_help_loads_nothing_slow():
    program = (
        "import sys\n"
        "from mnv2.sim import cli\n"
        "try:\n    cli.app(['--help'])\n"
        "except SystemExit:\n    pass\n"
        "slow = {'numpy', 'matplotlib', 'amaranth', 'cocotb', 'PIL'} & set(sys.modules)\n"
        "assert not slow, slow\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


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
    ("error", "message"),
    [
        (
            "OSError(28, 'No space left on device', '/disk/file')",
            "the output cannot be written: No space left on device in '/disk/file'",
        ),
        (
            "FileNotFoundError(2, 'No usable temporary directory found in [1]')",
            "No usable temporary directory found in [1]: set TMPDIR to a folder",
        ),
        (
            "RuntimeError('Could not determine home directory.')",
            "this user has no home folder: give paths without ~",
        ),
    ],
)
def test_faults_of_the_machine_end_with_a_sentence(error, message):
    program = (
        "import sys\nfrom mnv2.sim import cli\n"
        f"def fail():\n    raise {error}\n"
        "try:\n    cli.guard(fail)()\n"
        "except cli.typer.Exit as status:\n    print(status.exit_code, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stderr == f"mnv2: {message}.\n2\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_full_disk_is_one_sentence():
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "mnv2.sim.cli", "summary"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert result.returncode == 2
    assert result.stderr == "mnv2: the output cannot be written: No space left on device.\n"
