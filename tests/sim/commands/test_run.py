"""`mnv2 run`: its range of blocks, and from a picture to the report."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mnv2.hw.config import PRESETS
from mnv2.sim.cli import app
from mnv2.sim.commands.options.pictures import read_pictures
from mnv2.sim.commands.run import RunRequest, parse_blocks
from mnv2.sim.configuration import Setting
from mnv2.sim.errors import UserError
from mnv2.sim.networks.dumps import read_dump
from mnv2.sim.report.results import LayerResult
from mnv2.sim.rtl.frame_output import FrameOutput
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.run_network import NetworkRun


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


def golden_run(model, tensors, *, config, memory, turns=1, waves=None, progress):
    """In place of the hardware's run: golden's tensors, and cycles that follow from the MACs."""
    network = model.network
    names = ["stem", *(block.name for block in network.blocks), "head", "classifier"]
    layers = tuple(
        LayerResult(
            name=name,
            kind="block" if name.startswith("block") else name,
            input_shape=part.input_shape,
            output_shape=part.output_shape,
            stride=part.stride,
            residual=False,
            macs=config.frames * part.macs,
            multipliers=config.multipliers,
            cycles=part.macs // 96 + 10,
            ideal_cycles=part.macs // 96,
            pointwise_cycles=part.macs // 96,
            depthwise_cycles=0,
            stalls={"weights": 10},
            dram_read_bytes_by_kind={"weights": 1000},
            dram_write_bytes=0,
            mismatches=0,
        )
        for name, part in zip(names, network.rows, strict=True)
    )
    progress.building()
    progress.built()
    for number in range(20):
        progress.reached(number, 1000 * number)
    cycles = sum(layer.cycles for layer in layers)
    assert waves is None
    assert len(tensors) == config.frames
    return NetworkRun(
        layers=layers,
        frame_layers=turns * (layers,),
        outputs=tuple(
            FrameOutput(
                one["classifier"].reshape(-1),
                one["logits_accumulator"].reshape(-1),
                {"pool": one["pool"]}
                | {block.name: one[block.output_name] for block in network.blocks},
            )
            for one in tensors
        ),
        timeline=np.array([[1024, 0, 10, 0]] * -(-cycles // 1024)),
        cycles=cycles,
        frame_ends=tuple(cycles + 3_000_000 * number for number in range(turns)),
        read_bytes=3_800_000 * turns,
        write_bytes=5000 * turns,
        seconds=2.0,
    )


def test_run_of_the_whole_network(tmp_path, monkeypatch):
    """From image to report, with the hardware's results replaced by golden's."""
    monkeypatch.setattr("mnv2.sim.run.run_network", golden_run)
    where = ("--output", str(tmp_path / "report"))
    result = invoke("run", "chelsea", "--config", "tiny", "--frames", "4", *where)
    assert result.exit_code == 0, result.output
    names = {path.name for path in (tmp_path / "report").iterdir()}
    pictures = {"cycles.png", "bytes.png", "roofline.png", "frame.png"}
    assert names == {"report.json", "report.csv", "tensors.npz", "trace.json", *pictures}
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
    # The class and the main figures stand last.
    place = [line.strip() for line in lines].index("Egyptian cat (float, golden and RTL agree)")
    assert place > [line.startswith("Layers in RTL") for line in lines].index(True)
    assert any(line.startswith("1,000-class frame: ") for line in lines)
    assert any(line.startswith("4 back-to-back frames: every 3,000,000") for line in lines)


def test_two_pictures_abreast(tmp_path, monkeypatch):
    """Each has its classes and a file of its own; figures of a layer are those of both."""
    monkeypatch.setattr("mnv2.sim.run.run_network", golden_run)
    folder = tmp_path / "report"
    result = invoke(
        *("run", "chelsea", "--config", "tiny", "--set", "frames=2", "--frames", "6", "--html"),
        *("--output", str(folder), "--dump", str(tmp_path / "rtl.npz")),
    )
    assert result.exit_code == 0, result.output
    pictures = {"cycles.png", "bytes.png", "roofline.png", "frame.png"}
    dumps = {"tensors.npz", "tensors-2.npz"}
    assert {path.name for path in folder.iterdir()} == {
        *("report.json", "report.csv", "report.html", "trace.json"),
        *dumps,
        *pictures,
    }
    content = json.loads((folder / "report.json").read_text())
    second = content["second_picture"]
    assert Path(content["image"]).stem == "chelsea"
    assert Path(second["image"]).stem == "coffee"
    assert content["top5"][0]["name"] == "Egyptian cat"
    assert second["top5"][0] == second["top5_golden"][0] != content["top5"][0]
    assert second["top5"][0]["name"] == second["top5_float"][0]["name"] == "espresso"
    assert content["total"]["macs"] == 2 * 300_774_272
    assert content["frames_per_second"] == 2 * 200e6 / content["total"]["cycles"]
    assert content["frames"]["count"] == 6
    assert content["frames"]["frames_per_second"] == 2 * 200e6 / 3_000_000
    assert content["frames"]["dram_bytes_per_frame"] == 3_805_000 / 2
    one, two = (read_dump(folder / name) for name in sorted(dumps, key=len))
    assert list(one) == list(two)
    assert not np.array_equal(one["logits_accumulator"], two["logits_accumulator"])
    for name, tensors in (("rtl.npz", one), ("rtl-2.npz", two)):
        np.testing.assert_array_equal(read_dump(tmp_path / name)["pool"], tensors["pool"])
    titles = [line.strip() for line in result.stdout.splitlines() if "RTL agree)" in line]
    assert [title.partition(" (")[0] for title in titles] == ["Egyptian cat", "espresso"]
    page = (folder / "report.html").read_text()
    assert "Likeliest classes of the second picture" in page
    assert "two frames abreast" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("chelsea", "coffee"), "2 pictures need an accelerator that computes as many frames"),
        (("--input", "chelsea", "--input", "coffee"), "2 pictures need an accelerator"),
        (("chelsea", "--input", "coffee"), "either IMAGE or --input, not both"),
        (("--set", "frames=2", "--frames", "5"), "a multiple of 2, since as many end together"),
        (("--set", "frames=2", "--frames", "4"), "1, or 6 or more and a multiple of 2"),
    ],
)
def test_pictures_that_do_not_fit_the_accelerator(arguments, message):
    result = invoke("run", *arguments, "--config", "tiny")
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


@pytest.mark.parametrize("first", ["coffee", "chelsea", None])
def test_a_second_picture_by_default_is_another(first):
    config = replace(PRESETS["tiny"], frames=2)
    one, two = (source.path.stem for source in read_pictures([first], config))
    assert one == (first or "chelsea")
    assert two == {"chelsea": "coffee", "coffee": "chelsea"}[one]


def test_counters_are_needed():
    config = replace(PRESETS["tiny"], counters=False)
    with pytest.raises(UserError, match="counters=false leaves out: mnv2 predict gives the same"):
        RunRequest(
            sources=(),
            network=(),
            normalization=None,
            resize=None,
            labels=None,
            calibration="bundled",
            setting=Setting(config),
            memory=MemoryModel(),
            clock_hz=1.0,
            frames=1,
            blocks="1",
            jobs=1,
            waves=False,
        )


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
        "part": "",
        "part_clock_hz": 0.0,
    }
    assert "block7" in result.stdout
