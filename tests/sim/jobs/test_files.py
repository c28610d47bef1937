"""An output folder appears whole or not at all, and replaces nothing but a report."""

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.jobs.files import output_folder


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
    """A report next to them does not show who wrote them."""
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
