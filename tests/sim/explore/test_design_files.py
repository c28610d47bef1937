"""A file for each design of the front: what it says, and that commands take it."""

from dataclasses import replace
from pathlib import Path

import pytest

from mnv2.sim.configuration import load_configuration
from mnv2.sim.explore.design_files import design_file, run_command, write_design_files
from mnv2.sim.explore.search import run_search
from tests.sim.explore.small import prepare_small, small_request


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return run_search(
        prepare_small(device="ZU9EG"), tmp_path_factory.mktemp("found") / "search", workers=0
    )


def test_every_file_loads_as_its_design(results, tmp_path):
    write_design_files(results, tmp_path)
    files = sorted(tmp_path.iterdir())
    assert [file.stem for file in files] == [design.name for design in results.front]
    for file, design in zip(files, results.front, strict=True):
        assert load_configuration(str(file)) == design.config


def test_comments_say_what_it_is(results):
    design = results.front[0]
    text = design_file(design, results.prepared.objectives)
    assert text.startswith("# design-001, of mnv2 explore: predicted, not run\n")
    assert f"# dsp        {design.resources.dsp:,}: DSP blocks\n" in text
    assert "# device     is bound by " in text
    assert f"# {design.command}\n" in text
    assert text.count("\n# idle ") == len({one.kind for one in design.lane_warnings})
    assert all(line.startswith("#") or " = " in line or not line for line in text.split("\n"))


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ({}, "mnv2 run --config 'my runs/design-001.toml' --latency 70 --clock 200"),
        (
            {"model": "/a/b.tflite"},
            "mnv2 run --config 'my runs/design-001.toml' --model /a/b.tflite",
        ),
        (
            {"width": 0.35, "size": 96},
            "mnv2 predict --config 'my runs/design-001.toml' --width 0.35 --size 96",
        ),
    ],
)
def test_command_goes_on_from_it(results, network, words):
    request = small_request(network=network, latency=70)
    command = run_command(results.front[0], Path("my runs"), request)
    assert command.startswith(words)
    slow = replace(results.front[0], memory={"latency": 70, "bytes_per_cycle": 5})
    assert run_command(slow, Path("my runs"), request) == f"{command} --bandwidth 5"
    of_part = run_command(results.front[0], Path("my runs"), replace(request, memory="sdram"))
    assert of_part == command.replace("--latency 70", "--memory sdram")
