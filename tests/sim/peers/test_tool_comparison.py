"""From a run's report and what Vela wrote to the table, the files and the picture."""

import dataclasses
import json
import shutil
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.cli import app

RECORDED = Path(__file__).parent / "recorded"
VERSIONS = {"scalesim": "3.0.0", "zigzag-dse": "3.9.1", "ethos-u-vela": "5.2.0"}
#: Leaves what Vela 5.2.0 wrote for one NPU, and fails for others.
VELA = """#!/bin/sh
case "$*" in
    *ethos-u85-512*--system-config\\ Mnv2*) ;;
    *) echo "no answer was recorded"; exit 1 ;;
esac
test -s network.tflite && test -s mnv2.ini || exit 1
cp {recorded}/vela_per-layer.csv network_per-layer.csv
cp {recorded}/vela_summary.csv network_summary_Mnv2.csv
"""


@pytest.fixture
def environment(tmp_path):
    """The tools' environment: versions as packages say them, and Vela's recorded answer."""
    programs, packages = tmp_path / "environment" / "bin", tmp_path / "packages"
    programs.mkdir(parents=True)
    for name, version in VERSIONS.items():
        folder = packages / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
    for name, text in (
        ("python", f'#!/bin/sh\nPYTHONPATH={packages} exec {sys.executable} "$@"\n'),
        ("vela", VELA.format(recorded=RECORDED)),
    ):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    return programs.parent


@pytest.fixture
def run(tmp_path):
    """A report of a run, with the keys that are read."""
    network = mobilenet_v2()
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "report.json").write_text(
        json.dumps(
            {
                "mode": "network",
                "wall_seconds": 9.5,
                "commit": "abc",
                "configuration": dataclasses.asdict(PRESETS["base"]),
                "memory": {"latency": 100, "bytes_per_cycle": 0, "stall_percent": 0},
                "total": {
                    "macs": network.macs,
                    "cycles": 769_590,
                    "depthwise_cycles": 82_208,
                    "dram_bytes": 3_784_872,
                },
            }
        )
    )
    return folder


def call(*options):
    return CliRunner().invoke(app, ["lab", "peers", *map(str, options)], env={"COLUMNS": "200"})


def test_from_a_run_to_the_picture(environment, run, tmp_path):
    output = tmp_path / "output"
    options = (
        "--quick",
        "--run",
        run,
        "--environment",
        environment,
        "--answers",
        tmp_path / "answers",
        "--output",
        output,
    )
    done = call(*options)
    assert done.exit_code == 0, done.stderr
    assert "measured in RTL: 769,590 cycles" in done.stdout
    assert "Not asked: scale-sim," in done.stdout
    assert sorted(path.name for path in output.iterdir()) == [
        "peers.csv",
        "peers.json",
        "peers.png",
    ]
    content = json.loads((output / "peers.json").read_text())
    rows = {row["name"]: row for row in content["predicted"]}
    assert rows["model"]["predicted_cycles"] == content["measured"]["cycles"] == 769_590
    assert rows["scale-sim-formula"]["predicted_cycles"] == 2_231_386
    assert rows["vela-u85-own"]["predicted_cycles"] == 1_862_555
    assert rows["vela-u85-own"]["tool"] == "Vela 5.2.0"
    # A failure is a row with its reason, and no answer.
    assert rows["vela-u65"]["failure"] == "ended with status 1: no answer was recorded"
    assert rows["vela-u65"]["predicted_cycles"] is None
    assert content["scale_sim_formula"] is None
    # A tool that could not be installed is rows with the reason too.
    shutil.rmtree(next((tmp_path / "packages").glob("scalesim-*")))
    assert call(*options).exit_code == 0
    content = json.loads((output / "peers.json").read_text())
    rows = {row["name"]: row for row in content["predicted"]}
    assert rows["scale-sim"]["failure"] == "scalesim is not installed in the environment"
    # What was answered is not asked again: now Vela cannot answer.
    (environment / "bin" / "vela").write_text("#!/bin/sh\nexit 1\n")
    assert call(*options).exit_code == 0
    content = json.loads((output / "peers.json").read_text())
    rows = {row["name"]: row for row in content["predicted"]}
    assert rows["vela-u85-own"]["predicted_cycles"] == 1_862_555


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--only", "timeloop"), "There is no question 'timeloop': they are scale-sim, "),
        (("--config", "large", "--keep"), "The files in docs/ are of the configuration base"),
        (("--environment", "nowhere"), "There is no environment of the tools in nowhere"),
        (("--config", "huge"), "huge"),
    ],
)
def test_bad_input_is_one_sentence(options, message, tmp_path):
    done = call(*options, "--output", tmp_path / "output")
    assert done.exit_code == 2
    assert done.stderr.startswith("mnv2: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "output").exists()
