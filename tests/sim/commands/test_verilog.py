"""`mnv2 verilog` writes files that tools accept."""

import os
import re
import subprocess
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from mnv2.hw.config import COUNTER_ROWS, COUNTERS, PRESETS
from mnv2.hw.register_map import REGISTERS, Status
from mnv2.sim import cli
from mnv2.sim.rtl.build import LINT_WAIVERS
from mnv2.sim.rtl.register_map import register_map
from mnv2.sim.rtl.toolchain import find_toolchain

FILES = {
    *("accelerator.v", "mnv2_axi.v", "accelerator.rdl", "registers.md", "mnv2_registers.h"),
    "mnv2_accelerator.core",
}


def invoke(*arguments):
    """Result of the command, run in this process."""
    return CliRunner().invoke(cli.app, ["verilog", *arguments], env={"COLUMNS": "120"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files of `tiny`."""
    path = tmp_path_factory.mktemp("verilog") / "not" / "yet"
    result = invoke("--config", "tiny", "--output", str(path))
    assert result.exit_code == 0, result.output
    return path


def test_writes_its_files_and_nothing_else(folder):
    assert {file.name for file in folder.iterdir()} == FILES
    assert [file.name for file in folder.parent.iterdir()] == [folder.name]


def test_passes_the_linter(folder):
    tools = find_toolchain()
    # The waiver more is for the top module's ports, which become C++ names.
    done = subprocess.run(
        [
            tools.verilator.path,
            "--lint-only",
            *LINT_WAIVERS,
            "-Wno-SYMRSVDWORD",
            "--top-module",
            "accelerator",
            folder / "accelerator.v",
        ],
        env={**os.environ, **tools.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "%Warning" not in done.stderr


def test_register_map_names_everything(folder):
    text = (folder / "registers.md").read_text()
    for name, register in REGISTERS.items():
        place = rf"\| `0x{register.address:04X}` \| `{name}` \| `{register.access}` \| "
        assert re.search(rf"{place}.*\| \S.+ \|", text)
        for field in register.fields:
            assert re.search(rf"\| `{name}` \| \d+(:\d+)? \| `{field.name}` \| \d+ \| \S", text)
    for status in Status:
        assert re.search(rf"\| {status.value} \| `{status.name}` \| \S.+ \|", text)
    for column, name in enumerate(COUNTERS):
        assert re.search(rf"\| `0x{4 * column:02X}` \| `{name}` \| \S.+ \|", text)


def test_register_map_of_an_accelerator_that_counts_nothing(folder):
    sentence = "This accelerator counts nothing: all of them read 0."
    assert sentence not in (folder / "registers.md").read_text()
    assert sentence in register_map(replace(PRESETS["tiny"], counters=False), rows=COUNTER_ROWS)


def test_core_file_names_the_verilog_and_its_top(folder):
    text = (folder / "mnv2_accelerator.core").read_text()
    assert text.startswith("CAPI=2:\n")
    assert "files: [accelerator.v]" in text
    assert "toplevel: accelerator" in text
    for waiver in LINT_WAIVERS:
        assert waiver in text
    assert "\nmodule accelerator(" in (folder / "accelerator.v").read_text()


def test_replaces_its_files_alone(folder, tmp_path):
    (tmp_path / "mine.v").write_text("module mine; endmodule\n")
    (tmp_path / "registers.md").write_text("of another accelerator\n")
    assert invoke("--config", "tiny", "--output", str(tmp_path)).exit_code == 0
    assert {file.name for file in tmp_path.iterdir()} == {*FILES, "mine.v"}
    assert (tmp_path / "registers.md").read_text() == (folder / "registers.md").read_text()


def test_bad_configuration_leaves_nothing(tmp_path):
    output = tmp_path / "rtl"
    for arguments in (["--config", "huge"], ["--set", "outputs=17"]):
        assert invoke(*arguments, "--output", str(output)).exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_output_that_is_a_file(tmp_path):
    output = tmp_path / "file"
    output.write_text("mine\n")
    result = invoke("--config", "tiny", "--output", str(output))
    assert result.exit_code == 2
    assert output.read_text() == "mine\n"


def test_help_teaches():
    text = invoke("--help").stdout
    for word in (
        *("accelerator.v", "registers.md", "FuseSoC", "depthwise.v", "mac-array"),
        *("--config", "--set", "--unit", "--output", "--litex", "--vivado", "mnv2_axi.v"),
    ):
        assert word in text
