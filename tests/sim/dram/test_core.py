"""LiteDRAM's RTL of the parts: the chips are the parts', and what is missing is said."""

from dataclasses import replace

import pytest

from mnv2.sim.dram import core
from mnv2.sim.dram.chips import CHIPS, find_chip
from mnv2.sim.dram.core import litedram_versions, make_core, memory_sources
from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.memory.parts import find_part
from tests.sim.dram.machines import needs_litedram


def test_packages_that_are_missing(monkeypatch):
    monkeypatch.setattr(core, "PACKAGES", ("litedram-that-nobody-has",))
    with pytest.raises(
        UserError,
        match=r"needs the package litedram-that-nobody-has: pip install 'mnv2\[dram\]'",
    ):
        litedram_versions()
    with pytest.raises(UserError, match="pip install"):
        make_core("ddr3-800x16", 128, 1)


@needs_litedram
@pytest.mark.parametrize("name", list(CHIPS))
def test_chips_have_the_parts_times(name):
    part, made = find_part(name), make_core(name, 128, 8 << 20)
    cycle_ns = 1e9 / find_chip(name).clock_hz(part)
    assert made.row_bytes == part.row_bytes
    assert len(made.banks) == part.banks
    assert made.rows * made.row_bytes * part.banks >= 8 << 20
    # A word of its banks is what crosses in a cycle.
    assert made.word_bytes == pytest.approx(part.peak * cycle_ns / 1e9)
    for key, nanoseconds in (
        ("tRP", part.precharge_ns),
        ("tRCD", part.activate_ns),
        ("tWR", part.write_recovery_ns),
        ("tRFC", part.refresh_ns),
    ):
        # Up to a cycle of rounding, and LiteDRAM's margin of less than another.
        assert 0 <= made.times[key] - nanoseconds / cycle_ns < 2, key
    assert made.times["tREFI"] == pytest.approx(part.refresh_interval_ns / cycle_ns, abs=1)


@needs_litedram
def test_sources_hold_every_bank():
    made = make_core("sdr-133x16", 64, 1 << 20)
    sources = memory_sources(made)
    assert list(sources) == ["litedram.v", "axi_memory.sv"]
    assert "@" not in sources["axi_memory.sv"].replace("@(posedge clk)", "").replace("@ signs", "")
    for number, bank in enumerate(made.banks):
        assert f"{number}: get_word = core.{bank}[index];" in sources["axi_memory.sv"]
        assert f"{number}: core.{bank}[index] = word;" in sources["axi_memory.sv"]
        assert f" {bank}[0:" in sources["litedram.v"]


@needs_litedram
def test_a_network_that_is_larger_than_the_chips_is_refused():
    with pytest.raises(UserError, match="sdr-133x16 has 33,554,432 bytes, and the network needs"):
        make_core("sdr-133x16", 128, 64 << 20)


@needs_litedram
def test_another_geometry_is_refused(monkeypatch):
    other = {**CHIPS, "sdr-133x16": replace(CHIPS["sdr-133x16"], module="IS42S16320")}
    monkeypatch.setattr("mnv2.sim.dram.chips.CHIPS", other)
    with pytest.raises(SimulationError, match="must have 4 banks and rows of 1,024 bytes"):
        make_core("sdr-133x16", 128, 1)


@needs_litedram
def test_what_litedram_refuses_is_said(monkeypatch):
    other = {**CHIPS, "sdr-133x16": replace(CHIPS["sdr-133x16"], module="NoSuchChip")}
    monkeypatch.setattr("mnv2.sim.dram.chips.CHIPS", other)
    with pytest.raises(SimulationError, match="made no RTL of NoSuchChip: AttributeError"):
        make_core("sdr-133x16", 128, 1)
