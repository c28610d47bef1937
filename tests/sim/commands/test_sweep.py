"""`mnv2 sweep`: what it refuses, and a whole sweep of the real network on two photographs."""

import json
import subprocess
import sys
from pathlib import Path

import pandas
import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.sweep.grid import AXES, DEFAULT_GRIDS
from mnv2.sim.sweep.request import make_request
from tests.sim.commands.refusals import invoker, refuser
from tests.sim.sweep.small import write_pictures

ROOT = Path(__file__).parents[3]
NOTHING = dict.fromkeys((axis.field for axis in AXES), None)


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    return invoker("sweep", tmp_path, monkeypatch)


@pytest.fixture
def refuse(invoke, tmp_path):
    return refuser(invoke, tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--weights", "1..8"], "--weights must be a list of 2 to 8"),
        (["--activations", "8,12"], "--activations must be a list of 4 to 8 or 16"),
        (["--granularity", "row"], "--granularity must be a list of tensor, channel, not 'row'"),
        (["--images", "nowhere"], "there is no "),
        (["--calibration", "nowhere"], "there is no "),
        (["--resume", "nowhere"], "Nothing to resume in 'nowhere'"),
        (["--resume", "a", "--output", "b"], "--resume writes into its own folder: drop --output"),
        (
            ["--scheduler", "tcp://1.2.3.4:5", "--workers", "2"],
            "--workers does not apply with --scheduler",
        ),
        (["--device", "gpu"], "A device must be cpu, cuda or cuda:N, not 'gpu'"),
        (["--device", "cuda", "--workers", "2"], "--workers does not apply with --device cuda"),
        (["--device", "cuda", "--scheduler", "tcp://1:2"], "--scheduler does not apply with"),
        (["--model", "nowhere.onnx"], "nowhere.onnx cannot be read"),
        (["--size", "96"], "the bundled network has its own"),
        (["--config", "huge"], "must be a preset"),
        (["--set", "lanes=4"], "no configuration option 'lanes'"),
    ],
)
def test_what_is_refused(arguments, words, refuse):
    assert words in refuse(*arguments)


def test_folder_that_holds_something(refuse, tmp_path):
    write_pictures(tmp_path / "precious", 1)
    assert "holds other files" in refuse("--output", "precious")


def test_pictures_in_both_sets(refuse, tmp_path):
    write_pictures(tmp_path / "pictures", 2)
    line = refuse("--images", "pictures", "--calibration", "pictures", "--weights", "8")
    assert "must not be both calibrated on and evaluated on" in line


@pytest.mark.parametrize(
    ("library", "arguments", "extra"),
    [
        ("pandas", ["--workers", "0"], "A sweep's tables need pandas"),
        ("dask", ["--weights", "8"], "Work on several workers needs Dask"),
    ],
)
def test_library_that_is_missing(library, arguments, extra, refuse, monkeypatch, tmp_path):
    write_pictures(tmp_path / "images", 1)
    write_pictures(tmp_path / "calibration", 1, seed=1)
    monkeypatch.setitem(sys.modules, library, None)
    line = refuse(*arguments, "--images", "images", "--calibration", "calibration")
    assert line.startswith(f"mnv2: {extra}: pip install 'mnv2[sweep]'")


def test_whole_sweep_and_resume(invoke, tmp_path):
    """The real network: few pictures, so that it takes seconds."""
    (tmp_path / "calibration").mkdir()
    write_pictures(tmp_path / "calibration", 2)
    options = ["--weights", "4,8", "--limit", "2", "--calibration", "calibration", "--workers", "0"]
    done = invoke(*options, "--output", "sweep")
    assert done.exit_code == 0, done.output
    assert "2 formats on 2 pictures" in done.stdout
    folder = tmp_path / "sweep"
    assert {path.name for path in folder.iterdir()} == {
        "accuracy.png",
        "costs.png",
        "layers.png",
        "layers.csv",
        "sweep.csv",
        "sweep.parquet",
        "report.json",
        "journal.jsonl",
    }
    frame = pandas.read_csv(folder / "sweep.csv").set_index("name")
    assert list(frame.index) == ["W4A8", "W8A8"]
    assert frame.loc["W8A8", "sqnr_db"] > 5 > frame.loc["W4A8", "sqnr_db"]
    assert frame.loc["W8A8", "agree_top5"] == 1
    report = json.loads((folder / "report.json").read_text())
    assert report["images"]["kind"] == "the photographs of the packages foolbox and ai-benchmark"
    assert report["images"]["layers_compared_on"] == 2
    assert report["float"]["label_top5"] == 1

    before = (folder / "sweep.csv").read_bytes()
    (folder / "sweep.csv").unlink()
    assert invoke("--resume", "sweep", "--html").exit_code == 0
    assert (folder / "sweep.csv").read_bytes() == before
    assert "mnv2 sweep --resume sweep --html" in (folder / "report.html").read_text()
    assert invoke("--resume", "sweep", *options[2:]).exit_code == 0
    other = invoke("--resume", "sweep", *options[:3], "3")
    assert other.exit_code == 2
    assert "holds another sweep: with --limit 2, not 3" in other.stderr
    assert "is kept" not in other.stderr


def test_options_given_to_resume_must_be_the_same():
    earlier = make_request({**NOTHING, "weight_bits": "4,8", "rounding": "single"}, limit=4)

    def check(names, limit=4, **lists):
        earlier.check_same("old", make_request({**NOTHING, **lists}, limit=limit), names)

    check([])
    check(["weight_bits", "limit", "workers"], weight_bits="4,8")
    # An axis without a list was at its default.
    check(["granularity"], granularity="channel")
    for names, options, words in (
        (["weight_bits"], {"weight_bits": "4..8"}, "--weights 4,8, not 4,5,6,7,8"),
        (["granularity"], {"granularity": "tensor"}, "--granularity channel, not tensor"),
        (["limit"], {"limit": 5}, "--limit 4, not 5"),
    ):
        with pytest.raises(UserError, match=f"The folder 'old' holds another sweep: with {words}"):
            check(names, **options)
    default = make_request(NOTHING)
    with pytest.raises(UserError, match="with --weights .* and .*, not 8"):
        default.check_same("old", make_request({**NOTHING, "weight_bits": "8"}), ["weight_bits"])


def test_lists_make_the_request(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert make_request(NOTHING).grids == DEFAULT_GRIDS
    request = make_request({**NOTHING, "weight_bits": "4..6", "overflow": "wrap"}, images="set")
    assert request.grids == ({"weight_bits": (4, 5, 6), "overflow": ("wrap",)},)
    assert request.images == str(tmp_path / "set")


def test_help_teaches_and_loads_nothing_slow():
    program = (
        "import sys\n"
        "from mnv2.sim import cli\n"
        "try:\n    cli.app(['sweep', '--help'])\n"
        "except SystemExit:\n    pass\n"
        "slow = {'numpy', 'pandas', 'pyarrow', 'dask', 'distributed', 'PIL'} & set(sys.modules)\n"
        "assert not slow, slow\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, cwd=ROOT, text=True, stdout=subprocess.PIPE
    )
    for axis in AXES:
        assert f"--{axis.option}" in done.stdout
    assert "--resume" in done.stdout
