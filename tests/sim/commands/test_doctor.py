"""`mnv2 doctor`: requirements are found, or named with the command that installs them."""

import importlib.metadata

from typer.testing import CliRunner

from mnv2.sim.cli import app


def invoke(*arguments):
    """Result of a command, run in this process."""
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "120"})


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


def test_doctor_writes_extras_with_their_brackets(monkeypatch):
    version = importlib.metadata.version

    def without_numba(name):
        if name == "numba":
            raise importlib.metadata.PackageNotFoundError
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", without_numba)
    assert "pip install 'mnv2[fast]'" in invoke("doctor").stdout


def test_doctor_names_a_user_without_home(monkeypatch):
    monkeypatch.setenv("MNV2_CACHE", "~nobody-of-this-name/cache")
    result = invoke("doctor")
    assert result.exit_code == 1
    assert "no home folder to keep the cache in: set MNV2_CACHE to a folder" in result.stdout
