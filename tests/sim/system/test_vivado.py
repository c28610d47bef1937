"""Tcl that `mnv2 verilog --vivado` writes, run by Tcl itself: Vivado's commands are recorded.

That shows that the files are Tcl, name files and pins that are there, and connect all of them. What
Vivado makes of its commands is not known here.
"""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mnv2.hw.config import PRESETS
from mnv2.sim import cli
from mnv2.sim.rtl.axi_wrapper import wrapper_ports
from mnv2.sim.system.vivado import BOARDS

tkinter = pytest.importorskip("tkinter")

#: Commands of Vivado that the files may use. Ref: AMD UG835, Vivado Tcl command reference.
COMMANDS = """add_files apply_bd_automation assign_bd_address close_project connect_bd_intf_net
connect_bd_net create_bd_cell create_bd_design create_project current_fileset current_project
get_bd_cells get_bd_intf_pins get_bd_pins get_board_parts get_files ipx::associate_bus_interfaces
ipx::create_xgui_files ipx::current_core ipx::get_bus_interfaces ipx::package_project ipx::save_core
ipx::update_checksums make_wrapper save_bd_design set_property update_compile_order
update_ip_catalog validate_bd_design""".split()

#: A command is recorded with its words; what it gives is its name and its last word.
RECORD = """
set recorded {}
proc unknown {args} {
    lappend ::recorded $args
    return [lindex $args end]
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("vivado")
    words = ["verilog", "--config", "tiny", "--vivado", "--output", str(path)]
    done = CliRunner().invoke(cli.app, words)
    assert done.exit_code == 0, done.output
    return path


def run_tcl(path, *arguments):
    """Commands of Vivado that a file gives, each a tuple of words."""
    tcl = tkinter.Tcl()
    tcl.eval(RECORD)
    tcl.eval("proc puts {args} {}")
    tcl.setvar("argc", len(arguments))
    tcl.setvar("argv", " ".join(arguments))
    tcl.call("source", str(path))
    recorded = tcl.splitlist(tcl.getvar("recorded"))
    return [tuple(map(word_of, tcl.splitlist(command))) for command in recorded]


def word_of(value):
    """A word of Tcl as it would be printed; of lists Python gets tuples."""
    return " ".join(map(word_of, value)) if isinstance(value, tuple) else str(value)


def test_every_command_is_vivados(folder):
    for name in ("package_ip", *BOARDS):
        commands = run_tcl(folder / f"{name}.tcl")
        assert len(commands) > 10
        assert {command[0] for command in commands} <= set(COMMANDS)


def test_packaging_takes_the_files_that_are_there(folder):
    commands = run_tcl(folder / "package_ip.tcl")
    (added,) = (command for command in commands if command[0] == "add_files")
    for path in added[-1].split():
        assert folder.joinpath(path).is_file(), path
    assert ("set_property", "top", "mnv2_axi", "current_fileset") in commands
    clocks = [one for one in commands if one[0] == "ipx::associate_bus_interfaces"]
    assert [one[2] for one in clocks] == ["s_axi", "m_axi"]
    (version,) = (one[2] for one in commands if one[:2] == ("set_property", "version"))
    assert re.fullmatch(r"\d+\.\d+", version)


@pytest.mark.parametrize("name", list(BOARDS))
def test_everything_is_connected(folder, name):
    """All pins of the accelerator, and those of the processor system that its settings enable."""
    commands = run_tcl(folder / f"{name}.tcl")
    nets = [command[1:] for command in commands if command[0] == "connect_bd_net"]
    ports = [command[1:] for command in commands if command[0] == "connect_bd_intf_net"]
    used = {pin for pair in (*nets, *ports) for pin in pair}
    wanted = {re.sub(r"^([sm]_axi)_.*", r"\1", port) for port in wrapper_ports(PRESETS["tiny"])}
    assert {pin.split("/")[1] for pin in used if pin.startswith("accelerator/")} == wanted
    cells = {one[-1] for one in commands if one[0] == "create_bd_cell"}
    assert {pin.split("/")[0] for pin in used} == cells
    # Each input has one driver.
    driven = [pair[1] for pair in nets]
    assert len(driven) == len(set(driven))
    assert ("validate_bd_design",) in commands


@pytest.mark.parametrize("name", list(BOARDS))
def test_part_and_clock(folder, name):
    board = BOARDS[name]
    commands = run_tcl(folder / f"{name}.tcl", "123")
    projects = [one for one in commands if one[0] == "create_project"]
    # The IP is packaged first, for the same part.
    assert [Path(one[3]).name for one in projects] == ["package_ip", name]
    assert all(one[-1] == board.part for one in projects)
    (settings,) = (one[2] for one in commands if one[1:2] == ("-dict",) and "FREQMHZ" in one[2])
    words = settings.split()
    settings = dict(zip(words[::2], words[1::2], strict=True))
    (clock,) = (key for key in settings if key.endswith("FREQMHZ"))
    assert settings[clock] == "123"
    assert str(board.clock_mhz) in (folder / f"{name}.tcl").read_text()


def test_an_ip_that_is_there_is_not_packaged_again(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "ip").mkdir()
    (tmp_path / "ip" / "component.xml").write_text("<component/>\n")
    commands = run_tcl(tmp_path / "kv260.tcl")
    assert not any(command[0].startswith("ipx::") for command in commands)


def test_files_say_that_they_were_not_run(folder):
    for name in ("package_ip", "block_design", *BOARDS):
        text = " ".join((folder / f"{name}.tcl").read_text().replace("#", " ").split())
        assert "not run in Vivado" in text, name


def test_a_unit_alone_has_none(tmp_path):
    words = ["verilog", "--unit", "depthwise", "--vivado", "--output", str(tmp_path / "x")]
    done = CliRunner().invoke(cli.app, words, env={"COLUMNS": "120"})
    assert done.exit_code == 2
    assert "--vivado is for the accelerator as a whole" in done.stderr
    assert list(tmp_path.iterdir()) == []
