"""The installed package: every part and every table of the project, and nothing else."""

import fnmatch
import os
import re
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path

import pytest
import setuptools
from setuptools.command.egg_info import FileList
from setuptools.config import pyprojecttoml

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
SETTINGS = SETTINGS["setuptools"]
FOLDERS = SETTINGS["package-dir"]
#: Works in a checkout only, with an environment of its own.
LEFT_OUT = ROOT / "sim/peers"


def folder_of(package):
    """Folder of a package, relative to the checkout."""
    part = max((part for part in FOLDERS if f"{package}.".startswith(f"{part}.")), key=len)
    return Path(FOLDERS[part], *package.removeprefix(part).split(".")[1:])


def test_license_is_an_expression():
    """The table of earlier versions of setuptools is refused by those of 2027 on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text().splitlines()[1]
    with warnings.catch_warnings():
        warnings.simplefilter("error", setuptools.SetuptoolsDeprecationWarning)
        distribution = setuptools.Distribution({"script_name": "setup.py"})
        pyprojecttoml.apply_configuration(distribution, ROOT / "pyproject.toml")
    assert distribution.metadata.license_expression == "Apache-2.0"


def test_every_folder_is_listed():
    found = {
        path.parent.relative_to(ROOT)
        for part in ("golden", "hw", "sim")
        for path in (ROOT / part).rglob("__init__.py")
        if LEFT_OUT not in (path.parent, *path.parents)
    }
    listed = [folder_of(package) for package in SETTINGS["packages"]]
    assert len(listed) == len(set(listed))
    assert set(listed) == found


def test_no_module_of_the_user_is_taken_for_a_part(tmp_path):
    """A ``sim.py`` on the path, as users of cocotb have, is not imported."""
    for name in ("golden", "hw", "sim"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError\n")
    done = subprocess.run(
        [sys.executable, "-m", "mnv2.sim.cli", "summary", "--width", "0.35", "--size", "96"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_table_is_installed():
    """Every file that is neither Python nor a page to read has a suffix that is installed."""
    patterns = SETTINGS["package-data"]["*"]
    for package in SETTINGS["packages"]:
        for path in (ROOT / folder_of(package)).iterdir():
            if path.is_file() and path.suffix not in (".py", ".pyc", ".nbc", ".nbi", ".md"):
                assert any(fnmatch.fnmatch(path.name, pattern) for pattern in patterns), path
    assert (ROOT / FOLDERS["mnv2"] / "py.typed").is_file()


def test_wheel(monkeypatch, tmp_path):
    """The files that setuptools copies into a wheel."""
    monkeypatch.chdir(ROOT)
    distribution = setuptools.Distribution({"script_name": "setup.py"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old versions call this an experiment
        pyprojecttoml.apply_configuration(distribution, "pyproject.toml")
        distribution.include_package_data = False  # it would write into the checkout
        command = distribution.get_command_obj("build_py")
        command.build_lib = str(tmp_path)
        command.ensure_finalized()
        files = {Path(file).relative_to(tmp_path) for file in command.get_outputs(False)}
    assert {file.parts[0] for file in files} == {"mnv2"}
    names = {file.as_posix() for file in files}
    for name in (
        "mnv2/__init__.py",
        "mnv2/interface.py",
        "mnv2/py.typed",
        "mnv2/golden/network.py",
        "mnv2/hw/config.py",
        "mnv2/hw/standalone/depthwise.py",
        "mnv2/sim/cli.py",
        "mnv2/sim/cost/devices.toml",
        "mnv2/sim/page/kit/figures.js",
        "mnv2/sim/pictures/imagenet_classes.txt",
        "mnv2/sim/rtl/axi_memory.sv",
        "mnv2/sim/rtl/waveform/lz4.h",
        "mnv2/sim/rtl/waveform/waves.sv",
        "mnv2/sim/rtl/main.cpp",
    ):
        assert name in names
    assert not any(name.startswith("mnv2/sim/peers") for name in names)
    assert not any("test" in file.parts for file in files)


def test_source_distribution_is_the_checkout(monkeypatch):
    """Scripts, tests and documentation are in it, as Git has them."""
    monkeypatch.chdir(ROOT)
    done = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("needs a checkout of Git")
    files = FileList()
    for line in (ROOT / "MANIFEST.in").read_text().splitlines():
        if not line.startswith("#"):
            files.process_template_line(line)
    always = {"LICENSE", "MANIFEST.in", "pyproject.toml"}
    assert set(done.stdout.splitlines()) - set(files.files) <= always
    assert not [name for name in files.files if "__pycache__" in name or name.endswith(".pyc")]


def test_version_is_told_once():
    """The changes of pyproject.toml's version stand first, and citations name it."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    headings = re.findall(r"^## (\S+?),? .*$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == version
    assert f'version: "{version}"' in (ROOT / "CITATION.cff").read_text()


def test_a_container_does_the_two_commands():
    """It has the packages that README asks for, and what both commands install."""
    text = (ROOT / "Containerfile").read_text()
    asked = re.search(r"apt-get install (python3 [^`]*)`", (ROOT / "README.md").read_text())
    assert set(asked[1].split()) <= set(text.split())
    assert "setup_environment test" in text
    assert 'CMD ["scripts/run"]' in text
    assert "setup_environment test" in (ROOT / "scripts" / "test").read_text()


def test_a_run_needs_no_extra():
    """No extra holds what a run imports, and extras have what is large."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    needed = {re.split(r"[><=; ]", one)[0] for one in project["dependencies"]}
    large = {"numba", "pandas", "pyarrow", "dask[distributed]", "optuna", "plotly", "onnx", "torch"}
    assert not needed & large
    named = {
        re.split(r"[><=; ]", one)[0]
        for extra in project["optional-dependencies"].values()
        for one in extra
    }
    assert large <= named
