"""`mnv2 lab`: it teaches, refuses in one sentence, and says where it works."""

import importlib.util

import pytest
from typer.testing import CliRunner

from mnv2.sim.cli import app
from mnv2.sim.configuration import load_configuration

COMMANDS = ("benchmark", "synthesize", "fmax", "calibrate-costs", "peers", "mutate")


def lab(*arguments):
    return CliRunner().invoke(app, ["lab", *arguments], env={"COLUMNS": "120"})


def test_help_lists_the_commands():
    text = lab("--help").stdout
    assert all(f" {name} " in text for name in (*COMMANDS, "timing"))
    assert "scripts/calibrate-costs" in text


@pytest.mark.parametrize("command", [*COMMANDS, "timing"])
def test_help_of_each_command_teaches(command):
    text = lab(command, "--help").stdout
    assert f"mnv2 lab {command}" in text
    assert len(text.split()) > 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["benchmark", "--batch", "0"], "greater than or equal to 1"),
        (["benchmark", "--rounds", "-1"], "greater than or equal to 1"),
        (["fmax", "Core"], "The unit must be one of MacArray 16x4x2, "),
        (["timing", "--paths", "0"], "greater than or equal to 1"),
        (["timing", "--set", "outputs=0"], "outputs must be a positive integer"),
        (["timing", "--config", "base"], "is not for ECP5-85: the multipliers of Lattice ECP5"),
        (["calibrate-costs", "--family", "max10"], "The family must be one of ecp5, xc7, xcup, "),
        (["mutate", "--part", "sim"], "The part must be one of hw, golden, cycles, not 'sim'"),
        (["mutate", "--stage", "all"], "The stage of hw must be one of unit, proofs, "),
        (["mutate", "--count", "0"], "greater than or equal to 1"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    done = lab(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_timing_maps_an_accelerator_that_ecp5_holds(monkeypatch):
    """Its default, as the family's check passes it to Yosys."""
    mapped = []

    def stop(config, timeout):
        mapped.append(config)
        raise KeyboardInterrupt

    monkeypatch.setattr("mnv2.sim.synthesis.flat_timing.time_accelerator", stop)
    assert "interrupted" in lab("timing").stderr
    assert mapped == [load_configuration("ulx3s-85f")]


def test_benchmark_refuses_more_threads(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")
    done = lab("benchmark")
    assert done.exit_code == 2
    assert done.stderr == ("mnv2: OPENBLAS_NUM_THREADS must be 1, as scripts/benchmark sets it.\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_installed_package_refuses_in_one_sentence(command, monkeypatch):
    """A wheel has no mnv2.sim.peers, and its files keep no results."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "mnv2.sim.peers" else find(name)
    )
    done = lab(command)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"mnv2: mnv2 lab {command}")
    assert done.stderr.endswith(
        " works in a checkout of the project only, not in an installed package.\n"
    )
