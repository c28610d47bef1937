"""Bitstreams of whole systems: refusals before any tool runs, figures that were kept, the page."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mnv2.hw.config import PRESETS, AcceleratorConfig
from mnv2.sim.boards.board import load_boards
from mnv2.sim.cli import app
from mnv2.sim.cost.devices import Use, find_device
from mnv2.sim.errors import SimulationError
from mnv2.sim.place.target import find_target
from mnv2.sim.system.bitstream import (
    BOARD,
    KEPT,
    SPEED,
    Bitstream,
    clock_of,
    keep_bitstream,
    uses_of,
)

_NONE = "No whole system has been routed to its end yet."
_HEADING = (
    "| configuration | clock, MHz | routed, MHz | LUTs | flip-flops | DSPs | block RAM, 18 kbit |"
)

PAGE = Path(__file__).parents[3] / "docs" / "board.md"

REPORT = {
    "fmax": {
        "$glbnet$sys_clk": {"achieved": 71.234, "constraint": 70.0},
        "$glbnet$clk25": {"achieved": 300.0, "constraint": 25.0},
    },
    "utilization": {
        "TRELLIS_COMB": {"used": 5000, "available": 83640},
        "TRELLIS_FF": {"used": 4000, "available": 83640},
        "MULT18X18D": {"used": 86, "available": 156},
        "DP16KD": {"used": 150, "available": 208},
    },
}


def test_refused_before_any_tool_runs(tmp_path):
    """A design that the device cannot hold: one sentence, and nothing is written."""
    done = CliRunner().invoke(
        app, ["lab", "bitstream", "--config", "kv260", "--output", str(tmp_path / "made")]
    )
    assert done.exit_code == 2
    assert "cannot be placed on ECP5-85" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_yosys_that_is_not_there(tmp_path):
    done = CliRunner().invoke(
        app, ["lab", "bitstream", "--yosys", "/nowhere", "--output", str(tmp_path / "made")]
    )
    assert done.exit_code == 2
    assert "/nowhere" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_clock_is_that_of_the_pll():
    assert clock_of(REPORT, 70e6) == 71.23
    with pytest.raises(SimulationError, match="no single clock of 80 MHz"):
        clock_of(REPORT, 80e6)


def made():
    return Bitstream(
        config=PRESETS["tiny"],
        seed=1,
        clock_hz=70e6,
        megahertz=71.23,
        uses=uses_of(REPORT, find_target(find_device("ECP5-85"))),
        effort={},
        versions={},
        commit="unknown",
        system={},
        bits=b"",
    )


def test_figures_are_kept_by_title(tmp_path):
    path = tmp_path / "kept.json"
    assert made().meets_clock
    assert made().uses[2:] == (Use("DSPs", 86, 156), Use("block RAM, 18 kbit", 150, 208))
    keep_bitstream(made(), "one", path)
    keep_bitstream(made(), "two", path)
    slower = replace(made(), megahertz=60.0)
    assert not slower.meets_clock
    keep_bitstream(slower, "one", path)
    kept = json.loads(path.read_text())
    assert list(kept) == ["one", "two"]
    assert kept["one"]["megahertz"] == 60.0
    assert kept["two"]["resources"]["DSPs"] == {"used": 86, "available": 156}


def test_the_page_has_the_figures():
    """Each whole system that was routed has its row in docs/board.md, word for word.

    Run scripts/bitstream --keep again where this fails.
    """
    rows = json.loads(KEPT.read_text()) if KEPT.is_file() else {}
    text = PAGE.read_text()
    assert (_NONE in text) == (not rows)
    assert (_HEADING in text) == bool(rows)
    for title, found in rows.items():
        AcceleratorConfig(**found["configuration"])
        assert found["board"] == BOARD
        assert found["speed"] == SPEED
        assert found["clock_mhz"] * 1e6 == load_boards()[BOARD].clock_hz
        used = " | ".join(
            f"{one['used']:,} of {one['available']:,}" for one in found["resources"].values()
        )
        row = f"| `{title}` | {found['clock_mhz']:g} | {found['megahertz']:.1f} | {used} |"
        assert row in text
