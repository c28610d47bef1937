"""`mnv2 place`: a unit in place of the accelerator, and one sentence for each bad input."""

import dataclasses
import json
import sys

import pytest
from typer.testing import CliRunner

from mnv2.sim import cli
from mnv2.sim.boards.board import load_boards
from mnv2.sim.configuration import load_configuration, toml_value
from mnv2.sim.place import placement
from tests.sim.place.small import LEAST, add_program, failing_nextpnr, full_disk, small_netlist

#: An accelerator that an ECP5-45 holds; a unit is placed in its stead.
SMALL = tuple(
    part
    for name, value in dataclasses.asdict(LEAST).items()
    for part in ("--set", f"{name}={toml_value(value).strip(chr(34))}")
)


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
    assert "scripts/place" in text
    assert "optimistic" in text


def test_report_and_files(invoke, tmp_path):
    folder = tmp_path / "out"
    result = invoke(*SMALL, "--device", "ECP5-45", "--speed", "6", "--output", str(folder))
    assert result.exit_code == 0, result.output
    assert "MHz on Lattice ECP5 LFE5U-45 speed 6, seed 1; the same routing" in result.stdout
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
        "ECP5-25, ECP5-45, ECP5-85, Artix-7-35T, Artix-7-100T, Artix-7-200T, Zynq-7010, Zynq-7020."
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("LIFCL-40", "nextpnr-nexus has, LIFCL-40, has 84 block RAMs and 56 multipliers"),
        ("CrossLink-NX", "nextpnr-nexus has, LIFCL-40, has 84 block RAMs and 56 multipliers"),
        ("gw5ast-138c", "Yosys maps no multiplication to the DSPs of Gowin's GW5A"),
        ("Tang-Mega-138K", "Yosys maps no multiplication to the DSPs of Gowin's GW5A"),
        ("CCGM1A2", "a GateMate multiplies in its logic elements"),
    ],
)
def test_family_that_is_not_described(invoke, name, words):
    line = fails(invoke, "--device", name)
    assert line.startswith(f"mnv2: {name} cannot be placed here: ")
    assert words in line


SMALLER = "use --config ulx3s-85f, or a design that mnv2 explore --device ECP5-85 finds."


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("--config", "tiny"),
            (
                "This configuration cannot be placed on ECP5-85: the multipliers of Lattice ECP5 "
                "take 18 bits, and pairs are packed into 27, so that each takes several; use "
                "--set packing=none."
            ),
        ),
        (
            ("--config", "base"),
            (
                "so that each takes several; it takes 584 of 156 DSPs and 495 of 208 block RAMs of "
                f"18 kbit; {SMALLER}"
            ),
        ),
        (
            ("--config", "kv260", "--device", "ulx3s-85f"),
            (
                "so that each takes several; Lattice ECP5 has no UltraRAM, which a memory is made "
                f"of; it takes 1,168 of 156 DSPs and 657 of 208 block RAMs of 18 kbit; {SMALLER}"
            ),
        ),
        (
            ("--config", "tiny", "--set", "packing=none", "--device", "ecp5-45"),
            (
                "cannot be placed on ECP5-45: it takes 152 of 72 DSPs; use a design that mnv2 "
                "explore --device ECP5-45 finds."
            ),
        ),
    ],
)
def test_design_that_a_device_cannot_hold(invoke, arguments, words):
    """Every reason at once, before a tool runs, with what would do."""
    assert fails(invoke, *arguments).endswith(words)


def test_device_of_the_board(invoke):
    assert fails(invoke, "--config", "kv260").startswith("mnv2: K26 cannot be placed here")


def test_defaults_can_be_placed(invoke, monkeypatch):
    """No option at all: an accelerator that its board's device holds."""
    requests = []

    def stop(request, watch):
        requests.append(request)
        raise KeyboardInterrupt

    monkeypatch.setattr(placement, "place_accelerator", stop)
    assert "interrupted" in invoke().stderr
    (request,) = requests
    assert request.target.device.name == load_boards()["ulx3s-85f"].device
    assert request.config == load_configuration("ulx3s-85f")


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


#: The same for 7 series, whose multipliers take 25 bits.
SEVEN = (
    *(option.replace("operand_bits=18", "operand_bits=25") for option in SMALL),
    *("--device", "XC7Z020"),
)


def test_program_of_7_series_that_is_not_there(invoke, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    line = fails(invoke, *SEVEN)
    assert line.startswith("mnv2: nextpnr-himbaechel-xilinx is not on the PATH: Debian has it")


def test_grade_that_the_device_has_not(invoke):
    assert fails(invoke, *SMALL, "--speed", "5") == (
        "mnv2: --speed must be 6, 7 or 8 for ECP5-85, the grades that nextpnr-ecp5 has delays of, "
        "not 5."
    )
    assert "--speed must be 1 for Zynq-7020, the grades" in fails(invoke, *SEVEN, "--speed", "8")


def test_bitstream_of_7_series(invoke, tmp_path):
    line = fails(invoke, *SEVEN, "--bitstream", "--output", str(tmp_path / "out"))
    assert "--bitstream packs for ECP5 only: nextpnr-himbaechel-xilinx writes no bits" in line


def test_bitstream_without_a_folder(invoke):
    assert "--bitstream needs a folder" in fails(invoke, *SMALL, "--bitstream")


def test_output_that_is_a_file(invoke, tmp_path):
    (tmp_path / "file").touch()
    assert "is a file, not a folder" in fails(invoke, *SMALL, "--output", str(tmp_path / "file"))


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files as Linux does")
def test_disk_that_is_full_in_the_middle(invoke, tmp_path):
    """nextpnr cuts its files short there, and says nothing."""
    with full_disk():
        line = fails(invoke, *SMALL, "--device", "ECP5-45")
    assert "cannot be written (File too large): free some of its disk, or set MNV2_CACHE" in line
    assert not list((tmp_path / "cache").rglob("*.gz"))
