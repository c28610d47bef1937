"""The command line teaches, is quick, and ends with the right status."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from mnv2.sim import cli
from mnv2.sim.commands.run import parse_blocks
from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.networks.dumps import read_dump
from mnv2.sim.report.results import LayerResult


def invoke(*arguments, **options):
    """Result of a command, run in this process."""
    return CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "120"}, **options)


@pytest.mark.parametrize("command", ["summary", "classify", "run", "export", "compare", "doctor"])
def test_help_of_each_command_teaches(command):
    assert command in invoke("--help").stdout
    text = invoke(command, "--help").stdout
    assert len(text.split()) > 50


def test_help_loads_nothing_slow():
    program = (
        "import sys\n"
        "from sim import cli\n"
        "try:\n    cli.app(['--help'])\n"
        "except SystemExit:\n    pass\n"
        "slow = {'numpy', 'matplotlib', 'amaranth', 'cocotb', 'PIL'} & set(sys.modules)\n"
        "assert not slow, slow\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


def test_summary_totals():
    text = invoke("summary").stdout
    assert "3,504,872" in text
    assert "3,538,984" in text
    assert "300,774,272" in text
    rows = [line for line in text.splitlines() if line.startswith(" block17.project")]
    assert rows[0].split() == [
        "block17.project",
        "1x1",
        "1",
        "7x7x320",
        "307,840",
        "15,052,800",
        "307,200",
        "15,680",
    ]


def test_summary_of_another_network():
    text = invoke(
        "summary", "--width", "0.35", "--size", "96", "--classes", "10", "--padding", "tensorflow"
    ).stdout
    assert "MobileNetV2 0.35, 96x96, 10 classes, tensorflow padding" in text
    assert "1x1x10 " in text


def test_doctor_finds_what_the_tests_need():
    result = invoke("doctor")
    assert result.exit_code == 0, result.stdout
    for word in ("Verilator", "C++ compiler", "make", "perl", "weights", "photographs", "cocotb"):
        assert word in result.stdout


def test_doctor_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    result = invoke("doctor")
    assert result.exit_code == 1
    assert "apt-get install g++" in result.stdout
    assert "Missing: C++ compiler, make, perl" in result.stdout


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (UserError("The image is empty"), 2, "mnv2: The image is empty.\n"),
        (UserError("It is empty."), 2, "mnv2: It is empty.\n"),
        (SimulationError("counts failed"), 1, "mnv2: counts failed\n"),
        (KeyboardInterrupt(), 130, "mnv2: interrupted; nothing was left half-written.\n"),
    ],
)
def test_errors_end_with_a_sentence(error, status, message, capsys):
    def fail():
        raise error

    with pytest.raises(cli.typer.Exit) as caught:
        cli.guard(fail)()
    assert caught.value.exit_code == status
    assert capsys.readouterr().err == message


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("3", [3]),
        ("2-4", [2, 3, 4]),
        (" 5-5 ", [5]),
    ],
)
def test_blocks(text, blocks):
    assert parse_blocks(text, 5) == blocks


@pytest.mark.parametrize("text", ["", "0", "6", "4-2", "1-6", "a", "1,2", "-3"])
def test_wrong_blocks(text):
    with pytest.raises(UserError, match="Blocks must be a number or a range within 1-5"):
        parse_blocks(text, 5)


def test_run_of_the_whole_network(tmp_path, monkeypatch):
    """From image to report, with the hardware's results replaced by golden's."""
    stall = {"weights": 10}
    kinds = {"weights": 1000}

    def run_golden(model, tensors, *, config, memory, frames=1, waves_file=None, progress):
        network = model.network
        parts = network.rows
        names = ["stem", *(block.name for block in network.blocks), "head", "classifier"]
        layers = tuple(
            LayerResult(
                name=name,
                kind="block" if name.startswith("block") else name,
                input_shape=part.input_shape,
                output_shape=part.output_shape,
                stride=part.stride,
                residual=False,
                macs=part.macs,
                multipliers=config.multipliers,
                cycles=part.macs // 96 + 10,
                ideal_cycles=part.macs // 96,
                pointwise_cycles=part.macs // 96,
                depthwise_cycles=0,
                stalls=stall,
                dram_read_bytes_by_kind=kinds,
                dram_write_bytes=0,
                mismatches=0,
            )
            for name, part in zip(names, parts, strict=True)
        )
        progress.building()
        progress.built()
        for number in range(20):
            progress.reached(number, 1000 * number)
        cycles = sum(layer.cycles for layer in layers)
        assert waves_file is None
        return SimpleNamespace(
            layers=layers,
            accumulators=tensors["logits_accumulator"].reshape(-1),
            logits=tensors["classifier"].reshape(-1),
            maps={"pool": tensors["pool"]}
            | {block.name: tensors[block.output_name] for block in network.blocks},
            timeline=np.array([[1024, 0, 10, 0]] * -(-cycles // 1024)),
            cycles=cycles,
            frame_ends=tuple(cycles + 3_000_000 * number for number in range(frames)),
            read_bytes=3_800_000 * frames,
            write_bytes=5000 * frames,
            seconds=2.0,
        )

    monkeypatch.setattr("mnv2.sim.run.run_network", run_golden)
    where = ("--output", str(tmp_path / "report"))
    result = invoke("run", "chelsea", "--config", "tiny", "--frames", "4", *where)
    assert result.exit_code == 0, result.output
    names = {path.name for path in (tmp_path / "report").iterdir()}
    pictures = {"cycles.png", "bytes.png", "roofline.png", "frame.png"}
    assert names == {"report.json", "report.csv", "tensors.npz", *pictures}
    dump = read_dump(tmp_path / "report")
    assert len(dump) == 17 + 3
    assert dump["logits_accumulator"].shape == (1, 1, 1000)
    content = json.loads((tmp_path / "report" / "report.json").read_text())
    assert content["model"] == "MobileNetV2 with torchvision's weights"
    assert content["mode"] == "network"
    assert len(content["layers"]) == 20
    assert len(content["bottlenecks"]) == 17
    assert content["top5"][0] == content["top5_golden"][0]
    assert content["top5"][0]["name"] == content["top5_float"][0]["name"] == "Egyptian cat"
    assert content["dram_floor_bytes"] == 3_765_736
    assert content["on_chip_bytes"] == sum(content["on_chip_bytes_by_buffer"].values())
    assert content["simulated_cycles_per_second"] == content["total"]["cycles"] / 2
    assert content["frames"]["interval_cycles"] == 3_000_000
    assert content["frames"]["dram_bytes_per_frame"] == 3_805_000
    lines = result.stdout.splitlines()
    assert lines[0].strip() == "Egyptian cat (float, golden and RTL agree)"
    assert any(line.startswith("1,000-class frame: ") for line in lines)
    assert any(line.startswith("4 back-to-back frames: every 3,000,000") for line in lines)


def test_run_writes_its_report(tmp_path):
    """One small bottleneck through everything: picture, RTL, comparison and report."""
    memory = ("--latency", "30", "--bandwidth", "4", "--stalls", "5", "--seed", "7")
    where = ("--output", str(tmp_path / "report"))
    result = invoke("run", "chelsea", "--config", "tiny", "--blocks", "7", *memory, *where)
    assert result.exit_code == 0, result.output
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        "report.json",
        "report.csv",
        "tensors.npz",
        "cycles.png",
        "bytes.png",
        "roofline.png",
    }
    assert list(read_dump(tmp_path / "report")) == ["block7.project"]
    content = json.loads((tmp_path / "report" / "report.json").read_text())
    (row,) = content["bottlenecks"]
    assert row["name"] == "block7"
    assert row["macs"] == content["total"]["macs"] == 7_564_032
    assert row["mismatches"] == 0
    assert row["ideal_cycles"] <= row["cycles"] <= 2 * row["ideal_cycles"]
    assert content["mode"] == "blocks"
    assert content["total"]["configuration"]["pixels"] == 2
    assert content["memory"] == {
        "latency": 30,
        "bytes_per_cycle": 4,
        "stall_percent": 5,
        "seed": 7,
    }
    assert "block7" in result.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux' device that is full")
def test_full_disk_is_one_sentence():
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "mnv2.sim.cli", "summary"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert result.returncode == 2
    assert result.stderr == "mnv2: the output cannot be written: No space left on device.\n"
