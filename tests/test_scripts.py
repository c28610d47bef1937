"""The scripts say what is missing and leave nothing half-made."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
#: What the scripts call before they look for anything.
BASICS = ("bash", "cat", "cmp", "dirname", "env", "mkdir", "mv", "rm", "touch")


@pytest.fixture
def project(tmp_path):
    """A copy of the scripts, and a PATH with little in it."""
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    for name in ("pyproject.toml", "requirements-data.txt"):
        shutil.copy(ROOT / name, folder)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in BASICS:
        (programs / name).symlink_to(shutil.which(name))
    return folder, programs


def add_program(programs, name, text="exit 0"):
    """A program that does little."""
    path = programs / name
    path.write_text(f"#!{shutil.which('bash')}\n{text}\n")
    path.chmod(0o755)


def call(project, script, *arguments):
    """Run a script from another folder."""
    folder, programs = project
    return subprocess.run(
        [shutil.which("bash"), folder / script, *arguments],
        cwd="/",
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("script", ["scripts/run", "scripts/test", "scripts/peers", ".ci/run"])
def test_missing_tools_are_named(script, project):
    done = call(project, script)
    assert done.returncode == 2
    for what, package in (("A C++ compiler", "g++"), ("make", "make"), ("perl", "perl")):
        assert f"{what} is missing: install it with 'apt-get install {package}'" in done.stderr
    assert not (project[0] / ".venv").exists()


def test_old_python_is_named(project):
    for name in ("g++", "make", "perl"):
        add_program(project[1], name)
    add_program(project[1], "python3", "exit 1")
    done = call(project, "scripts/run")
    assert done.returncode == 2
    assert "Python 3.11 or newer with venv is missing" in done.stderr
    assert not (project[0] / ".venv").exists()


def test_failed_set_up_is_said_and_starts_again(project):
    for name in ("g++", "make", "perl"):
        add_program(project[1], name)
    # Passes every question, and makes no environment.
    add_program(project[1], "python3", '[ "$2" != venv ]')
    for _ in range(2):
        done = call(project, "scripts/run")
        assert done.returncode == 2
        assert "failed; the next call starts it again" in done.stderr
        assert not list((project[0] / ".venv").glob("*.stamp"))


def test_stamp_makes_the_set_up_a_comparison(project):
    folder, programs = project
    for name in ("g++", "make", "perl"):
        add_program(programs, name)
    (folder / ".venv" / "bin").mkdir(parents=True)
    add_program(folder / ".venv" / "bin", "python")
    add_program(folder / ".venv" / "bin", "mnv2", 'echo "mnv2 $*"')
    stamp = (folder / "pyproject.toml").read_text() + (folder / "requirements-data.txt").read_text()
    (folder / ".venv" / "mnv2-base.stamp").write_text(stamp)
    done = call(project, "scripts/run")
    assert (done.returncode, done.stdout, done.stderr) == (0, "mnv2 run\n", "")
    (folder / "pyproject.toml").write_text("changed")
    assert call(project, "scripts/run").returncode == 2


@pytest.mark.parametrize("name", ["benchmark", "synthesize", "fmax", "calibrate-costs", "gpu"])
def test_script_of_the_laboratory_is_its_command(name, project):
    folder, programs = project
    for tool in ("g++", "make", "perl"):
        add_program(programs, tool)
    (folder / ".venv" / "bin").mkdir(parents=True)
    add_program(folder / ".venv" / "bin", "python")
    add_program(folder / ".venv" / "bin", "mnv2", 'echo "mnv2 $*"')
    stamp = (folder / "pyproject.toml").read_text() + (folder / "requirements-data.txt").read_text()
    for kind in ("test", "synthesis", "gpu"):
        (folder / ".venv" / f"mnv2-{kind}.stamp").write_text(stamp)
    done = call(project, f"scripts/{name}", "--help")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"mnv2 lab {name} --help\n", "")


@pytest.fixture
def project_with_peers(project):
    """The project set up, and the list of the tools that scripts/peers installs."""
    folder, programs = project
    for name in ("g++", "make", "perl"):
        add_program(programs, name)
    programs.joinpath("cp").symlink_to(shutil.which("cp"))
    (folder / ".venv" / "bin").mkdir(parents=True)
    add_program(folder / ".venv" / "bin", "python")
    add_program(folder / ".venv" / "bin", "mnv2", 'echo "mnv2 $*"')
    stamp = (folder / "pyproject.toml").read_text() + (folder / "requirements-data.txt").read_text()
    (folder / ".venv" / "mnv2-base.stamp").write_text(stamp)
    (folder / "sim" / "peers").mkdir(parents=True)
    shutil.copy(ROOT / "sim" / "peers" / "requirements.txt", folder / "sim" / "peers")
    return folder, programs


def test_peers_failed_set_up_leaves_no_environment(project_with_peers):
    folder, programs = project_with_peers
    # Makes an environment whose pip fails.
    add_program(
        programs,
        "python3",
        '[ "$2" != venv ] || { mkdir -p "$3/bin"; '
        'printf "#!%s\\nexit 1\\n" "$BASH" > "$3/bin/python"; '
        'chmod +x "$3/bin/python"; }',
    )
    programs.joinpath("chmod").symlink_to(shutil.which("chmod"))
    for _ in range(2):
        done = call(project_with_peers, "scripts/peers")
        assert done.returncode == 2
        assert "peers-venv failed; the next call starts it again" in done.stderr
        assert not (folder / "build" / "peers-venv").exists()


def test_peers_leave_out_a_tool_that_cannot_be_installed(project_with_peers):
    folder, programs = project_with_peers
    # Its pip knows all but one.
    add_program(
        programs,
        "python3",
        '[ "$2" != venv ] || { mkdir -p "$3/bin"; '
        """printf '#!%s\\ncase "$*" in *--requirement*|*zigzag*) exit 1 ;; esac\\n' """
        '"$BASH" > "$3/bin/python"; chmod +x "$3/bin/python"; }',
    )
    programs.joinpath("chmod").symlink_to(shutil.which("chmod"))
    done = call(project_with_peers, "scripts/peers")
    assert done.returncode == 0
    assert done.stdout.endswith("mnv2 lab peers\n")
    assert "zigzag-dse==3.9.1 could not be installed." in done.stderr
    assert done.stderr.count("could not be installed") == 1
    assert not (folder / "build" / "peers-venv" / "mnv2-peers.stamp").exists()


def test_peers_stamp_makes_the_set_up_a_comparison(project_with_peers):
    folder, _ = project_with_peers
    tools = folder / "build" / "peers-venv"
    tools.mkdir(parents=True)
    wanted = (folder / "sim" / "peers" / "requirements.txt").read_text()
    (tools / "mnv2-peers.stamp").write_text(wanted)
    done = call(project_with_peers, "scripts/peers")
    assert (done.returncode, done.stdout, done.stderr) == (0, "mnv2 lab peers\n", "")
    # Another list of tools is another environment.
    (tools / "mnv2-peers.stamp").write_text("scalesim==2.0\n")
    assert call(project_with_peers, "scripts/peers").returncode == 2
    assert not tools.exists()
