"""A file for each design of the front: what it says, and that commands take it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mnv2.golden.network import mobilenet_v2
from mnv2.sim.cli import app
from mnv2.sim.configuration import load_configuration, load_setting
from mnv2.sim.errors import UserError
from mnv2.sim.explore.design_files import design_file, run_command, write_design_files
from mnv2.sim.explore.request import prepare_search
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
    text = design_file(design, results.prepared.objectives, results.prepared.request)
    assert text.startswith("# design-001, of mnv2 explore: predicted, not run\n")
    assert f"# dsp        {design.resources.dsp:,}: DSP blocks\n" in text
    assert "# device     is bound by " in text
    assert f"# {design.command}\n" in text
    assert text.count("\n# idle ") == len({one.kind for one in design.lane_warnings})
    assert all(line[:1] in ("#", "[", "") or " = " in line for line in text.split("\n"))


def test_command_goes_on_from_it(results):
    command = run_command(results.front[0], Path("my runs"))
    assert command == "mnv2 run --config 'my runs/design-001.toml'"


@pytest.mark.parametrize(
    ("options", "network"),
    [
        ({"latency": 70}, {}),
        ({"latency": 70, "device": "ZU9EG"}, {"width": 0.35, "size": 96}),
        ({"memory": "ddr3-800x16"}, {"model": "/a/b.tflite", "size": None}),
    ],
)
def test_a_file_has_all_that_its_design_was_found_with(results, options, network, tmp_path):
    request = small_request(network=network, **options)
    design = results.front[0]
    path = tmp_path / "design.toml"
    path.write_text(design_file(design, results.prepared.objectives, request))
    setting = load_setting(str(path))
    assert setting.config == design.config
    assert setting.clock_hz(None) == design.clock_hz
    assert setting.clock_source(None) == design.clock_from
    assert setting.board.device == options.get("device", "")
    assert setting.memory(None) == (options.get("memory"), options.get("latency"), None)
    assert setting.network == {key: value for key, value in network.items() if value is not None}
    # Options stand for what the file says.
    assert setting.clock_hz(100) == 100e6
    assert setting.memory("sdr-133x16")[0] == "sdr-133x16"
    assert setting.memory(None, 40)[:2] == (None, 40)
    slow = replace(design, memory={"latency": 70, "bytes_per_cycle": 5})
    if "latency" in options:
        path.write_text(design_file(slow, results.prepared.objectives, request))
        assert load_setting(str(path)).memory(None) == (None, 70, 5)
        assert load_setting(str(path)).memory(None, 40) == (None, 40, 5)


def test_the_next_command_shows_the_same_figures(results, tmp_path):
    """Frames a second of the search are those of mnv2 predict, without a further option."""
    network = {"width": 0.35, "size": 32}
    request = small_request(
        "outputs=16", "inputs=4", "pixels=2", "data_bits=64", network=network, latency=300
    )
    prepared = prepare_search(
        replace(request, clock_mhz=109.7), mobilenet_v2(width=0.35, input_size=32)
    )
    found = run_search(prepared, tmp_path / "search", workers=0)
    write_design_files(found, tmp_path)
    for design in found.front:
        path = tmp_path / f"{design.name}.toml"
        result = CliRunner().invoke(app, ["predict", "--json", "--config", str(path)])
        assert result.exit_code == 0, result.output
        shown = json.loads(result.stdout)
        assert shown["frames_per_second"] == pytest.approx(design.frames_per_second, rel=1e-12)
        assert shown["clock_hz"] == pytest.approx(109.7e6)
        assert shown["memory"]["latency"] == 300
        assert f"From {path}: clock 109.7 MHz" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("design = 3", r"\[design\] in '.*' must be a table of clock_mhz, .*, not 3"),
        ("[design]\nclock_mhz = 1", "lacks clock_source"),
        ('[design]\nclock_mhz = 1\nclock_source = "x"', "must have either memory or latency"),
        (
            '[design]\nclock_mhz = 1\nclock_source = "x"\nlatency = 9\nmemory = "y"',
            "must have either memory or latency",
        ),
        (
            '[design]\nclock_mhz = 1\nclock_source = "x"\nbandwidth = 9\nmemory = "y"',
            "has its own bandwidth",
        ),
        ('[design]\nclock_mhz = 0\nclock_source = "x"\nlatency = 9', "must be 0.001 to"),
        ("[design]\ncolour = 1", "has 'colour'; its keys are clock_mhz"),
        ('[network]\nwidth = "wide"', "width of the network in .* must be a number, not 'wide'"),
        ("[network]\ncolour = 1", "has 'colour'; its keys are model"),
    ],
)
def test_a_table_that_is_none(text, words, tmp_path):
    path = tmp_path / "design.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=words):
        load_setting(str(path))
