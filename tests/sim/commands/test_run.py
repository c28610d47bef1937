"""`mnv2 run`: its range of blocks, and from a picture to the report."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from mnv2.sim.cli import app
from mnv2.sim.commands.run import parse_blocks
from mnv2.sim.errors import UserError
from mnv2.sim.networks.dumps import read_dump
from mnv2.sim.report.results import LayerResult


def invoke(*arguments):
    """Result of a command, run in this process."""
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "120"})


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

    def run_golden(model, tensors, *, config, memory, groups=1, waves_file=None, progress):
        network = model.network
        (tensors,) = tensors
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
            outputs=(golden_output(network, tensors),),
            timeline=np.array([[1024, 0, 10, 0]] * -(-cycles // 1024)),
            cycles=cycles,
            frame_ends=tuple(cycles + 3_000_000 * number for number in range(groups)),
            read_bytes=3_800_000 * groups,
            write_bytes=5000 * groups,
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
