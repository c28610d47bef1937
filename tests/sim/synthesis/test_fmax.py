"""Clocks of units: the bundled ones are of hw as it is; others are measured once."""

import dataclasses
import json

import pytest

from mnv2.hw.config import PRESETS
from mnv2.sim.cost.clock import load_unit_clocks
from mnv2.sim.rtl.verilog import convert
from mnv2.sim.synthesis import fmax
from mnv2.sim.synthesis.enclosed import Enclosed
from mnv2.sim.synthesis.fmax import CASES, measure_configuration, units_of
from mnv2.sim.synthesis.yosys import netlist_hash


@pytest.mark.parametrize("name", load_unit_clocks())
def test_kept_clocks_are_of_the_netlist(name):
    """Run scripts/fmax again where this fails."""
    text = convert(Enclosed(CASES[name]()), name="top")
    assert load_unit_clocks()[name]["verilog_sha256"] == netlist_hash(text)


def test_units_of_a_configuration_follow_it():
    base = units_of(PRESETS["base"])
    other = units_of(
        dataclasses.replace(
            PRESETS["base"], outputs=24, data_bits=256, line_words=100, weight_words=100
        )
    )
    assert base.keys() == other.keys()
    assert (base["MacArray"]().outputs, other["MacArray"]().outputs) == (16, 24)
    assert (base["Ring"]().depth, other["Ring"]().depth) == (9472, 100)
    assert (base["LineBuffer"]().depth, other["LineBuffer"]().depth) == (512, 100)
    assert other["ReadMaster"]().data_bits == other["WriteMaster"]().data_bits == 256
    # The places of a word: 9 + 4 of 32 bits for the parameters, fewer for the others.
    assert (base["Gearbox"]().input_bits, base["Gearbox"]().output_bits) == (128, 288)


def test_measured_once(monkeypatch, tmp_path):
    """Units whose netlist is measured already are not placed again, here or in a later run."""
    placed, told = [], []

    def place(text, *, timeout):
        # Minutes each in truth: test_highest_clock places one unit with the real tools.
        placed.append(netlist_hash(text))
        return {
            "megahertz": 50.0 + len(placed),
            "path": [],
            "cells": {},
            "seconds": 0,
            "verilog_sha256": netlist_hash(text),
        }

    monkeypatch.setenv("MNV2_CACHE", str(tmp_path))
    monkeypatch.setattr(fmax, "measure_netlist", place)
    # Of the ten units, those that are converted in a moment.
    monkeypatch.setattr(
        fmax,
        "units_of",
        lambda config: {
            name: unit
            for name, unit in units_of(config).items()
            if name in ("Requantize", "WriteMaster", "Ring")
        },
    )
    config = dataclasses.replace(PRESETS["tiny"], weight_words=64)
    clocks = measure_configuration(config, lambda *count: told.append(count))
    assert clocks.keys() == {"Requantize", "WriteMaster", "Ring"}
    assert clocks["Requantize"] == load_unit_clocks()["Requantize 1x1"]
    assert 0 < len(placed) < len(clocks)
    assert told[0] == (0, len(clocks))
    assert told[-1] == (len(clocks), len(clocks))
    files = sorted((tmp_path / "fmax").glob("*.json"))
    assert sorted(placed) == [file.stem for file in files]
    assert json.loads(files[0].read_text())["device"] == "LFE5U-85F speed 8"
    count = len(placed)
    assert measure_configuration(config) == clocks
    assert len(placed) == count
    measure_configuration(dataclasses.replace(config, weight_words=65))
    assert len(placed) > count
