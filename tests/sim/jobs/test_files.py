"""Files and folders appear whole or not at all; what cannot be read or written is one sentence."""

import json

import numpy as np
import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.jobs.files import (
    check_folder,
    check_writable_file,
    output_folder,
    read_toml,
    replaced_files,
    save_arrays,
    write_json,
    write_whole,
)


def test_toml(tmp_path):
    path = tmp_path / "table.toml"
    path.write_text("pixels = 4\n")
    assert read_toml(path, "table") == {"pixels": 4}
    with pytest.raises(UserError, match="The table '.*nowhere.toml' cannot be read: No such file"):
        read_toml(tmp_path / "nowhere.toml", "table")
    with pytest.raises(UserError, match="^There is none$"):
        read_toml(tmp_path / "nowhere.toml", "table", missing="There is none")
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        read_toml(tmp_path, "table", missing="There is none")
    path.write_text("pixels = [")
    with pytest.raises(UserError, match="The table '.*' is not valid TOML: "):
        read_toml(path, "table")
    path.write_bytes(b"\xff")
    with pytest.raises(UserError, match="cannot be read: it is not text"):
        read_toml(path, "table")


def test_json(tmp_path):
    path = tmp_path / "report.json"
    write_json(path, {"share": np.float64(0.5), "counts": [np.int64(3)]})
    assert path.read_text() == '{\n  "share": 0.5,\n  "counts": [\n    3\n  ]\n}\n'
    assert json.loads(path.read_text()) == {"share": 0.5, "counts": [3]}
    write_json(path, [float("inf")])
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, [float("inf")], allow_nan=False)


def test_whole_file(tmp_path):
    path = tmp_path / "folder" / "file"
    write_whole(path, b"first")
    write_whole(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(path.parent.iterdir()) == [path]
    with pytest.raises(UserError, match="The file .* cannot be written: File exists"):
        write_whole(path / "below", b"third")


def test_arrays(tmp_path):
    path = tmp_path / "folder" / "arrays.npz"
    save_arrays(path, {"one": np.arange(3)})
    assert list(path.parent.iterdir()) == [path]
    with np.load(path) as arrays:
        assert arrays["one"].tolist() == [0, 1, 2]


def test_arrays_that_fail_leave_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "arrays.npz"
    path.write_bytes(b"precious")

    def fail(file, **arrays):
        file.write(b"half")
        raise OSError("full")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="full"):
        save_arrays(path, {"one": np.arange(3)})
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"precious"]


def test_writable_file(tmp_path):
    check_writable_file(tmp_path / "new" / "dump.npz")
    assert list((tmp_path / "new").iterdir()) == []
    with pytest.raises(UserError, match="The dump .* must be a file, and is a folder"):
        check_writable_file(tmp_path)
    with pytest.raises(UserError, match="The file /dev/null must be a file, and is a device"):
        check_writable_file("/dev/null", "file")


def test_folder_for_results(tmp_path):
    assert check_folder(tmp_path)
    assert not check_folder(tmp_path / "new")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="The output '.*file' is a file, not a folder"):
        check_folder(tmp_path / "file")


def test_replaced_files_leave_others(tmp_path):
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "table").write_text("first")
    with replaced_files(tmp_path) as folder:
        (folder / "table").write_text("second")
        assert (tmp_path / "table").read_text() == "first"
    found = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert found == {"kept": "kept", "table": "second"}


def test_replaced_files_that_fail_replace_none(tmp_path):
    wanted = tmp_path / "one"
    wanted.mkdir()
    (wanted / "table").write_text("first")

    def fail():
        with replaced_files(wanted) as folder:
            (folder / "table").write_text("second")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (wanted / "table").read_text() == "first"
    assert list(tmp_path.iterdir()) == [wanted]


def test_folder_appears_whole(tmp_path):
    wanted = tmp_path / "runs" / "one"
    with output_folder(wanted) as folder:
        (folder / "report.json").write_text("{}")
        assert not wanted.exists()
    assert [path.name for path in wanted.iterdir()] == ["report.json"]
    assert [path.name for path in wanted.parent.iterdir()] == ["one"]


def test_failure_leaves_nothing(tmp_path):
    def fail():
        with output_folder(tmp_path / "one") as folder:
            (folder / "report.json").write_text("{}")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_earlier_report_is_replaced(tmp_path):
    for text in ("first", "second"):
        with output_folder(tmp_path / "one") as folder:
            (folder / "report.json").write_text(text)
    assert (tmp_path / "one" / "report.json").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_every_file_of_an_earlier_run_is_replaced(tmp_path):
    names = (
        "report.json",
        "report.csv",
        "tensors.npz",
        "cycles.png",
        "bytes.png",
        "roofline.png",
        "frame.png",
        "validate.png",
        "network.vcd",
        "block17.fst",
    )
    for name in names:
        (tmp_path / "one").mkdir(exist_ok=True)
        (tmp_path / "one" / name).write_text("first")
    with output_folder(tmp_path / "one") as folder:
        (folder / "report.json").write_text("second")
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["report.json"]


def test_failure_keeps_the_earlier_report(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "report.json").write_text("first")

    def fail():
        with output_folder(tmp_path / "one"):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (tmp_path / "one" / "report.json").read_text() == "first"


@pytest.mark.parametrize("name", ["notes.txt", "journal.jsonl", "golden", "block1.vcd.gz"])
def test_no_file_of_others_is_replaced(name, tmp_path):
    """A report next to them does not say who wrote them."""
    for file in ("report.json", "frame.png", "block12.fst", name):
        (tmp_path / file).write_text("precious")
    with pytest.raises(UserError, match=f"'{name}'"), output_folder(tmp_path):
        pytest.fail("The folder was given")
    assert (tmp_path / name).read_text() == "precious"


@pytest.mark.parametrize("make", ["file", "below a file", "full folder"])
def test_unusable_output(make, tmp_path):
    wanted = tmp_path / "one"
    if make == "full folder":
        wanted.mkdir()
        (wanted / "thesis.tex").write_text("precious")
    else:
        wanted.write_text("precious")
    if make == "below a file":
        wanted = wanted / "two"
    with pytest.raises(UserError, match=r"The output"), output_folder(wanted):
        pytest.fail("The folder was given")
    assert "precious" in [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("writer", [output_folder, replaced_files])
def test_linked_folder_is_written_not_replaced(writer, tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    for text in ("first", "second"):
        with writer(link) as folder:
            (folder / "report.json").write_text(text)
    assert link.is_symlink()
    assert [file.name for file in real.iterdir()] == ["report.json"]
    assert (real / "report.json").read_text() == "second"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


def test_files_are_collected_on_the_disk_of_the_folder(tmp_path):
    """A folder that is there may be a disk of its own: files cannot be renamed into it."""
    with replaced_files(tmp_path) as folder:
        assert folder.parent == tmp_path
    with replaced_files(tmp_path / "new") as folder:
        assert folder.parent == tmp_path


def test_folder_has_the_mode_of_a_new_one(tmp_path):
    (tmp_path / "plain").mkdir()
    with output_folder(tmp_path / "written"):
        pass
    modes = {path.name: path.stat().st_mode for path in tmp_path.iterdir()}
    assert modes["written"] == modes["plain"]


def test_a_folder_that_cannot_be_replaced_is_a_sentence(tmp_path, monkeypatch):
    """Such as one that a disk is mounted on."""
    wanted = tmp_path / "mounted"
    wanted.mkdir()

    def busy(*arguments):
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr("mnv2.sim.jobs.files.os.replace", busy)
    with (
        pytest.raises(UserError, match="mounted' cannot be written: Device or resource busy"),
        output_folder(wanted),
    ):
        pass
    assert list(tmp_path.iterdir()) == [wanted]


@pytest.mark.parametrize("name", ["report.html", "report.csv", "tensors.npz", "block3.vcd"])
def test_every_file_of_a_report_is_replaced(name, tmp_path):
    wanted = tmp_path / "run"
    wanted.mkdir()
    (wanted / name).write_text("earlier")
    with output_folder(wanted) as folder:
        (folder / "report.json").write_text("{}")
    assert [file.name for file in wanted.iterdir()] == ["report.json"]


def test_home_and_other_letters(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_whole("~/whole", b"there")
    assert (tmp_path / "whole").read_bytes() == b"there"
    write_json(tmp_path / "names.json", {"name": "Zürich, µs"})
    assert json.loads((tmp_path / "names.json").read_bytes().decode("utf-8")) == {
        "name": "Zürich, µs"
    }
