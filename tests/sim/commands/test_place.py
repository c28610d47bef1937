"""`mnv2 place`: a unit in place of the accelerator, and one sentence for each bad input."""

import json
import sys

import pytest
from typer.testing import CliRunner

from mnv2.sim import cli
from mnv2.sim.place import placement
from tests.sim.place.small import add_program, failing_nextpnr, full_disk, small_netlist

#: An accelerator whose options ECP5 takes; the unit is placed in its stead.
SMALL = ("--config", "tiny", "--set", "packing=none", "--set", "operand_bits=18")


@pytest.fixture
def invoke(monkeypatch, tmp_path):
    """Calls the command with a cache of its own."""
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(placement, "convert_accelerator", lambda config: small_netlist())

    def call(*arguments):
        return CliRunner().invoke(cli.app, ("place", *arguments), env={"COLUMNS": "160"})

    return call


def test_help_teaches(invoke):
    text = invoke("--help").stdout
    assert "mnv2 place --config board.toml --device ECP5-85 --speed 6 --seeds 4" in text
    assert len(text.split()) > 80


def test_report_and_files(invoke, tmp_path):
    folder = tmp_path / "out"
    result = invoke(*SMALL, "--device", "ECP5-25", "--speed", "6", "--output", str(folder))
    assert result.exit_code == 0, result.output
    assert "MHz on Lattice ECP5 LFE5U-25 speed 6, seed 1; the same routing" in result.stdout
    assert "not run on a board" not in result.stdout
    assert sorted(path.name for path in folder.iterdir()) == ["place.json", "place.png"]
    written = json.loads((folder / "place.json").read_text())
    assert written["configuration"]["operand_bits"] == 18
    for path in written["paths"]:
        assert path["from_register"] in result.stdout


def fails(invoke, *arguments, status=2):
    """The sentence of a call that must fail, and no more than that."""
    result = invoke(*arguments)
    assert result.exit_code == status, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


def test_device_that_no_open_tool_places(invoke):
    line = fails(invoke, "--device", "kv260")
    assert line == (
        "mnv2: K26 cannot be placed here: no open tool places UltraScale+; devices that can are "
        "ECP5-25, ECP5-45, ECP5-85."
    )


def test_packing_of_another_family(invoke):
    line = fails(invoke, "--config", "base")
    assert "This packing is not for ECP5-85" in line
    assert "--set packing=none" in line


def test_nextpnr_that_is_not_there(invoke):
    assert "'/no/such' is not there" in fails(invoke, *SMALL, "--nextpnr", "/no/such")


def test_nextpnr_that_is_too_old(invoke, tmp_path):
    program = add_program(
        tmp_path / "nextpnr-ecp5", "print('\"nextpnr-ecp5\" (Version nextpnr-0.4)')"
    )
    line = fails(invoke, *SMALL, "--nextpnr", str(program))
    assert "is version 0.4, which is too old: 0.7 or newer is needed" in line


def test_routing_that_fails(invoke, tmp_path):
    program = failing_nextpnr(tmp_path / "nextpnr-ecp5", [1, 2])
    folder = tmp_path / "out"
    line = fails(
        invoke,
        *SMALL,
        *("--seeds", "2", "--nextpnr", str(program), "--output", str(folder)),
        status=1,
    )
    assert "with any of 2 seeds; the last one: nextpnr-ecp5 failed: ERROR: Failed to route" in line
    assert not folder.exists()


def test_bitstream_without_a_folder(invoke):
    assert "--bitstream needs a folder" in fails(invoke, *SMALL, "--bitstream")


def test_output_that_is_a_file(invoke, tmp_path):
    (tmp_path / "file").touch()
    assert "is a file, not a folder" in fails(invoke, *SMALL, "--output", str(tmp_path / "file"))


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files as Linux does")
def test_disk_that_is_full_in_the_middle(invoke, tmp_path):
    """nextpnr cuts its files short there, and says nothing."""
    with full_disk():
        line = fails(invoke, *SMALL, "--device", "ECP5-25")
    assert "cannot be written (File too large): free some of its disk, or set MNV2_CACHE" in line
    assert not list((tmp_path / "cache").rglob("*.gz"))
