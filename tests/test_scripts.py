"""The scripts say what is missing and leave nothing half-made."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
#: What the scripts call before they look for anything.
BASICS = ("bash", "cat", "cmp", "dirname", "env", "mkdir", "mv", "rm", "tail", "touch")
#: All but the one that the others read.
SCRIPTS = sorted({path.name for path in ROOT.glob("scripts/*")} - {"setup.sh"})
#: A Python whose environments have a pip that notes its variables and arguments, and then ends.
STUB = """
if [ "$2" = venv ]; then
    mkdir -p "$3/bin"
    printf '#!%s\\n%s\\n' "$BASH" \\
        '[ "$2" != pip ] || {{ env; echo "$@"; {ends}; }}' > "$3/bin/python"
    chmod +x "$3/bin/python"
fi
"""


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


@pytest.mark.parametrize("name", SCRIPTS)
def test_sh_runs_what_bash_runs(name, project):
    """Called by a shell that is not bash, a script ends as it does in bash."""
    folder, programs = project
    programs.joinpath("sh").symlink_to(shutil.which("dash") or shutil.which("sh"))
    done = [
        subprocess.run(
            [programs / shell, folder / "scripts" / name],
            cwd="/",
            env={"PATH": str(programs)},
            capture_output=True,
            text=True,
            check=False,
        )
        for shell in ("bash", "sh")
    ]
    assert (done[0].returncode, done[0].stderr) == (done[1].returncode, done[1].stderr)
    assert done[0].returncode != 0
    assert "set: " not in done[1].stderr


@pytest.mark.parametrize("wrong", list("\"'`$\\:;,&<>|*?[]{}\n\t"))
def test_folder_that_tools_cannot_name_is_refused_before_anything_else(wrong, project):
    folder, programs = project
    moved = folder.with_name(f"a{wrong}b")
    folder.rename(moved)
    done = call((moved, programs), "scripts/run")
    assert done.returncode == 2
    assert done.stderr.startswith(f"The project cannot be set up in '{moved}': move it to a folder")
    assert "missing" not in done.stderr
    assert not (moved / ".venv").exists()


@pytest.mark.parametrize("name", ["ü b", "a (1)", "a#b", "100%", "a=~!@+^b"])
def test_folder_with_other_characters_is_taken(name, project):
    folder, programs = project
    moved = folder.with_name(name)
    folder.rename(moved)
    done = call((moved, programs), "scripts/run")
    assert done.returncode == 2
    assert "A C++ compiler is missing" in done.stderr


@pytest.fixture
def project_with_pip(project):
    """The project, and a Python that makes environments with a pip that says what it was given."""
    folder, programs = project
    for name in ("g++", "make", "perl"):
        add_program(programs, name)
    programs.joinpath("chmod").symlink_to(shutil.which("chmod"))

    def set_up(ends, script="run", arguments=(), **variables):
        add_program(programs, "python3", STUB.format(ends=ends))
        return subprocess.run(
            [shutil.which("bash"), folder / "scripts" / script, *arguments],
            env={"PATH": str(programs), **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return folder, set_up


def test_settings_of_pip_that_say_where_to_install_have_no_effect(project_with_pip):
    folder, set_up = project_with_pip
    given = {
        "PIP_USER": "1",
        "PIP_TARGET": "/elsewhere",
        "PIP_PREFIX": "/elsewhere",
        "PIP_ROOT": "/elsewhere",
        "PIP_DRY_RUN": "1",
        "PIP_NO_DEPS": "1",
        "PIP_INDEX_URL": "https://mirror.example/simple",
        "PYTHONPATH": "/elsewhere",
        "PYTHONHOME": "/elsewhere",
    }
    set_up("true", **given)
    log = (folder / "build" / "setup.log").read_text()
    assert "elsewhere" not in log
    assert log.count("PIP_USER=0\n") == log.count("PIP_TARGET=\n") == log.count("-m pip") == 2
    # Where packages come from is the user's to say.
    assert log.count("PIP_INDEX_URL=https://mirror.example/simple\n") == 2
    assert not (folder / ".venv" / "mnv2-incomplete").exists()


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ((), ["."]),
        (("cat.jpg", "--html"), [".", ".[page]"]),
        (("--model", "mine.tflite"), [".", ".[models]"]),
        (("--model=mine.tflite", "--html"), [".", ".[models]", ".[page]"]),
    ],
)
def test_a_run_installs_what_it_asks_for(project_with_pip, arguments, asked):
    folder, set_up = project_with_pip
    programs = folder.parent / "programs"
    programs.joinpath("cp").symlink_to(shutil.which("cp"))
    installed = set_up("echo $* >> ../asked", arguments=arguments)
    assert "failed" not in installed.stderr
    lines = (folder.parent / "asked").read_text().splitlines()
    assert [line.split()[-1] for line in lines if "--editable" in line] == asked
    # What is there is not asked for again, and what is new is, without the rest.
    (folder.parent / "asked").unlink()
    set_up("echo $* >> ../asked", arguments=(*arguments, "--html"))
    again = (folder.parent / "asked").read_text() if (folder.parent / "asked").exists() else ""
    assert again.count("--editable") == ("--html" not in arguments)
    assert "explore" not in again


def test_a_script_with_an_extra_of_its_own_has_all_of_them(project_with_pip):
    folder, set_up = project_with_pip
    (folder.parent / "programs" / "cp").symlink_to(shutil.which("cp"))
    set_up("true", script="synthesize")
    kinds = {path.name for path in (folder / ".venv").glob("*.stamp")}
    assert kinds == {
        f"mnv2-{kind}.stamp"
        for kind in ("base", "page", "models", "fast", "explore", "full", "synthesis")
    }


def test_what_pip_says_is_kept_and_shown_where_it_fails(project_with_pip):
    folder, set_up = project_with_pip
    done = set_up("echo WARNING: about nothing >&2")
    first = f"Setting up {folder}/.venv (once; a few minutes, needs the network) ...\n"
    # Nothing runs after the set-up: there is no mnv2 in this environment.
    assert done.stderr.startswith(first)
    assert "WARNING" not in done.stderr
    assert "WARNING: about nothing" in (folder / "build" / "setup.log").read_text()
    shutil.rmtree(folder / ".venv")
    done = set_up("echo ERROR: no disk; exit 1")
    assert done.returncode == 2
    assert "ERROR: no disk\n" in done.stderr
    assert f"All that pip said is in {folder}/build/setup.log." in done.stderr
    assert "failed; the next call starts it again" in done.stderr


def test_checkout_with_other_line_ends_runs(tmp_path):
    """Git is told to write CRLF, as on Windows; the scripts have LF all the same."""
    source, clone = tmp_path / "source", tmp_path / "clone"
    source.mkdir()
    shutil.copy(ROOT / ".gitattributes", source)
    shutil.copytree(ROOT / "scripts", source / "scripts")
    git = ["git", "-c", "core.autocrlf=true", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "all"]):
        subprocess.run([*git, *command], cwd=source, check=True, stderr=subprocess.DEVNULL)
    subprocess.run([*git, "clone", "-q", source, clone], check=True)
    files = [path for path in clone.glob("scripts/*") if path.is_file()]
    assert len(files) > 10
    assert not [path.name for path in files if b"\r" in path.read_bytes()]


@pytest.mark.parametrize(
    "script", ["scripts/run", "scripts/test", "scripts/prove", "scripts/peers", ".ci/run"]
)
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


@pytest.mark.parametrize(
    "name", ["accuracy", "benchmark", "synthesize", "fmax", "calibrate-costs", "gpu", "mutate"]
)
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
    (folder / ".venv" / "mnv2-full.stamp").write_text(stamp)
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
