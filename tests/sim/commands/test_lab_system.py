"""`mnv2 lab system`: a simulated SoC, from a model's file to classes on its UART."""

import re

import numpy as np
import pytest
from typer.testing import CliRunner

import mnv2.sim.system.firmware as firmware
from mnv2.sim.cli import app
from tests.golden.family_files import random_quantized_network, small_network, write_family
from tests.sim.system.machines import CONFIG, needs_litex, needs_soc

#: The accelerator of tests/sim/system, whose SoC is then built once.
SETTINGS = [
    word
    for name in ("data_bits", "accumulator_bits", "patience_cycles")
    for word in ("--set", f"{name}={getattr(CONFIG, name)}")
]


def lab(*arguments):
    words = ["lab", "system", *map(str, arguments)]
    return CliRunner().invoke(app, words, env={"COLUMNS": "120"})


@pytest.fixture
def model(tmp_path):
    network = small_network((32, 24))
    path = tmp_path / "x.tflite"
    path.write_bytes(write_family(random_quantized_network(np.random.default_rng(1), network)))
    return path


@needs_soc
def test_a_picture(model):
    done = lab("chelsea", "--model", model, "--config", "tiny", *SETTINGS)
    assert done.exit_code == 0, done.output
    row = done.stdout.splitlines()[1].split()
    assert row[0] == "chelsea"
    packing, running = (int(word.replace(",", "")) for word in row[-2:])
    cycles = int(re.search(r"([\d,]+) cycles in", done.stdout)[1].replace(",", ""))
    assert 0 < packing + running < cycles
    assert re.search(r"^0 of \d+ logits differ; interrupts: 1;", done.stdout, re.MULTILINE)


@needs_litex
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody.png"], "nobody.png"),
        (["--part", "lpddr4-2133x32"], "LiteDRAM has no model"),
        (["--part", "sram"], "sram"),
        (["--set", "frames=2", "--set", "packing=none", "chelsea"], "multiple of the 2 frames"),
        (["--set", "map_words=9"], "map_words"),
        ([], "data_bits must be 128 or more"),
    ],
)
def test_refusals(model, arguments, message):
    done = lab("--model", model, "--config", "tiny", *arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.output


def test_no_compiler(model, monkeypatch):
    monkeypatch.setattr(firmware, "_COMPILERS", ("no-such-compiler",))
    done = lab("--model", model, "--config", "tiny")
    assert done.exit_code == 2
    assert "apt-get install gcc-riscv64-unknown-elf" in " ".join(done.stderr.split())
