"""`mnv2 golden`: the dump is what LiteRT has, and the table says what is in it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mnv2.sim import cli
from tests.golden.graph.models import ModelMaker, run_litert
from tests.golden.graph.random_layers import LAYERS

ROOT = Path(__file__).parents[3]


def invoke(*arguments):
    """Result of a command, run in this process."""
    return CliRunner().invoke(cli.app, ["golden", *map(str, arguments)], env={"COLUMNS": "160"})


def save_model(folder, content, inputs):
    """Write a model and its inputs; returns the options that name them."""
    (folder / "model.tflite").write_bytes(content)
    options = ["--model", folder / "model.tflite"]
    for number, array in enumerate(inputs):
        np.save(folder / f"{number}.npy", array)
        options += ["--input", folder / f"{number}.npy"]
    return options


@pytest.mark.parametrize("seed", [1, 5])
def test_dump_equals_litert(seed, tmp_path):
    content, inputs = LAYERS["network"](np.random.default_rng(seed))
    result = invoke(*save_model(tmp_path, content, inputs), "--dump", tmp_path / "out" / "x.npz")
    assert result.exit_code == 0, result.output
    tensor = run_litert(content, inputs)
    with np.load(tmp_path / "out" / "x.npz") as dump:
        assert len(dump.files) > 10
        for name in dump.files:
            expected = tensor(int(name.removeprefix("t")))
            assert dump[name].dtype == expected.dtype
            np.testing.assert_array_equal(dump[name], expected, err_msg=name)
            assert f" {name} " in result.stdout
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["x.npz"]
    assert "outputs differ; these are LiteRT's" in result.stdout


def test_a_dump_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    content, inputs = LAYERS["add"](np.random.default_rng(2))
    assert invoke(*save_model(tmp_path, content, inputs), "--dump", "~/x.npz").exit_code == 0
    assert (tmp_path / "x.npz").is_file()
    assert not (tmp_path / "~").exists()


def test_a_dump_does_not_take_the_place_of_a_pipe(tmp_path):
    """Nor of /dev/null, which whoever may do all could lose so."""
    os.mkfifo(tmp_path / "x.npz")
    content, inputs = LAYERS["add"](np.random.default_rng(2))
    result = invoke(*save_model(tmp_path, content, inputs), "--dump", tmp_path / "x.npz")
    assert result.exit_code == 2
    assert "x.npz must be a file, and is a device or a pipe" in result.stderr
    assert (tmp_path / "x.npz").is_fifo()
    assert result.stdout == ""


def test_several_inputs(tmp_path):
    content, inputs = LAYERS["add"](np.random.default_rng(6))
    result = invoke(*save_model(tmp_path, content, inputs))
    assert result.exit_code == 0, result.output
    assert "FULLY_CONNECTED" not in result.stdout


def test_forms_of_fully_connected(tmp_path):
    maker = ModelMaker(np.random.default_rng(7))
    target = maker.fully_connected(maker.input((1, 600)), 9000, zero=0)
    options = save_model(tmp_path, *maker.finish([target]))
    dumps = []
    for form, owner in (("litert", "LiteRT's"), ("integer", "the hardware's")):
        result = invoke(*options, "--fully-connected", form, "--dump", tmp_path / f"{form}.npz")
        assert result.exit_code == 0, result.output
        with np.load(tmp_path / f"{form}.npz") as dump:
            dumps.append(dump[f"t{target}"])
        count = int((dumps[0] != dumps[-1]).sum())
        assert f"of 9,000 outputs differ; these are {owner}" in result.stdout
    assert count > 0
    assert f"{count} of 9,000" in result.stdout


def test_a_photograph_by_name(tmp_path):
    maker = ModelMaker(np.random.default_rng(8))
    source = maker.input((1, 32, 32, 3), scale=1 / 127.5, zero=-1)
    options = save_model(tmp_path, maker.finish([maker.mean(source)])[0], [])
    result = invoke(*options, "--input", "chelsea", "--normalization", "unit")
    assert result.exit_code == 0, result.output
    assert invoke(*options, "--input", "chelsea").stdout != result.stdout


def test_pixels_and_names_of_classes(tmp_path):
    """The treatment of a picture is said, and the class that it was taken for."""
    maker = ModelMaker(np.random.default_rng(8))
    source = maker.input((1, 24, 32, 3), scale=1 / 127.5, zero=-1)
    target = maker.fully_connected(maker.mean(source), 4)
    options = save_model(tmp_path, maker.finish([target])[0], [])
    (tmp_path / "names.txt").write_text("ash\noak\nelm\nfir\n")
    shown = invoke(
        *options, "--input", "chelsea", "--labels", tmp_path / "names.txt", "--resize", "stretch"
    ).stdout
    assert "Pixels: both sides stretched to 32 x 24; normalised as symmetric" in shown
    (line,) = [line for line in shown.splitlines() if line.startswith("Likeliest by the output")]
    assert {"ash", "oak", "elm", "fir"} <= set(line.replace(":", "").split())
    cropped = invoke(*options, "--input", "chelsea").stdout
    assert "Pixels: shorter side resized to 37, centre of 32 x 24 cropped" in cropped
    assert "Likeliest" not in cropped
    wrong = invoke(*options, "--input", "chelsea", "--resize", "fit")
    assert wrong.exit_code == 2
    assert "--resize must be crop, crop:SHARE, stretch or none, not 'fit'" in wrong.stderr
    (tmp_path / "names.txt").write_text("ash\n")
    wrong = invoke(*options, "--input", "chelsea", "--labels", tmp_path / "names.txt")
    assert wrong.exit_code == 2
    assert "it names 1 classes, and the network has 4" in wrong.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "none.tflite", "--input", "x.npy"], "cannot be read"),
        (["--model", "bad.tflite", "--input", "x.npy"], "identifier TFL3"),
        (["--model", "model.tflite", "--input", "none.npy"], "cannot be read"),
        (["--model", "model.tflite", "--input", "bad.tflite"], "is not an image"),
        (
            ["--model", "model.tflite", "--input", "0.npy", "--input", "0.npy"],
            "The number of inputs must be 1, one --input each, not 2",
        ),
        (
            ["--model", "model.tflite", "--input", "0.npy", "--dump", "0.npy/x.npz"],
            "cannot be written",
        ),
        (["--model", "sums.tflite", "--input", "sums.npy"], "less than 4096"),
    ],
)
def test_refusals(arguments, words, tmp_path, monkeypatch):
    """One sentence, exit status 2, and no file more than before."""
    maker = ModelMaker(np.random.default_rng(9))
    save_model(tmp_path, *maker.finish([maker.mean(maker.input((1, 5, 5, 3)))]))
    (tmp_path / "bad.tflite").write_bytes(b"lorem ipsum")
    maker = ModelMaker(np.random.default_rng(9))
    zeros = np.zeros((1, 5000), np.int8)
    content, _ = maker.finish([maker.softmax(maker.input((1, 5000), 0.1, values=zeros))])
    (tmp_path / "sums.tflite").write_bytes(content)
    np.save(tmp_path / "sums.npy", zeros)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    before = sorted(tmp_path.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-m", "mnv2.sim.cli", "golden", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_help_teaches():
    text = invoke("--help").stdout
    assert "mnv2 golden --model" in text
    assert len(text.split()) > 100
