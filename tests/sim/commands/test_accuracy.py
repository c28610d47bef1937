"""`mnv2 accuracy`: what it refuses, and a whole one of a small network."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim.accuracy.small import SIZE, write_network, write_sets
from tests.sim.commands.refusals import invoker, refuser
from tests.sim.sweep.small import write_pictures

ROOT = Path(__file__).parents[3]


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    return invoker("accuracy", tmp_path, monkeypatch)


@pytest.fixture
def refuse(invoke, tmp_path):
    return refuser(invoke, tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--images", "nowhere"], "there is no "),
        (["--images", "empty"], "holds no pictures"),
        (["--images", "list.txt"], "must name a picture that is there, not 'gone.png'"),
        (["--images", "flat", "--calibration", "flat"], "both calibrated on and evaluated on"),
        (["--images", "flat", "--calibration", "nowhere"], "there is no "),
        (["--resize", "fit"], "--resize must be crop, crop:SHARE, stretch or none, not 'fit'"),
        (["--labels", "nowhere.txt"], "The labels nowhere.txt cannot be read"),
        (["--labels", "labels.txt"], "'b' must be a class of the network, 0 to 2, not 7"),
        (["--model", "nowhere"], "nowhere cannot be read"),
        (["--resume", "nowhere"], "Nothing to resume in 'nowhere'"),
        (["--resume", "a", "--output", "b"], "drop --output"),
        (["--output", "flat"], "holds other files"),
        (["--config", "huge"], "must be a preset"),
    ],
)
def test_what_is_refused(arguments, words, refuse, tmp_path):
    write_network(tmp_path)
    write_pictures(tmp_path / "flat", 2)
    (tmp_path / "empty").mkdir()
    (tmp_path / "list.txt").write_text("flat/picture000.png 0\ngone.png 1\n")
    (tmp_path / "labels.txt").write_text("0 a\n7 b\n")
    given = ["--model", "weights", "--size", SIZE] if "--model" not in arguments else []
    images = [] if "--images" in arguments else ["--images", "flat"]
    line = refuse(*given, *images, *arguments)
    assert words in line.replace(f"{tmp_path}/", "")


def test_whole_accuracy_and_resume(invoke, tmp_path):
    write_network(tmp_path)
    write_sets(tmp_path, count=3)
    (tmp_path / "names.txt").write_text("dogs\nemus\ncats\n")
    options = ["--images", "images", "--model", "weights", "--size", SIZE]
    options += ["--calibration", "calibration", "--labels", "names.txt", "--workers", 0]
    done = invoke(*options, "--output", "out")
    assert done.exit_code == 0, done.output
    shown = " ".join(done.stdout.split())
    assert "weights on 9 pictures" in shown
    assert "names of classes in names.txt that folders are called by: cats 2, dogs 0" in shown
    assert "calibrated on 2 pictures of calibration" in shown
    assert "top-5" not in shown
    folder = tmp_path / "out"
    assert {path.name for path in folder.iterdir()} == {
        "journal.jsonl",
        "report.json",
        "pictures.csv",
        "confusion.csv",
        "confusion-float.csv",
        "confusion.png",
    }
    with (folder / "pictures.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == ["2"] * 3 + ["0"] * 3 + ["1"] * 3
    assert {row["label_name"] for row in rows} == {"cats", "dogs", "emus"}
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["images"]["folders"] == {"cats": 2, "dogs": 0, "emus": 1}

    before = (folder / "pictures.csv").read_bytes()
    (folder / "pictures.csv").unlink()
    assert invoke("--resume", "out", "--workers", 0).exit_code == 0
    assert (folder / "pictures.csv").read_bytes() == before
    other = invoke("--resume", "out", "--resize", "stretch")
    assert other.exit_code == 2
    assert "holds another accuracy: with --resize None, not stretch" in other.stderr


def test_one_class_alone_is_said(invoke, tmp_path):
    write_network(tmp_path)
    write_pictures(tmp_path / "images" / "1", 2)
    write_pictures(tmp_path / "calibration", 1, seed=9)
    done = invoke(
        *["--images", "images", "--model", "weights", "--size", SIZE],
        *["--calibration", "calibration", "--workers", 0, "--output", "out"],
    )
    assert done.exit_code == 0, done.output
    shown = " ".join(done.stdout.split())
    assert "Warning: All 2 pictures are of one class, class 1: accuracy by labels" in shown


def test_help_teaches_and_loads_nothing_slow():
    program = (
        "import sys\n"
        "from mnv2.sim import cli\n"
        "try:\n    cli.app(['accuracy', '--help'])\n"
        "except SystemExit:\n    pass\n"
        "slow = {'numpy', 'pandas', 'dask', 'distributed', 'PIL'} & set(sys.modules)\n"
        "assert not slow, slow\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, cwd=ROOT, text=True, stdout=subprocess.PIPE
    )
    for option in ("--resize", "--labels", "--calibration", "--rtl", "--resume"):
        assert option in done.stdout
