"""`mnv2 explore`: refused options, a whole search, resuming it, and designs in RTL."""

import dataclasses
import json
import shutil

import pandas
import pytest
from typer.testing import CliRunner

from mnv2.sim import cli
from mnv2.sim.configuration import load_configuration, load_setting
from mnv2.sim.explore.place_designs import Placing
from mnv2.sim.explore.prove import Proof
from tests.sim.explore.small import SPACE

NETWORK = ("--width", "0.35", "--size", "96", "--classes", "10")


def vary(**values):
    """Options of the small space with these lists of values in place of its own."""
    lists = dict(variation.split("=") for variation in SPACE) | {"pixels": "1,2"} | values
    return tuple(part for name, ones in lists.items() for part in ("--vary", f"{name}={ones}"))


SMALL = vary()


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    """Run `mnv2 explore` in an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        return CliRunner().invoke(
            cli.app, ["explore", "--workers", "0", *map(str, arguments)], env={"COLUMNS": "200"}
        )

    return run


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--device", "ZU3"], "There is no device 'ZU3'; did you mean ZU3EG"),
        (["--max-latency", "10"], "--max-latency must be a figure in s above 0, such as 10ms"),
        (
            ["--max-power", "1.5W"],
            "Watts are not estimated, since the energies known here are of",
        ),
        (["--max-energy", "5mJ"], "--max-energy must be a ratio above 0, such as 12, not '5mJ'"),
        (["--min-fps", "fast"], "--min-fps must be frames a second above 0"),
        (["--max-bandwidth", "2GB"], "such as 2GB/s"),
        (["--objective", "speed"], "An objective must be one of fps"),
        (["--objective", "accuracy"], "Accuracy comes from a finished sweep"),
        (["--max-share", "80%"], "A share is one of a device's resources"),
        (["--energies", "nowhere.toml"], "nowhere.toml' cannot be read: No such file"),
        (
            ["--device", "x", "--devices", "nowhere.toml"],
            "nowhere.toml' cannot be read: No such file",
        ),
        (["--accuracy", "nowhere"], "There is no finished sweep in 'nowhere'"),
        (["--vary", "pixel=2"], "did you mean pixels?"),
        (["--space", "nowhere.toml"], "there is no file 'nowhere.toml'"),
        (["--width", "0.4"], "The width must be one of"),
        (["--resume", "nowhere"], "Nothing to resume in 'nowhere'"),
        (["--resume", "a", "--output", "b"], "--resume writes into its own folder: drop --output"),
        (["--latency", "1"], "The memory options are invalid"),
        (["--scheduler", "tcp://127.0.0.1:1"], "--workers does not apply with --scheduler"),
        (["--vary", "packing=rows"], "packing must be of none, pixels, frames, not 'rows'"),
        (
            [*vary(packing="pixels", pixels="2"), "--device", "ECP5-85"],
            "packing must be none: a multiplier of 18 x 18 bits holds no two products",
        ),
        (
            vary(outputs="12", inputs="8"),
            "No point of the space is a design",
        ),
    ],
)
def test_bad_options_are_a_sentence_and_leave_nothing(invoke, tmp_path, arguments, words):
    done = invoke(*arguments)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("mnv2: ")
    assert line.endswith((".", "?"))
    assert not line.endswith("?.")
    assert words in line
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder that holds the folder ``found`` of a search, and what the search said."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = CliRunner().invoke(
            cli.app,
            [
                "explore",
                "--workers",
                "0",
                *SMALL,
                *NETWORK,
                "--device",
                "ZU9EG",
                "--min-fps",
                "100",
                "--max-bandwidth",
                "2GB/s",
                "--output",
                "found",
            ],
            env={"COLUMNS": "200"},
        )
    assert done.exit_code == 0, done.output
    return folder, done


@pytest.mark.parametrize(
    ("options", "memory", "clock_mhz"),
    [
        ((), "ps-hp-ddr4-2400x64", None),
        (("--memory", "ddr3-800x16", "--clock", "150"), "ddr3-800x16", 150),
        (("--latency", "60"), None, None),
    ],
)
def test_a_board_gives_device_memory_and_clock(invoke, tmp_path, options, memory, clock_mhz):
    """The request that the journal holds; options stand for the board's."""
    board = load_setting("kv260").board
    # No design has as many frames a second: none is predicted.
    done = invoke(*SMALL, *NETWORK, "--device", "KV260", "--min-fps", "1e9", *options)
    assert done.exit_code == 2, done.output
    assert "No design meets all limits" in done.stderr
    (journal,) = tmp_path.rglob("journal.jsonl")
    with journal.open() as file:
        request = json.loads(file.readline())["configuration"]["request"]
    assert request["memory"] == memory
    assert request["clock_mhz"] == (clock_mhz or board.clock_hz / 1e6)
    assert request["clock_from"] == ("given" if clock_mhz else board.clock_source)
    assert request["device"] == "KV260"


@pytest.fixture
def searched(finished, tmp_path):
    """A copy of that search in the folder that commands run in."""
    folder, done = finished
    shutil.copytree(folder / "found", tmp_path / "found")
    return tmp_path / "found", done


def test_a_search_writes_everything(searched, invoke):
    folder, done = searched
    frame = pandas.read_csv(folder / "designs.csv", keep_default_na=False)
    names = [name for name in frame["name"] if name]
    assert frame["on_front"].sum() == len(names) > 1
    files = {file.name for file in folder.iterdir()}
    assert files == {
        "designs.csv",
        "designs.parquet",
        "report.json",
        "journal.jsonl",
        "front.png",
        "binding.png",
        "sensitivity.png",
        *(f"{name}.toml" for name in names),
    }
    assert "Pareto-optimal designs for most fps, least dsp, least bram" in done.stdout
    assert f"design-001.toml to {names[-1]}.toml" in done.stderr
    report = json.loads((folder / "report.json").read_text())
    assert [row["name"] for row in report["front"]] == names
    command = report["front"][0]["command"]
    # The design's file names the network.
    assert command.startswith("mnv2 run --config found/design-001.toml")
    tables = (folder / "design-001.toml").read_text()
    assert all(f"{name} = " in tables for name in ("width", "size", "classes"))
    # The command measures what the search predicted.
    again = CliRunner().invoke(cli.app, command.split()[1:], env={"COLUMNS": "200"})
    cycles = report["front"][0]["predicted"]["cycles"]
    assert f"10-class frame: {cycles:,} cycles" in again.stdout
    config = load_configuration(str(folder / "design-001.toml"))
    assert config.pixels == report["front"][0]["configuration"]["pixels"]


def test_going_on_gives_the_same_files(searched, invoke):
    folder, done = searched
    before = {
        file.name: file.read_bytes()
        for file in folder.iterdir()
        if file.suffix in (".csv", ".toml", ".jsonl")
    }
    again = invoke("--resume", "found")
    assert again.exit_code == 0, again.output
    assert again.stdout == done.stdout
    for name, content in before.items():
        assert (folder / name).read_bytes() == content
    same = invoke("--resume", "found", "--device", "ZU9EG", "--min-fps", "100")
    assert same.exit_code == 0, same.output
    for option, value, words in (
        ("--device", "K26", "with --device ZU9EG, not K26"),
        ("--min-fps", "50", "with --min-fps 100.0, not 50.0"),
        ("--width", "0.5", "with --width 0.35, not 0.5"),
        ("--seed", "2", "with --seed 1, not 2"),
    ):
        other = invoke("--resume", "found", option, value)
        assert other.exit_code == 2
        assert words in other.stderr
    taken = invoke("--output", "found")
    assert taken.exit_code == 2
    assert "--resume found" in taken.stderr


def test_nothing_meets_what_is_asked(invoke, tmp_path):
    done = invoke(*SMALL, *NETWORK, "--min-fps", "1000000", "--output", "found")
    assert done.exit_code == 2
    assert "No design meets all limits: of " in done.stderr
    assert "misses fps by" in done.stderr
    assert (tmp_path / "found" / "designs.csv").exists()


def test_a_proof_that_differs_ends_with_status_1(searched, invoke, monkeypatch):
    folder, _ = searched
    bad = Proof("design-001", "key", 100, 10, 101, 10, 50, {"frame": {"cycles": [100, 101]}})
    monkeypatch.setattr("mnv2.sim.explore.prove.prove_designs", lambda *_, **__: [bad])
    done = invoke("--resume", "found", "--prove", "1")
    assert done.exit_code == 1
    assert "design-001, frame: cycles 100 predicted, 101 measured" in done.stdout
    assert "mnv2: design-001 in RTL is not what was predicted" in done.stderr
    assert json.loads((folder / "report.json").read_text())["proofs"][0]["measured_cycles"] == 101


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--device", "ECP5-85", "--place"), "--place places the designs that --prove N runs"),
        (("--prove", "1", "--place"), "--place needs a --device to place for"),
        (("--device", "K26", "--prove", "1", "--place"), "K26 cannot be placed here: no open tool"),
        (("--device", "XC7A200T", "--prove", "1", "--place"), "they would be optimistic: nextpnr"),
    ],
)
def test_what_cannot_be_placed_is_refused_before_the_search(invoke, tmp_path, options, words):
    done = invoke(*SMALL, *NETWORK, *options, "--output", "refused")
    assert done.exit_code == 2
    assert done.stderr.startswith("mnv2: ")
    assert words in done.stderr
    assert not (tmp_path / "refused").exists()


def test_placed_designs_are_shown_and_kept(invoke, tmp_path, monkeypatch):
    """The routing itself, half an hour, is another test's."""
    good = Proof("design-001", "key", 100, 10, 100, 10, 50)
    routed = Placing("design-001", "key", "ECP5-85", 7, 50.0, "given", 5.0, 900, 2, 60.5, 6.05, 2)
    asked = {}

    def place_designs(results, count, target, watch, **options):
        asked.update(options, count=count, device=target.device.name)
        return [dataclasses.replace(routed, luts=1000)]

    monkeypatch.setattr("mnv2.sim.explore.prove.prove_designs", lambda *_, **__: [good])
    monkeypatch.setattr("mnv2.sim.explore.place_designs.place_designs", place_designs)
    done = invoke(
        *(*SMALL, *NETWORK, "--device", "ECP5-85", "--output", "placed"),
        *("--prove", "1", "--place", "--speed", "7", "--place-seeds", "2"),
    )
    assert done.exit_code == 0, done.output
    assert asked == {"count": 1, "device": "ECP5-85", "speed": 7, "seeds": 2}
    assert "60.5" in done.stdout
    (kept,) = json.loads((tmp_path / "placed" / "report.json").read_text())["placed"]
    assert (kept["megahertz"], kept["luts"]) == (60.5, 1000)


def test_help_teaches(invoke):
    done = invoke("--help")
    assert done.exit_code == 0
    for words in (
        "--device ZU3EG --min-fps 100 --max-bandwidth 2GB/s",
        "map_share",
        "Depthwise",
        "--prove",
        "--place",
        "--resume",
        "--min-accuracy",
    ):
        assert words in done.stdout


def test_options_of_the_network_have_a_panel(invoke):
    """They are those of other commands, in which they lie elsewhere."""
    panel = invoke("--help").stdout.partition("─ Network ─")[2].partition("╰")[0]
    for option in ("--model", "--width", "--size", "--classes", "--padding"):
        assert option in panel
    other = CliRunner().invoke(cli.app, ["model", "--help"], env={"COLUMNS": "200"}).stdout
    assert "─ Network ─" not in other
