"""`mnv2 lab driver`: the driver in C on the RTL, from a model's file to sentences."""

import numpy as np
import pytest
from typer.testing import CliRunner

from mnv2.sim.cli import app
from mnv2.sim.driver.drive import FAULTS
from tests.golden.family_files import random_quantized_network, small_network, write_family


def lab(*arguments):
    words = ["lab", "driver", *map(str, arguments)]
    return CliRunner().invoke(app, words, env={"COLUMNS": "120"})


@pytest.fixture
def model(tmp_path):
    network = small_network((32, 24))
    path = tmp_path / "x.tflite"
    path.write_bytes(write_family(random_quantized_network(np.random.default_rng(1), network)))
    return path


def test_pictures_streams_and_faults(model):
    done = lab("--model", model, "--config", "tiny", "--latency", "20", "--faults")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    rows = [line.split() for line in lines[1:4]]
    assert [row[0] for row in rows] == ["chelsea", "coffee", "china"]
    assert all(row[-1] == "0" for row in rows)
    assert "0 mismatches in all that was run" in done.stdout
    assert "As a stream: " in done.stdout
    for fault, error in FAULTS.items():
        assert f"{fault}: {error}, then OK" in lines


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody.png"], "nobody.png"),
        (["--set", "frames=2", "--set", "packing=none", "chelsea"], "multiple of the 2 frames"),
        (["--set", "map_words=9"], "map_words"),
        (["--set", "weight_bits=5"], "weight_bits"),
    ],
)
def test_refusals(model, arguments, message):
    done = lab("--model", model, "--config", "tiny", *arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.output
