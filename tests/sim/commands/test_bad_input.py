"""Errors of the user end in one sentence, with exit status 2, and leave no files."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def refuse(tmp_path, monkeypatch):
    """Run `mnv2` in an empty folder and insist on a refusal; returns the sentence."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def run(*arguments, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        command = [sys.executable, "-m", "mnv2.sim.cli", *map(str, arguments)]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
        assert done.returncode == 2, done.stdout + done.stderr
        assert done.stdout == ""
        lines = done.stderr.strip().splitlines()
        assert len(lines) == 1, done.stderr
        assert lines[0].startswith("mnv2: ")
        assert lines[0].endswith((".", "?"))
        left = [path for path in work.rglob("*") if path.is_file()]
        assert left == []
        return lines[0]

    return run


@pytest.fixture
def photograph():
    """A picture that is fine."""
    from mnv2.sim.pictures.photographs import find_picture

    return find_picture("chelsea")


@pytest.mark.parametrize("command", ["classify", "run"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"lorem ipsum", "is not an image"),
    ],
)
def test_not_a_picture(command, content, words, refuse, tmp_path):
    path = tmp_path / "cat.jpg"
    path.write_bytes(content)
    assert words in refuse(command, path)


def test_truncated_picture(refuse, photograph, tmp_path):
    path = tmp_path / "cat.png"
    path.write_bytes(photograph.read_bytes()[:20_000])
    assert "damaged or truncated" in refuse("run", path)


def test_no_such_picture(refuse):
    assert "cannot be read" in refuse("classify", "no-such-cat.jpg")


@pytest.mark.parametrize("command", ["classify", "run"])
def test_misspelt_photograph(command, refuse):
    message = refuse(command, "chelsae")
    assert message.startswith("mnv2: There is no file and no bundled photograph 'chelsae'")
    assert "did you mean chelsea?" in message


def test_weights_with_another_hash(refuse, photograph, tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"\x80\x02.")
    dump = tmp_path / "work" / "tensors.npz"
    assert "sha256" in refuse("classify", photograph, "--weights", path, "--dump", dump)


@pytest.mark.parametrize(
    "command", [["summary"], ["classify", "chelsea"], ["run"], ["export", "x.npz"]]
)
def test_not_a_model(command, refuse, tmp_path):
    path = tmp_path / "model.tflite"
    message = refuse(*command, "--model", path)
    assert message == f"mnv2: The model {path} cannot be read: No such file or directory."
    path.write_bytes(b"lorem ipsum")
    message = refuse(*command, "--model", path)
    assert "must be of a known format" in message
    assert "TFLite" in message


def test_dump_that_cannot_be_written(refuse, photograph, tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be written" in refuse(
        "classify", photograph, "--dump", tmp_path / "file" / "x.npz"
    )


def test_no_compiler(refuse, photograph, tmp_path):
    message = refuse("run", photograph, "--blocks", "17", PATH=str(tmp_path))
    assert "No C++ compiler was found" in message
    assert "apt-get install g++" in message


def test_output_that_cannot_be_written(refuse, photograph, tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be written" in refuse(
        "run", photograph, "--output", tmp_path / "file" / "report"
    )


def test_output_that_holds_something_else(refuse, photograph, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    shutil.copy(photograph, precious)
    assert "no run wrote" in refuse("run", photograph, "--output", precious)
    assert [path.name for path in precious.iterdir()] == [photograph.name]


def test_cache_that_cannot_be_written(refuse, photograph, tmp_path):
    (tmp_path / "file").write_text("")
    message = refuse(
        "run", photograph, "--blocks", "17", MNV2_CACHE=str(tmp_path / "file" / "cache")
    )
    assert "MNV2_CACHE" in message


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            ["--set", "lanes=4"],
            "no configuration option 'lanes'; the options are outputs, inputs, pixels",
        ),
        (["--set", "pixels"], "must be option=value"),
        (["--set", "pixels=many"], "pixels must be an integer, not 'many'"),
        (["--set", "counters=maybe"], "counters must be true or false, not 'maybe'"),
        (["--set", "packing=rows"], "packing must be one of none, pixels, frames, not 'rows'"),
        (["--set", "inputs=5"], "outputs must be a multiple of inputs (5), not 16"),
        (["--set", "map_words=65536"], "map_words must be at most 65535, not 65536"),
        (["--set", "inputs=2"], "inputs must be at least 3, the channels of an image, not 2"),
        (["--set", "weight_bits=9"], "weight_bits must be 4 to 8, not 9"),
        (["--config", "huge"], "must be a preset (tiny, small, base, pair, large), a board (arty"),
        (["--blocks", "3-18"], "within 1-17"),
        (["--latency", "0"], "latency must be"),
        (["--frames", "2"], "The number of frames must be 1, or"),
        (["--frames", "3", "--blocks", "2"], "need the whole network, not --blocks"),
        (["--stalls", "100"], "stall_percent must be an integer from 0 to 99, not 100"),
        (["--bandwidth", "0"], "bandwidth must be 1 byte a cycle or more, not 0"),
        (["--bandwidth", "2000"], "bytes_per_cycle must be an integer from 0 to 1024"),
        (["--memory", "ddr3-80x16"], "no memory part 'ddr3-80x16'; did you mean ddr3-800x16"),
        (["--memory", "flash"], "the memory parts are sdr-133x16, ddr3-667x16, ddr3-800x16"),
        (["--memory", "litedram"], "the memory of 'mnv2 validate --memory litedram:PART' alone"),
        (["--memory", "sdram", "--latency", "9"], "leave out --latency and --bandwidth"),
        (["--memory", "sdram", "--bandwidth", "9"], "leave out --latency and --bandwidth"),
        (
            ["--memory", "sdram", "--clock", "1"],
            "must be 2.0 MHz or more for the memory sdr-133x16",
        ),
        (["--set", "map_words=64"], "map_words"),
        (["--set", "map_words=64", "--blocks", "17"], "map"),
    ],
)
def test_configuration_that_does_not_fit(settings, words, refuse, photograph):
    assert words in refuse("run", photograph, *settings)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--memory", "litedram:flash"], "no memory part 'flash'"),
        (["--memory", "litedram:lpddr4-2133x32"], "LiteDRAM has no model of the memory part"),
        (["--memory", "litedram", "--clock", "200"], "100 MHz with ddr3-800x16: leave out --clock"),
        (["--memory", "litedram", "--stalls", "5"], "as the memory, leave out --stalls"),
        (["--memory", "litedram", "--frames", "2"], "as the memory, leave out --frames"),
        (["--memory", "litedram", "--html"], "as the memory, leave out --html"),
        (["--memory", "litedram", "--latency", "9"], "leave out --latency and --bandwidth"),
    ],
)
def test_what_litedram_is_not_asked(options, words, refuse, photograph):
    assert words in refuse("validate", photograph, *options)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pixels = 7\nlanes = 4\n", "no configuration option 'lanes'"),
        ("pixels = \n", "is not valid TOML"),
        ("pixels = 'seven'\n", "pixels must be a positive integer, not 'seven'"),
        ("preset = 'huge'\n", "must be one of tiny, small, base, pair, large"),
    ],
)
def test_configuration_file_that_is_wrong(text, words, refuse, photograph, tmp_path):
    path = tmp_path / "accelerator.toml"
    path.write_text(text)
    assert words in refuse("run", photograph, "--config", path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--width", "0.6"], "The width must be one of 0.35, 0.5, 0.75, 1.0, 1.3, 1.4, not 0.6"),
        (["--size", "4097"], "The size must be 1 to 4,096 pixels, not 4097"),
        (["--size", "0"], "The size must be 1 to 4,096 pixels, not 0"),
    ],
)
def test_network_that_is_not_in_the_family(options, words, refuse):
    assert words in refuse("summary", *options)


def test_report_of_an_earlier_run_survives_a_refusal(refuse, photograph, tmp_path):
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    (earlier / "report.json").write_text(json.dumps({}))
    refuse("run", photograph, "--output", earlier, "--set", "inputs=5")
    assert (earlier / "report.json").read_text() == "{}"
