"""`mnv2 verilog --unit` writes each unit alone; those that convolve are checked against golden."""

import os
import subprocess

import pytest
from typer.testing import CliRunner

from mnv2.hw.config import PRESETS
from mnv2.hw.units import UNITS
from mnv2.sim import cli
from mnv2.sim.configuration import load_configuration
from mnv2.sim.rtl.build import LINT_WAIVERS
from mnv2.sim.rtl.toolchain import find_toolchain
from tests.hw.convolutions import depthwise_case, pointwise_case
from tests.hw.maps import Geometry
from tests.hw.verilator.harness import simulate

#: A small accelerator: nine multipliers for each of three channels, an odd number of pixels.
SMALL = [
    *("outputs=9", "inputs=3", "pixels=3", "map_words=256", "strip_words=64", "line_words=32"),
    *("weight_words=64", "tap_words=16", "parameter_words=32", "weight_bits=6", "data_bits=64"),
    "residual_lanes=3",
]


def invoke(*arguments):
    """Result of the command, run in this process."""
    settings = [part for setting in SMALL for part in ("--set", setting)]
    return CliRunner().invoke(
        cli.app, ["verilog", "--config", "tiny", *settings, *arguments], env={"COLUMNS": "140"}
    )


@pytest.mark.parametrize("name", sorted(UNITS.keys() - {"accelerator"}))
def test_passes_the_linter(name, tmp_path):
    result = invoke("--unit", name, "--output", str(tmp_path))
    assert result.exit_code == 0, result.output
    top = name.replace("-", "_")
    assert {file.name for file in tmp_path.iterdir()} == {
        f"{top}.v",
        f"{top}.md",
        f"mnv2_{top}.core",
    }
    assert f"toplevel: {top}" in (tmp_path / f"mnv2_{top}.core").read_text()
    tools = find_toolchain()
    done = subprocess.run(
        [
            tools.verilator.path,
            "--lint-only",
            *LINT_WAIVERS,
            "-Wno-SYMRSVDWORD",
            "--top-module",
            top,
            tmp_path / f"{top}.v",
        ],
        env={**os.environ, **tools.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "%Warning" not in done.stderr


MAPS = [Geometry(9, 8, 2), Geometry(10, 11, 3, 2, False), Geometry(7, 3, 2, 2), Geometry(1, 1)]
# (groups of each command), input words, output words
LAYERS = [((2,), 1, 1), ((4, 7), 4, 5), ((5,), 2, 6)]


@pytest.mark.parametrize(
    ("name", "make_case", "stimulus"),
    [("depthwise", depthwise_case, MAPS), ("pointwise", pointwise_case, LAYERS)],
)
@pytest.mark.parametrize("stall", [0, 0.3])
def test_convolutions_equal_golden(name, make_case, stimulus, stall, tmp_path):
    """The text that the command writes, built with Verilator."""
    assert invoke("--unit", name, "--output", str(tmp_path / "rtl")).exit_code == 0
    unit = UNITS[name].build(load_configuration("tiny", SMALL))
    case = make_case(unit, stimulus, 1)
    trace = simulate(
        unit,
        case.inputs,
        case.outputs,
        seed=1,
        directory=tmp_path / "run",
        deadline=case.deadline,
        stall=stall,
        verilog=tmp_path / "rtl" / f"{name}.v",
    )
    assert len(case.expected) > 30
    case.check(trace)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("depthwise", "A stand-alone unit: the accelerator does not contain it."),
        ("requantize", "The accelerator contains it, as `core.requantize`."),
        ("step-input", "The accelerator contains it, as `core.step_input`."),
        ("core", "The accelerator contains it, as `core`."),
    ],
)
def test_page(name, place, tmp_path):
    assert invoke("--unit", name, "--output", str(tmp_path)).exit_code == 0
    top = name.replace("-", "_")
    page = (tmp_path / f"{top}.md").read_text()
    assert page.startswith(f"# {name}\n\n{UNITS[name].summary}\n\n{place}\n")
    assert "| `pixels` | 3 |" in page
    assert ("| `i__payload` | input |" in page) == (name in ("depthwise", "requantize"))
    verilog = (tmp_path / f"{top}.v").read_text()
    ports = [line.split("`")[1] for line in page.splitlines() if "put | " in line]
    declared = verilog.split(f"module {top}(")[1].split(")")[0].replace("\n", " ").split(", ")
    declared = [port.strip() for port in declared]
    clocked = [] if name == "step-input" else ["clk", "rst"]
    assert sorted(declared) == sorted([*clocked, *ports])


@pytest.mark.parametrize("name", ["mac_array", "MacArray", "mac-array"])
def test_names(name, tmp_path):
    assert invoke("--unit", name, "--output", str(tmp_path)).exit_code == 0
    assert (tmp_path / "mac_array.v").is_file()


def test_list():
    result = invoke("--unit", "list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(UNITS)
    assert "stand-alone" in lines[0]
    assert UNITS["depthwise"].summary.rstrip(".") in lines[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--unit", "deepwise"],
            "There is no unit 'deepwise'; did you mean depthwise?",
        ),
        (["--unit", "qqq"], "There is no unit 'qqq'; the units are depthwise, pointwise"),
        (["--unit", "pool"], "--output must name the folder that gets the files"),
        ([], "--output must name the folder that gets the files"),
    ],
)
def test_refuses(arguments, message):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_units_in_place():
    """Each unit is in the netlist of the accelerator where the table says."""
    from mnv2.sim.cost.unit_list import list_units

    places = [place for unit in UNITS.values() for place in unit.places]
    assert len(places) == len(set(places))
    paths = {unit.path for unit in list_units(PRESETS["tiny"], "xcup")}
    assert set(places) <= paths
    # The rest are queues, and the channels of the read master.
    rest = {path.rpartition(".")[2] for path in paths - set(places)}
    assert {name for name in rest if "queue" not in name} == {
        *("bursts", "due"),
        *(f"channel_{index}" for index in range(5)),
    }
