"""The cache lies where the user says; a user without a folder is told."""

import os
import sys

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.jobs.cache import cache_dir, cache_folder, place_matplotlib
from tests.mounts import as_stranger, needs_mounts


def test_chosen_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "a" / ".." / "b"))
    assert cache_dir() == tmp_path / "b"
    assert cache_folder("build") == tmp_path / "b" / "build"
    assert (tmp_path / "b" / "build").is_dir()


def test_folder_that_is_a_file(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"file/build cannot be written: set MNV2_CACHE"):
        cache_folder("build")


@needs_mounts
@pytest.mark.parametrize("cache", [{}, {"MNV2_CACHE": "~/cache"}])
def test_user_that_the_system_does_not_know(cache):
    program = (
        "from mnv2.sim.errors import UserError\nfrom mnv2.sim.jobs.cache import cache_dir\n"
        "try:\n    cache_dir()\nexcept UserError as error:\n    print(error)\n"
    )
    done = as_stranger(sys.executable, "-c", program, PATH=os.environ["PATH"], **cache)
    assert done.stderr == ""
    assert done.stdout == (
        "This user has no home folder to keep the cache in: set MNV2_CACHE to a folder\n"
    )


@needs_mounts
def test_stranger_gets_a_sentence_for_a_path_from_home(tmp_path):
    done = as_stranger(
        *(sys.executable, "-m", "mnv2.sim.cli", "predict", "--config", "tiny", "--width", "0.35"),
        *("--size", "96", "--output", "~/run"),
        PATH=os.environ["PATH"],
        MNV2_CACHE=str(tmp_path),
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr == "mnv2: this user has no home folder: give paths without ~.\n"


def test_matplotlib_goes_where_it_can(tmp_path, monkeypatch):
    monkeypatch.delenv("MPLCONFIGDIR", raising=False)
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    place_matplotlib()
    assert "MPLCONFIGDIR" not in os.environ
    monkeypatch.setenv("HOME", str(tmp_path / "missing"))
    place_matplotlib()
    assert os.environ["MPLCONFIGDIR"] == str(tmp_path / "cache" / "matplotlib")
    # What the user chose stays.
    monkeypatch.setenv("MPLCONFIGDIR", "chosen")
    place_matplotlib()
    assert os.environ["MPLCONFIGDIR"] == "chosen"
